// The schemas of PyTorch's operators in the text form in which PyTorch prints them
// (aten/src/ATen/native/native_functions.yaml, torch/csrc/jit/frontend/function_schema_parser.cpp):
//
//   aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
//
// Thread-safety: values and pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/torch/argument.h"

namespace wherry::torch {

enum class Base : std::uint8_t {
  kTensor,
  kScalar,  // bool, int or float; also "number"
  kInt,     // SymInt too
  kFloat,
  kBool,
  kString,
  kDType,  // ScalarType
  kDevice,
  kLayout,
  kMemoryFormat,
  kAny,  // Generator, t, Dimname: nothing is asked of the argument
};

struct Parameter {
  std::string name;
  Base base = Base::kAny;
  bool optional = false;        // None may be given
  bool list = false;            // of base
  std::size_t list_size = 0;    // of "int[2]", which one int may stand for; 0: any
  bool optional_items = false;  // "Tensor?[]"
  bool keyword_only = false;
  bool view = false;     // "Tensor(a)": the result may share its memory
  bool written = false;  // "Tensor(a!)"
  std::optional<Argument> otherwise;
};

struct Schema {
  std::string name;      // "aten::add"
  std::string overload;  // "Tensor"; "default" where there is none
  std::vector<Parameter> parameters;
  std::size_t returns = 1;
  bool returns_view = false;  // the first result shares memory with a parameter marked (a)

  std::string qualified() const;  // "aten::add.Tensor"
};

// Errors: "torch.bad_call" (the tables of wherry itself are wrong then).
base::Result<Schema> parse_schema(std::string_view text);

// Whether `argument` may be given. Strictly: without the conversions which Python's argument parser does (int
// to float, a number for a tensor, an int for a list of known length).
bool accepts(const Parameter& parameter, const Argument& argument, bool strictly);

// One argument per parameter, defaults filled in. Ints given for dtypes become dtypes, ints for floats
// floats, one int for "int[2]" a list of two. Errors: "torch.bad_call".
base::Result<std::vector<Argument>> bind(const Schema& schema, std::vector<Argument> positional,
                                         std::vector<NamedArgument> keywords);

}  // namespace wherry::torch
