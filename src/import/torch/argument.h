// The values which PyTorch's operators take and give, while a model is lowered.
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/graph.h"

#include "tensor/tensor.h"

namespace wherry::torch {

// A tensor of the program. `value` is what it held when this was written down; `variable` is the tensor
// object itself, which operators like add_ may change: Aten::current() gives what it holds now. 0: no object
// was made yet.
struct Tensor {
  graph::ValueId value = graph::kNone;
  std::uint32_t variable = 0;
};

// A Python number which the graph computes, e.g. x.shape[0] with a dynamic batch: a value of shape [], int64,
// float64, float32 or bool.
struct Symbol {
  graph::ValueId value = graph::kNone;
};

struct Device {
  std::string name;  // "cpu"
};
struct Layout {
  std::int64_t number = 0;
};
struct MemoryFormat {
  std::int64_t number = 0;
};
struct None {};

struct Argument {
  using List = std::vector<Argument>;  // lists and tuples
  std::variant<None, bool, std::int64_t, double, std::string, Tensor, Symbol, tensor::DType, Device, Layout,
               MemoryFormat, List>
      value;

  Argument() = default;
  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, Argument>)
  Argument(T&& of) : value(std::forward<T>(of)) {}

  template <class T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  bool is_none() const { return value.index() == 0; }
  // Of a plain number or Symbol.
  bool is_number() const {
    return get<bool>() != nullptr || get<std::int64_t>() != nullptr || get<double>() != nullptr ||
           get<Symbol>() != nullptr;
  }
};

struct NamedArgument {
  std::string name;
  Argument argument;
};

std::string describe(const Argument& argument);  // "a tensor", "the number 3", "a list of 2": for messages

}  // namespace wherry::torch
