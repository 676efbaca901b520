#include "import/xgboost/xgboost.h"

#include <cmath>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

#include "engine/plan.h"
#include "import/xgboost/testing.h"

namespace wherry::xgboost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kModel;
using testing::with;

base::Result<program::Program> program_of(const std::string& json) {
  TRY_ASSIGN(const Value document, read_json(json));
  TRY_ASSIGN(const Model model, read_model(document));
  return lower_file(model);
}

// "margin" of rows with two columns.
std::vector<double> margins(const std::string& json, const std::vector<double>& cells) {
  auto program = program_of(json);
  if (!program) {
    ADD_FAILURE() << base::describe(program.error());
    return {};
  }
  const auto plan = engine::Plan::compile(*std::move(program));
  if (!plan) {
    ADD_FAILURE() << base::describe(plan.error());
    return {};
  }
  tensor::Table table;
  table.reset(cells.size() / 2, 2);
  for (std::size_t i = 0; i < cells.size(); ++i) table.set_number(i, cells[i]);
  engine::Workspace workspace;
  const auto margin = plan->find_output("margin");
  if (!margin || !plan->run(table, engine::only(*margin), workspace)) {
    ADD_FAILURE() << "the model does not run";
    return {};
  }
  const auto result = workspace.result(*margin, 0).doubles;
  return {result.begin(), result.end()};
}

std::string error_of(const std::string& json) {
  const auto program = program_of(json);
  return program ? "" : program.error().id + ": " + program.error().message;
}

TEST(Lower, FollowsChildrenWhateverTheirOrderInTheFile) {
  EXPECT_THAT(margins(std::string(kModel), {0, 1, 0, 2, -3, 2}), ElementsAre(0.75, -2.5, 1.5));
}

TEST(Lower, SendsAValueEqualToTheConditionRightAndMissingOnesByDefault) {
  EXPECT_THAT(margins(std::string(kModel), {0, 1.5, 0, NAN, NAN, 2}), ElementsAre(-2.5, 0.75, -2.5));
}

TEST(Lower, ComparesInFloat32) {
  const double below = std::nextafter(1.5, 0);  // is 1.5 as float32
  EXPECT_THAT(margins(std::string(kModel), {0, below}), ElementsAre(-2.5));
}

TEST(Lower, SendsNothingBelowMinusInfinityButMissingValues) {
  const std::string json = with("[1.5E0", "[-Infinity");
  EXPECT_THAT(margins(json, {0, -3e38, 0, NAN}), ElementsAre(-2.5, 0.75));
}

TEST(Lower, TakesZeroOfBothSignsForEqual) {
  const std::string json = with("[1.5E0", "[0E0");
  EXPECT_THAT(margins(json, {0, -0.0, 0, 0.0, 0, -1e-45}), ElementsAre(-2.5, -2.5, 0.75));
}

TEST(Lower, WithoutTreesAnswersTheBaseScore) {
  std::string json = with("\"iteration_indptr\":[0,1],\"tree_info\":[0]", "\"tree_info\":[]");
  const auto begin = json.find("\"trees\":[");
  json.replace(begin, json.find("]},\"name\":\"gbtree\"") + 1 - begin, "\"trees\":[]");
  EXPECT_THAT(margins(json, {0, 1, 0, 2}), ElementsAre(0.5, 0.5));
}

TEST(Lower, NamesAnObjectiveItDoesNotKnow) {
  EXPECT_THAT(error_of(with("reg:squarederror", "reg:own")),
              HasSubstr("xgboost.unsupported_objective: the objective 'reg:own'"));
}

TEST(ReadModel, RefusesTreesWhichAreNone) {
  EXPECT_THAT(error_of(with("\"left_children\":[2,4,", "\"left_children\":[2,0,")),
              HasSubstr("node 0 is reached twice"));
  EXPECT_THAT(error_of(with("\"left_children\":[2,4,", "\"left_children\":[2,2,")),
              HasSubstr("reached twice"));
  EXPECT_THAT(error_of(with("\"right_children\":[1,3,", "\"right_children\":[1,5,")),
              HasSubstr("child 5 of 5"));
  EXPECT_THAT(error_of(with("\"right_children\":[1,3,", "\"right_children\":[1,-1,")),
              HasSubstr("child -1 of 5"));
}

TEST(ReadModel, RefusesAFeatureBeyondTheSignature) {
  EXPECT_THAT(error_of(with("\"split_indices\":[1,", "\"split_indices\":[2,")), HasSubstr("feature 2 of 2"));
}

TEST(ReadModel, RefusesASplitAtNan) {
  EXPECT_THAT(error_of(with("[1.5E0", "[NaN")), HasSubstr("splits at NaN"));
}

TEST(ReadModel, RefusesArraysOfDifferentLengths) {
  EXPECT_THAT(error_of(with("\"default_left\":[1,0,0,0,0]", "\"default_left\":[1,0,0,0]")),
              HasSubstr("arrays of 5 and of 4 nodes"));
  EXPECT_THAT(error_of(with("\"tree_info\":[0]", "\"tree_info\":[0,0]")), HasSubstr("tree_info"));
  EXPECT_THAT(error_of(with("\"tree_info\":[0]", "\"tree_info\":[1]")), HasSubstr("from 0 to 0"));
}

