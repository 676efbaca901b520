// The V1 protocol's answers and documents, as TensorFlow Serving (api_rest.md) and KServe write them.
//
// Functions append to `out`, whose capacity the caller keeps, or return a document. Thread-safety: pure
// functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/response.h"
#include "protocol/schema.h"
#include "protocol/v1_request.h"
#include "tensor/view.h"

namespace wherry::protocol {

// {"predictions": […]} for kRows: one value or list per row where one tensor was asked for, else an object of
// them. {"outputs": …} for kColumns: the tensor, or an object of tensors. kLists, which both servers
// understand in their own way, has both members. `results` hold the outputs of the form; an output of several
// values counts as several tensors. Texts of a tensor whose name ends in "_bytes" become {"b64": "…"}; NaN
// and infinities null. Where a model's tensors do not have the rows as first axis, "predictions" is what
// "outputs" would be.
void write_v1_predictions(const Schema& schema, const V1Form& form,
                          std::span<const tensor::NamedResult> results, std::string& out);

// {"result": [[["label", score], …], …]}, the classes in the model's order; without labels their positions.
void write_v1_classes(const tensor::NamedResult& result, std::string& out);

// {"result": [number, …]}.
void write_v1_regression(const tensor::NamedResult& result, std::string& out);

// GET …/metadata: the signature_def of serving_default and of every output.
std::string v1_metadata(const Schema& schema, std::string_view model, std::string_view version);

// One version of a model in GET /v1/models/M. `state` is a name of ModelVersionStatus.State (START, LOADING,
// AVAILABLE, UNLOADING, END), `error` why it is not there.
struct V1VersionStatus {
  std::string_view version;
  std::string_view state;
  std::string_view error;
};

// {"name", "ready", "model_version_status": […]}: what both servers answer, in one document.
std::string v1_model_status(std::string_view model, bool ready, std::span<const V1VersionStatus> versions);

// {"models": ["a", …]}.
std::string v1_model_list(std::span<const std::string_view> models);

}  // namespace wherry::protocol
