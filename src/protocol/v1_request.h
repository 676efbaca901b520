// The V1 protocol's requests, as TensorFlow Serving (api_rest.md) and KServe's V1 endpoints take them. The
// rules about names, cells and numbers are those of request.h; what V1 adds:
//   bytes      {"b64": "…"} stands for text wherever text is taken; it must be UTF-8
//   vectors    a list of one value stands for that value, as the shape [1] of an instance's tensor
//   "input"    a model without column names also takes its whole matrix under this name, which is the one
//              v1_metadata announces: {"instances": [{"input": […]}]}, {"inputs": {"input": [[…]]}}
//   outputs    "signature_name" names an output of the model ("serving_default": the default one), or
//              "parameters" (or "params") holds "predict_method", a name or a list of names
// A tensor model takes its inputs by name as nested lists: "instances" are rows, each an object of the
// inputs' parts, or the part itself where there is one input; "inputs" are whole tensors, an object of them
// or the only one. All outputs are answered where none is chosen. It has no "examples". Members which neither
// server defines are ignored.
//
// Thread-safety: one Request and V1Form per thread; Schema may be shared.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/request.h"

namespace wherry::protocol {

enum class V1Layout : std::uint8_t {
  kRows,     // "instances"
  kColumns,  // "inputs", an object of columns
  kLists,    // "inputs", a list of rows: TensorFlow Serving's single input, KServe's other name of instances;
             // of a tensor model this is kColumns
};

// What a predict request asks for beside its rows.
struct V1Form {
  V1Layout layout = V1Layout::kRows;
  std::vector<std::uint32_t> outputs;  // positions in Schema::outputs(), at least one after reading
};

// POST /v1/models/M:predict. Errors: as request.h; "protocol.unknown_signature", "protocol.bad_base64".
base::Status read_v1_predict(std::string_view body, const Schema& schema, const RequestLimits& limits,
                             Request& request, V1Form& form);

// POST /v1/models/M:classify and :regress: {"context": {…}, "examples": [{…}, …]}. A feature of the context
// belongs to every example which does not have it itself. Columns go by their names, also where the model was
// fitted without (x0, x1, …).
base::Status read_v1_examples(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request);

// The output whose columns are the scores of classes (predict_proba, else a default output of several numbers
// per row); nullopt where a model answers none, or takes tensors.
std::optional<std::uint32_t> classify_output(const Schema& schema);

// The output of one number per row; nullopt for classifiers and whatever else answers no such, and for tensor
// models.
std::optional<std::uint32_t> regress_output(const Schema& schema);

}  // namespace wherry::protocol
