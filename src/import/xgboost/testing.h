// A small model as JSON whose parts tests replace. Private to the tests of module xgboost.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace wherry::xgboost::testing {

// One tree of five nodes on two features: x1 < 1.5 → leaf 0.25, else x0 < -2 → leaf 1, else leaf -3; missing
// x1 goes left, missing x0 right.
inline constexpr std::string_view kModel =
    R"({"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{)"
    R"("gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},"iteration_indptr":[0,1],"tree_info":[0],)"
    R"("trees":[{"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],)"
    R"("default_left":[1,0,0,0,0],"left_children":[2,4,-1,-1,-1],"right_children":[1,3,-1,-1,-1],)"
    R"("split_conditions":[1.5E0,-2E0,2.5E-1,-3E0,1E0],"split_indices":[1,0,0,0,0],"split_type":[0,0,0,0,0],)"
    R"("tree_param":{"num_nodes":"5","size_leaf_vector":"1"}}]},"name":"gbtree"},)"
    R"("learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},)"
    R"("objective":{"name":"reg:squarederror"}},"version":[3,0,5]})";

// kModel with one part of its text replaced; a part which is not there is a mistake of the test.
inline std::string with(std::string_view part, std::string_view replacement,
                        std::string document = std::string(kModel)) {
  const std::size_t at = document.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  if (at == std::string::npos) return document;
  return document.replace(at, part.size(), replacement);
}

}  // namespace wherry::xgboost::testing
