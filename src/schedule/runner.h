// Computes a batch: requests become one table, and the results are split back. Internal to module schedule.
#pragma once

#include "schedule/dispatcher.h"

#include "engine/results.h"

namespace wherry::schedule {

// One per worker; keeps its memory from run to run. Not thread-safe.
class Runner {
 public:
  explicit Runner(unsigned worker) : worker_(worker) {}

  // Calls computed() or failed() of every request, and gives the time the computation took. Where the model
  // refuses a batch of several requests each one is computed on its own, so that it gets its own error.
  nanoseconds run(Batch& batch);

 private:
  bool run_together(const Target& target, nanoseconds& took);
  bool begin_group(Batch& batch, std::size_t first);
  void run_alone(const Target& target, Waiting& request, nanoseconds& took);
  base::Status compute(const Target& target, const tensor::Table& table, engine::OutputSet wanted,
                       Timing& timing);
  void deliver(const Target& target, Job& job, engine::RowRange rows, const Timing& timing);

  unsigned worker_;
  tensor::Table table_;
  engine::Workspace workspace_;
  engine::Results results_;
  std::vector<Waiting*> group_;         // which are computed together
  std::vector<std::uint8_t> is_taken_;  // by request of the batch: it was in a group
};

// Whether the rows of both can stand in one table: tensors must have the same lengths but for the batch.
bool can_join(const tensor::Table& a, const tensor::Table& b);

// Appends the rows of `from`, which can be joined. Texts stay where they are.
void append_rows(const tensor::Table& from, tensor::Table& to);

}  // namespace wherry::schedule
