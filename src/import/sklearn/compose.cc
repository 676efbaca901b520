// Pipeline, ColumnTransformer and FeatureUnion: sklearn/pipeline.py, sklearn/compose/_column_transformer.py.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Kind;

bool is_word(const View& view, std::string_view word) {
  return view.is(Kind::kStr) && view->text() == word;
}

bool is_identity(const View& step) {
  return step.is_none() || is_word(step, "passthrough");
}

// --- columns of a ColumnTransformer ------------------------------------------------------------------------

struct Columns {
  std::vector<std::int64_t> positions;
  bool scalar = false;  // one column, handed over with one dimension
};

// Positions of columns given as text, among the columns fitted on.
Result<std::int64_t> position_of(const View& where, std::string_view name,
                                 const std::vector<std::string>& names) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return inconsistent(where, cat("no column ", base::quoted(name)));
  return found - names.begin();
}

Result<std::int64_t> wrapped(const View& where, std::int64_t index, std::int64_t width) {
  const std::int64_t position = index < 0 ? index + width : index;
  if (position < 0 || position >= width) return inconsistent(where, cat("column ", index, " of ", width));
  return position;
}

// One bound of a slice, as Python's slice.indices() clamps it; text bounds are columns, the stop included.
Result<std::int64_t> bound(const View& slice, std::size_t which, std::int64_t otherwise, std::int64_t width,
                           const std::vector<std::string>& names) {
  TRY_ASSIGN(const View view, slice.argument(which));
  if (view.is_none()) return otherwise;
  if (view.is(Kind::kStr)) {
    TRY_ASSIGN(const std::int64_t position, position_of(view, view->text(), names));
    return position + (which == 1 ? 1 : 0);
  }
  TRY_ASSIGN(std::int64_t index, view.as_int());
  if (index < 0) index += width;
  return std::clamp<std::int64_t>(index, 0, width);
}

Result<Columns> slice_columns(const View& slice, std::int64_t width, const std::vector<std::string>& names) {
  TRY_ASSIGN(const View step_view, slice.argument(2));
  std::int64_t step = 1;
  if (!step_view.is_none()) {
    TRY_ASSIGN(step, step_view.as_int());
  }
  if (step < 1) return unsupported_parameter(slice, "a slice that goes backwards");
  TRY_ASSIGN(const std::int64_t start, bound(slice, 0, 0, width, names));
  TRY_ASSIGN(const std::int64_t stop, bound(slice, 1, width, width, names));
  Columns out;
  for (std::int64_t i = start; i < stop; i += std::min(step, width)) out.positions.push_back(i);
  return out;
}

// A list, tuple, array or pandas Index of names, positions or booleans.
Result<Columns> listed_columns(const View& list, std::int64_t width, const std::vector<std::string>& names) {
  Columns out;
  TRY_ASSIGN(const std::size_t size, list.size());
  if (size == 0) return out;
  const auto flags = list.bools();
  if (flags) {
    if (static_cast<std::int64_t>(size) != width)
      return inconsistent(list, cat("a mask of ", size, " for ", width, " columns"));
    for (std::size_t i = 0; i < size; ++i)
      if ((*flags)[i]) out.positions.push_back(static_cast<std::int64_t>(i));
    return out;
  }
  if (const auto words = list.strings()) {
    for (const std::string& word : *words) {
      TRY_ASSIGN(const std::int64_t position, position_of(list, word, names));
      out.positions.push_back(position);
    }
    return out;
  }
  TRY_ASSIGN(const std::vector<std::int64_t> indices, list.int64s());
  for (std::int64_t index : indices) {
    TRY_ASSIGN(const std::int64_t position, wrapped(list, index, width));
    out.positions.push_back(position);
  }
  return out;
}

Result<Columns> given_columns(const View& columns, std::int64_t width,
                              const std::vector<std::string>& names) {
  Columns out;
  switch (columns.kind()) {
    case Kind::kStr: {
      TRY_ASSIGN(const std::int64_t position, position_of(columns, columns->text(), names));
      return Columns{{position}, true};
    }
    case Kind::kInt: {
      TRY_ASSIGN(const std::int64_t position, wrapped(columns, columns->integer(), width));
      return Columns{{position}, true};
    }
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kArray:
      return listed_columns(columns, width, names);
    default:
      if (columns.class_name() == "builtins.slice") return slice_columns(columns, width, names);
      // The list types which some versions and pandas keep instead of a list.
      if (const auto data = columns.find("data")) return listed_columns(*data, width, names);
      return unsupported_parameter(columns, cat("columns given as ", columns.describe()));
  }
}

struct Part {
  std::string name;
  View transformer;
  Columns columns;
};

