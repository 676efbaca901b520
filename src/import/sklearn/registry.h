// The table of estimator classes. Private to module sklearn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/sklearn/context.h"

namespace wherry::sklearn {

using Lower = Result<Fitted> (*)(Context& context, const View& estimator, const Flow& input);

// The columns of X an estimator was fitted on.
struct InputColumns {
  std::vector<std::string> names;  // empty: unknown
  std::int64_t count = -1;
  std::string single_name = "x0";  // what the only column is called where it has no name
};

// `modules`: where the class lives, newest first, separated by spaces; older spellings are those of pickles
// before scikit-learn 0.22. `fitted`: an attribute which fit() sets. `children`: attributes with estimators
// in them (estimators, or lists of tuples with one), for describe(). `columns`: of classes which know their
// columns in a way of their own (those of other packages, vectorisers); null: from feature_names_in_ and
// n_features_in_. `entrances`: attributes with the estimators (or lists of them) that get X as the estimator
// itself got it. `describe`: as `columns`, of what inspect says of them.
struct EstimatorRow {
  std::string_view name;
  std::string_view modules;
  std::string_view fitted;
  Lower lower;
  std::string_view children = "";
  Result<InputColumns> (*columns)(const View& estimator) = nullptr;
  std::string_view entrances = "";
  std::string (*describe)(const View& estimator) = nullptr;
};

std::vector<const EstimatorRow*> estimator_rows();
const EstimatorRow* find_row(std::string_view class_name);  // qualified

// Classes of scikit-learn which have nothing to say about new rows, with the way out.
std::optional<std::string_view> reason_without_inference(std::string_view class_name);

}  // namespace wherry::sklearn
