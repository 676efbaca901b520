#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Shape;

namespace {

constexpr std::size_t kMostResults = 4096;

base::Status check_shape(const Shape& shape, bool batched, std::string_view what) {
  if (is_any_shape(shape)) return {};
  if (shape.size() > kMostAxes)
    return invalid(cat(what, " has ", shape.size(), " axes, more than ", kMostAxes));
  if (std::ranges::any_of(shape, [](std::int64_t length) { return length < -1; }))
    return invalid(cat(what, " has a negative length"));
  if (batched && (shape.empty() || shape[0] != -1))
    return invalid(cat(what, " does not begin with the batch, but the model is batched"));
  return {};
}

base::Status check_results(const OnnxGraph& op) {
  if (op.results.empty() || op.results.size() > kMostResults)
    return invalid(cat(op.results.size(), " results"));
  std::unordered_set<std::string_view> names;
  for (const GraphResult& result : op.results)
    if (result.name.empty() || !names.insert(result.name).second)
      return invalid(cat("result ", base::quoted(result.name), " has no name of its own"));
  return {};
}

base::Status check_weights(const OnnxGraph& op, const Operands& in) {
  std::unordered_set<std::string_view> names;
  for (const GraphWeight& weight : op.weights) {
    if (weight.name.empty() || !names.insert(weight.name).second)
      return invalid(cat("weight ", base::quoted(weight.name), " has no name of its own"));
    const tensor::Tensor* found = in.find_weight(weight.tensor);
    if (found == nullptr || found->dtype() == DType::kString)
      return invalid(cat("weight ", base::quoted(weight.name), " is missing, or text"));
  }
  return {};
}

}  // namespace

bool is_rows(const ValueType& type) {
  if (type.kind != ValueKind::kTensor) return type.kind != ValueKind::kTuple;
  const bool has_dtype = type.dtype == DType::kFloat64 || type.dtype == DType::kInt64 ||
                         type.dtype == DType::kBool || type.dtype == DType::kString;
  const bool has_shape =
      (type.shape.size() == 1 || (type.shape.size() == 2 && type.shape[1] >= 0)) && type.shape[0] == -1;
  return has_dtype && has_shape;
}

Result<ValueType> type_of(const TensorInput& op, const Operands& in) {
  const Signature& signature = in.program.signature();
  if (!in.types.empty()) return invalid("has an input");
  if (op.index < 0 || static_cast<std::size_t>(op.index) >= signature.tensors.size())
    return invalid(cat("there is no input tensor ", op.index));
  const InputTensor& input = signature.tensors[static_cast<std::size_t>(op.index)];
  TRY(check_shape(input.shape, signature.batched, cat("input ", base::quoted(input.name))));
  return ValueType{ValueKind::kTensor, input.dtype, input.shape};
}

Result<ValueType> type_of(const OnnxGraph& op, const Operands& in) {
  if (in.types.size() != op.input_names.size())
    return invalid(cat(op.input_names.size(), " input names for ", in.types.size(), " inputs"));
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < op.input_names.size(); ++i) {
    if (op.input_names[i].empty() || !names.insert(op.input_names[i]).second)
      return invalid(cat("input ", base::quoted(op.input_names[i]), " has no name of its own"));
    if (in.types[i].kind != ValueKind::kTensor)
      return invalid(cat("input ", base::quoted(op.input_names[i]), " is not a tensor"));
  }
  const tensor::Tensor* model = in.find_weight(op.model);
  if (model == nullptr || model->dtype() != DType::kUint8 || model->shape().size() != 1 || model->size() == 0)
    return invalid("the model is not a list of bytes");
  TRY(check_results(op));
  TRY(check_weights(op, in));
  return ValueType{ValueKind::kTuple, DType::kUint8, {}};
}

Result<ValueType> type_of(const GraphOutput& op, const Operands& in) {
  if (in.graph == nullptr) return invalid("its input is not an onnx_graph");
  if (op.index < 0 || static_cast<std::size_t>(op.index) >= in.graph->results.size())
    return invalid(cat("the graph has no result ", op.index));
  const GraphResult& result = in.graph->results[static_cast<std::size_t>(op.index)];
  TRY(check_shape(result.shape, in.program.signature().batched, cat("result ", base::quoted(result.name))));
  return ValueType{ValueKind::kTensor, result.dtype, result.shape};
}

}  // namespace wherry::program
