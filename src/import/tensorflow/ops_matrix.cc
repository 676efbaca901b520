// Products and softmax: tensorflow/core/ops/math_ops.cc, nn_ops.cc, linalg_ops.cc.
#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

void product(Op& op, bool flip_x, bool flip_y) {
  Builder& b = op.b;
  ValueId x = op.in(0), y = op.in(1);
  if (flip_x) x = graph::swap_axes(b, x, -1, -2);
  if (flip_y) y = graph::swap_axes(b, y, -1, -2);
  op.out(graph::matmul(b, x, y));
}

void matmul(Op& op) {
  product(op, op.boolean("transpose_a", false), op.boolean("transpose_b", false));
}

void batch_matmul(Op& op) {
  product(op, op.boolean("adj_x", false), op.boolean("adj_y", false));
}

// "..." as letters of their own where it stands for the same number of axes everywhere.
std::string without_dots(Op& op, std::string equation) {
  const std::size_t arrow = equation.find("->");
  if (arrow == equation.npos || equation.find("...") == equation.npos) return equation;
  const auto terms = base::split(std::string_view(equation).substr(0, arrow), ',');
  std::optional<std::size_t> hidden;
  for (std::size_t i = 0; i < terms.size() && i < op.count(); ++i) {
    if (terms[i].find("...") == terms[i].npos) continue;
    const int rank = op.b.rank(op.in(i));
    const std::size_t named = terms[i].size() - 3;
    if (rank < static_cast<int>(named)) return equation;
    const std::size_t own = static_cast<std::size_t>(rank) - named;
    if (hidden && *hidden != own) return equation;
    hidden = own;
  }
  std::string letters;
  for (char letter = 'a'; letter <= 'z' && letters.size() < hidden.value_or(0); ++letter)
    if (equation.find(letter) == equation.npos) letters += letter;
  if (letters.size() < hidden.value_or(0)) return equation;
  for (std::size_t at; (at = equation.find("...")) != equation.npos;) equation.replace(at, 3, letters);
  return equation;
}

void einsum(Op& op) {
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < op.count(); ++i) inputs.push_back(op.in(i));
  std::string equation(op.text("equation", ""));
  std::erase(equation, ' ');
  op.out(op.b.add("Einsum", inputs, {{"equation", without_dots(op, std::move(equation))}}));
}

void softmax(Op& op) {
  op.out(graph::softmax(op.b, op.in(0), -1));
}

void log_softmax(Op& op) {
  op.out(op.b.add("LogSoftmax", {op.in(0)}, {{"axis", std::int64_t{-1}}}));
}

void cross(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), y = op.in(1);
  const auto rolled = [&](ValueId v, std::int64_t by) {
    return graph::gather(b, v, graph::ints(b, by == 1 ? Ints{1, 2, 0} : Ints{2, 0, 1}), -1);
  };
  op.out(graph::binary(b, "Sub", graph::binary(b, "Mul", rolled(x, 1), rolled(y, 2)),
                       graph::binary(b, "Mul", rolled(x, 2), rolled(y, 1))));
}

constexpr OpRow kRows[] = {
    {"MatMul", matmul},
    {"BatchMatMul", batch_matmul},
    {"BatchMatMulV2", batch_matmul},
    {"BatchMatMulV3", batch_matmul},
    {"Einsum", einsum},
    {"Softmax", softmax},
    {"LogSoftmax", log_softmax},
    {"Cross", cross},
};

}  // namespace

std::span<const OpRow> matrix_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
