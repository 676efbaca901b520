// Golden examples against the engine: replaying recorded answers, and recording some where the framework
// left none.
//
// Thread-safety: pure functions of what they are given.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/plan.h"
#include "program/program.h"
#include "protocol/golden.h"
#include "protocol/schema.h"

namespace wherry::verify {

// Numbers agree when |got - expected| <= absolute + relative × |expected|; NaN agrees with NaN, an infinity
// with itself. Labels (text, bool, integers) agree when they are the same. Elements of tensors agree within
// `tensors` × the largest magnitude of the expected tensor.
struct Tolerance {
  double relative = 1e-9;
  double absolute = 1e-15;
  double tensors = 1e-5;
  double own_tensors =
      1e-4;  // of tensors recorded by wherry, maybe on a processor which adds in another order
};

// How far one output was from the recorded answers.
struct OutputReport {
  std::string name;
  std::size_t values = 0;     // compared, over all examples
  std::size_t identical = 0;  // the same label, or the same double bit for bit (0.0 and -0.0 count as same)
  double max_relative = 0;  // largest |got - expected| / |expected| of numbers; absolute where expected is 0;
                            // of tensors ÷ largest
};

// An example that did not agree. `got` is the model's error where it refused the row.
struct Mismatch {
  std::size_t line = 0;  // in golden.jsonl
  std::string output;
  std::string expected;
  std::string got;
};

struct Report {
  protocol::GoldenSource source =
      protocol::GoldenSource::kWherry;  // who recorded the answers: say it wherever this is shown
  std::string framework;
  std::string framework_version;
  std::size_t examples = 0;
  std::size_t failed = 0;  // examples with at least one mismatch
  std::vector<OutputReport> outputs;
  std::vector<Mismatch> mismatches;  // the first kMostMismatches

  static constexpr std::size_t kMostMismatches = 5;
  bool passed() const { return failed == 0; }
};

// Runs every example's row and compares every output it names. Errors are those of golden examples which do
// not belong to this model (columns or outputs it does not have: "verify.not_this_model"); a row the model
// refuses is a mismatch, not an error.
base::Result<Report> replay(const engine::Plan& plan, const protocol::Schema& schema,
                            const protocol::Golden& golden, const Tolerance& tolerance = {});

// "12 golden predictions recorded by scikit-learn 1.9.1 agree (largest relative deviation 2.2e-16)" or
// "3 of 12 golden predictions …".
std::string summary(const Report& report);

// Up to `rows` examples with the engine's own answers, source "wherry": rows are made from the program itself
// (thresholds of its trees, statistics of its imputers and scalers, categories of its encoders, unknown
// and missing values), and those the model refuses are left out. Deterministic.
// Errors: "verify.no_rows" when the model refuses every row. Of a tensor model: up to three requests of other
// sizes, none where it refuses them all.
base::Result<protocol::Golden> record(const engine::Plan& plan, const program::Program& program,
                                      std::size_t rows = 20);

}  // namespace wherry::verify
