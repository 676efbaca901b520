#include "onnx/testing_operators.h"

namespace wherry::onnx::testing {
namespace {

void add_unary(std::vector<Case>& cases) {
  for (const std::string_view op : {"Identity",   "Abs",
                                    "Asinh",      "Atan",
                                    "Ceil",       "Celu",
                                    "Cos",        "Cosh",
                                    "Elu",        "Erf",
                                    "Exp",        "Floor",
                                    "Gelu",       "Neg",
                                    "Hardmax",    "HardSwish",
                                    "LeakyRelu",  "Mish",
                                    "LogSoftmax", "Relu",
                                    "Round",      "HardSigmoid",
                                    "Selu",       "Sign",
                                    "Shrink",     "Sigmoid",
                                    "Sin",        "Sinh",
                                    "Softmax",    "Softplus",
                                    "Softsign",   "Tan",
                                    "Tanh",       "ThresholdedRelu",
                                    "IsInf",      "IsNaN",
                                    "Reciprocal"})
    cases.push_back({op, {floats({2, 6})}});
  for (const std::string_view op : {"Acos", "Asin", "Atanh"}) cases.push_back({op, {small({2, 6})}});
  for (const std::string_view op : {"Log", "Sqrt", "Acosh"}) cases.push_back({op, {positive({2, 6})}});
  for (const std::string_view op : {"Abs", "Neg"}) {
    cases.push_back({op, {counted<std::int64_t>({2, 4})}});
    cases.push_back({op, {counted<std::int32_t>({2, 4})}});
  }
  cases.push_back({"BitwiseNot", {counted<std::int32_t>({8})}});
  cases.push_back({"Not", {bools({2, 3})}});
  cases.push_back({"MeanVarianceNormalization", {floats({2, 2, 3, 3})}});
  cases.push_back({"LRN", {floats({1, 5, 2, 2})}, 1, {{"size", std::int64_t{3}}}});
  cases.push_back({"LpNormalization", {floats({2, 6})}});
  cases.push_back({"Clip", {floats({2, 6}), number(-0.5F), number(0.75F)}});
  cases.push_back({"Clip", {floats({2, 6}), std::nullopt, number(0.75F)}});
  cases.push_back({"CumSum", {floats({2, 6}), integer(1)}});
  cases.push_back({"PRelu", {floats({2, 3}), positive({3})}});
  cases.push_back({"ReverseSequence", {floats({4, 2}), list({2, 3})}});
  cases.push_back({"Trilu", {floats({4, 5}), integer(1)}});
  cases.push_back({"Dropout", {floats({2, 6})}, 1, {}, 2});
}

void add_binary(std::vector<Case>& cases) {
  for (const std::string_view op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Mean", "Sum"}) {
    cases.push_back({op, {floats({2, 3}), positive({2, 3})}, 2});
    cases.push_back({op, {floats({4, 1, 3}), positive({2, 1})}, 2});
  }
  for (const std::string_view op : {"Add", "Sub", "Mul", "Div", "Mod", "Max", "Min"}) {
    cases.push_back({op, {counted<std::int64_t>({2, 4}), list({3})}});
    cases.push_back({op, {counted<std::int32_t>({2, 4}), of<std::int32_t>({}, {-3})}});
  }
  cases.push_back({"Max", {floats({2, 3}), positive({3}), number(0.5F)}, 2});
  cases.push_back({"Mod", {floats({2, 3}), positive({3})}, 2, {{"fmod", std::int64_t{1}}}});
  cases.push_back({"Pow", {positive({2, 3}), counted<std::int64_t>({3}, 1)}});
  const Tensor bytes = counted<std::uint8_t>({6}, 1);
  cases.push_back({"BitShift", {bytes, of<std::uint8_t>({1}, {2})}, 2, {{"direction", std::string("LEFT")}}});
  for (const std::string_view op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"})
    cases.push_back({op, {counted<std::int32_t>({2, 4}), of<std::int32_t>({1}, {6})}, 2});
  cases.push_back({"StringConcat", {texts({"a", "b"}), texts({"-"})}, 2});
  for (const std::string_view op : {"And", "Or", "Xor"})
    cases.push_back({op, {bools({2, 3}), Tensor::of_bools({3}, {1, 0, 1})}, 2});
  for (const std::string_view op : {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) {
    cases.push_back({op, {floats({2, 6}), number(0.25F)}, 2});
    cases.push_back({op, {counted<std::int64_t>({2, 4}), list({-1})}, 2});
    cases.push_back({op, {counted<std::int32_t>({2, 4}), counted<std::int32_t>({4}, -2)}, 2});
  }
  cases.push_back({"Equal", {bools({2, 3}), Tensor::of_bools({1}, {1})}, 2});
  cases.push_back({"Equal", {texts({"a", "b"}), texts({"b"})}, 2});
}

void add_casts(std::vector<Case>& cases) {
  const Tensor given[] = {floats({2, 6}), counted<std::int64_t>({2, 6}),    counted<std::int32_t>({2, 6}),
                          bools({2, 6}),  counted<std::uint8_t>({2, 6}, 0), of<double>({2}, {-1.75, 2.5})};
  for (const Tensor& from : given)
    for (const tensor::DType to : {tensor::DType::kFloat32, tensor::DType::kFloat64, tensor::DType::kInt64,
                                   tensor::DType::kInt32, tensor::DType::kBool, tensor::DType::kFloat16})
      cases.push_back({"Cast", {from}, 1, {{"to", graph::onnx_dtype(to)}}});
  cases.push_back(
      {"Cast", {counted<std::int64_t>({3})}, 1, {{"to", graph::onnx_dtype(tensor::DType::kString)}}});
  cases.push_back({"CastLike", {floats({2, 6}), integer(0)}});
}

}  // namespace

std::vector<Case> elementwise_cases() {
  std::vector<Case> cases;
  add_unary(cases);
  add_binary(cases);
  add_casts(cases);
  cases.push_back({"Where", {bools({2, 3}), floats({2, 3}), number(0.5F)}, 3});
  cases.push_back({"Where", {Tensor::of_bools({}, {0}), floats({2, 3}), positive({2, 3})}, 3});
  const Tensor scale = number(0.25F), zero = of<std::uint8_t>({}, {128});
  cases.push_back({"QuantizeLinear", {floats({2, 6}), scale, zero}});
  cases.push_back({"QuantizeLinear", {positive({2, 6}), scale}});
  cases.push_back({"DequantizeLinear", {counted<std::uint8_t>({2, 6}, 120), scale, zero}});
  return cases;
}

}  // namespace wherry::onnx::testing
