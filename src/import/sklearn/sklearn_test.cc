#include "import/sklearn/sklearn.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::sklearn {
namespace {

using program::ColumnType;
using program::GlobalUse;
using testing::AllOf;
using testing::Field;
using testing::HasSubstr;

std::string fixture(const std::string& name) {
  return std::string(WHERRY_SOURCE_DIR) + "/tests/fixtures/sklearn/" + name + "/model.joblib";
}

pickle::Document read(const std::string& name) {
  auto document = pickle::read_file(fixture(name));
  EXPECT_TRUE(document) << base::describe(document.error());
  return *std::move(document);
}

Lowered lowered(const std::string& name) {
  auto result = lower(read(name));
  EXPECT_TRUE(result) << base::describe(result.error());
  return *std::move(result);
}

// A pickle of protocol 2 by hand.
std::string text(std::string_view value) {
  std::string out = "X";
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value.size() >> shift & 0xFF);
  return out + std::string(value);
}
std::string instance(std::string_view module, std::string_view name, std::string_view state = "}") {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n)\x81" + std::string(state) + "b";
}
std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}
std::string estimator(std::string_view module, std::string_view name,
                      std::vector<std::pair<std::string, std::string>> state = {}) {
  state.emplace_back("_sklearn_version", text("1.9.1"));
  return instance(module, name, dict(state));
}
pickle::Document document(const std::string& body) {
  auto result = pickle::read_string("\x80\x02" + body + ".");
  EXPECT_TRUE(result) << base::describe(result.error());
  return *std::move(result);
}
base::Error refusal(const std::string& body) {
  const auto result = lower(document(body));
  EXPECT_FALSE(result);
  return result ? base::Error{} : result.error();
}

const std::string kOne = std::string("K\x01", 2);
const std::string kThree = std::string("K\x03", 2);

TEST(Refusals, ACalledSystemFunctionIsRefusedByName) {
  const base::Error error = refusal("cposix\nsystem\n" + text("id") + "\x85R");
  EXPECT_EQ(error.id, "sklearn.refused_global");
  EXPECT_THAT(error.message, HasSubstr("posix.system"));
}

TEST(Refusals, ADiscardedCallIsRefusedToo) {
  EXPECT_EQ(refusal("cbuiltins\neval\n" + text("1") + "\x85R0N").id, "sklearn.refused_global");
}

TEST(Refusals, ADangerousFunctionIsRefusedEvenAsAValue) {
  const std::string hidden = estimator("sklearn.linear_model._base", "LinearRegression",
                                       {{"note", "csubprocess\nPopen\n"}, {"n_features_in_", kThree}});
  EXPECT_EQ(refusal(hidden).id, "sklearn.refused_global");
}

TEST(Refusals, AnOwnClassIsNamedWithItsPlace) {
  const std::string step = "(" + text("clean") + instance("__main__", "Cleaner") + "t";
  const base::Error error =
      refusal(estimator("sklearn.pipeline", "Pipeline", {{"steps", "](" + step + "e"}}));
  EXPECT_EQ(error.id, "sklearn.unknown_class");
  EXPECT_THAT(error.message, AllOf(HasSubstr("steps[0][1]"), HasSubstr("__main__.Cleaner")));
}

TEST(Refusals, ACallableOfAnotherLibraryNeedNotBeInTheWayToBeRefused) {
  const std::string body =
      estimator("sklearn.dummy", "DummyRegressor",
                {{"constant_", "](" + kOne + "e"},
                 {"n_features_in_", kOne},
                 {"extra", instance("imblearn.ensemble._forest", "BalancedRandomForestClassifier")}});
  EXPECT_EQ(refusal(body).id, "sklearn.refused_global");
}

TEST(Refusals, AnEstimatorThatOnlyDescribesItsTrainingRows) {
  const base::Error error =
      refusal(estimator("sklearn.cluster._dbscan", "DBSCAN", {{"n_features_in_", kOne}}));
  EXPECT_EQ(error.id, "sklearn.no_inference");
  EXPECT_THAT(error.message, HasSubstr("DBSCAN"));
}

TEST(Refusals, EveryEstimatorWithoutAnAnswerForNewRowsIsNamed) {
  for (const std::string_view name :
       {"NearestNeighbors", "SpectralBiclustering", "SpectralCoclustering", "EmpiricalCovariance",
        "MinCovDet", "LedoitWolf", "OAS", "ShrunkCovariance", "GraphicalLasso", "GraphicalLassoCV"}) {
    const base::Error error = refusal(estimator("sklearn.anywhere", name, {{"n_features_in_", kOne}}));
    EXPECT_EQ(error.id, "sklearn.no_inference");
    EXPECT_THAT(error.message, HasSubstr(name));
  }
}

