// sklearn/dummy.py
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

Result<std::size_t> position_of(const View& estimator, const Labels& labels, std::size_t output) {
  TRY_ASSIGN(View constant, estimator.attr("constant"));
  if (const auto several = constant.items(); several && output < several->size())
    constant = (*several)[output];
  TRY_ASSIGN(const tensor::CellValue wanted, cell(constant));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto* text = std::get_if<std::string>(&wanted);
    const auto* number = std::get_if<double>(&wanted);
    const tensor::Tensor& values = labels.values;
    if (text != nullptr && values.dtype() == tensor::DType::kString && values.as_strings()[i] == *text)
      return i;
    if (number == nullptr) continue;
    if (values.dtype() == tensor::DType::kInt64 &&
        static_cast<double>(values.as<std::int64_t>()[i]) == *number)
      return i;
    if (values.dtype() == tensor::DType::kFloat64 && values.as<double>()[i] == *number) return i;
    if (values.dtype() == tensor::DType::kBool && values.as_bools()[i] == *number) return i;
  }
  return inconsistent(constant, "is not among the classes");
}

// predict_proba of one output: a row that does not depend on X.
Result<std::vector<double>> probabilities(const View& estimator, const std::string& strategy,
                                          const View& prior, const Labels& labels, std::size_t output) {
  TRY_ASSIGN(std::vector<double> row, prior.doubles());
  if (row.size() != labels.size())
    return inconsistent(prior, cat(row.size(), " numbers for ", labels.size(), " classes"));
  if (strategy == "prior") return row;
  auto position = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
  if (strategy == "constant") {
    TRY_ASSIGN(position, position_of(estimator, labels, output));
  }
  std::ranges::fill(row, 0);
  row[position] = 1;
  return row;
}

Result<Fitted> lower_dummy_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::string given, word(estimator, "strategy", "prior"));
  TRY_ASSIGN(const std::string strategy, word(estimator, "_strategy", given));
  if (strategy != "prior" && strategy != "most_frequent" && strategy != "constant")
    return unsupported_parameter(estimator, cat("strategy=", base::quoted(strategy), " answers at random"));
  TRY_ASSIGN(const bool sparse_output, flag(estimator, "sparse_output_", false));
  if (sparse_output) return unsupported_parameter(estimator, "a sparse target");
  std::int64_t outputs = 1;
  if (const auto view = estimator.find("n_outputs_")) {
    TRY_ASSIGN(outputs, view->as_int());
    if (outputs < 1 || outputs > 100'000) return inconsistent(*view, cat(outputs, " outputs"));
  }
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const View priors, estimator.attr("class_prior_"));
  TRY_ASSIGN(const std::vector<Labels> labels, labels_per_output(classes, static_cast<std::size_t>(outputs)));
  std::vector<double> row;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    TRY_ASSIGN(const View prior, outputs == 1 ? Result<View>(priors) : priors.item(k));
    TRY_ASSIGN(const std::vector<double> part, probabilities(estimator, strategy, prior, labels[k], k));
    row.insert(row.end(), part.begin(), part.end());
  }
  TRY_ASSIGN(const ValueId proba,
             context.add(program::Constant{context.vector("prior", row)}, {input.value}));
  return classification(context, proba, proba, labels, estimator);
}

Result<Fitted> lower_dummy_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View constant, estimator.attr("constant_"));
  TRY_ASSIGN(std::vector<double> row, constant.doubles());
  if (row.empty()) return inconsistent(constant, "no number");
  const bool vector = row.size() == 1;
  TRY_ASSIGN(const ValueId value,
             context.add(program::Constant{context.vector("constant", std::move(row))}, {input.value}));
  return regression(context, value, vector);
}

constexpr EstimatorRow kDummyRows[] = {
    {"DummyClassifier", "sklearn.dummy", "classes_", lower_dummy_classifier},
    {"DummyRegressor", "sklearn.dummy", "constant_", lower_dummy_regressor},
};

}  // namespace

std::span<const EstimatorRow> dummy_rows() {
  return kDummyRows;
}

}  // namespace wherry::sklearn
