#include <cmath>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using program::ValueId;
using testing::Answer;
using testing::kNone;
using testing::Model;
using Numbers = std::vector<double>;

ValueId count(Model& model, program::TextAnalyzer analyzer, std::vector<std::string> terms,
              bool binary = false) {
  const auto size = static_cast<std::int64_t>(terms.size());
  program::CountTerms op{std::move(analyzer),
                         model.weight(tensor::Tensor::of_strings({size}, std::move(terms))), binary};
  return model.add(program::ToDense{}, {model.add(std::move(op), {Model::kInput})});
}

program::TextAnalyzer words(std::int64_t min_n = 1, std::int64_t max_n = 1) {
  return {.token_pattern = "(?u)\\b\\w\\w+\\b", .min_n = min_n, .max_n = max_n};
}

TEST(CountTerms, CountsWordsAsThePatternFindsThem) {
  Model model(1);
  Answer answer(model, count(model, words(), {"dog", "müller", "die"}),
                {{"Dog dog. DOG!"}, {"Die MÜLLER, a müller"}, {""}});
  EXPECT_EQ(answer.numbers(), (Numbers{3, 0, 0, 0, 2, 1, 0, 0, 0}));
}

TEST(CountTerms, JoinsNgramsWithoutTheStopWords) {
  Model model(1);
  program::TextAnalyzer analyzer = words(1, 2);
  analyzer.stop_words = {"the", "of"};
  Answer answer(model, count(model, analyzer, {"king", "king spain", "the king"}), {{"the king of Spain"}});
  EXPECT_EQ(answer.numbers(), (Numbers{1, 1, 0}));
}

TEST(CountTerms, CharacterNgramsCollapseWhiteSpace) {
  Model model(1);
  program::TextAnalyzer analyzer{.analyzer = program::Analyzer::kChar, .min_n = 1, .max_n = 2};
  Answer answer(model, count(model, analyzer, {" ", "a ", "é", "é\t"}), {{"a \n é\tb"}});
  EXPECT_EQ(answer.numbers(), (Numbers{1, 1, 1, 1}));
}

TEST(CountTerms, ShortWordsCountOnceWithinWordBoundaries) {
  Model model(1);
  program::TextAnalyzer analyzer{.analyzer = program::Analyzer::kCharWb, .min_n = 2, .max_n = 5};
  Answer answer(model, count(model, analyzer, {" a", "a ", " a ", " ab", " ab "}), {{"a ab"}});
  EXPECT_EQ(answer.numbers(), (Numbers{2, 1, 1, 1, 1}));
}

TEST(CountTerms, CountsMoreTermsThanItCollects) {
  std::string text;
  for (int i = 0; i < 1'200'000; ++i) text += i % 3 == 0 ? "aa " : "bb ";
  Model model(1);
  Answer answer(model, count(model, words(), {"bb", "aa", "cc"}), {{text}, {std::string("aa")}});
  EXPECT_EQ(answer.numbers(), (Numbers{800'000, 400'000, 0, 0, 1, 0}));
}

TEST(CountTerms, RefusesWhatIsNoText) {
  for (const tensor::CellValue& cell : {kNone, tensor::CellValue(2.0)}) {
    Model model({"body"});
    Answer answer(model, count(model, words(), {"aa"}), {{"aa"}, {cell}});
    EXPECT_EQ(answer.error().id, "engine.not_text");
    EXPECT_NE(answer.error().message.find("column 'body' of row 1"), std::string::npos)
        << answer.error().message;
  }
}

TEST(CountTerms, ABacktrackingPatternIsAnErrorOfTheRow) {
  Model model({"body"});
  program::TextAnalyzer analyzer{.token_pattern = "(?:a+)+$"};
  Answer answer(model, count(model, analyzer, {"aa"}), {{std::string(60, 'a') + "b"}});
  EXPECT_EQ(answer.error().id, "pytext.pattern_limit");
  EXPECT_NE(answer.error().message.find("row 0"), std::string::npos);
}

TEST(CountTerms, AbsurdNgramsEndWithAnError) {
  Model model(1);
  program::HashTerms op{words(1, 1'000'000), 16, true, false};
  const ValueId hashed = model.add(program::ToDense{}, {model.add(op, {Model::kInput})});
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "word ";
  Answer answer(model, hashed, {{text}});
  EXPECT_EQ(answer.error().id, "engine.limit");
}

// sklearn.utils.murmurhash3_32 of these words, modulo 8.
TEST(HashTerms, SignsFollowTheHash) {
  Model model(1);
  program::HashTerms op{words(), 8, true, false};
  const ValueId hashed = model.add(program::ToDense{}, {model.add(op, {Model::kInput})});
  Answer answer(model, hashed, {{"dog cat snake dog"}, {"東京"}});
  EXPECT_EQ(answer.numbers(), (Numbers{0, 0, 0, -1, 0, -2, 0, 1, 0, 0, 0, 0, 0, 0, -1, 0}));
}

