// Histogram gradient boosting: sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py, predictor.py,
// _predictor.pyx, binning.py; sklearn/_loss.
#include <algorithm>
#include <array>

#include "import/pickle/array.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using Bitset = std::array<std::uint32_t, 8>;

// The fields of PREDICTOR_RECORD_DTYPE which prediction looks at.
struct Nodes {
  std::vector<double> value, threshold;
  std::vector<std::int64_t> feature, left, right;
  std::vector<std::int64_t> missing_left, is_leaf;
  std::vector<std::int64_t> is_categorical, bitset;  // empty before 0.24's successor 1.0
  std::vector<Bitset> bitsets;                       // raw_left_cat_bitsets
};

Result<std::vector<Bitset>> read_bitsets(Context& context, const View& view) {
  TRY_ASSIGN(const pickle::NdArray array, view.array());
  if (array.shape.size() != 2 || array.shape[1] != 8) return view.wrong("an array [sets, 8] of 32 bits each");
  TRY(context.charge(view, array.count));
  TRY_ASSIGN(const auto words, view.int64s());
  std::vector<Bitset> out(words.size() / 8);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] < 0 || words[i] > 0xFFFFFFFF)
      return inconsistent(view, "a bit set with words of more than 32 bits");
    out[i / 8][i % 8] = static_cast<std::uint32_t>(words[i]);
  }
  return out;
}

Result<Nodes> read_nodes(Context& context, const View& predictor) {
  TRY_ASSIGN(const View view, predictor.attr("nodes"));
  TRY_ASSIGN(const pickle::NdArray records, view.array());
  if (records.shape.size() != 1 || records.count == 0) return view.wrong("an array of node records");
  TRY(context.charge(view, records.count));
  const std::string where = view.where();
  const auto integers = [&](std::string_view name) -> Result<std::vector<std::int64_t>> {
    TRY_ASSIGN(const pickle::NdArray column, pickle::field(records, name, where));
    return pickle::to_int64s(column, where);
  };
  const auto doubles = [&](std::string_view name) -> Result<std::vector<double>> {
    TRY_ASSIGN(const pickle::NdArray column, pickle::field(records, name, where));
    return pickle::to_doubles(column, where);
  };
  Nodes out;
  TRY_ASSIGN(out.value, doubles("value"));
  const bool old = records.dtype->find("num_threshold") == nullptr;  // 0.24
  TRY_ASSIGN(out.threshold, doubles(old ? "threshold" : "num_threshold"));
  TRY_ASSIGN(out.feature, integers("feature_idx"));
  TRY_ASSIGN(out.left, integers("left"));
  TRY_ASSIGN(out.right, integers("right"));
  TRY_ASSIGN(out.missing_left, integers("missing_go_to_left"));
  TRY_ASSIGN(out.is_leaf, integers("is_leaf"));
  if (records.dtype->find("is_categorical") != nullptr) {
    TRY_ASSIGN(out.is_categorical, integers("is_categorical"));
    TRY_ASSIGN(out.bitset, integers("bitset_idx"));
    TRY_ASSIGN(const View sets, predictor.attr("raw_left_cat_bitsets"));
    TRY_ASSIGN(out.bitsets, read_bitsets(context, sets));
  }
  return out;
}

// _BinMapper.make_known_categories_bitsets: per column, those of categorical columns filled.
Result<std::vector<Bitset>> known_categories(const View& estimator, std::size_t columns) {
  std::vector<Bitset> known(columns, Bitset{});
  TRY_ASSIGN(const View mapper, estimator.attr("_bin_mapper"));
  const auto mask_view = mapper.find("is_categorical_");
  if (!mask_view || mask_view->is_none()) return known;
  TRY_ASSIGN(const std::vector<std::int64_t> mask, mask_view->int64s());
  TRY_ASSIGN(const View thresholds, mapper.attr("bin_thresholds_"));
  TRY_ASSIGN(const std::vector<View> bins, thresholds.items());
  if (mask.size() != columns || bins.size() != columns)
    return inconsistent(mapper, cat("bins of ", bins.size(), " columns where ", columns, " belong"));
  for (std::size_t i = 0; i < columns; ++i) {
    if (mask[i] == 0) continue;
    TRY_ASSIGN(const pickle::NdArray array, bins[i].array());
    if (array.count > 256)
      return inconsistent(bins[i], cat(array.count, " categories, more than there can be"));
    TRY_ASSIGN(const std::vector<double> categories, bins[i].doubles());
    for (double category : categories) {
      if (!(category >= 0 && category < 256)) return inconsistent(bins[i], "a category outside 0 … 255");
      const auto bit = static_cast<std::uint32_t>(category);
      known[i][bit / 32] |= 1U << (bit % 32);
    }
  }
  return known;
}

Status append(Context& context, Forest& forest, const View& predictor, std::int32_t target,
              const std::vector<Bitset>& known) {
  TRY_ASSIGN(const Nodes nodes, read_nodes(context, predictor));
  TRY(forest.start_tree(nodes.value.size(), target, predictor));
  for (std::size_t i = 0; i < nodes.value.size(); ++i) {
    if (nodes.is_leaf[i] != 0) {
      forest.add_leaf(std::span(&nodes.value[i], 1));
      continue;
    }
    std::int32_t categories = -1;
    if (!nodes.is_categorical.empty() && nodes.is_categorical[i] != 0) {
      const auto set = static_cast<std::size_t>(nodes.bitset[i]);
      const auto column = static_cast<std::size_t>(nodes.feature[i]);
      if (nodes.bitset[i] < 0 || set >= nodes.bitsets.size() || nodes.feature[i] < 0 ||
          column >= known.size())
        return inconsistent(predictor, cat("node ", i, " has no set of categories"));
      categories = forest.add_categories(nodes.bitsets[set], known[column]);
    }
    forest.add_split(nodes.feature[i], categories < 0 ? nodes.threshold[i] : 0, nodes.left[i], nodes.right[i],
                     nodes.missing_left[i] != 0, categories);
  }
  return {};
}

