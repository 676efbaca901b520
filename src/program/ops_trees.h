// Decision trees and their sums. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"

namespace wherry::program {

enum class TreeInput { kFloat32, kFloat64 };
inline constexpr std::string_view kTreeInputNames[] = {"float32", "float64"};
constexpr auto enum_names(TreeInput) {
  return std::span(kTreeInputNames);
}

enum class TreeSum { kFloat64, kFloat32 };
inline constexpr std::string_view kTreeSumNames[] = {"float64", "float32"};
constexpr auto enum_names(TreeSum) {
  return std::span(kTreeSumNames);
}

// Where category nodes send a number x which is not NaN (c is the node's set, NaN goes by default_left):
//   kUint8     u = the low 8 bits of x truncated to int32 (0 where it does not fit): scikit-learn's cast to
//              uint8 on x86-64; x < 0, or u neither in cat_left nor cat_known → as NaN; u in cat_left → left;
//              else right.
//   kMembersLeft, kMembersRight   u = x truncated towards zero; a u which is not negative and a member of
//              cat_left[c] goes left (right), everything else goes right (left). -0.5 truncates to 0 only
//              with kMembersLeft (LightGBM); with kMembersRight x < 0 is no member (XGBoost).
enum class CategoryRule { kUint8, kMembersLeft, kMembersRight };
inline constexpr std::string_view kCategoryRuleNames[] = {"uint8", "members_left", "members_right"};
constexpr auto enum_names(CategoryRule) {
  return std::span(kCategoryRuleNames);
}

// matrix [n, w] → matrix [n, outputs]: a sum over trees. An optional second input, a matrix [n, outputs],
// takes the place of `base`.
//   out[i,*] = base; then for each tree t ascending, with leaf l of row i: out[i, target[t] + c] += values[l,
//   c] for each c of the leaf width, every sum rounded to float32 when `sum` is kFloat32; at last every
//   element is divided by `divisor` unless it is 1.
// Node arrays share one index space over all trees; tree t starts at roots[t]. A node is a leaf when feature
// < 0: then left is its row in `values`. Otherwise x = in[i, feature] (rounded to float32 first when input is
// kFloat32, then compared as double):
//   NaN → default_left bit 0 ? left : right; where bit 1 is set and the node has no category, so goes every x
//   with |x| <= 1e-35f, the double 1.0000000180025095e-35 (LightGBM's zero_as_missing)
//   category < 0:  x <= threshold → left, else right
//   category = c:  by `category_rule`, with cat_left[c,*] as bits of 32
// Children lie after their parent (no cycles). Weights: roots int32 [t]; target int32 [t]; feature int32 [N];
// threshold float64 [N]; left, right int32 [N]; default_left uint8 [N]; values float64 [leaves, width]; base
// float64 [outputs]; category int32 [N] and cat_left uint32 [c, words] only when has_categories; cat_known as
// cat_left, only for kUint8.
struct TreeEnsemble {
  static constexpr std::string_view kName = "tree_ensemble";
  TreeInput input = TreeInput::kFloat64;
  TreeSum sum = TreeSum::kFloat64;
  std::int64_t outputs = 1;
  double divisor = 1;
  bool has_categories = false;
  CategoryRule category_rule = CategoryRule::kUint8;
  WeightId roots, target, feature, threshold, left, right, default_left, values, base;
  WeightId category, cat_left, cat_known;
  template <class V>
  void fields(V& v) {
    v("input", input), v("sum", sum), v("outputs", outputs), v("divisor", divisor);
    v("has_categories", has_categories);
    v("roots", roots), v("target", target), v("feature", feature), v("threshold", threshold), v("left", left);
    v("right", right), v("default_left", default_left), v("values", values), v("base", base);
    if (!has_categories) return;
    v("category_rule", category_rule), v("category", category), v("cat_left", cat_left);
    if (category_rule == CategoryRule::kUint8) v("cat_known", cat_known);
  }
};

using TreesOps = OpList<TreeEnsemble>;

}  // namespace wherry::program
