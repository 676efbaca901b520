#include "engine/tensor_input.h"

#include "base/text.h"

namespace wherry::engine {
namespace {

using base::cat;
using program::InputTensor;
using tensor::TensorCells;

std::unexpected<base::Error> refuse(std::string message) {
  return base::fail(base::Code::kInvalidInput, "engine.tensor_input", std::move(message),
                    "send every input with the type and shape which the model's metadata show");
}

base::Status check_lengths(const InputTensor& input, const TensorCells& cells) {
  if (!program::admits(input.shape, cells.shape))
    return refuse(cat("input ", base::quoted(input.name), ": shape ", tensor::to_string(cells.shape),
                      ", the model takes ", tensor::to_string(input.shape)));
  return {};
}

base::Status check_size(const InputTensor& input, const TensorCells& cells) {
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(cells.shape));
  const bool is_text = cells.dtype == tensor::DType::kString;
  const std::uint64_t expected = is_text ? count : count * tensor::info(cells.dtype).size;
  const std::uint64_t given = is_text ? cells.texts.size() : cells.bytes.size();
  if (expected != given)
    return refuse(cat("input ", base::quoted(input.name), ": ", given, is_text ? " texts" : " bytes",
                      " for a tensor of ", expected));
  return {};
}

// The first length of that name must be that of `axis` of tensor `index`, too.
base::Status check_name(const program::Signature& signature, const tensor::Table& input, std::size_t index,
                        std::size_t axis) {
  const std::string& name = signature.tensors[index].dims[axis];
  for (std::size_t i = 0; i <= index; ++i) {
    const auto& dims = signature.tensors[i].dims;
    for (std::size_t k = 0; k < dims.size(); ++k) {
      if (dims[k] != name) continue;
      if (input.tensors[i].shape[k] == input.tensors[index].shape[axis]) return {};
      return refuse(cat("input ", base::quoted(signature.tensors[index].name), ": ", base::quoted(name),
                        " is ", input.tensors[index].shape[axis], ", but ", input.tensors[i].shape[k],
                        " in input ", base::quoted(signature.tensors[i].name)));
    }
  }
  return {};
}

}  // namespace

base::Status check_tensors(const program::Signature& signature, const tensor::Table& input) {
  if (input.tensors.size() != signature.tensors.size())
    return refuse(cat(input.tensors.size(), " input tensors, the model takes ", signature.tensors.size()));
  for (std::size_t i = 0; i < signature.tensors.size(); ++i) {
    const InputTensor& expected = signature.tensors[i];
    const TensorCells& cells = input.tensors[i];
    if (cells.dtype != expected.dtype)
      return refuse(cat("input ", base::quoted(expected.name), ": ", tensor::info(cells.dtype).protocol_name,
                        ", the model takes ", tensor::info(expected.dtype).protocol_name));
    TRY(check_lengths(expected, cells));
    TRY(check_size(expected, cells));
    if (signature.batched && static_cast<std::size_t>(cells.shape[0]) != input.rows)
      return refuse(cat("input ", base::quoted(expected.name), ": a batch of ", cells.shape[0], ", not of ",
                        input.rows, " as in the other inputs"));
    for (std::size_t axis = 0; axis < expected.dims.size(); ++axis)
      if (!expected.dims[axis].empty()) TRY(check_name(signature, input, i, axis));
  }
  return {};
}

}  // namespace wherry::engine