TEST(ReadModel, RefusesAbsurdCounts) {
  EXPECT_THAT(error_of(with("\"num_class\":\"0\"", "\"num_class\":\"99999999999\"")), HasSubstr("classes"));
  EXPECT_THAT(error_of(with("\"num_feature\":\"2\"", "\"num_feature\":\"99999999999\"")),
              HasSubstr("features"));
  EXPECT_THAT(error_of(with("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"7\"")),
              HasSubstr("leaves of 7"));
  EXPECT_THAT(error_of(with("\"base_score\":\"5E-1\"", "\"base_score\":\"[1,2,3]\"")),
              HasSubstr("3 base scores"));
}

TEST(ReadModel, RefusesCategoriesThatLieAboutTheirSize) {
  const auto categories = [](std::string_view members, std::string_view segments, std::string_view sizes) {
    std::string json = with("\"split_type\":[0,", "\"split_type\":[1,");
    json = with("\"categories\":[]", std::string("\"categories\":") + std::string(members), json);
    json = with("\"categories_nodes\":[]", "\"categories_nodes\":[0]", json);
    json = with("\"categories_segments\":[]", std::string("\"categories_segments\":") + std::string(segments),
                json);
    return with("\"categories_sizes\":[]", std::string("\"categories_sizes\":") + std::string(sizes), json);
  };
  EXPECT_EQ(error_of(categories("[3,5]", "[0]", "[2]")), "");
  EXPECT_THAT(error_of(categories("[3,5]", "[1]", "[2]")), HasSubstr("beyond the categories"));
  EXPECT_THAT(error_of(categories("[3,5]", "[0]", "[3]")), HasSubstr("xgboost.inconsistent"));
  EXPECT_THAT(error_of(categories("[3,16777216]", "[0]", "[2]")), HasSubstr("xgboost.inconsistent"));
  EXPECT_THAT(error_of(categories("[3,-1]", "[0]", "[2]")), HasSubstr("xgboost.inconsistent"));
  EXPECT_THAT(error_of(with("\"split_type\":[0,", "\"split_type\":[1,")),
              HasSubstr("splits on no categories"));
}

TEST(ReadModel, SendsListedCategoriesRight) {
  std::string json = with("\"split_type\":[0,", "\"split_type\":[1,");
  json = with("\"categories\":[]", "\"categories\":[3,5]", json);
  json = with("\"categories_nodes\":[]", "\"categories_nodes\":[0]", json);
  json = with("\"categories_segments\":[]", "\"categories_segments\":[0]", json);
  json = with("\"categories_sizes\":[]", "\"categories_sizes\":[2]", json);
  EXPECT_THAT(margins(json, {0, 3, 0, 4, 0, 5.5, 0, 1e9, 0, -1}), ElementsAre(-2.5, 0.75, -2.5, 0.75, 0.75));
  // Before 1.7 the way of missing values: here right.
  json = with("\"default_left\":[1,", "\"default_left\":[0,", with("[3,0,5]", "[1,6,2]", json));
  EXPECT_THAT(margins(json, {0, 3, 0, 4, 0, 31, 0, 32, 0, 1e9, 0, -1}),
              ElementsAre(-2.5, 0.75, 0.75, -2.5, -2.5, -2.5));
}

TEST(ReadModel, RefusesCategoryNamesWhichXgboostStoresCutOff) {
  const std::string json =
      with("{\"gbtree_model_param\"",
           "{\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"offsets\":[0,1],\"values\":[-61]}],"
           "\"feature_segments\":[0,0,1],\"sorted_idx\":[0]},\"gbtree_model_param\"");
  EXPECT_THAT(error_of(json), HasSubstr("xgboost.unsupported: a category whose name"));
}

std::string content_of(const std::string& fixture) {
  std::ifstream file(std::string(WHERRY_SOURCE_DIR) + "/tests/fixtures/xgboost/" + fixture, std::ios::binary);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

base::Result<program::Program> read_any(const std::string& content) {
  auto document =
      content.starts_with("{L") ? read_ubj(base::as_bytes(content)) : read_json(std::string_view(content));
  if (!document) return std::unexpected(std::move(document.error()));
  TRY_ASSIGN(const Model model, read_model(*document));
  return lower_file(model);
}

class Damage : public ::testing::TestWithParam<const char*> {};

TEST_P(Damage, CutFilesAreRefused) {
  const std::string content = content_of(GetParam());
  ASSERT_TRUE(read_any(content));
  const std::size_t end = content.find_last_of('}');
  for (std::size_t size = 0; size < end; size += 7)
    EXPECT_FALSE(read_any(content.substr(0, size))) << size << " bytes";
}

TEST_P(Damage, OverwrittenBytesAreRefusedOrHarmless) {
  const std::string content = content_of(GetParam());
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string damaged = content;
    for (unsigned i = 0; i < 1 + random() % 3; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (const auto program = read_any(damaged); !program) {
      EXPECT_FALSE(program.error().hint.empty()) << program.error().id;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Xgboost, Damage,
                         ::testing::Values("1.6.2/category_codes_one_hot/model.ubj",
                                           "3.2.0/category_names/model.ubj", "3.2.0/dart/model.ubj",
                                           "3.2.0/vector_leaves/model.json", "3.2.0/linear/model.json"),
                         [](const auto& param) { return std::to_string(param.index); });

TEST(ReadModel, RefusesVersionsItDoesNotKnow) {
  EXPECT_THAT(error_of(with("[3,0,5]", "[4,0,0]")), HasSubstr("saved by XGBoost 4.0.0"));
}

TEST(ReadModel, RefusesAMissingMemberNamingIt) {
  EXPECT_THAT(error_of(with("\"name\":\"gbtree\"", "\"mane\":\"gbtree\"")),
              HasSubstr("learner.gradient_booster: no 'name'"));
}

}  // namespace
}  // namespace wherry::xgboost
