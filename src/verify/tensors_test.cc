#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/schema.h"
#include "verify/independent.h"
#include "verify/sample.h"
#include "verify/verify.h"

namespace wherry::verify {
namespace {

using tensor::DType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Sums three columns and hands a tensor of another type through.
base::Result<program::Program> model(DType dtype = DType::kFloat32) {
  program::Signature signature;
  signature.tensors = {{"x", DType::kFloat64, {-1, 3}, {}}, {"y", dtype, {-1, -1}, {}}};
  program::ProgramBuilder builder(signature);
  TRY_ASSIGN(const program::ValueId x, builder.add(program::TensorInput{0}, {}));
  TRY_ASSIGN(const program::ValueId y, builder.add(program::TensorInput{1}, {}));
  const auto coefficients = builder.weight("c", tensor::Tensor::of<double>({1, 3}, {1, 1, 1}));
  const auto intercept = builder.weight("i", tensor::Tensor::of<double>({1}, {0}));
  TRY_ASSIGN(const program::ValueId sum, builder.add(program::Linear{coefficients, intercept}, {x}));
  TRY(builder.output({"sum", {sum}, {}}));
  TRY(builder.output({"y", {y}, {}}));
  return std::move(builder).build();
}

base::Result<Report> replay_text(std::string_view lines) {
  TRY_ASSIGN(const program::Program program, model());
  TRY_ASSIGN(const engine::Plan plan, engine::Plan::compile(program));
  TRY_ASSIGN(const protocol::Golden golden,
             protocol::read_golden(
                 std::string("{\"golden\": 1, \"framework\": \"Keras\", \"version\": \"3\", \"source\": "
                             "\"framework\"}\n") +
                     std::string(lines),
                 "g"));
  return replay(plan, protocol::Schema(program), golden);
}

TEST(GoldenTensors, RecordedAgreeWhenReadAgain) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kInt8, DType::kUint64,
                            DType::kBool, DType::kString}) {
    const auto program = model(dtype);
    const auto plan = engine::Plan::compile(*program);
    ASSERT_TRUE(plan) << base::describe(plan.error());
    const auto golden = record(*plan, *program);
    ASSERT_TRUE(golden);
    EXPECT_EQ(golden->examples.size(), 3U);
    const auto again = protocol::read_golden(protocol::write_golden(*golden), "golden.jsonl");
    ASSERT_TRUE(again) << base::describe(again.error());
    const auto report = replay(*plan, protocol::Schema(*program), *again);
    ASSERT_TRUE(report) << base::describe(report.error());
    EXPECT_TRUE(report->passed()) << summary(*report);
    EXPECT_EQ(report->outputs[1].identical, report->outputs[1].values);
  }
}

TEST(GoldenTensors, OfTheFrameworkAreComparedByTheLargestElement) {
  constexpr std::string_view kInputs =
      R"({"inputs": {"x": {"shape": [2, 3], "values": [1, 2, 3, 100, 200, 300]}, "y": {"shape": [2, 1], "values": [0.5, 1]}}, )";
  const auto close = replay_text(
      std::string(kInputs) +
      R"("tensors": {"sum": {"shape": [2, 1], "values": [6.001, 600]}, "y": {"shape": [2, 1], "values": [0.5, 1]}}})");
  ASSERT_TRUE(close) << base::describe(close.error());
  EXPECT_TRUE(close->passed());
  const auto far =
      replay_text(std::string(kInputs) + R"("tensors": {"sum": {"shape": [2, 1], "values": [6.1, 600]}}})");
  ASSERT_TRUE(far) << base::describe(far.error());
  ASSERT_EQ(far->mismatches.size(), 1U);
  EXPECT_EQ(far->mismatches[0].expected, "6.1");
  EXPECT_EQ(far->mismatches[0].got, "6");
  const auto shape =
      replay_text(std::string(kInputs) + R"("tensors": {"sum": {"shape": [1, 1], "values": [6]}}})");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->mismatches[0].got, "shape [2, 1]");
}

