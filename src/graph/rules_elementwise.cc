// Operators that work element by element.
#include <array>

#include "graph/rules.h"

#include "base/text.h"

namespace wherry::graph {
namespace {

using tensor::DType;

void same(Inference& i) {
  i.outputs[0] = i.in(0);
}

void to_bool(Inference& i) {
  i.outputs[0] = i.in(0);
  i.outputs[0].dtype = DType::kBool;
}

void need_same_dtype(Inference& i) {
  for (std::size_t k = 1; k < i.node.inputs.size(); ++k)
    if (i.has(k) && i.in(k).dtype != i.in(0).dtype)
      return i.fail(base::cat("inputs of the types ", to_string(i.in(0)), " and ", to_string(i.in(k))));
}

void broadcast_all(Inference& i) {
  std::vector<const Type*> types;
  for (std::size_t k = 0; k < i.node.inputs.size(); ++k)
    if (i.has(k)) types.push_back(&i.in(k));
  if (auto dims = broadcast(i.builder, types)) i.dims(0, std::move(*dims));
}

void arithmetic(Inference& i) {
  need_same_dtype(i);
  broadcast_all(i);
}

void power(Inference& i) {  // the exponent may be of another type
  broadcast_all(i);
}

void compare(Inference& i) {
  need_same_dtype(i);
  i.outputs[0].dtype = DType::kBool;
  broadcast_all(i);
}

void logical(Inference& i) {
  need_same_dtype(i);
  if (i.in(0).dtype != DType::kBool) i.fail(base::cat("an input of the type ", to_string(i.in(0))));
  i.outputs[0].dtype = DType::kBool;
  broadcast_all(i);
}

void where(Inference& i) {
  if (i.in(0).dtype != DType::kBool || i.in(1).dtype != i.in(2).dtype)
    i.fail(base::cat("inputs of the types ", to_string(i.in(0)), ", ", to_string(i.in(1)), " and ",
                     to_string(i.in(2))));
  i.outputs[0].dtype = i.in(1).dtype;
  broadcast_all(i);
}

void cast(Inference& i) {
  const auto to = dtype_of_onnx(i.int_or("to", 0));
  if (!to) return i.fail("no such type");
  i.outputs[0] = i.in(0);
  i.outputs[0].dtype = *to;
}

void like_first(Inference& i) {  // CastLike
  i.outputs[0] = i.in(0);
  i.outputs[0].dtype = i.in(1).dtype;
}

void prelu(Inference& i) {
  need_same_dtype(i);
  i.outputs[0] = i.in(0);
}

void dropout(Inference& i) {
  i.outputs[0] = i.in(0);
  if (i.outputs.size() > 1) i.outputs[1] = {DType::kBool, i.in(0).ranked, i.in(0).dims};
}

void quantize(Inference& i) {
  i.outputs[0] = i.in(0);
  i.outputs[0].dtype = i.has(2) ? i.in(2).dtype : DType::kUint8;
}
void dequantize(Inference& i) {
  i.outputs[0] = i.in(0);
  i.outputs[0].dtype = i.in(1).dtype;
}

constexpr auto kRows = std::to_array<OpRow>({
    {"Identity", 1, 1, same},
    {"Abs", 1, 1, same},
    {"Acos", 1, 1, same},
    {"Acosh", 1, 1, same},
    {"Asin", 1, 1, same},
    {"Asinh", 1, 1, same},
    {"Atan", 1, 1, same},
    {"Atanh", 1, 1, same},
    {"BitwiseNot", 1, 1, same},
    {"Ceil", 1, 1, same},
    {"Celu", 1, 1, same},
    {"Clip", 1, 3, same},
    {"Cos", 1, 1, same},
    {"Cosh", 1, 1, same},
    {"CumSum", 2, 2, same},
    {"Elu", 1, 1, same},
    {"Erf", 1, 1, same},
    {"Exp", 1, 1, same},
    {"Floor", 1, 1, same},
    {"Gelu", 1, 1, same},
    {"HardSigmoid", 1, 1, same},
    {"HardSwish", 1, 1, same},
    {"Hardmax", 1, 1, same},
    {"LeakyRelu", 1, 1, same},
    {"Log", 1, 1, same},
    {"LogSoftmax", 1, 1, same},
    {"LRN", 1, 1, same},
    {"LpNormalization", 1, 1, same},
    {"MeanVarianceNormalization", 1, 1, same},
    {"Mish", 1, 1, same},
    {"Neg", 1, 1, same},
    {"Not", 1, 1, to_bool},
    {"PRelu", 2, 2, prelu},
    {"Reciprocal", 1, 1, same},
    {"Relu", 1, 1, same},
    {"ReverseSequence", 2, 2, same},
    {"Round", 1, 1, same},
    {"Selu", 1, 1, same},
    {"Shrink", 1, 1, same},
    {"Sigmoid", 1, 1, same},
    {"Sign", 1, 1, same},
    {"Sin", 1, 1, same},
    {"Sinh", 1, 1, same},
    {"Softmax", 1, 1, same},
    {"Softplus", 1, 1, same},
    {"Softsign", 1, 1, same},
    {"Sqrt", 1, 1, same},
    {"Tan", 1, 1, same},
    {"Tanh", 1, 1, same},
    {"ThresholdedRelu", 1, 1, same},
    {"Trilu", 1, 2, same},
    {"IsInf", 1, 1, to_bool},
    {"IsNaN", 1, 1, to_bool},
    {"Dropout", 1, 3, dropout},
    {"Add", 2, 2, arithmetic},
    {"Sub", 2, 2, arithmetic},
    {"Mul", 2, 2, arithmetic},
    {"Div", 2, 2, arithmetic},
    {"Mod", 2, 2, arithmetic},
    {"Max", 1, kAny, arithmetic},
    {"Min", 1, kAny, arithmetic},
    {"Mean", 1, kAny, arithmetic},
    {"Sum", 1, kAny, arithmetic},
    {"Pow", 2, 2, power},
    {"BitShift", 2, 2, arithmetic},
    {"BitwiseAnd", 2, 2, arithmetic},
    {"BitwiseOr", 2, 2, arithmetic},
    {"BitwiseXor", 2, 2, arithmetic},
    {"StringConcat", 2, 2, arithmetic},
    {"And", 2, 2, logical},
    {"Or", 2, 2, logical},
    {"Xor", 2, 2, logical},
    {"Equal", 2, 2, compare},
    {"Greater", 2, 2, compare},
    {"GreaterOrEqual", 2, 2, compare},
    {"Less", 2, 2, compare},
    {"LessOrEqual", 2, 2, compare},
    {"RegexFullMatch", 1, 1, to_bool},
    {"Where", 3, 3, where},
    {"Cast", 1, 1, cast},
    {"CastLike", 2, 2, like_first},
    {"QuantizeLinear", 2, 3, quantize},
    {"DequantizeLinear", 2, 3, dequantize},
});

}  // namespace

std::span<const OpRow> elementwise_rows() {
  return kRows;
}

}  // namespace wherry::graph
