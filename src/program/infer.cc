#include "program/infer.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace wherry::program {
namespace {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::Code::kInvalidInput, "program.invalid", std::move(message),
                    "the model is inconsistent in itself; train or save it again");
}

ValueType matrix(std::int64_t columns) {
  return {ValueKind::kTensor, DType::kFloat64, {-1, columns}};
}
ValueType table(std::int64_t columns) {
  return {ValueKind::kTable, DType::kFloat64, {-1, columns}};
}
ValueType index() {
  return {ValueKind::kTensor, DType::kInt64, {-1}};
}

bool is_columns(const ValueType& type) {
  return type.kind == ValueKind::kTable || is_matrix(type);
}

// The rules, one overload per operation.
class Rules {
 public:
  Rules(std::span<const ValueType> inputs, const Program& program) : inputs_(inputs), program_(program) {}

  Result<ValueType> operator()(const SelectColumns& op) {
    TRY(columns());
    TRY(check_positions(op.columns, width(inputs_[0])));
    ValueType type = inputs_[0];
    type.shape[1] = static_cast<std::int64_t>(op.columns.size());
    return type;
  }

  Result<ValueType> operator()(const Concat&) {
    if (inputs_.empty()) return invalid("concat of nothing");
    std::int64_t total = 0;
    bool all_matrices = true;
    for (const ValueType& type : inputs_) {
      if (!is_columns(type)) return invalid(cat("concat of ", to_string(type)));
      total += width(type);
      all_matrices &= is_matrix(type);
    }
    return all_matrices ? matrix(total) : table(total);
  }

  Result<ValueType> operator()(const ToMatrix&) {
    TRY(columns());
    return matrix(width(inputs_[0]));
  }

  Result<ValueType> operator()(const CheckFinite&) { return same_matrix(); }
  Result<ValueType> operator()(const Clip&) { return same_matrix(); }
  Result<ValueType> operator()(const Apply&) { return same_matrix(); }
  Result<ValueType> operator()(const Softmax&) { return same_matrix(); }
  Result<ValueType> operator()(const NormalizeRows&) { return same_matrix(); }
  Result<ValueType> operator()(const MultinomialLogit&) { return same_matrix(); }

  Result<ValueType> operator()(const Constant& op) {
    TRY(columns());
    const Tensor* row = find_weight(op.row);
    if (row == nullptr || row->dtype() != DType::kFloat64 || row->shape().size() != 1)
      return invalid("constant: row is not a float64 list");
    return matrix(row->shape()[0]);
  }

  Result<ValueType> operator()(const Columnwise& op) {
    TRY_ASSIGN(ValueType type, same_matrix());
    const Tensor* operand = find_weight(op.operand);
    if (operand == nullptr || operand->dtype() != DType::kFloat64 || operand->shape().size() != 1 ||
        (operand->shape()[0] != width(type) && operand->shape()[0] != 1))
      return invalid(cat("columnwise: operand is not float64 [", width(type), "]"));
    return type;
  }

  Result<ValueType> operator()(const Impute& op) {
    TRY_ASSIGN(ValueType type, same_matrix());
    TRY(check_positions(op.kept, width(type)));
    TRY(check_weight(op.statistics, DType::kFloat64, {static_cast<std::int64_t>(op.kept.size())},
                     "impute: statistics"));
    return matrix(static_cast<std::int64_t>(op.kept.size()));
  }

  Result<ValueType> operator()(const ImputeCells& op) {
    TRY(columns());
    TRY(check_positions(op.kept, width(inputs_[0])));
    if (op.statistics.size() != op.kept.size())
      return invalid("impute_cells: statistics and columns differ in number");
    return table(static_cast<std::int64_t>(op.kept.size()));
  }

  Result<ValueType> operator()(const MissingMask& op) {
    TRY(columns());
    TRY(check_positions(op.columns, width(inputs_[0])));
    return matrix(static_cast<std::int64_t>(op.columns.size()));
  }

  Result<ValueType> operator()(const OneHot& op) {
    TRY(columns());
    if (static_cast<std::int64_t>(op.columns.size()) != width(inputs_[0]))
      return invalid(cat("one_hot: ", op.columns.size(), " encoders for ", width(inputs_[0]), " columns"));
    std::int64_t total = 0;
    for (const OneHotColumn& column : op.columns) {
      if (column.width < 0 || column.width > kMostWidth) return invalid("one_hot: width of a block");
      if (column.targets.size() != column.categories.size())
        return invalid("one_hot: targets and categories differ in number");
      const auto outside = [&](std::int64_t target) { return target < -1 || target >= column.width; };
      if (std::ranges::any_of(column.targets, outside) || outside(column.unknown_target))
        return invalid("one_hot: target outside its block");
      total += column.width;
      if (total > kMostWidth) return invalid("one_hot: too many columns");
    }
    return matrix(total);
  }

  Result<ValueType> operator()(const Ordinal& op) {
    TRY(columns());
    if (static_cast<std::int64_t>(op.columns.size()) != width(inputs_[0]))
      return invalid(cat("ordinal: ", op.columns.size(), " encoders for ", width(inputs_[0]), " columns"));
    for (const OrdinalColumn& column : op.columns)
      if (column.codes.size() != column.categories.size())
        return invalid("ordinal: codes and categories differ in number");
    return matrix(width(inputs_[0]));
  }

