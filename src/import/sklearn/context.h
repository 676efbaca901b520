// What lowering functions work with: the program under construction, and the values flowing between steps.
// Private to module sklearn.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "import/pickle/view.h"
#include "program/program.h"

namespace wherry::sklearn {

using base::cat;
using base::Result;
using base::Status;
using pickle::View;
using program::ValueId;
using program::WeightId;

// scikit-learn's, as the estimators say it (BaseEstimator.__getstate__).
struct Version {
  int major = 0;
  int minor = 0;
  bool at_least(int a, int b) const { return major > a || (major == a && minor >= b); }
};

// Whether a value may be sparse rows of ours (program.h ValueKind::kSparse): where an operation takes them.
enum class Layout { kDense, kAny };

// A table, matrix or sparse value between two steps.
struct Flow {
  ValueId value = 0;
  bool sparse = false;                // scikit-learn has a scipy.sparse matrix here; the value may be dense
  bool float32 = false;               // and numbers of float32; the values are float64 holding such numbers
  std::vector<std::int32_t> sources;  // per column: the input column it is a copy of, or -1
  std::vector<std::string> names;     // per column, as get_feature_names_out; empty: unknown
  bool one_dimensional = false;       // one column, which scikit-learn has as an array [n]: texts, labels
};

// What a method answers.
struct Answer {
  std::vector<ValueId> values;
  std::vector<std::string> labels;
};

// What a fitted estimator can do with its input.
struct Fitted {
  std::optional<Answer> predict, predict_proba, decision_function, score_samples;
  std::optional<Answer> margin;  // of a Booster of another package: predict(output_margin=True)
  std::optional<Flow> transform;
  std::optional<ValueId> numbers;  // of a regressor: predict() as a matrix [n, outputs]
};

std::unexpected<base::Error> inconsistent(const View& where, std::string_view what);
std::unexpected<base::Error> unsupported_parameter(const View& where, std::string_view what);

class Context {
 public:
  // `stream_bytes`: size of the file, from which the budget of charge() follows.
  Context(program::ProgramBuilder& builder, Version version, std::uint64_t stream_bytes)
      : builder_(builder), version_(version), budget_(kFreeElements + kElementsPerByte * stream_bytes) {
    usage_.resize(builder.so_far().signature().columns.size());
  }

  Version version() const { return version_; }
  program::ProgramBuilder& builder() { return builder_; }

  Result<ValueId> add(program::Op op, std::vector<ValueId> inputs) {
    return builder_.add(std::move(op), std::move(inputs));
  }
  // name hint "coef" → weight float64 [n], or [rows, columns]
  WeightId vector(std::string_view name, std::vector<double> values);
  WeightId matrix(std::string_view name, std::int64_t rows, std::int64_t columns, std::vector<double> values);
  WeightId weight(std::string_view name, tensor::Tensor tensor);

  std::int64_t width(const Flow& flow) const { return program::width(builder_.type(flow.value)); }
  bool is_table(const Flow& flow) const {
    return builder_.type(flow.value).kind == program::ValueKind::kTable;
  }

  bool is_sparse(const Flow& flow) const { return program::is_sparse(builder_.type(flow.value)); }

  // The numbers of a flow, check_array() without its checks; made once per value. Sparse values become dense,
  // unless the consumer (Linear, SelectColumns, Concat, CheckFinite, Columnwise multiply and divide) takes
  // them: Layout::kAny.
  Result<ValueId> numbers(const Flow& flow, Layout layout = Layout::kDense);
  // check_array(X, dtype=numeric, force_all_finite=…) of `estimator`. float32: X becomes float32, as trees
  // want it (values beyond float32 are refused; the rounding itself is left to the consumer).
  Result<ValueId> checked(const Flow& flow, std::string_view estimator, bool allow_nan,
                          bool as_float32 = false, Layout layout = Layout::kDense);

  Result<ValueId> select(ValueId value, std::vector<std::int64_t> columns);
  Result<ValueId> arithmetic(ValueId value, program::Arithmetic operation, std::vector<double> operand,
                             std::string_view name);
  Result<ValueId> apply(ValueId value, program::Function function);
  Result<ValueId> flatten(ValueId value) { return add(program::Flatten{}, {value}); }

  // Says that column `column` of the flow is looked at, and as what.
  void mark(const Flow& flow, std::size_t column, program::ColumnType type);
  void mark_all(const Flow& flow, program::ColumnType type);
  void finish_columns();  // tells the builder what was marked

  void note(std::string sentence) { notes_.insert(std::move(sentence)); }
  void note_products() {
    note("dot products are summed in column order; the BLAS under numpy may differ in the last bits");
  }
  const std::set<std::string>& notes() const { return notes_; }

  // Counts `elements` (numbers, nodes, categories) about to be read. "sklearn.too_large" when the parts of a
  // small file refer to each other so often that they would fill the memory.
  Status charge(const View& where, std::uint64_t elements);

  // The version of another package, where the outermost estimator is its own.
  void found_framework_version(std::string version) {
    if (framework_version_.empty()) framework_version_ = std::move(version);
  }
  const std::string& framework_version() const { return framework_version_; }

  // Bounds on nesting and number of estimators, see lower_estimator().
  int depth = 0;
  int estimators = 0;

 private:
  struct Usage {
    bool read = false;
    std::optional<program::ColumnType> type;
  };

  static constexpr std::uint64_t kFreeElements = 16'000'000;
  static constexpr std::uint64_t kElementsPerByte = 8;

  program::ProgramBuilder& builder_;
  Version version_;
  std::uint64_t budget_;
  std::map<ValueId, ValueId> matrices_;
  std::map<std::tuple<ValueId, std::string, bool, bool>, ValueId> checked_;
  std::vector<Usage> usage_;
  std::set<std::string> notes_;
  std::string framework_version_;
};

// Lowers one estimator, whatever its class, with `input` as its X.
Result<Fitted> lower_estimator(Context& context, const View& estimator, const Flow& input);

// As lower_estimator, for a step that must have transform.
Result<Flow> lower_transformer(Context& context, const View& estimator, const Flow& input);

// A flow of new columns, of which nothing is known but the names.
Flow made(ValueId value, std::size_t columns, std::vector<std::string> names, bool sparse);

}  // namespace wherry::sklearn