// transformers_ with the positions of their columns among those the transformer was fitted on. Since 1.0 the
// positions are in _transformer_to_input_indices.
Result<Part> read_part(const View& estimator, const View& item, std::int64_t width,
                       const std::vector<std::string>& names) {
  TRY_ASSIGN(const View name_view, item.item(0));
  TRY_ASSIGN(const View transformer, item.item(1));
  TRY_ASSIGN(const View columns_view, item.item(2));
  TRY_ASSIGN(std::string name, name_view.as_string());
  Part part{std::move(name), transformer, {}};
  std::optional<View> indices;
  if (const auto table = estimator.find("_transformer_to_input_indices"))
    indices = table->find_key(part.name);
  if (!indices) {
    TRY_ASSIGN(part.columns, given_columns(columns_view, width, names));
    return part;
  }
  TRY_ASSIGN(const std::vector<std::int64_t> positions, indices->int64s());
  for (std::int64_t index : positions) {
    TRY_ASSIGN(const std::int64_t position, wrapped(*indices, index, width));
    part.columns.positions.push_back(position);
  }
  part.columns.scalar = columns_view.is(Kind::kStr) || columns_view.is(Kind::kInt);
  return part;
}

Result<std::vector<std::string>> fitted_names(const View& estimator) {
  auto view = estimator.find("feature_names_in_");
  if (!view) view = estimator.find("_feature_names_in");  // 0.24
  if (!view || view->is_none()) return std::vector<std::string>();
  return view->strings();
}

Result<Flow> take_columns(Context& context, const Flow& input, const std::vector<std::int64_t>& positions) {
  Flow out{.sparse = input.sparse, .float32 = input.float32};
  for (std::int64_t position : positions) {
    const auto i = static_cast<std::size_t>(position);
    out.sources.push_back(i < input.sources.size() ? input.sources[i] : -1);
    if (!input.names.empty()) out.names.push_back(input.names[i]);
  }
  // Selected, so required, whatever is made of it.
  context.mark_all(out, program::ColumnType::kAny);
  TRY_ASSIGN(out.value, context.select(input.value, positions));
  return out;
}

Result<Flow> weighted(Context& context, const View& weights, const std::string& name, Flow flow) {
  if (weights.is_none()) return flow;
  const auto weight = weights.find_key(name);
  if (!weight || weight->is_none()) return flow;
  if (flow.float32) return unsupported_parameter(weights, "weights for a float32 matrix");
  TRY_ASSIGN(const double factor, weight->as_double());
  TRY_ASSIGN(const ValueId numbers, context.numbers(flow, Layout::kAny));
  TRY_ASSIGN(flow.value, context.arithmetic(numbers, program::Arithmetic::kMultiply, {factor}, "weight"));
  std::ranges::fill(flow.sources, -1);
  return flow;
}

// numpy.hstack, or scipy.sparse.hstack.
Result<Flow> stack(Context& context, std::vector<Flow>& parts, const Flow& input, bool sparse) {
  if (parts.empty()) {
    TRY_ASSIGN(const ValueId nothing,
               context.add(program::Constant{context.vector("nothing", {})}, {input.value}));
    return made(nothing, 0, {}, false);
  }
  Flow out{.sparse = sparse, .float32 = true};
  std::vector<ValueId> values;
  bool all_named = true;
  // Sparse rows of ours stay so, whether or not scikit-learn stacks a dense array: a text's row is wide.
  const bool ours_sparse =
      std::ranges::any_of(parts, [&](const Flow& part) { return context.is_sparse(part); });
  for (Flow& part : parts) {
    if (sparse || ours_sparse) {
      TRY_ASSIGN(part.value, context.numbers(part, Layout::kAny));
    }
    values.push_back(part.value);
    out.float32 &= part.float32;
    out.sources.insert(out.sources.end(), part.sources.begin(), part.sources.end());
    all_named &= part.names.size() == part.sources.size();
    out.names.insert(out.names.end(), part.names.begin(), part.names.end());
  }
  if (!all_named) out.names.clear();
  if (values.size() == 1) {
    out.value = values[0];
    return out;
  }
  TRY_ASSIGN(out.value, context.add(program::Concat{}, std::move(values)));
  return out;
}

// verbose_feature_names_out: True, False, or since 1.6 a format string; a function leaves names unknown.
struct Naming {
  bool known = true;
  std::string format;  // empty: names as they are
};

Result<Naming> read_naming(const View& estimator) {
  constexpr std::string_view kDefault = "{transformer_name}__{feature_name}";
  const auto view = estimator.find("verbose_feature_names_out");
  if (!view) return Naming{true, std::string(kDefault)};
  if (view->is(Kind::kStr)) return Naming{true, std::string((*view)->text())};
  if (!view->is(Kind::kBool)) return Naming{false, ""};
  return Naming{true, (*view)->boolean() ? std::string(kDefault) : ""};
}

