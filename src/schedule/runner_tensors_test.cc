#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedule/runner.h"

namespace wherry::schedule {
namespace {

using tensor::DType;
using ::testing::ElementsAre;

// Answers the float32 tensor it is given.
std::shared_ptr<Target> echo(bool batched) {
  program::Signature signature;
  signature.tensors = {{"x", DType::kFloat32, {-1, -1}, {}}};
  signature.batched = batched;
  program::ProgramBuilder builder(signature);
  const auto value = builder.add(program::TensorInput{0}, {});
  if (!value || !builder.output({"y", {*value}, {}})) std::abort();
  auto plan = engine::Plan::compile(*std::move(builder).build());
  return std::make_shared<Target>(Target{"echo", std::move(*plan), {}, {}});
}

struct Seen {
  std::vector<std::int64_t> shape;
  std::vector<float> elements;
  std::size_t batch_rows = 0;
};

class EchoJob : public Job {
 public:
  EchoJob(std::shared_ptr<const Target> of, std::int64_t rows, std::vector<float> elements, Seen& seen)
      : seen_(seen) {
    target = std::move(of);
    const bool batched = target->plan.signature().batched;
    table_.reset_tensors(batched ? static_cast<std::size_t>(rows) : 1, 1);
    tensor::TensorCells& cells = table_.tensors[0];
    cells.shape = {rows, static_cast<std::int64_t>(elements.size()) / rows};
    std::memcpy(cells.own(elements.size() * sizeof(float)).data(), elements.data(),
                elements.size() * sizeof(float));
    table = &table_;
    wanted = target->plan.all_outputs();
  }
  void computed(std::span<const tensor::NamedResult> results, const Timing& timing) override {
    const tensor::ResultView& view = results[0].values[0];
    seen_.shape.assign(view.shape().begin(), view.shape().end());
    const auto elements = view.as<float>();
    seen_.elements.assign(elements.begin(), elements.end());
    seen_.batch_rows = timing.batch_rows;
  }
  void failed(const Failed& why) override { ADD_FAILURE() << base::describe(why.error); }
  void answer() override {}
  bool abandoned() const override { return false; }

 private:
  tensor::Table table_;
  Seen& seen_;
};

void run(const std::shared_ptr<Target>& target,
         std::vector<std::pair<std::int64_t, std::vector<float>>> tensors, std::vector<Seen>& seen) {
  Batch batch;
  batch.target = target;
  seen.resize(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Waiting waiting;
    waiting.job = std::make_unique<EchoJob>(target, tensors[i].first, tensors[i].second, seen[i]);
    waiting.rows = waiting.job->table->rows;
    batch.rows += waiting.rows;
    batch.requests.push_back(std::move(waiting));
  }
  Runner runner(0);
  runner.run(batch);
  runner.run(batch);  // its memory is used again
}

TEST(Runner, JoinsTensorsOfEqualLengthsAlongTheBatch) {
  std::vector<Seen> seen;
  run(echo(true), {{1, {1, 2}}, {2, {3, 4, 5, 6, 7, 8}}, {2, {9, 10, 11, 12}}}, seen);
  EXPECT_THAT(seen[0].shape, ElementsAre(1, 2));
  EXPECT_THAT(seen[0].elements, ElementsAre(1, 2));
  EXPECT_EQ(seen[0].batch_rows, 3U);
  EXPECT_THAT(seen[1].shape, ElementsAre(2, 3));
  EXPECT_THAT(seen[1].elements, ElementsAre(3, 4, 5, 6, 7, 8));
  EXPECT_EQ(seen[1].batch_rows, 2U);
  EXPECT_THAT(seen[2].shape, ElementsAre(2, 2));
  EXPECT_THAT(seen[2].elements, ElementsAre(9, 10, 11, 12));
}

TEST(Runner, NeverJoinsTensorsOfAModelWithoutBatch) {
  std::vector<Seen> seen;
  run(echo(false), {{1, {1, 2}}, {2, {3, 4, 5, 6}}}, seen);
  EXPECT_THAT(seen[0].shape, ElementsAre(1, 2));
  EXPECT_EQ(seen[0].batch_rows, 1U);
  EXPECT_THAT(seen[1].shape, ElementsAre(2, 2));
  EXPECT_THAT(seen[1].elements, ElementsAre(3, 4, 5, 6));
}

}  // namespace
}  // namespace wherry::schedule
