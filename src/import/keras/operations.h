// Functions called on a model's tensors: keras.ops of Keras 3 (classes with their arguments partly in the
// configuration, partly in the call; keras/src/ops), and TensorFlow's functions in the models of Keras 2
// (TFOpLambda). Both mean the same arithmetic under other names, so that one row serves both. Private to
// module keras.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "import/keras/lowering.h"

namespace wherry::keras {

struct OperationRow {
  std::string_view keras;       // class of keras.ops; empty: it has none
  std::string_view tensorflow;  // without math., linalg., nn., compat.v1., __operators__.; empty: none
  Value (*lower)(Lowering&, const Layer&, const Call&);
};
std::span<const OperationRow> arithmetic_operations();
std::span<const OperationRow> activation_operations();
std::span<const OperationRow> reduction_operations();
std::span<const OperationRow> shape_operations();
std::span<const OperationRow> indexing_operations();
std::vector<std::span<const OperationRow>> operation_tables();

// The arguments of a function, wherever they are written.
struct Args {
  using Names = std::initializer_list<std::string_view>;

  Lowering& l;
  const Layer& layer;
  const Call& call;

  Value get(std::size_t position, Names names) const;
  Value option(Names names) const;  // by name only
  std::optional<std::int64_t> integer(const Value& value) const;
  // A number or a list of them; nullopt for None; an error for tensors.
  std::optional<Ints> integers(const Value& value) const;
  double number(Names names, double otherwise) const;
  bool flag(Names names, bool otherwise = false) const;
  std::int64_t axis(std::size_t position, std::int64_t otherwise) const;
  std::optional<DType> dtype(const Value& value) const;  // of a name
  ValueId x() const;                                     // the first argument
};

// Two operands of one dtype: Keras 3 promotes, and numbers take the other's dtype.
std::pair<ValueId, ValueId> pair_of(const Args& args);
std::pair<ValueId, ValueId> pair_of(const Args& args, const Value& first, const Value& second);
// A list of tensors and numbers, of one dtype; an error where it is empty.
std::vector<ValueId> list_of(const Args& args);

// A text as a template argument: one function per ONNX operator.
template <std::size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace wherry::keras
