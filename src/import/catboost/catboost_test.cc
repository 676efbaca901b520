#include "import/catboost/catboost.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "base/text.h"
#include "import/catboost/flat_buffer.h"
#include "text/json.h"

namespace wherry::catboost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using text::Json;

std::string seed(const std::string& name) {
  std::ifstream file(std::string(WHERRY_SOURCE_DIR) + "/fuzz/corpus/catboost_model/" + name,
                     std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_FALSE(content.str().empty()) << name;
  return content.str();
}

base::Result<Lowered> lowered(std::string_view content) {
  TRY_ASSIGN(const Booster booster, Booster::read(base::as_bytes(content)));
  return lower(booster);
}

std::string error_of(std::string_view content) {
  const auto result = lowered(content);
  return result ? "" : base::cat(result.error().id, ": ", result.error().message);
}

Json json_seed(const std::string& name) {
  auto parsed = text::parse_json(seed(name), name);
  EXPECT_TRUE(parsed);
  return parsed.value_or(Json());
}

template <class Edit>
std::string error_after(const std::string& name, Edit edit) {
  Json document = json_seed(name);
  edit(document);
  return error_of(text::write_json(document));
}

std::vector<std::string> output_names(const Lowered& lowered) {
  std::vector<std::string> out;
  for (const program::Output& output : lowered.program.outputs()) out.push_back(output.name);
  return out;
}

TEST(Catboost, ReadsWhatAModelSaysOfItself) {
  const auto booster = Booster::read(base::as_bytes(seed("categories.cbm")));
  ASSERT_TRUE(booster);
  EXPECT_EQ(booster->version(), "1.2.10");
  EXPECT_EQ(booster->loss(), "Logloss");
  EXPECT_THAT(booster->column_names(), ElementsAre("size", "colour", "shop", "weight", "new"));
  EXPECT_THAT(booster->classes()->names, ElementsAre("False", "True"));
}
TEST(Catboost, HasTheOutputsOfItsLoss) {
  const auto binary = lowered(seed("categories.json"));
  ASSERT_TRUE(binary) << base::describe(binary.error());
  EXPECT_THAT(output_names(*binary), ElementsAre("predict", "predict_proba", "predict_class"));
  const auto numbers = lowered(seed("numbers.cbm"));
  ASSERT_TRUE(numbers);
  EXPECT_THAT(output_names(*numbers), ElementsAre("predict"));
  EXPECT_FALSE(numbers->program.signature().has_names);
}
TEST(Catboost, RefusesTextAndEmbeddingFeaturesByName) {
  EXPECT_THAT(error_of(seed("text.cbm")), HasSubstr("catboost.unsupported_features: "));
  EXPECT_THAT(error_of(seed("text.cbm")), HasSubstr("the text feature in column 't'"));
  EXPECT_THAT(error_of(seed("embedding.cbm")), HasSubstr("the embedding feature in column 'e'"));
}
TEST(Catboost, ReportsAFileCutOffAnywhere) {
  const std::string content = seed("categories.cbm");
  for (std::size_t size = 0; size < content.size(); size += 3)
    EXPECT_NE(error_of(std::string_view(content).substr(0, size)), "") << size;
}
TEST(Catboost, ReportsADocumentCutOffAnywhere) {
  const std::string content = seed("categories.json");
  const std::size_t end = content.rfind('}');
  for (std::size_t size = 0; size < end; size += 97)
    EXPECT_NE(error_of(std::string_view(content).substr(0, size)), "") << size;
}
TEST(Catboost, SurvivesEveryDamagedByte) {
  for (const std::string name : {"categories.cbm", "lossguide.cbm"}) {
    const std::string content = seed(name);
    for (std::size_t i = 0; i < content.size(); i += 2) {
      std::string damaged = content;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x80);
      if (const auto result = lowered(damaged); !result) {
        EXPECT_NE(result.error().hint, "") << name << " byte " << i;
      }
    }
  }
}

