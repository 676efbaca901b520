// The estimator classes by family, one function per file: the rows of a family name its classes and the
// functions which lower them. A lowering function takes a fitted estimator and its X, and states what the
// estimator's methods compute (the source it follows is named at the top of the file). Private to module
// sklearn.
#pragma once

#include <span>

#include "import/sklearn/registry.h"

namespace wherry::sklearn {

std::span<const EstimatorRow> calibration_rows();
std::span<const EstimatorRow> catboost_rows();
std::span<const EstimatorRow> cluster_rows();
std::span<const EstimatorRow> compose_rows();
std::span<const EstimatorRow> decomposition_rows();
std::span<const EstimatorRow> dictionary_rows();
std::span<const EstimatorRow> dict_features_rows();
std::span<const EstimatorRow> dictionary_rows();
std::span<const EstimatorRow> dummy_rows();
std::span<const EstimatorRow> encoders_rows();
std::span<const EstimatorRow> ensemble_rows();
std::span<const EstimatorRow> feature_selection_rows();
std::span<const EstimatorRow> functions_rows();
std::span<const EstimatorRow> cross_decomposition_rows();
std::span<const EstimatorRow> discriminant_rows();
std::span<const EstimatorRow> dummy_rows();
std::span<const EstimatorRow> encoders_rows();
std::span<const EstimatorRow> ensemble_rows();
std::span<const EstimatorRow> gaussian_process_rows();
std::span<const EstimatorRow> gradient_boosting_rows();
std::span<const EstimatorRow> hist_gradient_boosting_rows();
std::span<const EstimatorRow> impute_rows();
std::span<const EstimatorRow> isotonic_rows();
std::span<const EstimatorRow> kernel_methods_rows();
std::span<const EstimatorRow> label_propagation_rows();
std::span<const EstimatorRow> impute_more_rows();
std::span<const EstimatorRow> lightgbm_rows();
std::span<const EstimatorRow> linear_rows();
std::span<const EstimatorRow> linear_more_rows();
std::span<const EstimatorRow> multiclass_rows();
std::span<const EstimatorRow> multioutput_rows();
std::span<const EstimatorRow> preprocessing_more_rows();
std::span<const EstimatorRow> naive_bayes_rows();
std::span<const EstimatorRow> neural_network_rows();
std::span<const EstimatorRow> manifold_rows();
std::span<const EstimatorRow> mixture_rows();
std::span<const EstimatorRow> neighbors_rows();
std::span<const EstimatorRow> outliers_rows();
std::span<const EstimatorRow> preprocessing_rows();
std::span<const EstimatorRow> search_rows();
std::span<const EstimatorRow> stacking_rows();
std::span<const EstimatorRow> svm_rows();
std::span<const EstimatorRow> target_rows();
std::span<const EstimatorRow> thresholds_rows();
std::span<const EstimatorRow> text_rows();
std::span<const EstimatorRow> trees_rows();
std::span<const EstimatorRow> trees_embedding_rows();
std::span<const EstimatorRow> trees_rows();
std::span<const EstimatorRow> voting_rows();
std::span<const EstimatorRow> xgboost_rows();

}  // namespace wherry::sklearn