// Exact in 16 bits, from the smallest to the largest, both zeros among them.
TEST(GoldenTensors, KeepShortFloatsAsTheyAre) {
  const auto program = model(DType::kFloat16);
  const auto plan = engine::Plan::compile(*program);
  constexpr std::string_view kLines =
      R"({"golden": 1, "framework": "Keras", "version": "3", "source": "framework"}
{"inputs": {"x": {"shape": [1, 3], "values": [1, 2, 3]}, "y": {"shape": [1, 9], "values": [0.0, -0.0, 1, -2.5, 65504, 5.960464477539063e-08, 6.103515625e-05, Infinity, NaN]}}, "tensors": {"y": {"shape": [1, 9], "values": [0.0, -0.0, 1, -2.5, 65504, 5.960464477539063e-08, 6.103515625e-05, Infinity, NaN]}}}
)";
  const auto golden = protocol::read_golden(kLines, "g");
  ASSERT_TRUE(golden) << base::describe(golden.error());
  const auto report = replay(*plan, protocol::Schema(*program), *golden);
  ASSERT_TRUE(report) << base::describe(report.error());
  EXPECT_EQ(report->outputs[0].identical, 9U);
}

TEST(GoldenTensors, OfAnotherModelAreRefused) {
  EXPECT_THAT(replay_text(R"({"columns": null, "row": [1], "outputs": {"sum": 1}})").error().message,
              HasSubstr("takes tensors"));
  EXPECT_THAT(
      replay_text(
          R"({"inputs": {"z": {"shape": [], "values": [1]}}, "tensors": {"sum": {"shape": [], "values": [1]}}})")
          .error()
          .message,
      HasSubstr("1 inputs, the model takes 2"));
  EXPECT_THAT(replay_text(R"({"sample": {"batch": 1}, "tensors": {"z": {"shape": [], "values": [1]}}})")
                  .error()
                  .message,
              HasSubstr("no output 'z'"));
}

TEST(GoldenTensors, WhichAreNoneAreRefused) {
  for (const std::string_view line :
       {R"({"tensors": {"y": {"shape": [], "values": [1]}}})", R"({"sample": {"batch": 0}, "tensors": {}})",
        R"({"sample": {}, "row": [], "tensors": {"y": {"shape": [], "values": [1]}}})",
        R"({"sample": {}, "tensors": {"y": {"shape": [2], "values": [1]}}})",
        R"({"sample": {"length": 99999999}, "tensors": {"y": {"shape": [2], "values": [1]}}})",
        R"({"sample": {}, "tensors": {"y": {"shape": [2147483647, 2147483647], "values": [1]}}})"}) {
    const auto report = replay_text(line);
    ASSERT_FALSE(report) << line;
    EXPECT_EQ(report.error().id, "protocol.bad_golden");
  }
}

TEST(SampleRequest, IsTheSameAgainAndOtherWithAnotherSeed) {
  const auto program = model();
  const auto a = sample_request(program->signature(), {.batch = 2, .length = 5});
  const auto b = sample_request(program->signature(), {.batch = 2, .length = 5});
  const auto c = sample_request(program->signature(), {.batch = 2, .length = 5, .seed = 1});
  EXPECT_THAT(a.tensors[1].shape, ElementsAre(2, 5));
  EXPECT_EQ(a.tensors[0].owned, b.tensors[0].owned);
  EXPECT_NE(a.tensors[0].owned, c.tensors[0].owned);
}

TEST(SampleElements, OfAnyNumberOfAxesAreThoseOfTheRequestThatIsMade) {
  program::Signature signature;
  signature.batched = false;
  signature.tensors = {{"x", tensor::DType::kFloat32, {program::kAnyAxes}, {}}};
  const SampleSize size{.length = 5, .seed = 3};
  EXPECT_THAT(sample_request(signature, size).tensors[0].shape, ElementsAre(5, 5, 5, 5));
  EXPECT_EQ(sample_elements(signature, size), 625U);
}

TEST(RowsAreIndependent, OfAModelThatHandsThemThrough) {
  const auto plan = engine::Plan::compile(*model());
  EXPECT_TRUE(rows_are_independent(*plan));
}

}  // namespace
}  // namespace wherry::verify
