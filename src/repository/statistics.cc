#include "repository/statistics.h"

#include <algorithm>
#include <map>

namespace wherry::repository {

void Statistics::Pair::add(std::chrono::nanoseconds time) {
  count.add(1);
  nanoseconds.add(static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

void Statistics::Pair::add_to(Amount& sum) const {
  sum.count += count.get();
  sum.nanoseconds += nanoseconds.get();
}

void Statistics::answered(unsigned thread, const Answered& request,
                          std::chrono::system_clock::time_point now) {
  Slot& slot = slots_[thread];
  slot.last_inference_ms.set(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count()));
  slot.inferences.add(request.rows);
  const auto step = [&](Step which) -> Pair& { return slot.steps[static_cast<std::size_t>(which)]; };
  step(Step::kSuccess).add(request.total);
  step(Step::kQueue).add(request.queue);
  step(Step::kInput).add(request.input);
  step(Step::kInfer).add(request.infer);
  step(Step::kOutput).add(request.output);
  if (!request.first_of_batch) return;
  slot.executions.add(1);
  for (BatchSlot& batch : slot.batches) {
    if (batch.size.get() == 0) batch.size.set(std::max<std::uint64_t>(request.batch_rows, 1));
    if (batch.size.get() != std::max<std::uint64_t>(request.batch_rows, 1)) continue;
    batch.input.add(request.input);
    batch.infer.add(request.infer);
    batch.output.add(request.output);
    return;
  }
}

void Statistics::failed(std::chrono::nanoseconds total) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  failure_nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(total.count(), 0)),
                                 std::memory_order_relaxed);
}

StatisticsSum Statistics::sum() const {
  StatisticsSum sum;
  std::map<std::uint64_t, BatchAmount> batches;
  for (const Slot& slot : slots_) {
    sum.last_inference_ms = std::max(sum.last_inference_ms, slot.last_inference_ms.get());
    sum.inference_count += slot.inferences.get();
    sum.execution_count += slot.executions.get();
    for (std::size_t i = 0; i < kStepCount; ++i) slot.steps[i].add_to(sum.steps[i]);
    for (const BatchSlot& batch : slot.batches) {
      const std::uint64_t size = batch.size.get();
      if (size == 0) break;
      BatchAmount& amount = batches[size];
      amount.batch_size = size;
      batch.input.add_to(amount.input);
      batch.infer.add_to(amount.infer);
      batch.output.add_to(amount.output);
    }
  }
  sum.steps[static_cast<std::size_t>(Step::kFail)] = {failures_.load(std::memory_order_relaxed),
                                                      failure_nanoseconds_.load(std::memory_order_relaxed)};
  for (const auto& [size, amount] : batches) sum.batches.push_back(amount);
  return sum;
}

}  // namespace wherry::repository
