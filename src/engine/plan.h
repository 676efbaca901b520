// Executes Programs natively: exact to the contracts in program/ops.h, without any framework.
//
//   auto plan = Plan::compile(std::move(program));            // once: packs trees, prepares lookups
//   Workspace workspace;                                      // one per thread, reused
//   TRY(plan->run(table, plan->all_outputs(), workspace));    // a warm run allocates nothing
//   ResultView labels = workspace.result(0, 0);               // output 0, its first value
//
// Thread-safety: a Plan is immutable; any number of threads run it at once, each with its own Workspace.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "program/program.h"
#include "tensor/table.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

namespace wherry::engine {

// A set of outputs: bit i stands for Plan::outputs()[i].
using OutputSet = std::uint64_t;

constexpr OutputSet only(std::size_t output) {
  return OutputSet{1} << output;
}

// One value of an output, as the last run left it. Borrowed from the Workspace (or, for an input handed
// through, from the run's input): valid until its next run or its end. Row-major; `rows` × `columns`
// elements. Exactly one of the four spans holds those of kFloat64, kInt64, kBool and kString; `data` holds
// those of any dtype but kString.
struct ResultView {
  program::ValueKind kind = program::ValueKind::kTensor;
  tensor::DType dtype = tensor::DType::kFloat64;  // nothing for a table; any for values of an OnnxGraph
  std::size_t rows = 0;                           // the length of axis 0; 1 without axes
  std::size_t columns = 1;                        // elements of a row: the product of the other lengths
  bool is_vector = false;                         // of shape [rows]
  std::span<const double> doubles;                // kFloat64
  std::span<const std::int64_t> integers;         // kInt64
  std::span<const std::uint8_t> bools;            // kBool: 0 or 1
  std::span<const std::string_view> strings;      // kString: UTF-8
  const tensor::Table* table = nullptr;           // kTable; texts borrowed from the plan or the run's input
  const void* data = nullptr;  // elements, one byte 0 or 1 for kBool; null for text and tables
  std::uint8_t axes = 2;
  std::array<std::int64_t, tensor::ResultView::kMostAxes> lengths{};  // of the axes
  std::span<const std::int64_t> shape() const { return {lengths.data(), axes}; }
};

struct Compiled;
struct Scratch;

// Buffers of runs, kept between them. May be used with one plan after another. Not thread-safe.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  // Value `k` of output `output` (indices into Plan::outputs() and its `values`); the output must have been
  // wanted in the last run, which must have succeeded (a bug otherwise: checked, aborts).
  ResultView result(std::size_t output, std::size_t k) const;

 private:
  friend class Plan;
  std::unique_ptr<Scratch> scratch_;
};

class Plan {
 public:
  // Takes what it needs of the program; large weights (tree arrays) are repacked and not kept. Errors:
  // "engine.tree_shape" for ensembles whose nodes do not form trees, "engine.limit" beyond kMostOutputs or
  // for values wider than kMostColumns.
  static base::Result<Plan> compile(program::Program program);

  static constexpr std::size_t kMostOutputs = 64;
  static constexpr std::int64_t kMostColumns = std::int64_t{1} << 23;
  static constexpr std::uint64_t kMostElements = std::uint64_t{1} << 28;  // of the wanted results of one run

  const program::Signature& signature() const;
  std::span<const program::Output> outputs() const;
  const program::ValueType& type(program::ValueId value) const;
  OutputSet all_outputs() const;
  std::optional<std::size_t> find_output(std::string_view name) const;

  // Computes the outputs in `wanted` for the rows of `input` (0 rows give empty results), executing only the
  // operations these need. `input` has the signature's columns in its order and must live as long as table
  // results are read. Each row's result is the same whatever rows stand beside it. For a tensor model `input`
  // has the signature's tensors, and their batch (where the model is batched) is its number of rows. Errors,
  // in the words of the data (rows count from 0):
  //   "engine.column_count"     input.columns is not the signature's
  //   "engine.tensor_input"     a tensor is missing, or its dtype or shape is not the signature's
  //   "engine.graph_answer"     a graph answers another type or shape than its model file says
  //   "engine.tensor_batch"     a batched graph gives another number of rows than it is given
  //   "runtime.*"               ONNX Runtime refuses what a graph is given
  //   "engine.missing_value"    a missing value where a MissingIndicator refuses new ones
  //   "engine.not_a_number"     text where a number is needed
  //   "engine.not_finite"       NaN or infinity which the estimator refuses
  //   "engine.unknown_category" a category the encoder was not fitted with
  //   "engine.not_text"         a missing value or number where a vectoriser takes text
  //   "engine.bad_record"       an object or list which a vectoriser of records does not take
  //   "pytext.*"                a text which the token pattern cannot be matched with
  //   "engine.limit"            results would exceed kMostElements
  base::Status run(const tensor::Table& input, OutputSet wanted, Workspace& workspace) const;

 private:
  explicit Plan(std::shared_ptr<const Compiled> compiled);
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace wherry::engine
