// What estimators around others refuse: parts that contradict each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/sklearn/testing.h"

namespace wherry::sklearn {
namespace {

using namespace sklearn::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string dummy(double value = 1) {
  return estimator("sklearn.dummy", "DummyRegressor",
                   {{"constant_", list({number(value)})}, {"n_features_in_", integer(2)}});
}

// An estimator of this class with two dummies in estimators_.
std::string around(std::string_view module, std::string_view name, State state) {
  state.emplace_back("estimators_", list({dummy(), dummy(2)}));
  state.emplace_back("n_features_in_", integer(2));
  return estimator(module, name, std::move(state));
}

std::string boosted(std::vector<std::string> weights) {
  return around("sklearn.ensemble._weight_boosting", "AdaBoostRegressor",
                {{"estimator_weights_", list(weights)}});
}

TEST(AdaBoost, IsLoweredWithOneWeightPerEstimator) {
  EXPECT_TRUE(lower(document(boosted({number(1), number(2)}))));
}

TEST(AdaBoost, NeedsAWeightForEachEstimator) {
  const base::Error error = refusal(boosted({number(1)}));
  EXPECT_EQ(error.id, "sklearn.inconsistent");
  EXPECT_THAT(error.message, AllOf(HasSubstr("estimator_weights_"), HasSubstr("1 weights for 2 estimators")));
}

TEST(AdaBoost, NeedsWeightsThatAddUpToSomething) {
  EXPECT_EQ(refusal(boosted({number(0), number(0)})).id, "sklearn.inconsistent");
  EXPECT_EQ(refusal(boosted({"Fnan\n", number(1)})).id, "sklearn.inconsistent");
}

std::string bag(std::string_view columns, int planned = 2) {
  return around("sklearn.ensemble._bagging", "BaggingRegressor",
                {{"estimators_features_", std::string(columns)}, {"n_estimators", integer(planned)}});
}

TEST(Bagging, IsLoweredWithTheColumnsOfEachEstimator) {
  EXPECT_TRUE(lower(document(bag(list({list({integer(1), integer(0)}), list({integer(0), integer(0)})})))));
}

TEST(Bagging, RefusesColumnsThatTheModelDoesNotHave) {
  for (const int column : {2, -1}) {
    const base::Error error = refusal(bag(list({list({integer(0)}), list({integer(column)})})));
    EXPECT_EQ(error.id, "sklearn.inconsistent");
    EXPECT_THAT(error.message, HasSubstr("estimators_features_[1]"));
  }
}

TEST(Bagging, NeedsColumnsForEachEstimatorAndAPositiveNumberOfThem) {
  EXPECT_EQ(refusal(bag(list({list({integer(0)})}))).id, "sklearn.inconsistent");
  const std::string columns = list({list({integer(0), integer(1)}), list({integer(0), integer(1)})});
  EXPECT_EQ(refusal(bag(columns, 0)).id, "sklearn.inconsistent");
}

TEST(Voting, NeedsANameForEachEstimator) {
  const auto vote = [](std::vector<std::string> names, std::string weights) {
    std::vector<std::string> given;
    for (const std::string& name : names) given.push_back(tuple({text(name), dummy()}));
    return around("sklearn.ensemble._voting", "VotingRegressor",
                  {{"estimators", list(given)}, {"weights", std::move(weights)}});
  };
  EXPECT_TRUE(lower(document(vote({"a", "b"}, "N"))));
  EXPECT_EQ(refusal(vote({"a"}, "N")).id, "sklearn.inconsistent");
  EXPECT_EQ(refusal(vote({"a", "b"}, list({number(1)}))).id, "sklearn.inconsistent");
}

TEST(Stacking, NeedsAMethodForEachEstimator) {
  const auto stack = [](std::vector<std::string> methods) {
    const std::string given = list({tuple({text("a"), dummy()}), tuple({text("b"), dummy()})});
    return around("sklearn.ensemble._stacking", "StackingRegressor",
                  {{"estimators", given}, {"stack_method_", list(methods)}, {"final_estimator_", dummy()}});
  };
  EXPECT_TRUE(lower(document(stack({text("predict"), text("predict")}))));
  EXPECT_EQ(refusal(stack({text("predict")})).id, "sklearn.inconsistent");
  EXPECT_EQ(refusal(stack({text("predict"), text("transform")})).id, "sklearn.unsupported_parameter");
}

TEST(RegressorChain, NeedsAnOrderOfItsTargets) {
  const auto chain = [](std::vector<int> order) {
    std::vector<std::string> items;
    for (const int place : order) items.push_back(integer(place));
    return around("sklearn.multioutput", "RegressorChain", {{"order_", list(items)}});
  };
  for (const std::vector<int>& order : {std::vector{0, 0}, {0, 2}, {-1, 0}, {0}, {0, 1, 2}})
    EXPECT_EQ(refusal(chain(order)).id, "sklearn.inconsistent");
}

TEST(OneVsOne, NeedsAnEstimatorForEachPairOfClasses) {
  const auto pairs = [](std::vector<std::int64_t> classes) {
    return around("sklearn.multiclass", "OneVsOneClassifier", {{"classes_", integers(classes)}});
  };
  const base::Error error = refusal(pairs({0, 1, 2}));
  EXPECT_EQ(error.id, "sklearn.inconsistent");
  EXPECT_THAT(error.message, HasSubstr("2 estimators for 3 classes"));
}

TEST(OneVsRest, NeedsAnEstimatorForEachClass) {
  const std::string binarizer =
      instance("sklearn.preprocessing._label", "LabelBinarizer",
               dict({{"classes_", integers({0, 1, 2})}, {"y_type_", text("multiclass")}}));
  const base::Error error =
      refusal(around("sklearn.multiclass", "OneVsRestClassifier", {{"label_binarizer_", binarizer}}));
  EXPECT_EQ(error.id, "sklearn.inconsistent");
  EXPECT_THAT(error.message, HasSubstr("2 estimators for 3 classes"));
}

TEST(TransformedTarget, NamesAnInverseItDoesNotKnow) {
  const auto target = [](const std::string& transformer) {
    return estimator("sklearn.compose._target", "TransformedTargetRegressor",
                     {{"regressor_", dummy()},
                      {"transformer_", transformer},
                      {"_training_dim", integer(1)},
                      {"n_features_in_", integer(2)}});
  };
  const auto function = [](std::string_view inverse) {
    return estimator("sklearn.preprocessing._function_transformer", "FunctionTransformer",
                     {{"validate", "\x88"}, {"inverse_func", std::string(inverse)}});
  };
  EXPECT_TRUE(lower(document(target(function("cnumpy\nexpm1\n")))));
  EXPECT_THAT(refusal(target(function("c__main__\nback\n"))).message, HasSubstr("__main__.back"));
  EXPECT_EQ(refusal(target(function("cnumpy\nload\n"))).id, "sklearn.unsupported_parameter");
  EXPECT_EQ(refusal(target(instance("sklearn.preprocessing._data", "Normalizer"))).id,
            "sklearn.unsupported_parameter");
}

TEST(TransformedTarget, BoundsPipelinesWithinPipelines) {
  // A pipeline which is its own step.
  const std::string loop = "csklearn.pipeline\nPipeline\n)\x81q\x07}(" + text("steps") +
                           list({tuple({text("self"), "h\x07"})}) + text("_sklearn_version") + text("1.9.1") +
                           "ub";
  const base::Error error = refusal(estimator("sklearn.compose._target", "TransformedTargetRegressor",
                                              {{"regressor_", dummy()},
                                               {"transformer_", loop},
                                               {"_training_dim", integer(1)},
                                               {"n_features_in_", integer(2)}}));
  EXPECT_EQ(error.id, "sklearn.inconsistent");
}

TEST(Estimators, MayNotContainThemselves) {
  const std::string loop = "csklearn.frozen._frozen\nFrozenEstimator\n)\x81q\x07}(" + text("estimator") +
                           "h\x07" + text("n_features_in_") + integer(1) + text("_sklearn_version") +
                           text("1.9.1") + "ub";
  EXPECT_EQ(refusal(loop).id, "sklearn.too_deep");
}

TEST(UnknownClasses, OfOnesOwnProgramAreToldFromThoseOfOtherPackages) {
  const auto step = [](std::string_view module, std::string_view name) {
    return refusal(estimator("sklearn.pipeline", "Pipeline",
                             {{"steps", list({tuple({text("clean"), instance(module, name)})})}}));
  };
  const base::Error own = step("__main__", "Cleaner");
  EXPECT_EQ(own.id, "sklearn.unknown_class");
  EXPECT_THAT(own.message,
              AllOf(HasSubstr("steps[0][1] is of class __main__.Cleaner"), HasSubstr("not in the file")));
  const base::Error other = step("feature_engine.encoding", "RareLabelEncoder");
  EXPECT_EQ(other.id, "sklearn.unknown_class");
  EXPECT_THAT(other.message, HasSubstr("feature_engine.encoding.RareLabelEncoder"));
}

}  // namespace
}  // namespace wherry::sklearn
