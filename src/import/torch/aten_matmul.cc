// Products of matrices.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

ValueId transposed(Builder& b, ValueId x) {
  return graph::swap_axes(b, x, -2, -1);
}

ValueId linear_of(Call& c, ValueId x, ValueId weight, ValueId bias) {
  Builder& b = c.b;
  if (b.rank(weight) == 1) {
    const ValueId y = graph::matmul(b, x, weight);
    return bias == kNone ? y : graph::binary(b, "Add", y, bias);
  }
  if (b.rank(x) == 2)
    return b.add("Gemm", bias == kNone ? std::vector{x, weight} : std::vector{x, weight, bias},
                 {{"transB", std::int64_t{1}}});
  const ValueId y = graph::matmul(b, x, transposed(b, weight));
  return bias == kNone ? y : graph::binary(b, "Add", y, bias);
}

Outputs linear(Call& c) {
  return linear_of(c, c.tensor("input"), c.tensor("weight"), c.tensor_or_none("bias"));
}

Outputs matmul(Call& c) {
  const std::string_view other = c.schema().parameters[1].name;
  return graph::matmul(c.b, c.tensor("self"), c.tensor(other));
}

ValueId scaled(Call& c, ValueId x, std::string_view factor) {
  const double number = c.number(factor, 1);
  return number == 1 ? x : graph::binary(c.b, "Mul", x, number);
}

// beta · self + alpha · (one @ other)
Outputs add_product(Call& c, std::string_view one, std::string_view other) {
  const ValueId product = scaled(c, graph::matmul(c.b, c.tensor(one), c.tensor(other)), "alpha");
  if (c.number("beta", 1) == 0) return product;
  return graph::binary(c.b, "Add", scaled(c, c.tensor("self"), "beta"), product);
}

Outputs addmm(Call& c) {
  Builder& b = c.b;
  const ValueId bias = c.tensor("self");
  if (c.number("beta", 1) == 1 && c.number("alpha", 1) == 1 && b.rank(bias) == 1)
    return b.add("Gemm", {c.tensor("mat1"), c.tensor("mat2"), bias});
  return add_product(c, "mat1", "mat2");
}
Outputs baddbmm(Call& c) {
  return add_product(c, "batch1", "batch2");
}
Outputs addmv(Call& c) {
  return add_product(c, "mat", "vec");
}
Outputs addbmm(Call& c) {
  const ValueId products = graph::matmul(c.b, c.tensor("batch1"), c.tensor("batch2"));
  const ValueId sum = scaled(c, graph::reduce(c.b, "ReduceSum", products, {0}, false), "alpha");
  return graph::binary(c.b, "Add", scaled(c, c.tensor("self"), "beta"), sum);
}

Outputs outer(Call& c) {
  const ValueId column = graph::unsqueeze(c.b, c.tensor("self"), {1});
  return graph::binary(c.b, "Mul", column, graph::unsqueeze(c.b, c.tensor("vec2"), {0}));
}

Outputs einsum(Call& c) {
  std::string equation = c.text("equation");
  std::erase(equation, ' ');
  return c.b.add("Einsum", c.tensors("tensors"), {{"equation", equation}});
}

Outputs tensordot(Call& c) {
  const ValueId x = c.tensor("self");
  const ValueId y = c.tensor("other");
  const Ints in_x = c.ints("dims_self");
  const Ints in_y = c.ints("dims_other");
  const int x_rank = c.rank(x);
  const int y_rank = c.rank(y);
  if (x_rank + y_rank > 26 || in_x.size() != in_y.size()) return c.refuse("too many axes");
  std::string left;
  std::string right;
  for (int i = 0; i < x_rank; ++i) left += static_cast<char>('a' + i);
  for (int i = 0; i < y_rank; ++i) right += static_cast<char>('a' + x_rank + i);
  std::string result = left + right;
  for (std::size_t i = 0; i < in_x.size(); ++i) {
    const auto one = static_cast<std::size_t>(in_x[i] < 0 ? in_x[i] + x_rank : in_x[i]);
    const auto other = static_cast<std::size_t>(in_y[i] < 0 ? in_y[i] + y_rank : in_y[i]);
    if (one >= left.size() || other >= right.size()) return c.refuse("an axis does not exist");
    std::erase(result, left[one]), std::erase(result, right[other]);
    right[other] = left[one];
  }
  return c.b.add("Einsum", {x, y}, {{"equation", left + "," + right + "->" + result}});
}

