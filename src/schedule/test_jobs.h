// Jobs which remember what happened to them, for tests of this module.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schedule/job.h"

#include "tensor/tensor.h"

namespace wherry::schedule {

// A program which doubles one number column, and refuses NaN.
inline engine::Plan doubling_plan() {
  using tensor::Tensor;
  program::ProgramBuilder builder({{{"x", program::ColumnType::kNumber}}, true, false});
  const auto coefficients = builder.weight("coefficients", Tensor::of<double>({1, 1}, {2}));
  const auto intercept = builder.weight("intercept", Tensor::of<double>({1}, {0}));
  const auto must = [](auto result) {
    if (!result) std::abort();
    return *result;
  };
  const auto matrix = must(builder.add(program::ToMatrix{}, {program::ProgramBuilder::kInput}));
  const auto checked = must(builder.add(program::CheckFinite{.estimator = "Doubler"}, {matrix}));
  const auto doubled = must(builder.add(program::Linear{coefficients, intercept}, {checked}));
  if (!builder.output({"predict", {doubled}, {}})) std::abort();
  auto program = std::move(builder).build();
  if (!program) std::abort();
  auto plan = engine::Plan::compile(std::move(*program));
  if (!plan) std::abort();
  return std::move(*plan);
}

inline std::shared_ptr<Target> doubling_target(Policy policy = {}, nanoseconds per_row = nanoseconds(1000)) {
  return std::make_shared<Target>(
      Target{"doubler", doubling_plan(), std::move(policy), {.first = per_row, .further = per_row}});
}

struct Story {  // of one job, outliving it
  std::vector<double> results;
  std::optional<Failed> failed;
  std::optional<Timing> timing;
  std::atomic<int> answers = 0;
  std::atomic<bool> abandoned = false;
};

class StoryJob : public Job {
 public:
  StoryJob(std::shared_ptr<const Target> of, std::vector<double> numbers, std::shared_ptr<Story> story)
      : story_(std::move(story)) {
    target = std::move(of);
    table_.rows = numbers.size();
    table_.columns = 1;
    table_.numbers = std::move(numbers);
    table = &table_;
    wanted = target->plan.all_outputs();
  }
  void computed(std::span<const tensor::NamedResult> results, const Timing& timing) override {
    const auto values = results.front().values.front().as<double>();
    story_->results.assign(values.begin(), values.end());
    story_->timing = timing;
  }
  void failed(const Failed& why) override { story_->failed = why; }
  void answer() override { ++story_->answers; }
  bool abandoned() const override { return story_->abandoned; }

  std::shared_ptr<Story> story() const { return story_; }

 private:
  tensor::Table table_;
  std::shared_ptr<Story> story_;
};

}  // namespace wherry::schedule
