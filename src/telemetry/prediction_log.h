// The prediction log: a sample of predictions as JSON lines, for monitoring and retraining. Off unless asked
// for. Only the columns named are written, those to be hashed as HMAC-SHA256 under a key from a file; never
// headers, addresses, keys or tokens. Nothing waits for it: what finds no room is counted and forgotten.
//
// Thread-safety: write() by each thread with its own number; start(), stop() and step() by one thread; all
// else by any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "telemetry/exposition.h"
#include "telemetry/trace.h"

#include "base/error.h"
#include "tensor/view.h"

namespace wherry::telemetry {

struct PredictionLogOptions {
  std::filesystem::path file;        // empty: standard output
  double sample = 0;                 // share of the requests, 0 to 1; 0: off
  std::vector<std::string> columns;  // written as they are
  std::vector<std::string> hashed;   // written as "hmac-sha256:…"
  std::vector<std::string> outputs;  // "predict", "predict_proba"; empty: all the request was answered with
  std::string key;                   // of the hash: content of the key file
  std::uint64_t most_bytes = 100u << 20;  // of one file; then it is renamed to FILE.1, FILE.1 to FILE.2, …
  unsigned files = 5;                     // beside the one being written
};

// What is written of one model's columns.
class PredictionPlan {
 public:
  enum class Action : std::uint8_t { kNone, kPlain, kHash };
  std::vector<Action> actions;       // by column
  std::vector<std::string> columns;  // names, in the same order
};

struct PredictionEntry {
  std::string_view model, version, request_id;
  const TraceContext* trace = nullptr;
  const tensor::Table* table = nullptr;  // rows × the plan's columns
  std::span<const tensor::NamedResult> results;
};

class PredictionLog {
 public:
  // Errors: "telemetry.log_unwritable", "telemetry.bad_log_option".
  static base::Result<std::unique_ptr<PredictionLog>> open(PredictionLogOptions options, unsigned threads);
  ~PredictionLog();

  // For a model with these columns. A column named in the options which it does not have is no error where
  // others have it: see unknown_columns().
  PredictionPlan plan(std::span<const std::string> columns) const;
  std::vector<std::string> unknown_columns(const PredictionPlan& plan) const;

  // Whether to write this request: decided by the sample's share. Cheap.
  bool wants(Ids& ids) const { return static_cast<double>(ids.next() >> 11) < options_.sample * 0x1p53; }

  // One line per row, at most kMostRows of a request.
  void write(unsigned thread, const PredictionPlan& plan, const PredictionEntry& entry,
             std::chrono::system_clock::time_point now);

  void step();  // writes what waits; what the background thread does several times a second
  void start();
  void stop();  // and writes what waits

  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  void write_metrics(Exposition& out) const;

  static constexpr std::size_t kMostRows = 100;
  static constexpr std::size_t kMostWaiting = 1u << 20;  // bytes of one thread

 private:
  struct alignas(64) Queue {
    std::mutex mutex;  // held for an append or a swap only, and never waited for by a request
    std::string lines;
    std::uint64_t count = 0;
  };
  PredictionLog(PredictionLogOptions options, unsigned threads);
  base::Status open_file();
  void rotate();
  std::string hashed(std::string_view value) const;
  void append_row(std::string& out, const PredictionPlan& plan, const PredictionEntry& entry, std::size_t row,
                  std::string_view time) const;

  const PredictionLogOptions options_;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::atomic<std::uint64_t> written_{0}, dropped_{0};

  int file_ = -1;  // of the background thread
  std::uint64_t size_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wherry::telemetry
