// Results → bytes. Numbers are written in their shortest form which reads back as the same double (or
// float), integers as integers, doubles always with a point or an exponent (1.0).
//
// Functions append to `out`, whose capacity the caller keeps. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/request.h"
#include "protocol/schema.h"
#include "tensor/view.h"

namespace wherry::protocol {

// NaN and infinities in JSON: null on the server, where the body must be valid JSON (documented; a client
// cannot tell NaN from infinity), the tokens of Python's json on the command line.
enum class NonFinite : std::uint8_t { kNull, kPythonTokens };

struct ResponseHead {
  std::string_view model_name;
  std::string_view model_version;  // left out when empty
  std::optional<std::string_view> id;
};

// V2 response: {"model_name", "model_version", "id", "outputs": [{"name", "datatype", "shape", "data"}]},
// data flat, row-major. `tensors` are positions in schema.tensors() in the order to write; empty: every
// tensor of every result. `results` must hold the outputs they belong to (others are skipped). A table of
// mixed cells is written as BYTES, its numbers as text.
void write_v2(const ResponseHead& head, const Schema& schema, std::span<const std::uint32_t> tensors,
              std::span<const tensor::NamedResult> results, std::string& out,
              NonFinite non_finite = NonFinite::kNull);

// The same as the request wants it: its outputs in its order, each as JSON or, behind the JSON, as binary
// tensor (a missing text is empty there), or its k best classes. Gives the size of the JSON where binary
// tensors follow it, for the header Inference-Header-Content-Length; else 0.
std::size_t write_v2_answer(const ResponseHead& head, const Schema& schema, const Request& request,
                            std::span<const tensor::NamedResult> results, std::string& out,
                            NonFinite non_finite = NonFinite::kNull);

// {"predictions": […]}: one element per row, a scalar or a list; a list of arrays where the output has
// several values.
void write_predictions(const tensor::NamedResult& result, std::string& out,
                       NonFinite non_finite = NonFinite::kNull);

// The same of several outputs: {"predictions": {"boxes": […], "scores": […]}}, as MLflow answers for models
// which give a dictionary.
void write_predictions(std::span<const tensor::NamedResult> results, std::string& out,
                       NonFinite non_finite = NonFinite::kNull);

// {"outputs": {"predict": […], "predict_proba": [[…]]}}.
void write_outputs(std::span<const tensor::NamedResult> results, NonFinite non_finite, std::string& out);

// One column per output column, headed "predict", "predict_proba_LABEL" (or the position where labels are
// unknown, "predict_proba_0_LABEL" where an output has several values); RFC 4180; a missing cell is empty.
void write_csv(std::span<const tensor::NamedResult> results, std::string& out);

// The same columns, aligned for a terminal: numbers to the right with 6 significant digits.
void write_text_table(std::span<const tensor::NamedResult> results, std::string& out);

// Tensors for a terminal: name, datatype and shape of each, and the first of its elements, a line per last
// axis.
void write_tensor_text(std::span<const tensor::NamedResult> results, std::string& out);

// {"error": "…"}; bytes which are not UTF-8 become U+FFFD.
std::string error_json(std::string_view message);

}  // namespace wherry::protocol