TEST(Refusals, ALocalOutlierFactorFittedWithoutNovelty) {
  const std::string body =
      estimator("sklearn.neighbors._lof", "LocalOutlierFactor",
                {{"novelty", "\x89"}, {"_fit_method", text("brute")}, {"n_features_in_", kOne}});
  const base::Error error = refusal(body);
  EXPECT_EQ(error.id, "sklearn.no_inference");
  EXPECT_THAT(error.hint, HasSubstr("novelty=True"));
}

TEST(Refusals, AnEstimatorNotLoweredYet) {
  EXPECT_EQ(refusal(estimator("sklearn.oracle", "Oracle")).id, "sklearn.unsupported_estimator");
}

TEST(Refusals, AnUnfittedEstimatorLacksItsAttribute) {
  const base::Error error = refusal(estimator("sklearn.linear_model._base", "LinearRegression"));
  EXPECT_EQ(error.id, "sklearn.unfitted");
  EXPECT_THAT(error.message, HasSubstr("coef_"));
}

TEST(Refusals, ADictionaryWithAModelInItSaysWhatToSave) {
  const base::Error error =
      refusal(dict({{"model", estimator("sklearn.linear_model._base", "LinearRegression")}}));
  EXPECT_EQ(error.id, "sklearn.not_an_estimator");
  EXPECT_THAT(error.hint, HasSubstr("model"));
}

TEST(Refusals, PlainDataIsNoModel) {
  EXPECT_EQ(refusal("](" + kOne + kThree + "e").id, "sklearn.not_an_estimator");
}

TEST(Refusals, APipelineInItself) {
  // steps = [("again", <the pipeline>), ("again", <the pipeline>)]
  const std::string step = "(" + text("again") + std::string("h\x01", 2) + "t";
  const std::string body = std::string("csklearn.pipeline\nPipeline\n)\x81q\x01", 31) +
                           dict({{"steps", "](" + step + step + "e"},
                                 {"n_features_in_", kOne},
                                 {"_sklearn_version", text("1.9.1")}}) +
                           "b";
  EXPECT_EQ(refusal(body).id, "sklearn.too_deep");
}

TEST(Refusals, AFileWithoutVersionCannotBeRead) {
  EXPECT_EQ(refusal(instance("sklearn.dummy", "DummyRegressor")).id, "sklearn.inconsistent");
}

TEST(Refusals, ARandomAnswerIsNotReproducible) {
  const std::string body =
      estimator("sklearn.dummy", "DummyClassifier",
                {{"strategy", text("uniform")}, {"classes_", "N"}, {"n_features_in_", kOne}});
  EXPECT_EQ(refusal(body).id, "sklearn.unsupported_parameter");
}

TEST(Refusals, StepsOfDifferentWidth) {
  const std::string scaler = estimator("sklearn.preprocessing._data", "StandardScaler",
                                       {{"n_features_in_", kThree}, {"scale_", "N"}});
  const std::string dummy = estimator("sklearn.dummy", "DummyRegressor",
                                      {{"constant_", "](" + kOne + "e"}, {"n_features_in_", kOne}});
  const std::string steps = "]((" + text("a") + scaler + "t(" + text("b") + dummy + "te";
  const base::Error error = refusal(estimator("sklearn.pipeline", "Pipeline", {{"steps", steps}}));
  EXPECT_NE(error.id, "");
  EXPECT_THAT(error.message, HasSubstr("steps[0][1]"));
}

TEST(Signature, NamesAndTypesComeFromWhatReadsTheColumns) {
  const Lowered model = lowered("1.9.1/columns_by_name_logistic");
  const program::Signature& signature = model.program.signature();
  EXPECT_TRUE(signature.has_names);
  EXPECT_TRUE(signature.ignores_extra);
  std::vector<std::pair<std::string, std::pair<ColumnType, bool>>> columns;
  for (const auto& column : signature.columns)
    columns.push_back({column.name, {column.type, column.required}});
  EXPECT_THAT(columns, testing::ElementsAre(std::pair("age", std::pair(ColumnType::kNumber, true)),
                                            std::pair("income", std::pair(ColumnType::kNumber, true)),
                                            std::pair("city", std::pair(ColumnType::kText, true)),
                                            std::pair("kind", std::pair(ColumnType::kText, true)),
                                            std::pair("visits", std::pair(ColumnType::kNumber, true)),
                                            std::pair("member", std::pair(ColumnType::kAny, false))));
}

TEST(Signature, WithoutNamesColumnsAreNumbered) {
  const program::Signature signature = lowered("1.9.1/ridge").program.signature();
  EXPECT_FALSE(signature.has_names);
  EXPECT_FALSE(signature.ignores_extra);
  ASSERT_EQ(signature.columns.size(), 4);
  EXPECT_EQ(signature.columns[3].name, "x3");
}

