#include "schedule/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedule/test_jobs.h"

namespace wherry::schedule {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A dispatcher whose time stands still until it is moved. Requests are told apart by their first number.
class Machine {
 public:
  explicit Machine(unsigned workers = 1) : dispatcher_(workers) {}

  std::shared_ptr<Story> submit(const std::shared_ptr<const Target>& target, double name,
                                std::size_t rows = 1, const std::function<void(Job&)>& change = {}) {
    auto story = std::make_shared<Story>();
    auto job = std::make_unique<StoryJob>(target, std::vector<double>(rows, name), story);
    if (change) change(*job);
    dispatcher_.submit(std::move(job), now_, out_);
    deliver();
    return story;
  }
  void pass(nanoseconds time) { now_ += time; }
  std::vector<double> next() {
    batches_.push_back(dispatcher_.next(now_, out_));
    deliver();
    std::vector<double> names;
    if (!batches_.back()) {
      batches_.pop_back();
      return names;
    }
    for (const Waiting& request : batches_.back()->requests)
      names.push_back(request.job->table->numbers.front());
    return names;
  }
  void finish(std::size_t batch = 0, nanoseconds took = nanoseconds(1000)) {
    dispatcher_.finished(std::move(*batches_[batch]), took, out_);
    batches_.erase(batches_.begin() + static_cast<std::ptrdiff_t>(batch));
    deliver();
  }
  void expire() {
    dispatcher_.expire(now_, out_);
    deliver();
  }
  Dispatcher& dispatcher() { return dispatcher_; }
  Clock::time_point now() const { return now_; }
  const std::vector<double>& answered() const { return answered_; }  // names, in order

