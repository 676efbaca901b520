#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "base/text.h"
#include "import/lightgbm/lower.h"
#include "import/lightgbm/model.h"

namespace wherry::lightgbm {
namespace {

using base::cat;
using testing::HasSubstr;

// One tree: x0 <= 1.5 → 10, else the set {0, 33} of x1 → 20, else 30.
struct Parts {
  std::string version = "v4";
  std::string num_class = "1";
  std::string per_iteration = "1";
  std::string last_feature = "1";
  std::string objective = "regression";
  std::string names = "Column_0 Column_1";
  std::string infos = "[0:3] 0:1:33";
  std::string num_leaves = "3";
  std::string num_cat = "1";
  std::string feature = "0 1";
  std::string threshold = "1.5 0";
  std::string decision = "2 1";
  std::string left = "-1 -2";
  std::string right = "1 -3";
  std::string values = "10 20 30";
  std::string boundaries = "0 2";
  std::string words = "1 2";
  std::string more;
  std::string footer = "pandas_categorical:null\n";
};

std::string text_of(const Parts& parts) {
  const std::string tree = cat(
      "Tree=0\nnum_leaves=", parts.num_leaves, "\nnum_cat=", parts.num_cat, "\nsplit_feature=", parts.feature,
      "\nthreshold=", parts.threshold, "\ndecision_type=", parts.decision, "\nleft_child=", parts.left,
      "\nright_child=", parts.right, "\nleaf_value=", parts.values, "\ncat_boundaries=", parts.boundaries,
      "\ncat_threshold=", parts.words, "\n", parts.more, "shrinkage=1\n\n\n");
  return cat("tree\nversion=", parts.version, "\nnum_class=", parts.num_class,
             "\nnum_tree_per_iteration=", parts.per_iteration,
             "\nlabel_index=0\nmax_feature_idx=", parts.last_feature, "\nobjective=", parts.objective,
             "\nfeature_names=", parts.names, "\nfeature_infos=", parts.infos, "\ntree_sizes=", tree.size(),
             "\n\n", tree, "end of trees\n\n", parts.footer);
}

std::string id_of(const Parts& parts) {
  const auto model = read_text(text_of(parts), "the model");
  if (!model) return model.error().id;
  const auto lowered = lower(*model, "the model");
  return lowered ? "" : lowered.error().id;
}

TEST(ReadText, TakesAModelApart) {
  const auto model = read_text(text_of({}), "the model");
  ASSERT_TRUE(model) << base::describe(model.error());
  ASSERT_EQ(model->trees.size(), 1U);
  EXPECT_EQ(model->trees[0].set_words, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(model->trees[0].leaf_value, (std::vector<double>{10, 20, 30}));
  EXPECT_FALSE(model->has_names());
  EXPECT_TRUE(lower(*model, "the model"));
}

TEST(ReadText, TakesLinesOfWindows) {
  std::string text = text_of({});
  // With one tree its size does not matter: LightGBM looks only at where trees begin.
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
  EXPECT_TRUE(read_text(text, "the model"));
}

TEST(ReadText, OfAnUnknownVersionIsRefused) {
  EXPECT_EQ(id_of({.version = "v2"}), "lightgbm.unsupported_version");
}

TEST(ReadText, WithAbsurdClassesIsRefused) {
  EXPECT_EQ(id_of({.num_class = "1000000000", .per_iteration = "1000000000"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.num_class = "3"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.num_class = "0", .per_iteration = "0"}), "lightgbm.inconsistent");
}

TEST(ReadText, WithFewerTreesThanAnIterationHasIsRefused) {
  EXPECT_EQ(id_of({.num_class = "2", .per_iteration = "2", .objective = "multiclass num_class:2"}),
            "lightgbm.inconsistent");
}

TEST(ReadText, WhoseListsAreShorterThanItsLeavesIsRefused) {
  EXPECT_EQ(id_of({.num_leaves = "2000000000"}), "lightgbm.bad_model");
  EXPECT_EQ(id_of({.values = "10 20"}), "lightgbm.bad_model");
  EXPECT_EQ(id_of({.threshold = "1.5 0 7"}), "lightgbm.bad_model");
  EXPECT_EQ(id_of({.feature = "0 x"}), "lightgbm.bad_model");
}

TEST(ReadText, WithChildrenThatAreNoTreeIsRefused) {
  EXPECT_EQ(id_of({.left = "0 -2"}), "lightgbm.inconsistent");    // a cycle
  EXPECT_EQ(id_of({.right = "-2 -3"}), "lightgbm.inconsistent");  // a leaf twice, a node never
  EXPECT_EQ(id_of({.right = "1 -4"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.right = "2 -3"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.right = "1 -2147483648"}), "lightgbm.inconsistent");
}

TEST(ReadText, WithAFeatureItDoesNotHaveIsRefused) {
  EXPECT_EQ(id_of({.feature = "0 2"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.feature = "-1 1"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.last_feature = "2"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.infos = "[0:3]"}), "lightgbm.inconsistent");
}

TEST(ReadText, WithANaNThresholdIsRefused) {
  EXPECT_EQ(id_of({.threshold = "nan 0"}), "lightgbm.inconsistent");
}

TEST(ReadText, WithSetsOutOfOrderIsRefused) {
  EXPECT_EQ(id_of({.num_cat = "2", .boundaries = "0 2 1", .words = "1"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.boundaries = "0 2000000000"}), "lightgbm.bad_model");
  EXPECT_EQ(id_of({.boundaries = "0 -1"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.threshold = "1.5 1"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.threshold = "1.5 0.5"}), "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.num_cat = "0"}), "lightgbm.inconsistent");
}

TEST(ReadText, WithLinearLeavesThatLieIsRefused) {
  const std::string start = "is_linear=1\nleaf_const=1 2 3\n";
  EXPECT_EQ(id_of({.more = start + "num_features=0 0 1\nleaf_features=   1\nleaf_coeff=   2.5\n"}), "");
  EXPECT_EQ(id_of({.more = start + "num_features=0 0 1\nleaf_features=   2\nleaf_coeff=   2.5\n"}),
            "lightgbm.inconsistent");
  EXPECT_EQ(id_of({.more = start + "num_features=0 0 2\nleaf_features=   1\nleaf_coeff=   2.5\n"}),
            "lightgbm.bad_model");
  EXPECT_EQ(id_of({.more = start + "num_features=0 -1 2\nleaf_features=   1\nleaf_coeff=   2.5\n"}),
            "lightgbm.inconsistent");
}

TEST(ReadText, CutOffAnywhereBeforeItsFooterIsRefused) {
  const std::string text = text_of({.footer = "parameters:\n[boosting: gbdt]\nend of parameters\n\n"});
  const std::size_t end = text.find("end of trees");
  for (std::size_t size = 0; size < end; ++size)
    EXPECT_FALSE(read_text(std::string_view(text).substr(0, size), "the model")) << "cut at " << size;
  EXPECT_FALSE(read_text(std::string_view(text).substr(0, text.size() - 8), "the model"));
}

TEST(ReadText, WithTreesElsewhereThanTheirSizesSayIsRefused) {
  std::string text = text_of({});
  text.replace(text.find("tree_sizes="), 12, "tree_sizes=7 1");
  EXPECT_FALSE(read_text(text, "the model"));
}

TEST(ReadText, WithOneNameTwiceIsRefused) {
  EXPECT_EQ(id_of({.names = "a a"}), "lightgbm.inconsistent");
}

TEST(Lower, KnowsTheColumnsByTheirNames) {
  const auto model = read_text(text_of({.names = "age income"}), "the model");
  ASSERT_TRUE(model);
  const auto lowered = lower(*model, "the model");
  ASSERT_TRUE(lowered);
  EXPECT_TRUE(lowered->program.signature().has_names);
  EXPECT_EQ(lowered->program.signature().columns[1].name, "income");
  EXPECT_EQ(lowered->provenance.framework, "LightGBM");
}

TEST(Lower, RefusesAnObjectiveLightgbmDoesNotHave) {
  EXPECT_EQ(id_of({.objective = "magic"}), "lightgbm.unsupported_objective");
  EXPECT_EQ(id_of({.objective = "binary sigmoid:0"}), "lightgbm.unsupported_objective");
  EXPECT_EQ(id_of({.objective = "binary"}), "lightgbm.unsupported_objective");
  EXPECT_EQ(id_of({.objective = "multiclass num_class:7"}), "lightgbm.inconsistent");
}

TEST(Lower, RecodesTheColumnThatIsDeclaredCategorical) {
  const auto model =
      read_text(text_of({.infos = "[0:3] 0:1:2",
                         .footer = "parameters:\n[categorical_feature: 1]\nend of parameters\n\n"
                                   "pandas_categorical:[[\"a\", \"b\", \"c\"]]\n"}),
                "the model");
  ASSERT_TRUE(model) << base::describe(model.error());
  const auto columns = category_columns(*model, "the model");
  ASSERT_TRUE(columns);
  ASSERT_EQ(columns->size(), 1U);
  EXPECT_EQ((*columns)[0].column, 1U);
  EXPECT_EQ((*columns)[0].type, program::ColumnType::kText);
}

TEST(Lower, RefusesCategoriesWhichCouldBelongToSeveralColumns) {
  Parts parts{.infos = "[0:3] [0:1]", .footer = "pandas_categorical:[[\"a\", \"b\", \"c\", \"d\"]]\n"};
  EXPECT_EQ(id_of(parts), "lightgbm.ambiguous_categories");
  parts.infos = "[0:3.5] [0:1]";
  EXPECT_EQ(id_of(parts), "");
}

TEST(Lower, RefusesSetsOfCategoriesOutOfProportion) {
  const std::string text =
      "{\"version\":\"v4\",\"num_class\":1,\"num_tree_per_iteration\":1,\"feature_names\":[\"a\"],"
      "\"feature_infos\":{},\"tree_info\":[{\"num_leaves\":2,\"tree_structure\":{\"split_feature\":0,"
      "\"threshold\":\"2000000000\",\"decision_type\":\"==\",\"default_left\":false,"
      "\"missing_type\":\"None\",\"left_child\":{\"leaf_value\":1},\"right_child\":{\"leaf_value\":2}}}]}";
  const auto model = read_json(text, "the model");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().id, "lightgbm.too_large");
}

std::string json_tree(std::string_view structure) {
  return cat(
      "{\"version\":\"v4\",\"num_class\":1,\"num_tree_per_iteration\":1,\"feature_names\":[\"a\"],"
      "\"feature_infos\":{},\"tree_info\":[{\"tree_structure\":",
      structure, "}]}");
}

TEST(ReadJson, TakesAModelApart) {
  const auto model = read_json(
      json_tree(
          "{\"split_feature\":0,\"threshold\":\"0||33\",\"decision_type\":\"==\",\"default_left\":false,"
          "\"missing_type\":\"NaN\",\"left_child\":{\"leaf_value\":1.5},\"right_child\":{\"leaf_value\":2}}"),
      "the model");
  ASSERT_TRUE(model) << base::describe(model.error());
  EXPECT_EQ(model->trees[0].set_words, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(model->trees[0].left[0], ~0);
  EXPECT_EQ(model->trees[0].leaf_value, (std::vector<double>{1.5, 2}));
}

TEST(ReadJson, WithHalfANodeIsRefused) {
  const auto model = read_json(json_tree("{\"split_feature\":0,\"threshold\":1}"), "the model");
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("tree 0"));
}

TEST(ReadJson, WithoutTheFeatureOfItsNodeIsRefused) {
  const auto model = read_json(
      json_tree(
          "{\"split_feature\":1,\"threshold\":1,\"decision_type\":\"<=\",\"default_left\":false,"
          "\"missing_type\":\"NaN\",\"left_child\":{\"leaf_value\":1.5},\"right_child\":{\"leaf_value\":2}}"),
      "the model");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().id, "lightgbm.inconsistent");
}

}  // namespace
}  // namespace wherry::lightgbm
