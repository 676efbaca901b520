#include "program/program.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program/bundle.h"
#include "program/safetensors.h"
#include "program/serialize.h"

namespace wherry::program {
namespace {

using tensor::Tensor;
using testing::HasSubstr;

Signature numbers(int count) {
  Signature signature;
  for (int i = 0; i < count; ++i)
    signature.columns.push_back({"x" + std::to_string(i), ColumnType::kNumber, true});
  return signature;
}

// Text and number columns, one-hot, linear, threshold, labels: one of nearly everything.
base::Result<Program> small_classifier() {
  ProgramBuilder builder(
      {{{"amount", ColumnType::kNumber, true}, {"country", ColumnType::kText, true}}, true, true});
  TRY_ASSIGN(const ValueId text, builder.add(SelectColumns{{1}}, {ProgramBuilder::kInput}));
  OneHotColumn country{{std::string("DE"), std::monostate{}, std::nan("")}, {0, 1, -1}, 2, -1, true};
  TRY_ASSIGN(const ValueId hot, builder.add(OneHot{{country}}, {text}));
  TRY_ASSIGN(const ValueId amount, builder.add(SelectColumns{{0}}, {ProgramBuilder::kInput}));
  TRY_ASSIGN(const ValueId number, builder.add(ToMatrix{}, {amount}));
  TRY_ASSIGN(const ValueId both, builder.add(Concat{}, {number, hot}));
  const WeightId coefficients = builder.weight("coef", Tensor::of<double>({1, 3}, {0.1, -0.0, 1e-300}));
  const WeightId intercept = builder.weight("intercept", Tensor::of<double>({1}, {0.5}));
  TRY_ASSIGN(const ValueId decision, builder.add(Linear{coefficients, intercept}, {both}));
  TRY_ASSIGN(const ValueId chosen, builder.add(Above{0}, {decision}));
  const WeightId labels = builder.weight("labels", Tensor::of_strings({2}, {"no", "yes"}));
  TRY_ASSIGN(const ValueId label, builder.add(TakeLabels{labels}, {chosen}));
  TRY(builder.output({"predict", {label}, {}}));
  TRY(builder.output({"decision_function", {decision}, {}}));
  return std::move(builder).build();
}

TEST(ProgramBuilder, InfersTheTypeOfEveryValue) {
  const auto program = small_classifier();
  ASSERT_TRUE(program) << describe(program.error());
  const ValueId label = program->outputs()[0].values[0];
  EXPECT_EQ(to_string(program->types()[label]), "str [-1]");
  EXPECT_EQ(to_string(program->types()[program->outputs()[1].values[0]]), "float64 [-1, 1]");
}

TEST(ProgramBuilder, RefusesACoefficientMatrixOfTheWrongWidth) {
  ProgramBuilder builder(numbers(3));
  const auto matrix = builder.add(ToMatrix{}, {ProgramBuilder::kInput});
  const WeightId coefficients = builder.weight("coef", Tensor::of<double>({1, 2}, {1, 2}));
  const WeightId intercept = builder.weight("intercept", Tensor::of<double>({1}, {0}));
  const auto linear = builder.add(Linear{coefficients, intercept}, {*matrix});
  ASSERT_FALSE(linear);
  EXPECT_THAT(linear.error().message, HasSubstr("float64 [outputs, 3]"));
}

TEST(ProgramBuilder, RefusesLabelsFewerThanTheIndexCanName) {
  ProgramBuilder builder(numbers(3));
  const auto matrix = builder.add(ToMatrix{}, {ProgramBuilder::kInput});
  const auto index = builder.add(Argmax{}, {*matrix});
  const WeightId labels = builder.weight("labels", Tensor::of<std::int64_t>({2}, {0, 1}));
  EXPECT_FALSE(builder.add(TakeLabels{labels}, {*index}));
}

TEST(ProgramBuilder, RefusesAValueWhichIsNotDefinedYet) {
  ProgramBuilder builder(numbers(1));
  EXPECT_FALSE(builder.add(ToMatrix{}, {7}));
}

TEST(ProgramBuilder, RefusesAProgramWithoutOutputs) {
  EXPECT_FALSE(ProgramBuilder(numbers(1)).build());
}

// A stump whose parts a test can spoil.
struct Stump {
  std::vector<std::int32_t> roots{0}, target{0}, feature{0, -1, -1}, left{1, 0, 1}, right{2, 0, 0};
  std::vector<double> threshold{0.5, 0, 0};
  base::Result<ValueId> add(ProgramBuilder& builder) const {
    const auto n = static_cast<std::int64_t>(feature.size());
    const auto matrix = builder.add(ToMatrix{}, {ProgramBuilder::kInput});
    TreeEnsemble op;
    op.roots =
        builder.weight("roots", Tensor::of(tensor::Shape{static_cast<std::int64_t>(roots.size())}, roots));
    op.target =
        builder.weight("target", Tensor::of(tensor::Shape{static_cast<std::int64_t>(target.size())}, target));
    op.feature = builder.weight("feature", Tensor::of(tensor::Shape{n}, feature));
    op.threshold = builder.weight("threshold", Tensor::of(tensor::Shape{n}, threshold));
    op.left = builder.weight("left", Tensor::of(tensor::Shape{n}, left));
    op.right = builder.weight("right", Tensor::of(tensor::Shape{n}, right));
    op.default_left = builder.weight("default_left",
                                     Tensor::of(tensor::Shape{n}, std::vector<std::uint8_t>(feature.size())));
    op.values = builder.weight("values", Tensor::of<double>({2, 1}, {1, 2}));
    op.base = builder.weight("base", Tensor::of<double>({1}, {0}));
    return builder.add(op, {*matrix});
  }
};

TEST(TreeStructure, OfAProperStumpIsAccepted) {
  ProgramBuilder builder(numbers(1));
  EXPECT_TRUE(Stump().add(builder));
}

TEST(TreeStructure, WithACycleIsRefused) {
  ProgramBuilder builder(numbers(1));
  Stump stump;
  stump.left[0] = 0;
  EXPECT_FALSE(stump.add(builder));
}

TEST(TreeStructure, WithAFeatureBeyondTheInputIsRefused) {
  ProgramBuilder builder(numbers(1));
  Stump stump;
  stump.feature[0] = 1;
  EXPECT_FALSE(stump.add(builder));
}

TEST(TreeStructure, WithALeafValueOutOfRangeIsRefused) {
  ProgramBuilder builder(numbers(1));
  Stump stump;
  stump.left[2] = 2;
  EXPECT_FALSE(stump.add(builder));
}

TEST(TreeStructure, WithANaNThresholdIsRefused) {
  ProgramBuilder builder(numbers(1));
  Stump stump;
  stump.threshold[0] = std::nan("");
  EXPECT_FALSE(stump.add(builder));
}

Bundle small_bundle() {
  Bundle bundle;
  bundle.name = "fraud";
  bundle.program = *small_classifier();
  bundle.provenance.framework = "scikit-learn";
  bundle.provenance.manifest = {{"os.system", 1, GlobalUse::kRefused}};
  bundle.golden = "{\"golden\":1}\n";
  bundle.golden_source = "framework";
  return bundle;
}

TEST(Bundle, ReadsBackWhatWasWritten) {
  const auto folder = base::TemporaryFolder::make();
  const Bundle bundle = small_bundle();
  ASSERT_TRUE(write_bundle(bundle, folder->path(), base::real_files()));
  const auto read = read_bundle(folder->path(), base::real_files(), CheckWeights::kYes);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(program_to_json(read->program), program_to_json(bundle.program));
  EXPECT_TRUE(identical(read->program.weights()[0].tensor, bundle.program.weights()[0].tensor));
  EXPECT_EQ(read->golden, bundle.golden);
  EXPECT_EQ(read->provenance.manifest[0].use, GlobalUse::kRefused);
}

TEST(Bundle, IsTheSameBytesEachTime) {
  EXPECT_EQ(bundle_digest(bundle_files(small_bundle())), bundle_digest(bundle_files(small_bundle())));
}

TEST(Bundle, WithAnEditedProgramIsRefused) {
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(write_bundle(small_bundle(), folder->path(), base::real_files()));
  ASSERT_TRUE(base::real_files().write(folder->path() / "program.json", "{}"));
  const auto read = read_bundle(folder->path(), base::real_files());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().id, "program.bad_bundle");
}

TEST(Bundle, WithEditedWeightsIsNoticedWhenAsked) {
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(write_bundle(small_bundle(), folder->path(), base::real_files()));
  auto content = *base::real_files().read(folder->path() / "weights.safetensors", 1 << 20);
  content.back() ^= 1;
  ASSERT_TRUE(base::real_files().write(folder->path() / "weights.safetensors", content));
  EXPECT_FALSE(read_bundle(folder->path(), base::real_files(), CheckWeights::kYes));
}

TEST(Safetensors, CutAnywhereAreAnError) {
  const std::vector<Weight> weights{{"a", Tensor::of<double>({2}, {1, 2})},
                                    {"b", Tensor::of<std::uint8_t>({3}, {1, 2, 3})}};
  const std::string file = write_safetensors(weights);
  const auto owner = std::make_shared<std::string>(file);
  ASSERT_TRUE(read_safetensors(base::as_bytes(*owner), owner));
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(read_safetensors(base::as_bytes(*owner).first(size), owner)) << size;
}

TEST(Safetensors, WithAHoleAreRefused) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}   )";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  file += header + "xy";
  const auto owner = std::make_shared<std::string>(file);
  EXPECT_FALSE(read_safetensors(base::as_bytes(*owner), owner));
}

TEST(ServiceName, KeepsLettersAndDigitsOnly) {
  EXPECT_EQ(service_name("Fraud Model_v2.joblib"), "fraud-model-v2-joblib");
  EXPECT_EQ(service_name("--"), "model");
}

}  // namespace
}  // namespace wherry::program
