// What a model's raw values mean, from the JSON documents it carries about its training. Private to module
// catboost.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/catboost/catboost.h"
#include "import/catboost/model.h"

namespace wherry::catboost {

struct Meaning {
  std::string loss;     // without parameters
  std::string version;  // of CatBoost
  std::optional<Booster::Classes> classes;
  bool multi_label = false;
  double threshold = 0;  // of the raw value of a binary model
  // Of each class the raw value which is its own, or -1: a class without rows in training has -infinity.
  // Empty: raw values are given as they are.
  std::vector<std::int64_t> sources;
};

// "catboost.inconsistent" when the classes do not fit the dimension.
base::Result<Meaning> meaning_of(const Model& model);

}  // namespace wherry::catboost