Result<std::vector<double>> baseline(const View& estimator, std::size_t outputs) {
  TRY_ASSIGN(const View view, estimator.attr("_baseline_prediction"));
  if (const auto single = view.as_double()) return std::vector<double>(outputs, *single);
  TRY_ASSIGN(std::vector<double> values, view.doubles());
  if (values.size() == 1) values.assign(outputs, values[0]);
  if (values.size() != outputs)
    return inconsistent(view, cat(values.size(), " numbers for ", outputs, " outputs"));
  return values;
}

// X as _preprocess_X makes it: the columns as they are or, since 1.4 with categories, ordinal codes first.
Result<ValueId> input_matrix(Context& context, const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  const auto preprocessor = estimator.find("_preprocessor");
  if (!preprocessor || preprocessor->is_none()) return context.numbers(input);
  TRY_ASSIGN(const Flow encoded, lower_transformer(context, *preprocessor, input));
  return context.numbers(encoded);
}

// _raw_predict: the baseline, plus each tree's leaf, iteration after iteration.
Result<ValueId> raw_predictions(Context& context, const View& estimator, const Flow& input,
                                std::size_t outputs) {
  TRY_ASSIGN(const ValueId x, input_matrix(context, estimator, input));
  TRY_ASSIGN(const auto known,
             known_categories(estimator, static_cast<std::size_t>(context.width(Flow{.value = x}))));
  TRY_ASSIGN(const View iterations_view, estimator.attr("_predictors"));
  TRY_ASSIGN(const std::vector<View> iterations, iterations_view.items());
  Forest forest(1);
  for (const View& iteration : iterations) {
    TRY_ASSIGN(const std::vector<View> predictors, iteration.items());
    if (predictors.size() != outputs)
      return inconsistent(iteration, cat(predictors.size(), " trees where ", outputs, " belong"));
    for (std::size_t k = 0; k < outputs; ++k)
      TRY(append(context, forest, predictors[k], static_cast<std::int32_t>(k), known));
  }
  TRY_ASSIGN(std::vector<double> base, baseline(estimator, outputs));
  return forest.finish(context, x, program::TreeInput::kFloat64, static_cast<std::int64_t>(outputs), 1,
                       std::move(base));
}

Result<Fitted> lower_hist_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels labels, sklearn::labels(classes));
  if (labels.size() < 2) return inconsistent(classes, "fewer than two classes");
  const bool binary = labels.size() == 2;
  TRY_ASSIGN(const ValueId raw, raw_predictions(context, estimator, input, binary ? 1 : labels.size()));
  Fitted fitted;
  TRY_ASSIGN(fitted.decision_function, decision(context, raw, labels));
  ValueId proba = 0;
  if (binary) {
    TRY_ASSIGN(const ValueId p, context.apply(raw, program::Function::kExpit));
    TRY_ASSIGN(proba, context.add(program::Complement{}, {p}));
  } else {
    // Up to 1.0 exp(raw - logsumexp(raw)), over the rows of a matrix of the other orientation.
    TRY_ASSIGN(proba, context.add(program::Softmax{.row_sum = program::RowSum::kSequential,
                                                   .via_log = !context.version().at_least(1, 1)},
                                  {raw}));
  }
  fitted.predict_proba = Answer{{proba}, labels.names};
  if (!context.version().at_least(1, 5)) {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, proba, labels, estimator));
  } else if (binary) {
    TRY_ASSIGN(fitted.predict, predict_sign(context, raw, labels, estimator));
  } else {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, raw, labels, estimator));
  }
  return fitted;
}

Result<Fitted> lower_hist_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::string loss, word(estimator, "loss", "squared_error"));
  TRY_ASSIGN(ValueId raw, raw_predictions(context, estimator, input, 1));
  constexpr std::array kIdentity = {"squared_error", "absolute_error", "quantile", "least_squares",
                                    "least_absolute_deviation"};
  if (loss == "poisson" || loss == "gamma") {
    TRY_ASSIGN(raw, context.apply(raw, program::Function::kExp));
  } else if (std::ranges::find(kIdentity, loss) == kIdentity.end()) {
    return unsupported_parameter(estimator, cat("loss=", base::quoted(loss)));
  }
  return regression(context, raw, true);
}

constexpr std::string_view kHist = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting";

constexpr EstimatorRow kHistGradientBoostingRows[] = {
    {"HistGradientBoostingClassifier", kHist, "_predictors", lower_hist_classifier, "_preprocessor"},
    {"HistGradientBoostingRegressor", kHist, "_predictors", lower_hist_regressor, "_preprocessor"},
};

}  // namespace

std::span<const EstimatorRow> hist_gradient_boosting_rows() {
  return kHistGradientBoostingRows;
}

}  // namespace wherry::sklearn