 private:
  void deliver() {
    for (Dropped& dropped : out_.dropped) {
      dropped.job->failed(dropped.why);
      dropped.job->answer();
    }
    for (const auto& job : out_.answered) answered_.push_back(job->table->numbers.front());
    out_ = {};
  }
  Dispatcher dispatcher_;
  Clock::time_point now_ = Clock::time_point(std::chrono::hours(1));
  Outbox out_;
  std::vector<std::optional<Batch>> batches_;
  std::vector<double> answered_;
};

Policy unbounded() {
  return {.most_batch_time = nanoseconds(0), .most_wait = nanoseconds(0)};
}

TEST(Dispatcher, RunsALoneRequestAtOnce) {
  Machine machine;
  machine.submit(doubling_target(), 1);
  EXPECT_THAT(machine.next(), ElementsAre(1));
}

TEST(Dispatcher, PutsTogetherWhatWaitsInTheOrderItCame) {
  Machine machine;
  const auto target = doubling_target();
  for (const double name : {1, 2, 3}) machine.submit(target, name);
  EXPECT_THAT(machine.next(), ElementsAre(1, 2, 3));
}

TEST(Dispatcher, EndsABatchBeforeTheRequestThatDoesNotFit) {
  Machine machine;
  Policy policy = unbounded();
  policy.max_batch_size = 8;
  const auto target = doubling_target(policy);
  machine.submit(target, 1, 5);
  machine.submit(target, 2, 4);
  machine.submit(target, 3, 1);
  EXPECT_THAT(machine.next(), ElementsAre(1));
  EXPECT_THAT(machine.next(), ElementsAre(2, 3));
}

TEST(Dispatcher, RunsARequestLargerThanABatchAloneAndWhole) {
  Machine machine;
  Policy policy = unbounded();
  policy.max_batch_size = 2;
  const auto target = doubling_target(policy);
  machine.submit(target, 1, 7);
  machine.submit(target, 2);
  EXPECT_THAT(machine.next(), ElementsAre(1));
}

TEST(Dispatcher, KeepsBatchesWithinThePredictedTime) {
  Machine machine;
  Policy policy = unbounded();
  policy.most_batch_time = microseconds(25);
  const auto target = doubling_target(policy, microseconds(10));
  for (const double name : {1, 2, 3}) machine.submit(target, name);
  EXPECT_THAT(machine.next(), ElementsAre(1, 2));
}

TEST(Dispatcher, CountsTheTimeThatJoiningSaves) {
  Machine machine;
  Policy policy = unbounded();
  policy.most_batch_time = microseconds(25);
  auto target = doubling_target(policy);
  target->cost = {.first = microseconds(20), .further = microseconds(1)};
  for (const double name : {1, 2, 3, 4, 5}) machine.submit(target, name);
  EXPECT_THAT(machine.next(), ElementsAre(1, 2, 3, 4, 5));
}

TEST(Dispatcher, RunsNoMoreThanTheInstancesAtTheSameTime) {
  Machine machine(4);
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  policy.instances = 2;
  const auto target = doubling_target(policy);
  for (const double name : {1, 2, 3}) machine.submit(target, name);
  machine.next();
  machine.next();
  EXPECT_THAT(machine.next(), IsEmpty());
  machine.finish();
  EXPECT_THAT(machine.next(), ElementsAre(3));
}

Policy delaying() {
  Policy policy = unbounded();
  policy.max_batch_size = 4;
  policy.max_queue_delay = microseconds(1000);
  return policy;
}

// Two arrivals 100 µs apart, both done: others are expected.
std::shared_ptr<Target> busy_target(Machine& machine, const Policy& policy) {
  const auto target = doubling_target(policy);
  machine.submit(target, 0);
  machine.next();
  machine.finish();
  machine.pass(microseconds(100));
  machine.submit(target, 0);
  machine.pass(microseconds(200));
  machine.next();
  machine.finish();
  return target;
}

TEST(QueueDelay, DoesNotKeepTheFirstRequestBack) {
  Machine machine;
  machine.submit(doubling_target(delaying()), 1);
  EXPECT_THAT(machine.next(), ElementsAre(1));
}

TEST(QueueDelay, WaitsWhileOthersAreExpected) {
  Machine machine;
  const auto target = busy_target(machine, delaying());
  machine.submit(target, 1);
  EXPECT_THAT(machine.next(), IsEmpty());
  EXPECT_GT(machine.dispatcher().next_due(), machine.now());
}

TEST(QueueDelay, DoesNotWaitWhenNobodyIsExpectedWithinIt) {
  Machine machine;
  const auto target = doubling_target(delaying());
  for (int i = 0; i < 3; ++i) {
    machine.submit(target, i);
    EXPECT_THAT(machine.next(), ElementsAre(i));
    machine.finish();
    machine.pass(milliseconds(50));
  }
}

TEST(QueueDelay, EndsWhenTheExpectedOnesDoNotCome) {
  Machine machine;
  const auto target = busy_target(machine, delaying());
  machine.submit(target, 1);
  machine.pass(microseconds(310));
  EXPECT_THAT(machine.next(), ElementsAre(1));
}

TEST(QueueDelay, EndsWithAFullBatch) {
  Machine machine;
  const auto target = busy_target(machine, delaying());
  for (const double name : {1, 2, 3, 4}) machine.submit(target, name);
  EXPECT_THAT(machine.next(), ElementsAre(1, 2, 3, 4));
}

TEST(QueueDelay, EndsWithTheOldestRequestsTime) {
  Machine machine;
  const auto target = busy_target(machine, delaying());
  machine.submit(target, 1);
  for (int i = 0; i < 2; ++i) {
    machine.pass(microseconds(190));
    machine.submit(target, 2 + i);
  }
  EXPECT_THAT(machine.next(), IsEmpty());
  machine.pass(microseconds(620));
  EXPECT_THAT(machine.next(), ElementsAre(1, 2, 3));
}

TEST(PreferredSizes, AreRunAtOnceAndTheLargestFormableIsTaken) {
  Machine machine;
  Policy policy = delaying();
  policy.max_batch_size = 16;
  policy.preferred_batch_sizes = {2, 4};
  const auto target = busy_target(machine, policy);
  for (const double name : {1, 2, 3, 4, 5}) machine.submit(target, name);
  EXPECT_THAT(machine.next(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(machine.next(), IsEmpty());
}

Policy with_priorities() {
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  policy.priority_levels = 3;
  policy.default_priority_level = 2;
  return policy;
}

TEST(Priorities, GoFirstAndUnknownOnesCountAsTheDefault) {
  Machine machine;
  const auto target = doubling_target(with_priorities());
  machine.submit(target, 1, 1, [](Job& job) { job.priority = 3; });
  machine.submit(target, 2);
  machine.submit(target, 3, 1, [](Job& job) { job.priority = 9; });
  machine.submit(target, 4, 1, [](Job& job) { job.priority = 1; });
  EXPECT_THAT(machine.next(), ElementsAre(4));
  EXPECT_THAT(machine.next(), ElementsAre(2));
  EXPECT_THAT(machine.next(), ElementsAre(3));
  EXPECT_THAT(machine.next(), ElementsAre(1));
}

TEST(QueueSize, RefusesTheRequestTooMany) {
  Machine machine;
  Policy policy = unbounded();
  policy.default_queue_policy.max_queue_size = 2;
  const auto target = doubling_target(policy);
  machine.submit(target, 1);
  machine.submit(target, 2);
  const auto story = machine.submit(target, 3);
  ASSERT_TRUE(story->failed);
  EXPECT_EQ(story->failed->failure, Failure::kFull);
  EXPECT_GE(story->failed->retry_after, std::chrono::seconds(1));
}

TEST(QueueSize, CountsEveryPriorityByItself) {
  Machine machine;
  Policy policy = with_priorities();
  policy.priority_queue_policy[1].max_queue_size = 1;
  const auto target = doubling_target(policy);
  const auto first = [](Job& job) { job.priority = 1; };
  machine.submit(target, 1, 1, first);
  EXPECT_TRUE(machine.submit(target, 2, 1, first)->failed);
  EXPECT_FALSE(machine.submit(target, 3)->failed);
}

TEST(QueueSize, MakesRoomByDroppingWhoWentAway) {
  Machine machine;
  Policy policy = unbounded();
  policy.default_queue_policy.max_queue_size = 1;
  const auto target = doubling_target(policy);
  machine.submit(target, 1)->abandoned = true;
  EXPECT_FALSE(machine.submit(target, 2)->failed);
  EXPECT_THAT(machine.next(), ElementsAre(2));
}

TEST(PredictedWait, RefusesWhatWouldWaitTooLongAndSaysWhenToComeBack) {
  Machine machine;
  Policy policy = unbounded();
  policy.most_wait = std::chrono::seconds(5);
  const auto target = doubling_target(policy, milliseconds(1));
  machine.submit(target, 1, 4000);
  machine.submit(target, 2, 4000);
  const auto story = machine.submit(target, 3, 1000);
  ASSERT_TRUE(story->failed);
  EXPECT_EQ(story->failed->failure, Failure::kFull);
  EXPECT_EQ(story->failed->retry_after, std::chrono::seconds(8));
}

TEST(PredictedWait, LearnsWhatRunsReallyTake) {
  Machine machine;
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  const auto target = doubling_target(policy, milliseconds(1));
  for (int i = 0; i < 40; ++i) {
    machine.submit(target, 1);
    machine.next();
    machine.finish(0, milliseconds(10));
  }
  machine.submit(target, 1);
  EXPECT_GT(machine.dispatcher().load(target.get()).predicted_wait, milliseconds(8));
}

TEST(Deadlines, AreEnforcedWhileEveryWorkerIsBusy) {
  Machine machine;
  const auto target = doubling_target(unbounded());
  machine.submit(target, 1);
  machine.next();
  const auto story =
      machine.submit(target, 2, 1, [&](Job& job) { job.deadline = machine.now() + milliseconds(10); });
  EXPECT_EQ(machine.dispatcher().next_expiry(), machine.now() + milliseconds(10));
  machine.pass(milliseconds(10));
  machine.expire();
  ASSERT_TRUE(story->failed);
  EXPECT_EQ(story->failed->failure, Failure::kLate);
  EXPECT_EQ(story->answers, 1);
}

TEST(Deadlines, AreLookedAtBeforeARequestRuns) {
  Machine machine;
  const auto target = doubling_target(unbounded());
  const auto story =
      machine.submit(target, 1, 1, [&](Job& job) { job.deadline = machine.now() + milliseconds(10); });
  machine.submit(target, 2);
  machine.pass(milliseconds(10));
  EXPECT_THAT(machine.next(), ElementsAre(2));
  EXPECT_TRUE(story->failed);
}

TEST(Deadlines, RefuseARequestWhichComesTooLate) {
  Machine machine;
  const auto story = machine.submit(doubling_target(), 1, 1, [&](Job& job) { job.deadline = machine.now(); });
  ASSERT_TRUE(story->failed);
  EXPECT_EQ(story->failed->failure, Failure::kLate);
}

TEST(Deadlines, OfTheRequestCountWithoutAPolicy) {
  Machine machine;
  const auto story =
      machine.submit(doubling_target(), 1, 1, [](Job& job) { job.timeout = microseconds(500); });
  machine.pass(microseconds(500));
  machine.expire();
  EXPECT_TRUE(story->failed);
}

TEST(QueueTimeout, OfThePolicyRejects) {
  Machine machine;
  Policy policy = unbounded();
  policy.default_queue_policy.default_timeout = microseconds(100);
  const auto story = machine.submit(doubling_target(policy), 1);
  machine.pass(microseconds(100));
  machine.expire();
  EXPECT_TRUE(story->failed);
}

TEST(QueueTimeout, CanBeLoweredByARequestWherePermitted) {
  Machine machine;
  Policy policy = unbounded();
  policy.default_queue_policy = {TimeoutAction::kDelay, microseconds(1000), true, 0};
  policy.max_batch_size = 1;
  const auto target = doubling_target(policy);
  const auto story = machine.submit(target, 1, 1, [](Job& job) { job.timeout = microseconds(100); });
  machine.submit(target, 2);
  machine.pass(microseconds(100));
  machine.expire();
  EXPECT_THAT(machine.next(), ElementsAre(2));
  EXPECT_THAT(machine.next(), ElementsAre(1));
  EXPECT_FALSE(story->failed);
}

TEST(Abandoned, RequestsAreNotComputed) {
  Machine machine;
  const auto target = doubling_target(unbounded());
  machine.submit(target, 1)->abandoned = true;
  machine.submit(target, 2);
  EXPECT_THAT(machine.next(), ElementsAre(2));
}

TEST(Ordering, HoldsAnswersBackUntilEarlierOnesLeave) {
  Machine machine(3);
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  policy.preserve_ordering = true;
  const auto target = doubling_target(policy);
  machine.submit(target, 1);
  machine.submit(target, 2);
  machine.next();
  machine.next();
  machine.finish(1);
  EXPECT_THAT(machine.answered(), IsEmpty());
  machine.finish(0);
  EXPECT_THAT(machine.answered(), ElementsAre(1, 2));
}

TEST(Ordering, DoesNotWaitForARequestThatWasDropped) {
  Machine machine(3);
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  policy.preserve_ordering = true;
  const auto target = doubling_target(policy);
  machine.submit(target, 1);
  machine.submit(target, 2)->abandoned = true;
  machine.submit(target, 3);
  machine.next();
  machine.next();
  machine.finish(1);
  machine.finish(0);
  EXPECT_THAT(machine.answered(), ElementsAre(1, 3));
}

TEST(Fairness, AFloodForOneModelDoesNotHoldUpAnother) {
  Machine machine;
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  const auto flooded = doubling_target(policy, milliseconds(2)),
             quiet = doubling_target(policy, milliseconds(2));
  for (int i = 0; i < 100; ++i) machine.submit(flooded, 1);
  machine.next();
  machine.finish(0, milliseconds(2));
  machine.next();
  machine.submit(quiet, 2);
  machine.finish(0, milliseconds(2));
  EXPECT_THAT(machine.next(), ElementsAre(2));
}

TEST(Fairness, OneWorkerIsLeftForSmallRequests) {
  Machine machine(2);
  const auto target = doubling_target(unbounded(), milliseconds(1));
  machine.submit(target, 1, 100);
  machine.submit(target, 2, 100);
  machine.next();
  EXPECT_THAT(machine.next(), IsEmpty());
  machine.submit(target, 3);
  EXPECT_THAT(machine.next(), ElementsAre(3));
}

TEST(Fairness, SmallRequestsDoNotWaitBehindLargeOnesOfTheirModel) {
  Machine machine(1);
  const auto target = doubling_target(unbounded(), milliseconds(1));
  machine.submit(target, 1, 100);
  machine.submit(target, 2, 100);
  machine.next();
  machine.submit(target, 3);
  machine.finish(0, milliseconds(100));
  EXPECT_THAT(machine.next(), ElementsAre(3));
}

TEST(Fairness, LargeRequestsAreNotStarvedBySmallOnes) {
  Machine machine(1);
  Policy policy = unbounded();
  policy.max_batch_size = 1;
  const auto target = doubling_target(policy, milliseconds(1));
  machine.submit(target, 1, 100);
  bool ran = false;
  for (int i = 0; i < 1000 && !ran; ++i) {
    machine.submit(target, 2);
    ran = machine.next() == std::vector<double>{1};
    machine.finish(0, milliseconds(1));
  }
  EXPECT_TRUE(ran);
}

TEST(Models, MayEndWhileTheDispatcherLives) {
  Machine machine;
  for (int i = 0; i < 10; ++i) {
    machine.submit(doubling_target(), i);
    EXPECT_THAT(machine.next(), ElementsAre(i));
    machine.finish();
  }
  machine.expire();
  EXPECT_EQ(machine.dispatcher().load(nullptr).waiting, 0U);
}

}  // namespace
}  // namespace wherry::schedule