TEST(Catboost, RefusesBordersOutOfOrder) {
  EXPECT_THAT(error_after("depthwise.json",
                          [](Json& document) {
                            for (Json& feature : document["features_info"]["float_features"])
                              feature["borders"] = {2.0, 1.0};
                          }),
              HasSubstr("the borders of column 0 are not in order"));
}
TEST(Catboost, RefusesASplitThatIsNot) {
  EXPECT_THAT(error_after("categories.json",
                          [](Json& document) {
                            document["oblivious_trees"][0]["splits"][0]["split_index"] = 1'000'000;
                          }),
              HasSubstr("catboost.inconsistent: the CatBoost model contradicts itself: split 1000000 of"));
}
TEST(Catboost, RefusesTooFewLeafValues) {
  EXPECT_THAT(error_after("categories.json",
                          [](Json& document) { document["oblivious_trees"][0]["leaf_values"] = {1.0, 2.0}; }),
              HasSubstr("leaf values for 4 trees"));
}
TEST(Catboost, RefusesATableShorterThanItSays) {
  EXPECT_THAT(error_after("categories.json",
                          [](Json& document) {
                            for (auto& [key, table] : document["ctr_data"].items()) table["hash_stride"] = 7;
                          }),
              HasSubstr("no valid 'hash_map'"));
}
TEST(Catboost, RefusesAStatisticWithoutItsTable) {
  EXPECT_THAT(error_after("categories.json", [](Json& document) { document.erase("ctr_data"); }),
              HasSubstr("a target statistic has no table"));
}
TEST(Catboost, RefusesATargetBorderBeyondTheClasses) {
  EXPECT_THAT(error_after("means.json",
                          [](Json& document) {
                            std::string text = text::write_json(document);
                            for (std::size_t at = 0;
                                 (at = text.find("BinarizedTargetMeanValue", at)) != text.npos;)
                              text.replace(at, 24, "Buckets");
                            document = *text::parse_json(text, "edited");
                            for (Json& ctr : document["features_info"]["ctrs"]) ctr["target_border_idx"] = 9;
                          }),
              HasSubstr("target border 9 of 2 classes"));
}
TEST(Catboost, RefusesClassesWhichAreNotAsManyAsTheRawValues) {
  EXPECT_THAT(error_after("categories.json",
                          [](Json& document) {
                            document["model_info"]["class_params"]["class_names"] = {"a", "b", "c"};
                          }),
              HasSubstr("3 classes for raw values of dimension 1"));
}
TEST(Catboost, RefusesAnAbsurdNumberOfClasses) {
  EXPECT_THAT(error_after("categories.json",
                          [](Json& document) {
                            document["model_info"]["class_params"] = {{"classes_count", 1'000'000'000}};
                          }),
              HasSubstr("1000000000 classes"));
}
TEST(Catboost, RefusesABiasThatIsNotFinite) {
  EXPECT_THAT(error_after("categories.json",
                          [](Json& document) { document["scale_and_bias"] = {1e308 * 10, {0.0}}; }),
              HasSubstr("scale_and_bias"));
}
TEST(Catboost, RefusesAFeatureInAnAbsurdColumn) {
  EXPECT_THAT(error_after("depthwise.json",
                          [](Json& document) {
                            document["features_info"]["float_features"][0]["flat_feature_index"] =
                                2'000'000'000;
                          }),
              HasSubstr("a feature in column 2000000000"));
}

// A root table whose one field is a vector of 2^20 offsets to itself costs more than the file may.
TEST(FlatBuffer, LimitsPartsThatAreSharedTooOften) {
  std::string bytes;
  const auto put = [&]<class T>(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  put(std::uint32_t{12});                                                                      // root
  put(std::uint16_t{6}), put(std::uint16_t{8}), put(std::uint16_t{4}), put(std::uint16_t{0});  // vtable at 4
  put(std::int32_t{8});   // table at 12, its vtable 8 before
  put(std::uint32_t{4});  // its field: vector at 20
  constexpr std::uint32_t kCount = 1000;
  put(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) put(static_cast<std::uint32_t>(12 - (24 + 4 * i)));
  FlatBuffer buffer(base::as_bytes(bytes));
  const auto root = buffer.root();
  ASSERT_TRUE(root) << base::describe(root.error());
  int rounds = 0;
  while (rounds < 100 && root->tables(0)) ++rounds;
  EXPECT_LT(rounds, 3);
}
TEST(FlatBuffer, RefusesATableOutsideTheFile) {
  const std::string bytes("\xF0\xFF\xFF\x7F____", 8);
  FlatBuffer buffer(base::as_bytes(bytes));
  EXPECT_FALSE(buffer.root());
}

}  // namespace
}  // namespace wherry::catboost
