// What meta-estimators ask of the estimators in them. Private to module sklearn.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/sklearn/context.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {

// The estimators in a list attribute; at least one.
Result<std::vector<View>> members_of(const View& estimator, std::string_view attribute);

// A step of imbalanced-learn's pipelines which changes the rows of training and lets those asked pass.
bool is_sampler(const View& step);

// X[:, positions]
Result<Flow> take_columns(Context& context, const Flow& input, std::span<const std::int64_t> positions);

// The flow as numbers, which `checked` (of Context) made of it: what check_array hands on.
Flow with_value(Flow flow, ValueId numbers);

// classes_ of a fitted classifier as Python's str(), whether an attribute or a property; empty where the file
// does not say.
std::vector<std::string> class_names(const View& estimator, const Fitted& fitted);

// The same as labels, from the file or from what predict answers with. "sklearn.inconsistent" where neither
// says.
Result<Labels> classes_of(Context& context, const View& estimator, const Fitted& fitted);

// The classes 0 … count - 1, as estimators have them which are fitted on encoded labels.
Labels codes(std::size_t count);

// Where the classes `inner` stand among `outer`.
Result<std::vector<std::int64_t>> class_positions(const View& estimator, std::span<const std::string> inner,
                                                  std::span<const std::string> outer);

// matrix [n, positions] → matrix [n, total]: column i goes to positions[i], all others are 0.
Result<ValueId> spread(Context& context, ValueId matrix, std::span<const std::int64_t> positions,
                       std::size_t total);

// predict() as a matrix: numbers of a regressor, or class labels which are numbers.
Result<ValueId> predicted_numbers(Context& context, const Fitted& fitted, const View& estimator);

// predict_proba() of one output [n, k], decision_function() as [n, 1] or [n, k].
Result<ValueId> probabilities_of(const Fitted& fitted, const View& estimator);
Result<ValueId> decisions_of(Context& context, const Fitted& fitted, const View& estimator);

// sklearn/multiclass.py, _predict_binary: the prediction of a regressor, else the decision function, else the
// probability of the second class. [n, 1]
Result<ValueId> binary_score(Context& context, const Fitted& fitted, const View& estimator);

// weights[i] * matrices[i] added up in their order, divided by `divisor`; no weights: all 1.
Result<ValueId> weighted_sum(Context& context, std::vector<ValueId> matrices, std::vector<double> weights,
                             double divisor);

// Whether numpy has these numbers as float32: what XGBoost answers, and columns picked from that.
bool is_float32_value(Context& context, ValueId value);

// The sum of float32 matrices as numpy adds them, rounded to float32 after each.
Result<ValueId> sum_float32(Context& context, const std::vector<ValueId>& matrices);

Result<ValueId> concat(Context& context, std::vector<ValueId> matrices);

// Predictions which are positions among `classes` (0, 1, …), as those classes.
Result<Answer> decoded(Context& context, const Answer& predict, const Labels& classes, const View& estimator);

}  // namespace wherry::sklearn
