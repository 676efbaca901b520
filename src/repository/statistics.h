// What one version of a model has done, in the terms of Triton's statistics extension.
//
// Thread-safety: each thread writes its own slot without locks or locked instructions; sum() may run on any
// thread at any time and sees each number at some recent value.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace wherry::repository {

struct Amount {
  std::uint64_t count = 0;
  std::uint64_t nanoseconds = 0;
};

// compute_input is decoding the request, compute_infer the run, compute_output encoding the answer.
enum class Step : std::uint8_t { kSuccess, kFail, kQueue, kInput, kInfer, kOutput };
inline constexpr std::size_t kStepCount = 6;

struct BatchAmount {
  std::uint64_t batch_size = 0;  // rows computed in one run
  Amount input, infer, output;
};

struct StatisticsSum {
  std::uint64_t last_inference_ms = 0;  // since the epoch; 0: none yet
  std::uint64_t inference_count = 0;    // rows
  std::uint64_t execution_count = 0;    // runs
  std::array<Amount, kStepCount> steps;
  std::vector<BatchAmount>
      batches;  // by size; sizes beyond the first kMostBatchSizes of a thread are left out
  const Amount& of(Step step) const { return steps[static_cast<std::size_t>(step)]; }
};

// One request that was answered with predictions.
struct Answered {
  std::uint64_t rows = 0;
  std::uint64_t batch_rows = 0;  // of the run it was computed in
  bool first_of_batch = true;    // counts the run
  std::chrono::nanoseconds total{0}, queue{0}, input{0}, infer{0}, output{0};
};

class Statistics {
 public:
  static constexpr std::size_t kMostBatchSizes = 16;

  explicit Statistics(unsigned threads) : slots_(threads) {}

  void answered(unsigned thread, const Answered& request, std::chrono::system_clock::time_point now);
  void failed(std::chrono::nanoseconds total);  // from any thread: failures are few
  StatisticsSum sum() const;

 private:
  class Number {  // written by one thread
   public:
    void add(std::uint64_t count) { set(get() + count); }
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
  };
  struct Pair {
    Number count, nanoseconds;
    void add(std::chrono::nanoseconds time);
    void add_to(Amount& sum) const;
  };
  struct BatchSlot {
    Number size;  // 0: free
    Pair input, infer, output;
  };
  struct alignas(64) Slot {
    Number last_inference_ms, inferences, executions;
    std::array<Pair, kStepCount> steps;
    std::array<BatchSlot, kMostBatchSizes> batches;
  };
  std::vector<Slot> slots_;
  std::atomic<std::uint64_t> failures_{0}, failure_nanoseconds_{0};
};

}  // namespace wherry::repository