TEST(WeighTerms, FollowsTheStepsOfTfidf) {
  Model model(3);
  const ValueId sparse = model.add(program::ToSparse{}, {model.matrix()});
  program::WeighTerms op{
      .sublinear = true, .use_idf = true, .idf = model.numbers({1.5, 2, 3}), .norm = program::Norm::kL2};
  Answer answer(model, model.add(program::ToDense{}, {model.add(op, {sparse})}),
                {{2.0, 0.0, 1.0}, {0.0, 0.0, 0.0}});
  const double a = (std::log(2.0) + 1) * 1.5;
  const double norm = std::sqrt(a * a + 9.0);
  EXPECT_EQ(answer.numbers(), (Numbers{a / norm, 0, 3 / norm, 0, 0, 0}));
}

TEST(DictFeatures, TextBecomesPartOfTheName) {
  Model model(1);
  program::DictFeatures op{model.weight(tensor::Tensor::of_strings({3}, {"age", "city=Ulm", "tag=é"})), "=",
                           false, false};
  const ValueId dense = model.add(program::ToDense{}, {model.add(op, {Model::kInput})});
  Answer answer(model, dense, {{R"({"age":1.5,"city":"Ulm","x":{}} )"}});
  EXPECT_EQ(answer.error().id, "engine.bad_record");
  Model second(1);
  op.names = second.weight(tensor::Tensor::of_strings({3}, {"age", "city=Ulm", "tag=é"}));
  const ValueId again = second.add(program::ToDense{}, {second.add(op, {Model::kInput})});
  Answer good(second, again,
              {{R"({"age":true,"city":"Ulm"})"}, {R"({"tag":["\u00e9","\u00e9","z"], "age":-2e1})"}});
  EXPECT_EQ(good.numbers(), (Numbers{1, 1, 0, -20, 0, 2}));
}

TEST(DictFeatures, BrokenRecordsAreRefused) {
  for (const char* record :
       {"", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}x", "{\"a\":\"\\ud800\"}",
        "{\"a\":[1]}", "{\"a\":1,\"a\":2}", "{\"a\":1e999}", "{\"a\":\"", "{\"a\":tru}", "{,}",
        "{\"a\":[\"x\",]}", "{\"a\":nul", "{\"a\":-}", "{1:2}"}) {
    Model model(1);
    program::DictFeatures op{model.weight(tensor::Tensor::of_strings({1}, {"a"})), "=", false, false};
    Answer answer(model, model.add(program::ToDense{}, {model.add(op, {Model::kInput})}),
                  {{std::string(record)}});
    EXPECT_EQ(answer.error().id, "engine.bad_record") << record;
  }
}

TEST(HashFeatures, TakesPairs) {
  Model model(1);
  program::HashFeatures op{program::RecordForm::kPair, 8, false, false};
  Answer answer(model, model.add(program::ToDense{}, {model.add(op, {Model::kInput})}),
                {{R"([["dog",2],["dog",0.5],["cat",0]])"}, {"[]"}});
  double sum = 0;
  for (const double value : answer.numbers()) sum += value;
  EXPECT_EQ(sum, 2.5);
  Model other(1);
  Answer bad(other, other.add(program::ToDense{}, {other.add(op, {Model::kInput})}), {{R"([["dog"]])"}});
  EXPECT_EQ(bad.error().id, "engine.bad_record");
}

TEST(TextRules, RefuseWhatCannotRun) {
  program::ProgramBuilder builder(program::Signature{{{"a"}, {"b"}}, false, false});
  const auto column = *builder.add(program::SelectColumns{{0}}, {0});
  const auto terms = builder.weight("terms", tensor::Tensor::of_strings({1}, {"aa"}));
  EXPECT_TRUE(builder.add(program::CountTerms{words(), terms, false}, {column}));
  EXPECT_FALSE(builder.add(program::CountTerms{words(), terms, false}, {0}));  // two columns
  EXPECT_FALSE(builder.add(program::CountTerms{words(2, 1), terms, false}, {column}));
  EXPECT_FALSE(builder.add(program::CountTerms{words(0, 1), terms, false}, {column}));
  EXPECT_FALSE(builder.add(program::CountTerms{words(), program::WeightId{9}, false}, {column}));
  EXPECT_FALSE(builder.add(program::CountTerms{{.token_pattern = "(a"}, terms, false}, {column}));
  EXPECT_FALSE(builder.add(program::HashTerms{words(), 0, true, false}, {column}));
  EXPECT_FALSE(builder.add(program::HashFeatures{.n_features = std::int64_t{1} << 40}, {column}));
  EXPECT_FALSE(builder.add(program::DictFeatures{.names = program::WeightId{7}}, {column}));
  EXPECT_FALSE(builder.add(program::WeighTerms{}, {column}));
}

}  // namespace
}  // namespace wherry::engine
