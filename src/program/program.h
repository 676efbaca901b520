// A Program: a trained model as a typed dataflow graph of the operations in ops.h. Importers make one through
// ProgramBuilder, engines execute it; neither knows the other.
//
// Thread-safety: a Program is immutable once built; copies share the weights.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "program/ops.h"
#include "tensor/tensor.h"

namespace wherry::program {

using ValueId = std::uint32_t;

enum class ValueKind : std::uint8_t { kTable, kTensor, kSparse, kTuple };

// The type of a value. Shapes begin with -1, the batch; those of tensor models may have any rank up to
// kMostAxes and -1 for any length that is not known before a request, and begin with the batch where the
// model is batched. A table has no dtype of its own. Sparse rows (float64 [n, w]) and tuples (the values of
// an OnnxGraph, without dtype or shape) exist between operations only, never as an output.
inline constexpr std::size_t kMostAxes = 8;
struct ValueType {
  ValueKind kind = ValueKind::kTensor;
  tensor::DType dtype = tensor::DType::kFloat64;
  tensor::Shape shape;
  friend bool operator==(const ValueType&, const ValueType&) = default;
};
std::int64_t width(const ValueType& type);  // columns of a table or matrix; 1 for [n]
bool is_matrix(const ValueType& type);      // float64 [n, w], w known
bool is_sparse(const ValueType& type);
std::string to_string(const ValueType& type);

// What a column of the input accepts. kAny: number or text as the model file does not know. kRecord: an
// object or a list; its cells are texts which hold the JSON of one.
enum class ColumnType : std::uint8_t { kNumber, kText, kBool, kInteger, kAny, kRecord };
inline constexpr std::string_view kColumnTypeNames[] = {"number", "text", "bool", "integer", "any", "record"};
constexpr auto enum_names(ColumnType) {
  return std::span(kColumnTypeNames);
}

struct InputColumn {
  std::string name;  // as fitted; "x0", "x1", … when the file knows none
  ColumnType type = ColumnType::kNumber;
  bool required = true;  // false: never looked at (e.g. dropped by a ColumnTransformer)
  friend bool operator==(const InputColumn&, const InputColumn&) = default;
};

// An input of a tensor model. -1 in the shape is a length which each request chooses; `dims` are then the
// names by axis which the framework gives these lengths ("batch", "sequence"): empty, or one per axis, ""
// where it has none. Lengths of one name must be equal in a request, across inputs too.
struct InputTensor {
  std::string name;
  tensor::DType dtype = tensor::DType::kFloat32;
  tensor::Shape shape;
  std::vector<std::string> dims;
  friend bool operator==(const InputTensor&, const InputTensor&) = default;
};

// The rows a model takes, or its tensors: a model has `columns` or `tensors`, never both.
struct Signature {
  std::vector<InputColumn> columns;
  bool has_names = false;      // fitted with column names: objects and data frames are matched by name
  bool ignores_extra = false;  // columns beyond those are ignored; otherwise refused
  std::vector<InputTensor> tensors;
  // Axis 0 of all `tensors` and outputs is the same batch, whose rows are independent of each other: requests
  // may be joined along it. False: one request is one run, e.g. of a model with recurrent state or of fixed
  // shapes. Says nothing where there are no tensors.
  bool batched = true;
  bool takes_tensors() const { return !tensors.empty(); }
  friend bool operator==(const Signature&, const Signature&) = default;
};

// One thing a model can answer: a scikit-learn method. Several values stand for a list of arrays
// (predict_proba of a multi-output classifier). `labels` name the columns where that is known (classes,
// feature names out), else empty.
struct Output {
  std::string name;
  std::vector<ValueId> values;
  std::vector<std::string> labels;
};

struct Node {
  Op op;
  std::vector<ValueId> inputs;
  ValueId output = 0;
};

struct Weight {
  std::string name;
  tensor::Tensor tensor;
};

class Program {
 public:
  const Signature& signature() const { return signature_; }
  std::span<const Node> nodes() const { return nodes_; }  // in execution order
  std::span<const ValueType> types() const {
    return types_;
  }  // by ValueId; 0 is the input table (of no columns for a tensor model)
  std::span<const Weight> weights() const { return weights_; }
  const tensor::Tensor& weight(WeightId id) const { return weights_[id.index].tensor; }
  std::span<const Output> outputs() const { return outputs_; }

 private:
  friend class ProgramBuilder;
  Signature signature_;
  std::vector<Node> nodes_;
  std::vector<ValueType> types_;
  std::vector<Weight> weights_;
  std::vector<Output> outputs_;
};

// The only way to make a Program. Each call checks what it is given against the operation's contract (types,
// widths, weight dtypes and shapes, tree structure), so whatever build() returns is safe to execute; programs
// read from a bundle go through the same calls. Errors: "program.invalid". Not thread-safe.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(Signature signature);

  static constexpr ValueId kInput = 0;  // the table of all signature columns

  // `name` is a hint; it is made unique. Identical tensors are not merged.
  WeightId weight(std::string name, tensor::Tensor tensor);
  base::Result<ValueId> add(Op op, std::vector<ValueId> inputs);
  base::Status output(Output output);

  // What lowering found out about an input column after the signature was given.
  void refine(std::size_t column, ColumnType type, bool required);

  const ValueType& type(ValueId value) const { return program_.types_[value]; }
  const Program& so_far() const { return program_; }

  // Refuses a program without outputs, with more than kMostColumns input columns or kMostTensors input
  // tensors, with both kinds of input, and a batched one with an input tensor which does not begin with the
  // batch.
  base::Result<Program> build() &&;

  static constexpr std::size_t kMostColumns = 1'000'000;
  static constexpr std::size_t kMostTensors = 4096;
  static constexpr std::size_t kMostNodes = 100'000;

 private:
  Program program_;
  std::unordered_set<std::string> weight_names_;
};

// The same program with other tensors in the place of some weights, all checked anew. Errors:
// "program.invalid".
base::Result<Program> with_weights(const Program& program,
                                   std::vector<std::pair<WeightId, tensor::Tensor>> replaced);

}  // namespace wherry::program
