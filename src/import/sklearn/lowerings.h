// The lowering functions, by family. Each takes a fitted estimator and its X, and states what the estimator's
// methods compute (the source it follows is named at the definition). Private to module sklearn.
#pragma once

#include "import/sklearn/context.h"

namespace wherry::sklearn {

// linear.cc
Result<Fitted> lower_linear_regressor(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_linear_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_ridge_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_logistic_regression(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_sgd_classifier(Context& context, const View& estimator, const Flow& input);

// trees.cc
Result<Fitted> lower_decision_tree_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_decision_tree_regressor(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_forest_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_forest_regressor(Context& context, const View& estimator, const Flow& input);

// gradient_boosting.cc
Result<Fitted> lower_gradient_boosting_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_gradient_boosting_regressor(Context& context, const View& estimator, const Flow& input);

// hist_gradient_boosting.cc
Result<Fitted> lower_hist_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_hist_regressor(Context& context, const View& estimator, const Flow& input);

// dummy.cc
Result<Fitted> lower_dummy_classifier(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_dummy_regressor(Context& context, const View& estimator, const Flow& input);

// preprocessing.cc
Result<Fitted> lower_standard_scaler(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_min_max_scaler(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_max_abs_scaler(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_robust_scaler(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_function_transformer(Context& context, const View& estimator, const Flow& input);

// encoders.cc
Result<Fitted> lower_one_hot_encoder(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_ordinal_encoder(Context& context, const View& estimator, const Flow& input);

// impute.cc
Result<Fitted> lower_simple_imputer(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_missing_indicator(Context& context, const View& estimator, const Flow& input);

// compose.cc
Result<Fitted> lower_pipeline(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_column_transformer(Context& context, const View& estimator, const Flow& input);
Result<Fitted> lower_feature_union(Context& context, const View& estimator, const Flow& input);

// search.cc
Result<Fitted> lower_search(Context& context, const View& estimator, const Flow& input);

}  // namespace wherry::sklearn
