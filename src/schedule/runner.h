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
  bool run_together(Batch& batch, nanoseconds& took);
  void run_alone(const Target& target, Waiting& request, nanoseconds& took);
  base::Status compute(const Target& target, const tensor::Table& table, engine::OutputSet wanted,
                       Timing& timing);
  void deliver(const Target& target, Job& job, engine::RowRange rows, const Timing& timing);

  unsigned worker_;
  tensor::Table table_;
  engine::Workspace workspace_;
  engine::Results results_;
};

// Appends the rows of `from`, which has the same columns. Texts stay where they are.
void append_rows(const tensor::Table& from, tensor::Table& to);

}  // namespace wherry::schedule