  Result<ValueType> operator()(const Linear& op) {
    TRY_ASSIGN(const ValueType type, same_matrix());
    const Tensor* coefficients = find_weight(op.coefficients);
    if (coefficients == nullptr || coefficients->dtype() != DType::kFloat64 ||
        coefficients->shape().size() != 2 || coefficients->shape()[1] != width(type))
      return invalid(cat("linear: coefficients are not float64 [outputs, ", width(type), "]"));
    const std::int64_t outputs = coefficients->shape()[0];
    TRY(check_weight(op.intercept, DType::kFloat64, {outputs}, "linear: intercept"));
    return matrix(outputs);
  }

  Result<ValueType> operator()(const TreeEnsemble& op);

  Result<ValueType> operator()(const Complement&) {
    TRY(one_column());
    return matrix(2);
  }

  Result<ValueType> operator()(const Argmax&) {
    TRY_ASSIGN(const ValueType type, same_matrix());
    if (width(type) < 1) return invalid("argmax of no columns");
    return index();
  }

  Result<ValueType> operator()(const Above&) {
    TRY(one_column());
    return index();
  }

  Result<ValueType> operator()(const TakeLabels& op) {
    if (inputs_.size() != 1 || !(inputs_[0] == index())) return invalid("take_labels: input is not an index");
    const Tensor* labels = find_weight(op.labels);
    if (labels == nullptr || labels->shape().size() != 1 || labels->size() == 0)
      return invalid("take_labels: labels are not a list");
    const DType dtype = labels->dtype();
    if (dtype != DType::kString && dtype != DType::kInt64 && dtype != DType::kFloat64 &&
        dtype != DType::kBool)
      return invalid("take_labels: labels of an unknown dtype");
    if (!index_below(static_cast<std::int64_t>(labels->size())))
      return invalid("take_labels: fewer labels than the index can name");
    return ValueType{ValueKind::kTensor, dtype, {-1}};
  }

  Result<ValueType> operator()(const StackLabels&) {
    if (inputs_.empty()) return invalid("stack_labels of nothing");
    for (const ValueType& type : inputs_)
      if (type.kind != ValueKind::kTensor || type.shape != tensor::Shape{-1} ||
          type.dtype != inputs_[0].dtype)
        return invalid("stack_labels of different types");
    return ValueType{ValueKind::kTensor, inputs_[0].dtype, {-1, static_cast<std::int64_t>(inputs_.size())}};
  }

  Result<ValueType> operator()(const Flatten&) {
    TRY(one_column());
    return ValueType{ValueKind::kTensor, DType::kFloat64, {-1}};
  }

  // Set by infer(): how many values an index input can take.
  std::int64_t index_range_ = 0;

 private:
  static constexpr std::int64_t kMostWidth = 100'000'000;

  bool index_below(std::int64_t count) const { return index_range_ <= count; }

  base::Status columns() const {
    if (inputs_.size() != 1 || !is_columns(inputs_[0])) return invalid("needs one table or matrix");
    return {};
  }

  Result<ValueType> same_matrix() const {
    if (inputs_.size() != 1 || !is_matrix(inputs_[0])) return invalid("needs one matrix");
    return inputs_[0];
  }

  base::Status one_column() const {
    TRY_ASSIGN(const ValueType type, same_matrix());
    if (width(type) != 1) return invalid(cat("needs one column, not ", width(type)));
    return {};
  }

  base::Status check_positions(std::span<const std::int64_t> positions, std::int64_t count) const {
    for (std::int64_t position : positions)
      if (position < 0 || position >= count) return invalid(cat("column ", position, " of ", count));
    return {};
  }

  const Tensor* find_weight(WeightId id) const {
    return id.index < program_.weights().size() ? &program_.weight(id) : nullptr;
  }

  base::Status check_weight(WeightId id, DType dtype, const tensor::Shape& shape,
                            std::string_view what) const {
    const Tensor* weight = find_weight(id);
    if (weight == nullptr || weight->dtype() != dtype || weight->shape() != shape)
      return invalid(cat(what, " is not ", tensor::info(dtype).numpy_name, " ", tensor::to_string(shape)));
    return {};
  }

  base::Status check_tree_structure(const TreeEnsemble& op, std::int64_t columns) const;

  std::span<const ValueType> inputs_;
  const Program& program_;
};

