// An XGBoost model as its files state it (XGBoost src/learner.cc, src/gbm/gbtree_model.cc,
// src/gbm/gblinear_model.cc, src/tree/tree_model.cc, src/data/cat_container.cc; versions 1.6 to 3.2).
//
// Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "import/xgboost/document.h"
#include "tensor/table.h"

namespace wherry::xgboost {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  bool at_least(int a, int b) const { return major > a || (major == a && minor >= b); }
};
std::string to_string(const Version& version);

// A node of a tree: a leaf when `left` < 0, then `right` is its row of Tree::leaves. Children come after
// their parent.
struct TreeNode {
  std::int32_t left = -1;
  std::int32_t right = 0;
  std::int32_t feature = 0;
  std::int32_t categories = -1;  // row of Tree::categories, of a split by category
  float condition = 0;           // x < condition goes left; never NaN
  bool default_left = false;
};

struct Tree {
  std::int32_t group = 0;  // the output it adds to; 0 when its leaves have a value for each output
  std::vector<TreeNode> nodes;
  std::vector<float> leaves;                          // row after row
  std::vector<std::vector<std::int32_t>> categories;  // those that go right; not empty, not negative
};

enum class Booster { kTrees, kDart, kLinear };

struct Model {
  Version version;
  Booster booster = Booster::kTrees;
  std::string objective;
  std::int64_t features = 0;
  std::int64_t outputs = 1;  // groups: classes, targets
  // As saved: in the space of the predictions, one for all outputs or one each.
  std::vector<float> base_score;
  std::vector<std::string> feature_names;  // empty, or one each
  std::vector<std::string> feature_types;  // empty, or one each: "float", "int", "i", "q", "c"
  std::optional<std::int64_t> best_iteration;

  std::vector<Tree> trees;
  std::int64_t leaf_width = 1;           // outputs where the trees' leaves have a value each
  std::vector<float> weights;            // of DART, one per tree; else empty
  std::vector<std::int64_t> rounds_end;  // trees of the rounds up to and including each

  std::vector<float> linear;  // [features + 1, outputs], the last row is the bias

  // The categories of the training data whose codes the trees know, per feature; empty: numbers, or codes.
  std::vector<std::vector<tensor::CellValue>> categories;
  bool has_categories() const { return !categories.empty(); }
};

// `document` is what save_model wrote, or the state of a pickled booster with it as member "Model".
// Errors: "xgboost.inconsistent", "xgboost.unsupported", "xgboost.limit".
base::Result<Model> read_model(const Value& document);

// Errors of all files of this module.
std::unexpected<base::Error> inconsistent(std::string what);
std::unexpected<base::Error> unsupported(std::string what, std::string hint);

}  // namespace wherry::xgboost
