#include "schedule/runner.h"

#include <new>

namespace wherry::schedule {

namespace {

// A batch larger than this leaves no memory behind for the next ones.
constexpr std::size_t kKeptCells = std::size_t{1} << 20;

Failed no_memory() {
  return {Failure::kModel,
          base::Error{base::Code::kUnavailable,
                      "schedule.no_memory",
                      "there is not enough memory for this request",
                      "send fewer rows",
                      {}},
          {}};
}

}  // namespace

void append_rows(const tensor::Table& from, tensor::Table& to) {
  to.columns = from.columns;
  if (!from.kinds.empty() || !to.kinds.empty()) {
    const std::size_t before = to.numbers.size(), after = before + from.numbers.size();
    to.kinds.resize(before, tensor::CellKind::kNumber);
    to.texts.resize(before);
    to.kinds.insert(to.kinds.end(), from.kinds.begin(), from.kinds.end());
    to.texts.insert(to.texts.end(), from.texts.begin(), from.texts.end());
    to.kinds.resize(after, tensor::CellKind::kNumber);
    to.texts.resize(after);
  }
  to.numbers.insert(to.numbers.end(), from.numbers.begin(), from.numbers.end());
  to.rows += from.rows;
}

nanoseconds Runner::run(Batch& batch) {
  nanoseconds took{0};
  if (batch.requests.size() > 1 && run_together(batch, took)) return took;
  for (Waiting& request : batch.requests) run_alone(*batch.target, request, took);
  return took;
}

void Runner::deliver(const Target& target, Job& job, engine::RowRange rows, const Timing& timing) {
  try {
    job.computed(results_.collect(target.plan, workspace_, job.wanted, rows), timing);
  } catch (const std::bad_alloc&) {
    job.failed(no_memory());
  }
}

base::Status Runner::compute(const Target& target, const tensor::Table& table, engine::OutputSet wanted,
                             Timing& timing) {
  timing.worker = worker_;
  timing.started = Clock::now();
  base::Status ran;
  try {
    ran = target.plan.run(table, wanted, workspace_);
  } catch (const std::bad_alloc&) {
    workspace_ = {};
    ran = std::unexpected(no_memory().error);
  }
  timing.finished = Clock::now();
  return ran;
}

// False when some request of the batch cannot be computed; nothing was answered then.
bool Runner::run_together(Batch& batch, nanoseconds& took) {
  engine::OutputSet wanted = 0;
  try {
    table_.reset(0, 0);
    for (const Waiting& request : batch.requests) {
      append_rows(*request.job->table, table_);
      wanted |= request.job->wanted;
    }
  } catch (const std::bad_alloc&) {
    table_ = {};
    return false;
  }
  Timing timing{.submitted = {}, .started = {}, .finished = {}, .batch_rows = batch.rows};
  const base::Status ran = compute(*batch.target, table_, wanted, timing);
  took += timing.finished - timing.started;
  if (!ran) return false;
  std::size_t first = 0;
  for (Waiting& request : batch.requests) {
    timing.submitted = request.submitted;
    timing.first_of_batch = &request == &batch.requests.front();
    deliver(*batch.target, *request.job, {.first = first, .count = request.rows}, timing);
    first += request.rows;
  }
  if (table_.numbers.capacity() > kKeptCells) table_ = {};
  return true;
}

void Runner::run_alone(const Target& target, Waiting& request, nanoseconds& took) {
  Timing timing{.submitted = request.submitted, .started = {}, .finished = {}, .batch_rows = request.rows};
  const base::Status ran = compute(target, *request.job->table, request.job->wanted, timing);
  took += timing.finished - timing.started;
  if (!ran) return request.job->failed({Failure::kModel, ran.error(), {}});
  deliver(target, *request.job, {}, timing);
}

}  // namespace wherry::schedule
