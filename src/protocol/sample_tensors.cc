#include "protocol/sample_tensors.h"

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/json_writer.h"
#include "protocol/metadata.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {
namespace {

using tensor::ResultView;
using tensor::TensorCells;

void append_input(const program::InputTensor& input, const TensorCells& cells, std::string& out) {
  out += "{\"name\":";
  append_string(input.name, out);
  out += ",\"shape\":[";
  for (std::size_t axis = 0; axis < cells.shape.size(); ++axis) {
    if (axis != 0) out += ',';
    append_integer(cells.shape[axis], out);
  }
  out += base::cat("],\"datatype\":\"", datatype_of(cells.dtype), "\",\"data\":[");
  const ResultView view = view_of(cells);
  for (std::size_t i = 0; i < view.size(); ++i) {
    if (i != 0) out += ',';
    append_element(view, i, NonFinite::kNull, out);
  }
  out += "]}";
}

}  // namespace

std::string sample_tensor_v2(const Schema& schema, const tensor::Table& table,
                             std::span<const std::string> outputs) {
  std::string out = "{\"inputs\":[";
  for (std::size_t i = 0; i < schema.inputs().size(); ++i) {
    if (i != 0) out += ',';
    append_input(schema.inputs()[i], table.tensors[i], out);
  }
  out += ']';
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    out += i == 0 ? ",\"outputs\":[{\"name\":" : ",{\"name\":";
    append_string(outputs[i], out);
    out += '}';
  }
  if (!outputs.empty()) out += ']';
  out += '}';
  return out;
}

std::string sample_tensor_inputs(const Schema& schema, const tensor::Table& table) {
  std::string out = "{\"inputs\":{";
  for (std::size_t i = 0; i < schema.inputs().size(); ++i) {
    if (i != 0) out += ',';
    append_string(schema.inputs()[i].name, out);
    out += ':';
    std::size_t next = 0;
    append_nested(view_of(table.tensors[i]), 0, next, NonFinite::kNull, out);
  }
  out += "}}";
  return out;
}

std::string sample_tensor_instances(const Schema& schema, const tensor::Table& table) {
  const bool named = schema.inputs().size() > 1;
  std::vector<std::size_t> next(schema.inputs().size());
  std::string out = "{\"instances\":[";
  for (std::size_t row = 0; row < table.rows; ++row) {
    if (row != 0) out += ',';
    if (named) out += '{';
    for (std::size_t i = 0; i < schema.inputs().size(); ++i) {
      if (i != 0) out += ',';
      if (named) {
        append_string(schema.inputs()[i].name, out);
        out += ':';
      }
      append_nested(view_of(table.tensors[i]), 1, next[i], NonFinite::kNull, out);
    }
    if (named) out += '}';
  }
  out += "]}";
  return out;
}

bool is_short_example(const tensor::Table& table) {
  std::size_t elements = 0;
  for (const TensorCells& cells : table.tensors) elements += view_of(cells).size();
  return elements <= kMostSampleElements;
}

}  // namespace wherry::protocol