// x1' · W[k] · x2 + b
Outputs bilinear(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("input1");
  const int rank = c.rank(x);
  if (rank < 1 || rank > 8) return c.refuse("an input of more than 8 axes, or none");
  const std::string_view lead = std::string_view("abcdefg").substr(0, static_cast<std::size_t>(rank) - 1);
  ValueId y = b.add("Einsum", {x, c.tensor("weight"), c.tensor("input2")},
                    {{"equation", base::cat(lead, "x,kxy,", lead, "y->", lead, "k")}});
  if (c.has("bias")) y = graph::binary(b, "Add", y, c.tensor("bias"));
  return y;
}

// The product of three tensors with axes put in, summed over some.
Outputs trilinear(Call& c) {
  Builder& b = c.b;
  ValueId product = kNone;
  for (const auto& [name, axes] : {std::pair("i1", "expand1"), {"i2", "expand2"}, {"i3", "expand3"}}) {
    const Ints at = c.ints(axes);
    const ValueId factor = at.empty() ? c.tensor(name) : graph::unsqueeze(b, c.tensor(name), at);
    product = product == kNone ? factor : graph::binary(b, "Mul", product, factor);
  }
  const Ints summed = c.ints("sumdim");
  return summed.empty() ? product : graph::reduce(b, "ReduceSum", product, summed, false);
}

Outputs cosine_similarity(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("x1");
  const ValueId y = c.tensor("x2");
  const std::int64_t axis = c.axis("dim", std::max(c.rank(x), c.rank(y)));
  const auto length = [&](ValueId value) {
    return graph::binary(b, "Max", graph::reduce(b, "ReduceL2", value, {axis}, true), c.number("eps"));
  };
  const ValueId product =
      graph::binary(b, "Mul", graph::binary(b, "Div", x, length(x)), graph::binary(b, "Div", y, length(y)));
  return graph::reduce(b, "ReduceSum", product, {axis}, false);
}

ValueId distance(Call& c, ValueId gap, double p, bool keep) {
  if (p == 2) return graph::reduce(c.b, "ReduceL2", gap, {-1}, keep);
  if (p == 1) return graph::reduce(c.b, "ReduceL1", gap, {-1}, keep);
  if (std::isinf(p)) return graph::reduce(c.b, "ReduceMax", graph::unary(c.b, "Abs", gap), {-1}, keep);
  const ValueId powers = graph::binary(c.b, "Pow", graph::unary(c.b, "Abs", gap), p);
  return graph::binary(c.b, "Pow", graph::reduce(c.b, "ReduceSum", powers, {-1}, keep), 1 / p);
}

Outputs cdist(Call& c) {
  const ValueId gap = graph::binary(c.b, "Sub", graph::unsqueeze(c.b, c.tensor("x1"), {-2}),
                                    graph::unsqueeze(c.b, c.tensor("x2"), {-3}));
  return distance(c, gap, c.number("p"), false);
}

Outputs pairwise_distance(Call& c) {
  const ValueId gap = graph::binary(c.b, "Sub", c.tensor("x1"), c.tensor("x2"));
  return distance(c, graph::binary(c.b, "Add", gap, c.number("eps")), c.number("p"), c.flag("keepdim"));
}

Outputs multi_dot(Call& c) {
  const std::vector<ValueId> factors = c.tensors(c.schema().parameters.front().name);
  if (factors.empty()) return c.refuse("no matrices");
  ValueId product = factors.front();
  for (std::size_t i = 1; i < factors.size(); ++i) product = graph::matmul(c.b, product, factors[i]);
  return product;
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", linear},
    {"aten::matmul(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::linalg_matmul(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::__matmul__(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::mm(Tensor self, Tensor mat2) -> Tensor", matmul},
    {"aten::bmm(Tensor self, Tensor mat2) -> Tensor", matmul},
    {"aten::mv(Tensor self, Tensor vec) -> Tensor", matmul},
    {"aten::dot(Tensor self, Tensor tensor) -> Tensor", matmul},
    {"aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", addmm},
    {"aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     baddbmm},
    {"aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     addbmm},
    {"aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor", addmv},
    {"aten::outer(Tensor self, Tensor vec2) -> Tensor", outer},
    {"aten::ger(Tensor self, Tensor vec2) -> Tensor", outer},
    {"aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", einsum},
    {"aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", tensordot},
    {"aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor", bilinear},
    {"aten::_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] expand3, int[] "
     "sumdim, int unroll_dim=1) -> Tensor",
     trilinear},
    {"aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor",
     cosine_similarity},
    {"aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor", cdist},
    {"aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor", cdist},
    {"aten::pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> "
     "Tensor",
     pairwise_distance},
    {"aten::linalg_multi_dot(Tensor[] tensors) -> Tensor", multi_dot},
    {"aten::chain_matmul(Tensor[] matrices) -> Tensor", multi_dot},
});

}  // namespace

std::span<const Operator> matmul_operators() {
  return kRows;
}

}  // namespace wherry::torch