Result<ValueType> Rules::operator()(const TreeEnsemble& op) {
  if (inputs_.empty() || inputs_.size() > 2 || !is_matrix(inputs_[0]))
    return invalid("tree_ensemble: needs one matrix, and at most one to start from");
  const ValueType type = inputs_[0];
  if (inputs_.size() == 2 && !(inputs_[1] == matrix(op.outputs)))
    return invalid("tree_ensemble: the matrix to start from has another width than the outputs");
  const Tensor* roots = find_weight(op.roots);
  const Tensor* feature = find_weight(op.feature);
  const Tensor* values = find_weight(op.values);
  if (roots == nullptr || feature == nullptr || values == nullptr)
    return invalid("tree_ensemble: a weight is missing");
  if (op.outputs < 1 || op.outputs > kMostWidth) return invalid("tree_ensemble: number of outputs");
  if (!(op.divisor > 0) || !std::isfinite(op.divisor)) return invalid("tree_ensemble: divisor");
  const auto trees = static_cast<std::int64_t>(roots->size());
  const auto nodes = static_cast<std::int64_t>(feature->size());
  TRY(check_weight(op.roots, DType::kInt32, {trees}, "tree_ensemble: roots"));
  TRY(check_weight(op.target, DType::kInt32, {trees}, "tree_ensemble: target"));
  TRY(check_weight(op.feature, DType::kInt32, {nodes}, "tree_ensemble: feature"));
  TRY(check_weight(op.threshold, DType::kFloat64, {nodes}, "tree_ensemble: threshold"));
  TRY(check_weight(op.left, DType::kInt32, {nodes}, "tree_ensemble: left"));
  TRY(check_weight(op.right, DType::kInt32, {nodes}, "tree_ensemble: right"));
  TRY(check_weight(op.default_left, DType::kUint8, {nodes}, "tree_ensemble: default_left"));
  TRY(check_weight(op.base, DType::kFloat64, {op.outputs}, "tree_ensemble: base"));
  if (values->dtype() != DType::kFloat64 || values->shape().size() != 2)
    return invalid("tree_ensemble: values are not a float64 matrix");
  if (op.has_categories) {
    TRY(check_weight(op.category, DType::kInt32, {nodes}, "tree_ensemble: category"));
    const Tensor* members = find_weight(op.cat_left);
    if (members == nullptr || members->dtype() != DType::kUint32 || members->shape().size() != 2)
      return invalid("tree_ensemble: cat_left is not a uint32 matrix");
    TRY(check_weight(op.cat_known, DType::kUint32, members->shape(), "tree_ensemble: cat_known"));
  }
  TRY(check_tree_structure(op, width(type)));
  return matrix(op.outputs);
}

base::Status Rules::check_tree_structure(const TreeEnsemble& op, std::int64_t columns) const {
  const auto roots = program_.weight(op.roots).as<std::int32_t>();
  const auto target = program_.weight(op.target).as<std::int32_t>();
  const auto feature = program_.weight(op.feature).as<std::int32_t>();
  const auto threshold = program_.weight(op.threshold).as<double>();
  const auto left = program_.weight(op.left).as<std::int32_t>();
  const auto right = program_.weight(op.right).as<std::int32_t>();
  const tensor::Shape& leaf_shape = program_.weight(op.values).shape();
  const auto nodes = static_cast<std::int64_t>(feature.size());
  for (std::size_t t = 0; t < roots.size(); ++t) {
    if (roots[t] < 0 || roots[t] >= nodes) return invalid(cat("tree ", t, ": root outside the nodes"));
    if (target[t] < 0 || target[t] + leaf_shape[1] > op.outputs)
      return invalid(cat("tree ", t, ": target outside the outputs"));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (feature[i] < 0) {
      if (left[i] < 0 || left[i] >= leaf_shape[0])
        return invalid(cat("tree node ", i, ": leaf value out of range"));
      continue;
    }
    if (feature[i] >= columns)
      return invalid(cat("tree node ", i, ": feature ", feature[i], " of ", columns));
    if (left[i] <= i || left[i] >= nodes || right[i] <= i || right[i] >= nodes)
      return invalid(cat("tree node ", i, ": child out of range"));
    if (std::isnan(threshold[i])) return invalid(cat("tree node ", i, ": threshold is NaN"));
  }
  if (!op.has_categories) return {};
  const std::int64_t sets = program_.weight(op.cat_left).shape()[0];
  for (std::int32_t category : program_.weight(op.category).as<std::int32_t>())
    if (category >= sets) return invalid("tree_ensemble: category set out of range");
  return {};
}

// How many values the index made by the node that defines `value` can take. Each node defines one value,
// after the input.
std::int64_t index_range(const Program& program, ValueId value) {
  if (value == ProgramBuilder::kInput) return INT64_MAX;
  const Node& node = program.nodes()[value - 1];
  if (std::holds_alternative<Above>(node.op)) return 2;
  return std::holds_alternative<Argmax>(node.op) ? width(program.types()[node.inputs[0]]) : INT64_MAX;
}

}  // namespace

base::Result<ValueType> infer(const Op& op, std::span<const ValueId> inputs, const Program& program) {
  std::vector<ValueType> types;
  for (ValueId input : inputs) {
    if (input >= program.types().size())
      return invalid(cat(name(op), ": uses a value which is not defined yet"));
    types.push_back(program.types()[input]);
  }
  Rules rules(types, program);
  if (std::holds_alternative<TakeLabels>(op) && inputs.size() == 1)
    rules.index_range_ = index_range(program, inputs[0]);
  auto type = std::visit(rules, op);
  if (!type) type.error().message = cat(name(op), ": ", type.error().message);
  return type;
}

}  // namespace wherry::program
