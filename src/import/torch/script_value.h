// What a variable of interpreted Python holds: Python's own values, tensors and numbers of the graph, modules
// read from pickles, and functions. Lists, dicts and instances are references, as in Python.
//
// Not thread-safe: values of one Interpreter share mutable objects.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "import/python/ast.h"
#include "import/torch/argument.h"
#include "tensor/tensor.h"

namespace wherry::torch {

struct Value;
struct Source;
struct ClassObject;
class Interpreter;

using Values = std::vector<Value>;
using NamedValues = std::vector<std::pair<std::string, Value>>;

struct ListObject;
struct TupleObject;
struct DictObject;
struct Instance;
struct FunctionObject;
struct NativeMethod;

using List = std::shared_ptr<ListObject>;
using Tuple = std::shared_ptr<const TupleObject>;
using Dict = std::shared_ptr<DictObject>;
using Object = std::shared_ptr<Instance>;
using FunctionRef = std::shared_ptr<const FunctionObject>;
using NativeRef = std::shared_ptr<const NativeMethod>;

// Something of an imported module, by its full name: "torch.nn.functional.relu", "math". What it is shows
// when it is used.
struct Named {
  std::string path;
};
struct EllipsisValue {};
// TorchScript's uninitialized(T): a variable that the other branch sets.
struct Uninitialized {};
// range(start, stop, step) of known numbers.
struct RangeValue {
  std::int64_t start = 0;
  std::int64_t stop = 0;
  std::int64_t step = 1;
};
struct SliceValue {
  std::shared_ptr<const std::vector<Value>> parts;  // start, stop, step; None where left out
};
// super() inside of a method: looks methods up behind `after` in the order of the bases of `object`.
struct SuperValue {
  Object object;
  std::shared_ptr<const ClassObject> after;
};

struct Value {
  std::variant<None, bool, std::int64_t, double, std::string, Tensor, Symbol, tensor::DType, Device, Layout,
               MemoryFormat, List, Tuple, Dict, Object, FunctionRef, NativeRef,
               std::shared_ptr<const ClassObject>, Named, EllipsisValue, Uninitialized, RangeValue,
               SliceValue, SuperValue>
      value;

  Value() = default;
  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, Value>)
  Value(T&& of) : value(std::forward<T>(of)) {}

  template <class T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(value);
  }
  bool is_none() const { return is<None>(); }
};

// `branch` is how many branches on tensor data were open when the object was made: one made outside must not
// be changed inside (see Interpreter::branch).
struct ListObject {
  Values items;
  int branch = 0;
  // After a loop with an unknown number of rounds that appended one tensor per round: these tensors, stacked
  // along a new first axis. They come behind `items`.
  std::shared_ptr<const Value> rounds;
};
struct TupleObject {
  Values items;
  std::vector<std::string> names;  // of a named tuple
};
struct DictObject {
  std::vector<std::pair<Value, Value>> entries;
  int branch = 0;
};

// A class of interpreted source. `bases` in the order in which they are searched.
struct ClassObject {
  std::string name;  // "Net", for messages
  const Source* source = nullptr;
  const python::Class* definition = nullptr;
  std::vector<std::shared_ptr<const ClassObject>> bases;
  bool is_module = false;  // derives from torch.nn.Module
};

// An instance of an interpreted class. Submodules of a torch.nn.Module are attributes too; `modules` has
// their names in order.
struct Instance {
  std::string class_name;                         // as the file says: "torch.nn.modules.conv.Conv2d"
  std::shared_ptr<const ClassObject> definition;  // null until it is needed (Interpreter::definition)
  std::map<std::string, Value, std::less<>> attributes;
  std::vector<std::string> modules;
  std::vector<std::string>
      parameters;    // of a module that __init__ builds: attributes to take from a state_dict
  std::string path;  // of a submodule: "layer1.0.conv1"
  std::set<std::string, std::less<>> saved;  // attributes that the file holds
  std::set<std::string, std::less<>> read;   // of these: looked at before they were changed
  std::set<std::string, std::less<>> changed;
  int branch = 0;
};

// One call's variables. Closures keep it alive.
struct Frame {
  std::map<std::string_view, Value, std::less<>> variables;
  std::shared_ptr<Frame> outer;  // of a function in a function
  const Source* source = nullptr;
  std::shared_ptr<const ClassObject> owner;  // of the method that runs
  Object self;
};

struct FunctionObject {
  const python::Function* definition = nullptr;  // or
  const python::Lambda* lambda = nullptr;
  const Source* source = nullptr;
  std::shared_ptr<Frame> closure;
  std::shared_ptr<const ClassObject> owner;
  Value self;  // of a bound method
  bool bound = false;
};

// A function of ours, with the object it was looked up on as first argument.
struct NativeMethod {
  std::string name;  // "x.view"
  std::function<base::Result<Value>(Interpreter&, Values positional, NamedValues keywords)> call;
};

std::string describe(const Value& value);  // "a tensor", "an int", "an instance of Net"

Value make_list(Values items, int branch = 0);
Value make_tuple(Values items, std::vector<std::string> names = {});

// The items of a list, tuple (named ones too) or range; null for anything else.
const Values* sequence(const Value& value);

}  // namespace wherry::torch