TEST(Outputs, ClassesNameTheColumnsOfProbabilities) {
  const Lowered model = lowered("1.9.1/logistic_string_classes");
  const auto outputs = model.program.outputs();
  const auto proba = std::ranges::find(outputs, "predict_proba", &program::Output::name);
  ASSERT_NE(proba, outputs.end());
  EXPECT_THAT(proba->labels, testing::ElementsAre("", "naïve", "🦊"));
}

TEST(Provenance, EstimatorsWithRolesAndSizes) {
  const Lowered model = lowered("1.9.1/columns_by_name_hist");
  const auto& lines = model.provenance.estimators;
  ASSERT_GE(lines.size(), 5);
  EXPECT_EQ(lines[0].class_name, "Pipeline");
  EXPECT_EQ(lines[1].class_name, "ColumnTransformer");
  EXPECT_EQ(lines[1].depth, 1);
  EXPECT_EQ(lines[2].role, "transformers_[0] 'num'");
  EXPECT_THAT(lines.back(),
              AllOf(Field(&program::EstimatorLine::class_name, "HistGradientBoostingClassifier"),
                    Field(&program::EstimatorLine::description, HasSubstr("4 trees"))));
  EXPECT_EQ(model.provenance.framework, "scikit-learn");
  EXPECT_EQ(model.provenance.framework_version, "1.9.1");
}

TEST(Provenance, TheModelInABareCatBoostPickleSaysWhichCatBoostWroteIt) {
  auto document = pickle::read_file(std::string(WHERRY_SOURCE_DIR) +
                                    "/tests/fixtures/catboost/1.2.10/binary_floats/model.joblib");
  ASSERT_TRUE(document) << base::describe(document.error());
  const auto model = lower(*std::move(document));
  ASSERT_TRUE(model) << base::describe(model.error());
  EXPECT_EQ(model->provenance.framework_version, "1.2.10");
}

TEST(Provenance, DotProductsAreNoted) {
  EXPECT_THAT(lowered("1.9.1/ridge").provenance.notes, testing::Contains(HasSubstr("BLAS")));
  EXPECT_TRUE(lowered("1.9.1/forest_regressor_nan").provenance.notes.empty());
}

TEST(Describe, TellsOfFilesThatCannotBeLowered) {
  const std::string step = "(" + text("clean") + instance("__main__", "Cleaner") + "t";
  const Inspection inspection =
      describe(document(estimator("sklearn.pipeline", "Pipeline", {{"steps", "](" + step + "e"}})));
  EXPECT_EQ(inspection.framework_version, "1.9.1");
  ASSERT_EQ(inspection.estimators.size(), 2);
  EXPECT_EQ(inspection.estimators[1].class_name, "__main__.Cleaner");
  EXPECT_EQ(inspection.estimators[1].description, "not supported");
  EXPECT_EQ(inspection.manifest[0].name, "__main__.Cleaner");
  EXPECT_EQ(inspection.manifest[0].use, GlobalUse::kRefused);
}

TEST(Classify, ByWhatPredictionNeeds) {
  EXPECT_EQ(classify("sklearn.pipeline", "Pipeline", true), GlobalUse::kUnderstood);
  EXPECT_EQ(classify("sklearn.linear_model.logistic", "LogisticRegression", true), GlobalUse::kUnderstood);
  EXPECT_EQ(classify("numpy._core.multiarray", "_reconstruct", true), GlobalUse::kUnderstood);
  EXPECT_EQ(classify("numpy.random._pickle", "__randomstate_ctor", true), GlobalUse::kIgnored);
  EXPECT_EQ(classify("sklearn._loss._loss", "__pyx_unpickle_CyHalfBinomialLoss", true), GlobalUse::kIgnored);
  EXPECT_EQ(classify("my_project.scores", "profit", false), GlobalUse::kIgnored);
  EXPECT_EQ(classify("my_project.scores", "profit", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("os", "system", false), GlobalUse::kRefused);
  EXPECT_EQ(classify("os.path", "join", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("builtins", "getattr", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("numpy.testing._private.utils", "runstring", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("sklearn.datasets._base", "load_files", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("joblib", "load", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("pandas.core.computation.eval", "eval", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("pandas.core.reshape.merge", "merge", true), GlobalUse::kRefused);
  EXPECT_EQ(classify("pandas.core.indexes.base", "_new_Index", true), GlobalUse::kIgnored);
}

TEST(SupportedClasses, NameTheNewestModule) {
  EXPECT_THAT(supported_classes(), testing::Contains("sklearn.linear_model._logistic.LogisticRegression"));
}

}  // namespace
}  // namespace wherry::sklearn
