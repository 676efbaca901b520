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

// False when some request of the batch cannot be computed; nothing was answered then.
bool Runner::run_together(Batch& batch, nanoseconds& took) {
  try {
    engine::OutputSet wanted = 0;
    table_.reset(0, 0);
    for (const Waiting& request : batch.requests) {
      append_rows(*request.job->table, table_);
      wanted |= request.job->wanted;
    }
    const Clock::time_point started = Clock::now();
    const base::Status ran = batch.target->plan.run(table_, wanted, workspace_);
    const Clock::time_point finished = Clock::now();
    took += finished - started;
    if (!ran) return false;
    std::size_t first = 0;
    for (Waiting& request : batch.requests) {
      const Timing timing{request.submitted, started, finished, batch.rows, first == 0, worker_};
      request.job->computed(results_.collect(batch.target->plan, workspace_, request.job->wanted,
                                             {.first = first, .count = request.rows}),
                            timing);
      first += request.rows;
    }
  } catch (const std::bad_alloc&) {
    table_ = {};
    workspace_ = {};
    return false;
  }
  if (table_.numbers.capacity() > kKeptCells) table_ = {};
  return true;
}

void Runner::run_alone(const Target& target, Waiting& request, nanoseconds& took) {
  try {
    const Clock::time_point started = Clock::now();
    const base::Status ran = target.plan.run(*request.job->table, request.job->wanted, workspace_);
    const Clock::time_point finished = Clock::now();
    took += finished - started;
    if (!ran) return request.job->failed({Failure::kModel, ran.error(), {}});
    request.job->computed(results_.collect(target.plan, workspace_, request.job->wanted),
                          {request.submitted, started, finished, request.rows, true, worker_});
  } catch (const std::bad_alloc&) {
    workspace_ = {};
    request.job->failed(no_memory());
  }
}

}  // namespace wherry::schedule
