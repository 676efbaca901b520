// Golden examples: rows with the answers a model must give. File format golden.jsonl, JSON lines, where NaN,
// Infinity and -Infinity are allowed as Python's json writes them:
//
//   {"golden": 1, "framework": "scikit-learn", "version": "1.9.1", "source": "framework"}
//   {"columns": ["amount", "country"], "row": [12.5, "DE"], "outputs": {"predict": 0, "predict_proba": [0.9,
//   0.1]}}
//
// `source` says who recorded the answers: "framework" (at training time: a proof) or "wherry" (at import: it
// only guards against later change). `columns` is null for models without names. An output of one row is a
// scalar, a list, or a list of lists (one per output of a multi-output classifier).
//
// Examples of a tensor model name tensors instead: those sent ("inputs", or "sample", which makes them up
// again) and the answers ("tensors"), each with its elements in row-major order:
//
//   {"inputs": {"x": {"shape": [1, 2], "values": [0.5, 1.5]}}, "tensors": {"y": {"shape": [1], "values":
//   [2.0]}}}
//   {"sample": {"batch": 1, "length": 16, "seed": 0}, "tensors": {"y": {"shape": [1, 1000], "step": 4,
//   "largest": 7.25, "values": [0.1, …]}}}
//
// With a "step" only each of that many elements is there, the first being; "largest" is then the largest
// magnitude of all.
//
// Thread-safety: values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "tensor/table.h"
#include "tensor/tensor.h"

namespace wherry::protocol {

enum class GoldenSource : std::uint8_t { kFramework, kWherry };
std::string_view name(GoldenSource source);  // "framework", "wherry"

// A label or number as the file holds it; monostate is null.
using GoldenValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct GoldenOutput {
  std::string name;
  int depth = 0;                                // 0 scalar, 1 list, 2 list of lists
  std::vector<std::vector<GoldenValue>> parts;  // one part for depth 0 and 1
};

struct GoldenTensor {
  std::string name;
  tensor::Shape shape;
  std::vector<GoldenValue> values;
  std::int64_t step = 1;
  double largest = 0;  // 0: not given
};

// Tensors made up by verify::sample_request.
struct GoldenSample {
  std::int64_t batch = 1;
  std::int64_t length = 16;
  std::int64_t seed = 0;
};

struct GoldenExample {
  std::vector<std::string> columns;  // empty: positional
  std::vector<tensor::CellValue> row;
  std::vector<GoldenOutput> outputs;
  std::size_t line = 0;                // in the file, from 1
  std::optional<GoldenSample> sample;  // what follows: of tensor models, instead of the above
  std::vector<GoldenTensor> inputs;    // empty with a sample
  std::vector<GoldenTensor> tensors;
};

struct Golden {
  GoldenSource source = GoldenSource::kWherry;
  std::string framework;
  std::string framework_version;
  std::vector<GoldenExample> examples;
};

struct GoldenLimits {
  std::size_t bytes = 16 << 20;
  std::size_t examples = 10'000;
};

// Errors: "protocol.bad_golden" naming `file` and the line.
base::Result<Golden> read_golden(std::string_view content, std::string_view file,
                                 const GoldenLimits& limits = {});
std::string write_golden(const Golden& golden);

}  // namespace wherry::protocol
