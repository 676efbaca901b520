#include "protocol/model_tensors.h"

#include "base/text.h"
#include "protocol/datatypes.h"

namespace wherry::protocol {
namespace {

TensorMetadata with_shape(TensorMetadata tensor) {
  if (!program::is_any_shape(tensor.shape)) return tensor;
  tensor.shape = {-1};
  tensor.any_shape = true;
  return tensor;
}

}  // namespace

std::string shape_text(const program::InputTensor& input) {
  if (program::is_any_shape(input.shape)) return "[…]";
  std::string text = "[";
  for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
    const bool named = input.shape[axis] < 0 && axis < input.dims.size() && !input.dims[axis].empty();
    text += axis == 0 ? "" : ", ";
    text += named ? input.dims[axis] : base::cat(input.shape[axis]);
  }
  return text + "]";
}

bool has_matrix_input(const Schema& schema) {
  return !schema.takes_tensors() && !schema.signature().has_names &&
         (schema.takes_numbers() || schema.takes_texts());
}

std::vector<TensorMetadata> input_tensors(const Schema& schema) {
  if (schema.takes_tensors()) {
    std::vector<TensorMetadata> tensors;
    for (const program::InputTensor& input : schema.inputs())
      tensors.push_back(with_shape({input.name, datatype_of(input.dtype), input.shape}));
    return tensors;
  }
  const auto columns = static_cast<std::int64_t>(schema.columns().size());
  if (has_matrix_input(schema)) return {{"input", schema.takes_numbers() ? "FP64" : "BYTES", {-1, columns}}};
  std::vector<TensorMetadata> tensors;
  for (const program::InputColumn& column : schema.columns())
    tensors.push_back({column.name, datatype_of(column.type), {-1}});
  return tensors;
}

std::vector<TensorMetadata> output_tensors(const Schema& schema) {
  std::vector<TensorMetadata> tensors;
  for (const OutputTensor& tensor : schema.tensors())
    tensors.push_back(
        with_shape({tensor.name,
                    tensor.type.kind == program::ValueKind::kTable ? "BYTES" : datatype_of(tensor.type.dtype),
                    tensor.type.shape}));
  return tensors;
}

}  // namespace wherry::protocol
