// One call of an operator, as the function that lowers it sees it. Internal to module torch.
//
// Mistakes and refusals are sticky errors of the Builder, so lowering code reads arguments and adds operators
// without looking at results; Aten::call looks at the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/builder.h"
#include "graph/verbs.h"

#include "import/torch/argument.h"
#include "import/torch/schema.h"

namespace wherry::torch {

using graph::Builder;
using graph::Ints;
using graph::kNone;
using graph::Length;
using graph::ValueId;
using tensor::DType;

// What an operator gives. From a ValueId: one tensor.
struct Outputs {
  std::vector<Argument> results;

  Outputs() = default;
  Outputs(ValueId value) { results.emplace_back(Tensor{value}); }
  Outputs(Argument argument) { results.push_back(std::move(argument)); }
  static Outputs many(std::span<const ValueId> values);  // (Tensor, Tensor, …)
  static Outputs list(std::span<const ValueId> values);  // Tensor[]
};

// What lowering functions tell each other about values whose elements the graph computes.
struct Note {
  bool is_zero = false;   // all elements are
  std::int64_t step = 0;  // 0, step, 2·step, …; 0: it is no such range
};
using Notes = std::map<ValueId, Note>;

class Call {
 public:
  Call(Builder& builder, const Schema& schema, std::span<const Argument> bound, Notes& notes)
      : b(builder), schema_(schema), bound_(bound), notes_(notes) {}

  Builder& b;
  const Schema& schema() const { return schema_; }

  // The argument of this name; None when the schema has no such parameter, so that the overloads of an
  // operator can share a function.
  const Argument& operator[](std::string_view parameter) const;
  bool has(std::string_view parameter) const { return !(*this)[parameter].is_none(); }

  // A number becomes a constant of shape [] and of the dtype which Python numbers have (int64, float32,
  // bool).
  ValueId tensor(std::string_view parameter);
  ValueId tensor_or_none(std::string_view parameter);  // kNone for None
  std::vector<ValueId> tensors(std::string_view parameter);
  // Must be known; a number which the graph computes is refused.
  bool flag(std::string_view parameter, bool otherwise = false);
  std::int64_t integer(std::string_view parameter, std::int64_t otherwise = 0);
  double number(std::string_view parameter, double otherwise = 0);
  std::string text(std::string_view parameter, std::string_view otherwise = "");
  Ints ints(std::string_view parameter);  // empty for None
  std::vector<double> numbers(std::string_view parameter);
  // Numbers, or values of shape [] which the graph computes.
  std::vector<Length> lengths(std::string_view parameter);
  Length length(std::string_view parameter);
  std::optional<DType> dtype(std::string_view parameter = "dtype");

  // The axis named by an int parameter, counted from 0 for `rank` axes (1 for a tensor without axes).
  std::int64_t axis(std::string_view parameter, int rank);
  Ints axes(std::string_view parameter, int rank);  // sorted; empty list or None: all axes
  // The rank, which must be known.
  int rank(ValueId value);
  // The length along an axis, which must be known.
  std::int64_t size(ValueId value, std::int64_t axis);

  void note(ValueId value, Note note) { notes_[value] = note; }
  const Note* find_note(ValueId value) const {
    const auto found = notes_.find(value);
    return found != notes_.end() ? &found->second : nullptr;
  }

  // "torch.unsupported_arguments".
  ValueId refuse(std::string what);

 private:
  const Schema& schema_;
  std::span<const Argument> bound_;
  Notes& notes_;
};

using Lower = Outputs (*)(Call&);

struct Operator {
  std::string_view schema;
  Lower lower;
};

// --- types (promote.cc) ------------------------------------------------------------------------------------

// torch.result_type: tensors with axes weigh more than those without, and these more than numbers
// (pytorch.org/docs: "Type promotion").
DType result_type(Builder& b, std::span<const Argument> operands);
DType promote(DType one, DType other);  // torch.promote_types
// The argument as a tensor of this dtype; a number becomes a constant of shape []. Floats are truncated for
// integer dtypes, and become infinite where a 16-bit float cannot hold them.
ValueId as_dtype(Builder& b, const Argument& argument, DType dtype);
// float32 for integers and bool, else the dtype itself: what sqrt, mean or div compute in.
DType float_type(DType dtype);
// x in float_type.
ValueId to_float(Builder& b, ValueId x);
// The engine computes with 32- and 64-bit integers only; 8- and 16-bit ones are widened to this and cast
// back.
DType computing_type(DType dtype);
Argument::List operands(const Call& call, std::initializer_list<std::string_view> parameters);

}  // namespace wherry::torch
