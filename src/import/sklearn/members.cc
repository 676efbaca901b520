#include "import/sklearn/members.h"

#include <algorithm>
#include <numeric>

namespace wherry::sklearn {

using pickle::Kind;

namespace {

// The estimator whose classes_ a wrapper hands out.
std::optional<View> wrapped_estimator(const View& estimator) {
  if (const auto steps = estimator.find("steps")) {
    const auto items = steps->items();
    if (!items || items->empty()) return std::nullopt;
    const auto last = items->back().item(1);
    return last ? std::optional(*last) : std::nullopt;
  }
  for (const std::string_view name : {"best_estimator_", "estimator_", "estimator"})
    if (auto found = estimator.find(name)) return found;
  return std::nullopt;
}

// classes_, wherever a property of that name finds them.
std::optional<View> stored_classes(const View& estimator, int depth) {
  constexpr int kDeepest = 32;
  if (auto classes = estimator.find("classes_")) return classes;
  for (const std::string_view name : {"_label_binarizer", "label_binarizer_", "le_"})
    if (const auto holder = estimator.find(name))
      if (auto classes = holder->find("classes_")) return classes;
  const auto inner = wrapped_estimator(estimator);
  return inner && depth < kDeepest ? stored_classes(*inner, depth + 1) : std::nullopt;
}

bool is_range(std::span<const std::int64_t> positions, std::size_t total) {
  if (positions.size() != total) return false;
  for (std::size_t i = 0; i < total; ++i)
    if (positions[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace

Result<std::vector<View>> members_of(const View& estimator, std::string_view attribute) {
  TRY_ASSIGN(const View list, estimator.attr(attribute));
  TRY_ASSIGN(std::vector<View> members, list.items());
  if (members.empty()) return inconsistent(list, "an ensemble without estimators");
  return members;
}

Result<Flow> take_columns(Context& context, const Flow& input, std::span<const std::int64_t> positions) {
  const std::int64_t width = context.width(input);
  if (is_range(positions, static_cast<std::size_t>(width))) return input;
  Flow out{.sparse = input.sparse, .float32 = input.float32};
  for (const std::int64_t position : positions) {
    const auto i = static_cast<std::size_t>(position);
    out.sources.push_back(position >= 0 && i < input.sources.size() ? input.sources[i] : -1);
    if (position >= 0 && i < input.names.size()) out.names.push_back(input.names[i]);
  }
  context.mark_all(out, program::ColumnType::kAny);
  TRY_ASSIGN(out.value, context.select(input.value, {positions.begin(), positions.end()}));
  return out;
}

Flow with_value(Flow flow, ValueId numbers) {
  flow.value = numbers;
  return flow;
}

std::vector<std::string> class_names(const View& estimator, const Fitted& fitted) {
  if (const auto stored = stored_classes(estimator, 0))
    if (auto known = labels(*stored)) return std::move(known->names);
  return fitted.predict_proba ? fitted.predict_proba->labels : std::vector<std::string>();
}

Result<Labels> classes_of(Context& context, const View& estimator, const Fitted& fitted) {
  if (const auto stored = stored_classes(estimator, 0)) return labels(*stored);
  if (fitted.predict && fitted.predict->values.size() == 1 && fitted.predict->values[0] > 0) {
    const program::Program& program = context.builder().so_far();
    const program::Node& node = program.nodes()[fitted.predict->values[0] - 1];
    if (const auto* take = std::get_if<program::TakeLabels>(&node.op))
      return labels_of(program.weight(take->labels));
  }
  return inconsistent(estimator, cat("a ", short_class(estimator), " has no classes"));
}

Labels codes(std::size_t count) {
  std::vector<std::int64_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  Labels out;
  for (const std::int64_t value : values) out.names.push_back(cat(value));
  out.values = tensor::Tensor::of({static_cast<std::int64_t>(count)}, std::move(values));
  return out;
}

bool is_sampler(const View& step) {
  const std::string name = step.class_name();
  constexpr std::string_view kPackages[] = {"imblearn.over_sampling.", "imblearn.under_sampling.",
                                            "imblearn.combine."};
  return std::ranges::any_of(kPackages, [&](std::string_view package) { return name.starts_with(package); });
}

Result<std::vector<std::int64_t>> class_positions(const View& estimator, std::span<const std::string> inner,
                                                  std::span<const std::string> outer) {
  std::vector<std::int64_t> out;
  for (const std::string& name : inner) {
    const auto found = std::ranges::find(outer, name);
    if (found == outer.end())
      return inconsistent(estimator, cat("its class ", base::quoted(name), " is not one of the model's"));
    out.push_back(found - outer.begin());
  }
  return out;
}

Result<ValueId> spread(Context& context, ValueId matrix, std::span<const std::int64_t> positions,
                       std::size_t total) {
  if (is_range(positions, total)) return matrix;
  const auto zero = static_cast<std::int64_t>(positions.size());
  std::vector<std::int64_t> columns(total, zero);
  for (std::size_t i = 0; i < positions.size(); ++i)
    columns[static_cast<std::size_t>(positions[i])] = static_cast<std::int64_t>(i);
  TRY_ASSIGN(const ValueId zeros, context.add(program::Constant{context.vector("zero", {0})}, {matrix}));
  TRY_ASSIGN(const ValueId both, context.add(program::Concat{}, {matrix, zeros}));
  return context.select(both, std::move(columns));
}

Result<ValueId> predicted_numbers(Context& context, const Fitted& fitted, const View& estimator) {
  if (fitted.numbers) return *fitted.numbers;
  if (!fitted.predict || fitted.predict->values.size() != 1)
    return inconsistent(estimator, cat("a ", short_class(estimator), " has no predict"));
  auto made = context.add(program::AsMatrix{}, {fitted.predict->values[0]});
  if (!made) return unsupported_parameter(estimator, "predictions used as numbers which are text");
  return made;
}

Result<ValueId> probabilities_of(const Fitted& fitted, const View& estimator) {
  if (!fitted.predict_proba)
    return inconsistent(estimator, cat("a ", short_class(estimator), " has no predict_proba"));
  if (fitted.predict_proba->values.size() != 1)
    return unsupported_parameter(estimator, "probabilities of several outputs");
  return fitted.predict_proba->values[0];
}

Result<ValueId> decisions_of(Context& context, const Fitted& fitted, const View& estimator) {
  if (!fitted.decision_function || fitted.decision_function->values.size() != 1)
    return inconsistent(estimator, cat("a ", short_class(estimator), " has no decision_function"));
  return context.add(program::AsMatrix{}, {fitted.decision_function->values[0]});
}

Result<ValueId> binary_score(Context& context, const Fitted& fitted, const View& estimator) {
  if (fitted.numbers) return *fitted.numbers;
  if (fitted.decision_function) return decisions_of(context, fitted, estimator);
  TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, estimator));
  return context.select(proba, {1});
}

Result<ValueId> weighted_sum(Context& context, std::vector<ValueId> matrices, std::vector<double> weights,
                             double divisor) {
  if (weights.empty()) weights.assign(matrices.size(), 1);
  const program::WeightedSum op{context.vector("weights", std::move(weights)), divisor};
  return context.add(op, std::move(matrices));
}

bool is_float32_value(Context& context, ValueId value) {
  const std::span<const program::Node> nodes = context.builder().so_far().nodes();
  for (std::size_t i = nodes.size(); i-- > 0;) {  // inputs come before the nodes they go to
    const program::Node& node = nodes[i];
    if (node.output != value) continue;
    const program::Op& op = node.op;
    if (std::holds_alternative<program::ApplyFloat32>(op) ||
        std::holds_alternative<program::SoftmaxFloat32>(op) ||
        std::holds_alternative<program::ComplementFloat32>(op))
      return true;
    if (!std::holds_alternative<program::SelectColumns>(op)) return false;
    value = node.inputs[0];
  }
  return false;
}

Result<ValueId> sum_float32(Context& context, const std::vector<ValueId>& matrices) {
  ValueId sum = matrices[0];
  for (const ValueId next : std::span(matrices).subspan(1)) {
    TRY_ASSIGN(sum, context.add(program::Elementwise{program::Arithmetic::kAdd}, {sum, next}));
    TRY_ASSIGN(sum, context.apply(sum, program::Function::kRoundFloat32));
  }
  return sum;
}

Result<ValueId> concat(Context& context, std::vector<ValueId> matrices) {
  if (matrices.size() == 1) return matrices[0];
  return context.add(program::Concat{}, std::move(matrices));
}

Result<Answer> decoded(Context& context, const Answer& predict, const Labels& classes,
                       const View& estimator) {
  if (predict.values.size() != 1) return inconsistent(estimator, "predictions of several outputs");
  program::MatchLabels match;
  match.labels = context.weight("codes", codes(classes.size()).values);
  TRY_ASSIGN(const ValueId hits, context.add(match, {predict.values[0]}));
  TRY_ASSIGN(const ValueId index, context.add(program::Argmax{}, {hits}));
  TRY_ASSIGN(const ValueId value,
             context.add(program::TakeLabels{context.weight("classes", classes.values)}, {index}));
  return Answer{{value}, {}};
}

}  // namespace wherry::sklearn