std::string replaced(std::string text, std::string_view field, const std::string& value) {
  if (const auto at = text.find(field); at != std::string::npos) text.replace(at, field.size(), value);
  return text;
}

std::vector<std::string> named(const Naming& naming, const std::string& transformer,
                               std::vector<std::string> names) {
  if (!naming.known) return {};
  if (naming.format.empty()) return names;
  constexpr std::string_view kTransformer = "{transformer_name}";
  constexpr std::string_view kFeature = "{feature_name}";
  const auto feature_at = naming.format.find(kFeature);
  for (std::string& name : names) {
    const std::string head = naming.format.substr(0, feature_at);
    const std::string tail =
        feature_at == std::string::npos ? "" : naming.format.substr(feature_at + kFeature.size());
    name = cat(replaced(head, kTransformer, transformer), feature_at == std::string::npos ? "" : name,
               replaced(tail, kTransformer, transformer));
  }
  return names;
}

Result<View> weights_of(const View& estimator) {
  return estimator.attr("transformer_weights");
}

Result<Fitted> lower_pipeline(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View list, estimator.attr("steps"));
  TRY_ASSIGN(const std::vector<View> steps, list.items());
  if (steps.empty()) return inconsistent(list, "a pipeline without steps");
  Flow flow = input;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    TRY_ASSIGN(const View step, steps[i].item(1));
    if (is_identity(step) || (is_sampler(step) && i + 1 < steps.size())) continue;
    if (i + 1 == steps.size()) return lower_estimator(context, step, flow);
    TRY_ASSIGN(flow, lower_transformer(context, step, flow));
  }
  Fitted fitted;
  context.mark_all(flow, program::ColumnType::kAny);
  fitted.transform = std::move(flow);
  return fitted;
}

Result<Fitted> lower_column_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View list, estimator.attr("transformers_"));
  TRY_ASSIGN(const std::vector<View> items, list.items());
  TRY_ASSIGN(const std::vector<std::string> names, fitted_names(estimator));
  TRY_ASSIGN(const Naming naming, read_naming(estimator));
  TRY_ASSIGN(const bool sparse, flag(estimator, "sparse_output_", false));
  TRY_ASSIGN(const View weights, weights_of(estimator));
  std::vector<Flow> parts;
  for (const View& item : items) {
    TRY_ASSIGN(const View transformer, item.item(1));
    if (is_word(transformer, "drop")) continue;
    TRY_ASSIGN(const Part part, read_part(estimator, item, context.width(input), names));
    if (part.columns.positions.empty()) continue;
    TRY_ASSIGN(Flow flow, take_columns(context, input, part.columns.positions));
    flow.one_dimensional = part.columns.scalar;
    if (!is_identity(transformer)) {
      TRY_ASSIGN(flow, lower_transformer(context, transformer, flow));
    }
    TRY_ASSIGN(flow, weighted(context, weights, part.name, std::move(flow)));
    flow.names = named(naming, part.name, std::move(flow.names));
    parts.push_back(std::move(flow));
  }
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, stack(context, parts, input, sparse));
  return fitted;
}

Result<Fitted> lower_feature_union(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View list, estimator.attr("transformer_list"));
  TRY_ASSIGN(const std::vector<View> items, list.items());
  TRY_ASSIGN(const View weights, weights_of(estimator));
  TRY_ASSIGN(const Naming naming, read_naming(estimator));
  std::vector<Flow> parts;
  bool sparse = false;
  for (const View& item : items) {
    TRY_ASSIGN(const View name_view, item.item(0));
    TRY_ASSIGN(const std::string name, name_view.as_string());
    TRY_ASSIGN(const View transformer, item.item(1));
    if (is_word(transformer, "drop")) continue;
    Flow flow = input;
    if (is_identity(transformer)) {
      context.mark_all(flow, program::ColumnType::kAny);
    } else {
      TRY_ASSIGN(flow, lower_transformer(context, transformer, flow));
    }
    TRY_ASSIGN(flow, weighted(context, weights, name, std::move(flow)));
    flow.names = named(naming, name, std::move(flow.names));
    sparse |= flow.sparse;
    parts.push_back(std::move(flow));
  }
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, stack(context, parts, input, sparse));
  return fitted;
}

constexpr EstimatorRow kComposeRows[] = {
    {"Pipeline", "sklearn.pipeline imblearn.pipeline", "", lower_pipeline, "steps", nullptr, "steps"},
    {"FeatureUnion", "sklearn.pipeline", "", lower_feature_union, "transformer_list", nullptr,
     "transformer_list"},
    {"ColumnTransformer", "sklearn.compose._column_transformer", "transformers_", lower_column_transformer,
     "transformers_"},
};

}  // namespace

std::span<const EstimatorRow> compose_rows() {
  return kComposeRows;
}

}  // namespace wherry::sklearn
