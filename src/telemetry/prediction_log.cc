#include "telemetry/prediction_log.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "telemetry/log.h"

#include "base/clock.h"
#include "base/text.h"
#include "tensor/half.h"

namespace wherry::telemetry {

using base::append_json_string;
using base::cat;
using base::Code;
using base::Result;
using base::Status;
using tensor::DType;
using tensor::ResultView;

namespace {

constexpr std::chrono::milliseconds kBetweenWrites{200};
constexpr std::size_t kLeastKeyBytes = 16;
constexpr std::size_t kMostElements = 1000;  // of one row's value of one output

void append_double(std::string& out, double value) {
  out += std::isfinite(value) ? cat(value) : "null";
}

void append_cell(std::string& out, const tensor::Table& table, std::size_t cell) {
  switch (table.kind(cell)) {
    case tensor::CellKind::kNumber:
      return append_double(out, table.numbers[cell]);
    case tensor::CellKind::kText:
      return append_json_string(out, table.texts[cell]);
    case tensor::CellKind::kMissing:
      out += "null";
  }
}

void append_element(std::string& out, const ResultView& view, std::size_t i) {
  if (view.table != nullptr) return append_cell(out, *view.table, i);
  const auto as = [&]<class T>(T) { return static_cast<const T*>(view.data)[i]; };
  switch (view.dtype) {
    case DType::kString:
      return append_json_string(out, view.texts[i]);
    case DType::kBool:
      out += as(std::uint8_t{}) != 0 ? "true" : "false";
      return;
    case DType::kInt8:
      out += cat(static_cast<int>(as(std::int8_t{})));
      return;
    case DType::kInt16:
      out += cat(as(std::int16_t{}));
      return;
    case DType::kInt32:
      out += cat(as(std::int32_t{}));
      return;
    case DType::kInt64:
      out += cat(as(std::int64_t{}));
      return;
    case DType::kUint8:
      out += cat(static_cast<unsigned>(as(std::uint8_t{})));
      return;
    case DType::kUint16:
      out += cat(as(std::uint16_t{}));
      return;
    case DType::kUint32:
      out += cat(as(std::uint32_t{}));
      return;
    case DType::kUint64:
      out += cat(as(std::uint64_t{}));
      return;
    case DType::kFloat16:
      return append_double(out, tensor::half_to_double(as(std::uint16_t{})));
    case DType::kBfloat16:
      return append_double(out, tensor::bfloat_to_double(as(std::uint16_t{})));
    case DType::kFloat32: {
      const float value = as(float{});
      out += std::isfinite(value) ? cat(value) : "null";
      return;
    }
    case DType::kFloat64:
      return append_double(out, as(double{}));
  }
}

// One row's part of a value: a scalar, or a flat list.
void append_row_of(std::string& out, const ResultView& view, std::size_t row, std::size_t rows) {
  const std::size_t width = rows == 0 ? 0 : view.size() / rows;
  if (view.axes <= 1 && width == 1) return append_element(out, view, row);
  out += '[';
  for (std::size_t i = 0; i < std::min(width, kMostElements); ++i) {
    if (i > 0) out += ',';
    append_element(out, view, row * width + i);
  }
  out += ']';
}

}  // namespace

PredictionLog::PredictionLog(PredictionLogOptions options, unsigned threads) : options_(std::move(options)) {
  for (unsigned i = 0; i < threads; ++i) queues_.push_back(std::make_unique<Queue>());
}

Result<std::unique_ptr<PredictionLog>> PredictionLog::open(PredictionLogOptions options, unsigned threads) {
  if (!options.hashed.empty() && options.key.size() < kLeastKeyBytes)
    return base::fail(Code::kUsage, "telemetry.bad_log_option",
                      cat("columns are to be hashed, but the key has less than ", kLeastKeyBytes, " bytes"),
                      "make a key file: head -c 32 /dev/urandom > log.key");
  for (const std::string& column : options.hashed)
    if (std::ranges::find(options.columns, column) != options.columns.end())
      return base::fail(Code::kUsage, "telemetry.bad_log_option",
                        cat("the column ", base::quoted(column), " is both to be written and to be hashed"),
                        "name it once");
  std::unique_ptr<PredictionLog> log(new PredictionLog(std::move(options), threads));
  TRY(log->open_file());
  return log;
}

PredictionLog::~PredictionLog() {
  stop();
  if (file_ > STDERR_FILENO) ::close(file_);
}

Status PredictionLog::open_file() {
  if (options_.file.empty()) {
    file_ = STDOUT_FILENO;
    return {};
  }
  // Only for the server's user: these are people's data.
  file_ = ::open(options_.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status{};
  if (file_ < 0 || ::fstat(file_, &status) != 0)
    return base::fail(Code::kUnavailable, "telemetry.log_unwritable",
                      cat("cannot write ", base::quoted(options_.file.string()), ": ", std::strerror(errno)),
                      "give the prediction log a file in a folder the server's user may write");
  size_ = static_cast<std::uint64_t>(status.st_size);
  return {};
}

PredictionPlan PredictionLog::plan(std::span<const std::string> columns) const {
  PredictionPlan plan;
  for (const std::string& column : columns) {
    plan.columns.push_back(column);
    const bool plain = std::ranges::find(options_.columns, column) != options_.columns.end();
    const bool hash = std::ranges::find(options_.hashed, column) != options_.hashed.end();
    plan.actions.push_back(hash    ? PredictionPlan::Action::kHash
                           : plain ? PredictionPlan::Action::kPlain
                                   : PredictionPlan::Action::kNone);
  }
  return plan;
}

std::vector<std::string> PredictionLog::unknown_columns(const PredictionPlan& plan) const {
  std::vector<std::string> unknown;
  for (const auto* list : {&options_.columns, &options_.hashed})
    for (const std::string& column : *list)
      if (std::ranges::find(plan.columns, column) == plan.columns.end()) unknown.push_back(column);
  return unknown;
}

std::string PredictionLog::hashed(std::string_view value) const {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(EVP_sha256(), options_.key.data(), static_cast<int>(options_.key.size()),
           reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest, &size) == nullptr)
    return "\"hmac-sha256:failed\"";
  std::string text = "\"hmac-sha256:";
  for (unsigned i = 0; i < size; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text + '"';
}

void PredictionLog::append_row(std::string& out, const PredictionPlan& plan, const PredictionEntry& entry,
                               std::size_t row, std::string_view time) const {
  out += cat(R"({"time":")", time, R"(","model":)");
  append_json_string(out, entry.model);
  out += R"(,"version":)";
  append_json_string(out, entry.version);
  out += R"(,"request_id":)";
  append_json_string(out, entry.request_id);
  if (entry.trace != nullptr) {
    out += R"(,"trace_id":")";
    append_trace_id(out, *entry.trace);
    out += '"';
  }
  out += cat(R"(,"row":)", row, R"(,"inputs":{)");
  const tensor::Table& table = *entry.table;
  std::string_view separator = "";
  for (std::size_t i = 0; i < plan.actions.size() && i < table.columns; ++i) {
    if (plan.actions[i] == PredictionPlan::Action::kNone) continue;
    out += separator;
    separator = ",";
    append_json_string(out, plan.columns[i]);
    out += ':';
    const std::size_t cell = row * table.columns + i;
    if (plan.actions[i] == PredictionPlan::Action::kPlain || table.kind(cell) == tensor::CellKind::kMissing) {
      append_cell(out, table, cell);
    } else if (table.kind(cell) == tensor::CellKind::kText) {
      out += hashed(table.texts[cell]);
    } else {
      out += hashed(cat(table.numbers[cell]));
    }
  }
  out += R"(},"outputs":{)";
  separator = "";
  for (const tensor::NamedResult& result : entry.results) {
    if (!options_.outputs.empty() &&
        std::ranges::find(options_.outputs, result.name) == options_.outputs.end())
      continue;
    for (std::size_t value = 0; value < result.values.size(); ++value) {
      out += separator;
      separator = ",";
      append_json_string(out,
                         result.values.size() == 1 ? std::string(result.name) : cat(result.name, "_", value));
      out += ':';
      append_row_of(out, result.values[value], row, table.rows);
    }
  }
  out += "}}\n";
}

void PredictionLog::write(unsigned thread, const PredictionPlan& plan, const PredictionEntry& entry,
                          std::chrono::system_clock::time_point now) {
  const std::size_t rows = std::min(entry.table->rows, kMostRows);
  const std::string time = base::format_time(now);
  std::string lines;
  for (std::size_t row = 0; row < rows; ++row) append_row(lines, plan, entry, row, time);
  dropped_.fetch_add(entry.table->rows - rows, std::memory_order_relaxed);
  Queue& queue = *queues_[thread];
  const std::unique_lock lock(queue.mutex, std::try_to_lock);
  if (!lock.owns_lock() || queue.lines.size() + lines.size() > kMostWaiting) {
    dropped_.fetch_add(rows, std::memory_order_relaxed);
    return;
  }
  queue.lines += lines;
  queue.count += rows;
}

void PredictionLog::rotate() {
  ::close(file_);
  std::error_code ignored;  // a file which is not there yet
  const auto numbered = [&](unsigned number) {
    std::filesystem::path path = options_.file;
    return path += cat(".", number);
  };
  for (unsigned number = options_.files; number > 1; --number)
    std::filesystem::rename(numbered(number - 1), numbered(number), ignored);
  if (options_.files > 0) {
    std::filesystem::rename(options_.file, numbered(1), ignored);
  } else {
    std::filesystem::remove(options_.file, ignored);
  }
  if (!open_file()) file_ = -1;
}

void PredictionLog::step() {
  for (const auto& queue : queues_) {
    std::string lines;
    std::uint64_t count = 0;
    {
      const std::scoped_lock lock(queue->mutex);
      lines.swap(queue->lines);
      std::swap(count, queue->count);
    }
    if (lines.empty()) continue;
    if (!options_.file.empty() && size_ > 0 && size_ + lines.size() > options_.most_bytes) rotate();
    if (file_ < 0 && !open_file()) file_ = -1;
    const ssize_t done = file_ < 0 ? -1 : ::write(file_, lines.data(), lines.size());
    if (done != static_cast<ssize_t>(lines.size())) {  // a full disk: what is half written ends here
      dropped_.fetch_add(count, std::memory_order_relaxed);
      if (done > 0) write_all(file_, "\n");
      continue;
    }
    size_ += lines.size();
    written_.fetch_add(count, std::memory_order_relaxed);
  }
}

void PredictionLog::start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      wake_.wait_for(lock, kBetweenWrites, [this] { return stopping_; });
      lock.unlock();
      step();
      lock.lock();
    }
  });
}

void PredictionLog::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  step();
}

void PredictionLog::write_metrics(Exposition& out) const {
  out.family("wherry_prediction_log_rows", Type::kCounter, "Rows written to the prediction log.");
  out.sample({}, written());
  out.family("wherry_prediction_log_dropped_rows", Type::kCounter,
             "Rows which found no room in the prediction log, or could not be written.");
  out.sample({}, dropped());
}

}  // namespace wherry::telemetry
