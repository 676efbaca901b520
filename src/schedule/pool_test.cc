#include "schedule/pool.h"

#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <mutex>
#include <thread>

#include "schedule/runner.h"
#include "schedule/test_jobs.h"

namespace wherry::schedule {
namespace {

using ::testing::ElementsAre;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Batch batch_of(const std::shared_ptr<const Target>& target,
               std::vector<std::pair<std::vector<double>, std::shared_ptr<Story>>> requests) {
  Batch batch{.target = target, .queue = nullptr, .lane = 0, .requests = {}, .rows = 0, .cost = {}};
  for (auto& [numbers, story] : requests) {
    Waiting waiting;
    waiting.rows = numbers.size();
    batch.rows += numbers.size();
    waiting.job = std::make_unique<StoryJob>(target, numbers, story);
    batch.requests.push_back(std::move(waiting));
  }
  return batch;
}

TEST(Runner, GivesEveryRequestOfABatchItsOwnRows) {
  auto first = std::make_shared<Story>(), second = std::make_shared<Story>();
  Batch batch = batch_of(doubling_target(), {{{1, 2}, first}, {{3}, second}});
  Runner(0).run(batch);
  EXPECT_THAT(first->results, ElementsAre(2, 4));
  EXPECT_THAT(second->results, ElementsAre(6));
  EXPECT_EQ(first->timing->batch_rows, 3U);
  EXPECT_FALSE(second->timing->first_of_batch);
}

TEST(Runner, GivesOnlyTheBadRequestOfABatchAnError) {
  auto good = std::make_shared<Story>(), bad = std::make_shared<Story>();
  Batch batch = batch_of(doubling_target(), {{{1, 2}, good}, {{3, kNan}, bad}});
  Runner(0).run(batch);
  EXPECT_THAT(good->results, ElementsAre(2, 4));
  ASSERT_TRUE(bad->failed);
  EXPECT_EQ(bad->failed->error.id, "engine.not_finite");
}

TEST(Runner, JoinsNumericAndMixedTables) {
  tensor::Table numeric, mixed, all;
  numeric.reset(1, 2);
  numeric.set_number(0, 1);
  mixed.reset(1, 2);
  mixed.set_text(1, "a");
  append_rows(numeric, all);
  append_rows(mixed, all);
  append_rows(numeric, all);
  EXPECT_EQ(all.rows, 3U);
  EXPECT_THAT(all.kinds,
              ElementsAre(tensor::CellKind::kNumber, tensor::CellKind::kNumber, tensor::CellKind::kNumber,
                          tensor::CellKind::kText, tensor::CellKind::kNumber, tensor::CellKind::kNumber));
  EXPECT_EQ(all.texts[3], "a");
  EXPECT_EQ(all.numbers.size(), 6U);
}

class Count {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class CountedJob : public StoryJob {
 public:
  CountedJob(std::shared_ptr<const Target> of, std::vector<double> numbers, std::shared_ptr<Story> story,
             Count& answered)
      : StoryJob(std::move(of), std::move(numbers), std::move(story)), answered_(answered) {}
  void answer() override {
    StoryJob::answer();
    answered_.add();
  }

 private:
  Count& answered_;
};

TEST(Pool, AnswersEveryRequestOfManyThreadsOnceAndRightly) {
  constexpr int kThreads = 4, kEach = 200;
  Count answered;
  std::vector<std::shared_ptr<Story>> stories(kThreads * kEach);
  {
    Pool pool({.workers = 3});
    const auto target = doubling_target();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          const int k = thread * kEach + i;
          stories[static_cast<std::size_t>(k)] = std::make_shared<Story>();
          pool.submit(std::make_unique<CountedJob>(target, std::vector<double>{double(k)},
                                                   stories[static_cast<std::size_t>(k)], answered));
        }
      });
    for (std::thread& thread : threads) thread.join();
    answered.wait_for(kThreads * kEach);
  }
  for (std::size_t k = 0; k < stories.size(); ++k) {
    EXPECT_EQ(stories[k]->answers, 1);
    EXPECT_THAT(stories[k]->results, ElementsAre(2.0 * static_cast<double>(k)));
  }
}

TEST(Pool, RefusesWhatComesBehindItsEnd) {
  Count answered;
  Pool pool({.workers = 1});
  EXPECT_TRUE(pool.stop(milliseconds(1000)));
  auto story = std::make_shared<Story>();
  pool.submit(std::make_unique<CountedJob>(doubling_target(), std::vector<double>{1}, story, answered));
  ASSERT_TRUE(story->failed);
  EXPECT_EQ(story->failed->failure, Failure::kEnding);
  EXPECT_EQ(story->answers, 1);
}

TEST(Pool, AnswersALateRequestWhileItsWorkerIsBusy) {
  // The worker is held inside computed() until the late request has been answered by the timekeeper.
  class HoldingJob : public StoryJob {
   public:
    HoldingJob(std::shared_ptr<const Target> of, Count& began, Count& release)
        : StoryJob(std::move(of), {1}, std::make_shared<Story>()), began_(began), release_(release) {}
    void computed(std::span<const tensor::NamedResult> results, const Timing& timing) override {
      StoryJob::computed(results, timing);
      began_.add();
      release_.wait_for(1);
    }

   private:
    Count &began_, &release_;
  };
  Count began, late_answered;
  Pool pool({.workers = 1});
  const auto target = doubling_target();
  pool.submit(std::make_unique<HoldingJob>(target, began, late_answered));
  began.wait_for(1);
  auto story = std::make_shared<Story>();
  auto late = std::make_unique<CountedJob>(target, std::vector<double>{1}, story, late_answered);
  late->timeout = microseconds(1);
  pool.submit(std::move(late));
  late_answered.wait_for(1);
  ASSERT_TRUE(story->failed);
  EXPECT_EQ(story->failed->failure, Failure::kLate);
}

}  // namespace
}  // namespace wherry::schedule
