#include "schedule/runner.h"

#include <algorithm>
#include <new>

namespace wherry::schedule {

namespace {

// A batch larger than this leaves no memory behind for the next ones.
constexpr std::size_t kKeptBytes = std::size_t{8} << 20;

Failed no_memory() {
  return {Failure::kModel,
          base::Error{base::Code::kUnavailable,
                      "schedule.no_memory",
                      "there is not enough memory for this request",
                      "send fewer rows",
                      {}},
          {}};
}

// Elements begin with the first row and are appended to what `to` owns.
void append_tensors(const tensor::Table& from, tensor::Table& to) {
  if (to.tensors.size() != from.tensors.size() || to.rows == 0) to.reset_tensors(0, from.tensors.size());
  const bool is_first = to.rows == 0;
  for (std::size_t i = 0; i < from.tensors.size(); ++i) {
    const tensor::TensorCells& part = from.tensors[i];
    tensor::TensorCells& whole = to.tensors[i];
    if (is_first) {
      whole.dtype = part.dtype;
      whole.shape = part.shape;
      whole.owned.clear();
      whole.texts.clear();
    } else {
      whole.shape[0] += part.shape[0];
    }
    whole.owned.insert(whole.owned.end(), part.bytes.begin(), part.bytes.end());
    whole.bytes = whole.owned;
    whole.texts.insert(whole.texts.end(), part.texts.begin(), part.texts.end());
  }
  to.rows += from.rows;
}

std::size_t kept_bytes(const tensor::Table& table) {
  std::size_t bytes = table.numbers.capacity() * sizeof(double);
  for (const tensor::TensorCells& tensor : table.tensors) bytes += tensor.owned.capacity();
  return bytes;
}

}  // namespace

bool can_join(const tensor::Table& a, const tensor::Table& b) {
  if (a.tensors.size() != b.tensors.size()) return false;
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const tensor::Shape &left = a.tensors[i].shape, &right = b.tensors[i].shape;
    if (left.empty() || left.size() != right.size() ||
        !std::equal(left.begin() + 1, left.end(), right.begin() + 1))
      return false;
  }
  return true;
}

void append_rows(const tensor::Table& from, tensor::Table& to) {
  if (!from.tensors.empty()) return append_tensors(from, to);
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
  is_taken_.assign(batch.requests.size(), 0);
  for (std::size_t first = 0; first < batch.requests.size(); ++first) {
    if (!begin_group(batch, first)) continue;
    if (group_.size() > 1 && run_together(*batch.target, took)) continue;
    for (Waiting* request : group_) run_alone(*batch.target, *request, took);
  }
  return took;
}

// The requests that are computed together with request `first`, which is in no group yet; else false.
bool Runner::begin_group(Batch& batch, std::size_t first) {
  if (is_taken_[first] != 0) return false;
  const program::Signature& signature = batch.target->plan.signature();
  const bool alone = signature.takes_tensors() && !signature.batched;
  group_.clear();
  for (std::size_t i = first; i < (alone ? first + 1 : batch.requests.size()); ++i) {
    if (is_taken_[i] != 0 || !can_join(*batch.requests[first].job->table, *batch.requests[i].job->table))
      continue;
    is_taken_[i] = 1;
    group_.push_back(&batch.requests[i]);
  }
  return true;
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

// False when some request of the group cannot be computed; nothing was answered then.
bool Runner::run_together(const Target& target, nanoseconds& took) {
  engine::OutputSet wanted = 0;
  try {
    table_.rows = 0;
    if (!target.plan.signature().takes_tensors()) table_.reset(0, 0);
    for (const Waiting* request : group_) {
      append_rows(*request->job->table, table_);
      wanted |= request->job->wanted;
    }
  } catch (const std::bad_alloc&) {
    table_ = {};
    return false;
  }
  Timing timing{.submitted = {}, .started = {}, .finished = {}, .batch_rows = table_.rows};
  const base::Status ran = compute(target, table_, wanted, timing);
  took += timing.finished - timing.started;
  if (!ran) return false;
  std::size_t first = 0;
  for (Waiting* request : group_) {
    timing.submitted = request->submitted;
    timing.first_of_batch = request == group_.front();
    deliver(target, *request->job, {.first = first, .count = request->rows}, timing);
    first += request->rows;
  }
  if (kept_bytes(table_) > kKeptBytes) table_ = {};
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
