// Functions of Python, torch and TorchScript that the interpreter has itself, by their full names; one table
// per subject. Private to the interpreter.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "import/torch/script_interpreter.h"

namespace wherry::torch {

// What stands for a parameter while __init__ is evaluated; whatever is computed from one is one too.
inline constexpr std::string_view kParameter = "wherry.parameter";

struct NativeCall {
  Interpreter& in;
  Values& positional;
  NamedValues& keywords;
};

// nullopt: not for these arguments; the operator of this name is called then.
using Native = base::Result<std::optional<Value>> (*)(NativeCall& call);

struct NativeRow {
  std::string_view
      path;           // "builtins.len", "torch.tensor", "Tensor.size"; "methods.append" of lists and dicts
  std::size_t least;  // positional arguments
  Native function;
};

std::span<const NativeRow> builtin_rows();  // script_native.cc
std::span<const NativeRow> method_rows();   // script_methods.cc: of lists, dicts, texts
std::span<const NativeRow> torch_rows();    // script_torch.cc: of tensors, and what makes them
std::span<const NativeRow> script_rows();   // script_prim.cc: what TorchScript's code writes as calls

const NativeRow* find_native(std::string_view path);  // null: none

}  // namespace wherry::torch
