#include <algorithm>
#include <array>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;

struct ToArgument {
  Interpreter& in;
  Result<Argument> list(const Values& items) const {
    Argument::List made;
    for (const Value& item : items) {
      TRY_ASSIGN(Argument one, in.to_argument(item));
      made.push_back(std::move(one));
    }
    return Argument(std::move(made));
  }
  template <class T>
    requires std::constructible_from<Argument, const T&>
  Result<Argument> operator()(const T& value) const {
    return Argument(value);
  }
  Result<Argument> operator()(const List& value) const {
    if (value->rounds) return in.refuse("a list whose length is not known is given to an operator");
    return list(value->items);
  }
  Result<Argument> operator()(const Tuple& value) const { return list(value->items); }
  Result<Argument> operator()(const RangeValue& value) const {
    TRY_ASSIGN(const Values items, in.iterate(Value(value)));
    return list(items);
  }
  Result<Argument> operator()(const Named& value) const {
    if (value.path == "builtins.float") return Argument(tensor::DType::kFloat64);
    if (value.path == "builtins.int") return Argument(tensor::DType::kInt64);
    if (value.path == "builtins.bool") return Argument(tensor::DType::kBool);
    return other(Value(value));
  }
  Result<Argument> other(const Value& value) const {
    return in.refuse(base::cat(describe(value), " is given to an operator on tensors"));
  }
  Result<Argument> operator()(const Dict& value) const { return other(Value(value)); }
  Result<Argument> operator()(const Object& value) const { return other(Value(value)); }
  Result<Argument> operator()(const FunctionRef& value) const { return other(Value(value)); }
  Result<Argument> operator()(const NativeRef& value) const { return other(Value(value)); }
  Result<Argument> operator()(const std::shared_ptr<const ClassObject>& value) const {
    return other(Value(value));
  }
  Result<Argument> operator()(EllipsisValue) const { return other(Value(EllipsisValue{})); }
  Result<Argument> operator()(Uninitialized) const { return other(Value(Uninitialized{})); }
  Result<Argument> operator()(const SliceValue& value) const { return other(Value(value)); }
  Result<Argument> operator()(const SuperValue& value) const { return other(Value(value)); }
};

}  // namespace

Result<Argument> Interpreter::to_argument(const Value& value) {
  return std::visit(ToArgument{*this}, value.value);
}

Value Interpreter::from_argument(const Argument& argument) {
  return std::visit(
      [&]<class T>(const T& value) -> Value {
        if constexpr (std::same_as<T, Argument::List>) {
          Values items;
          for (const Argument& each : value) items.push_back(from_argument(each));
          return make_list(std::move(items), branches_);
        } else {
          return Value(value);
        }
      },
      argument.value);
}

Result<std::int64_t> Interpreter::rank(const Tensor& tensor) {
  const ValueId id = aten_.current(tensor);
  if (const int known = builder().rank(id); known >= 0) return known;
  if (const auto input = input_of(Value(tensor))) {
    need_ = InputNeed{*input, {4, 3, 2, 5, 1}, std::nullopt};
    return raised("the number of axes of an input is not known");
  }
  return refuse("the number of axes of this tensor is not known");
}

Result<Values> Interpreter::shape(const Tensor& tensor) {
  TRY_ASSIGN(const std::int64_t axes, rank(tensor));
  const ValueId id = aten_.current(tensor);
  Values lengths;
  for (std::int64_t i = 0; i < axes; ++i) {
    const graph::Dim dim = builder().dim(id, i);
    lengths.push_back(dim.known() ? Value(dim.number) : Value(Symbol{graph::dim_scalar(builder(), id, i)}));
  }
  return lengths;
}

// --- calls -------------------------------------------------------------------------------------------------

// Evaluation goes on with the first tensor in the place of the result, so that all that is missing is found
// at once; nothing comes of it.
Result<Value> Interpreter::missing_operator(std::string name, const Values& positional) {
  constexpr std::size_t kMost = 100;
  const auto known = std::ranges::find(missing_, name, &std::pair<std::string, std::string>::first);
  if (known == missing_.end()) {
    if (missing_.size() >= kMost) return refuse("too many operators are not supported");
    std::string place = where();
    if (frame_ && frame_->source)
      place += base::cat(", in `", frame_->source->module.line(at_).substr(0, 120), "`");
    missing_.emplace_back(std::move(name), std::move(place));
  }
  for (const Value& each : positional) {
    if (each.is<Tensor>()) return each;
    const Values* items = sequence(each);
    if (items && !items->empty() && items->front().is<Tensor>()) return items->front();
  }
  return Value();
}

Result<Value> Interpreter::call_aten(std::string_view name, Values positional, NamedValues keywords) {
  if (!Aten::knows(name, "")) return missing_operator(std::string(name), positional);
  if (auto need = need_for(name, positional)) {
    need_ = std::move(need);
    return raised("the number of axes of an input is not known");
  }
  refine_input(name, positional);
  std::vector<Argument> arguments;
  for (const Value& each : positional) {
    TRY_ASSIGN(Argument argument, to_argument(each));
    arguments.push_back(std::move(argument));
  }
  std::vector<NamedArgument> named;
  for (const auto& [key, each] : keywords) {
    TRY_ASSIGN(Argument argument, to_argument(each));
    named.push_back({key, std::move(argument)});
  }
  if (frame_ && frame_->source) builder().source(where());
  auto results = aten_.call(name, "", std::move(arguments), std::move(named));
  if (!results) return base::with_context(results.error(), base::cat("in ", where()));
  follow_input(name, positional, *results);
  if (results->empty()) return Value();
  if (results->size() == 1) {
    if (const auto* symbol = results->front().get<Symbol>()) return number(symbol->value);
    return from_argument(results->front());
  }
  Values items;
  for (const Argument& each : *results) items.push_back(from_argument(each));
  return make_tuple(std::move(items));
}

Result<Value> Interpreter::tensor_attribute(const Tensor& tensor, std::string_view name) {
  const ValueId id = aten_.current(tensor);
  if (name == "shape") {
    TRY_ASSIGN(Values lengths, shape(tensor));
    return make_tuple(std::move(lengths));
  }
  if (name == "ndim") {
    TRY_ASSIGN(const std::int64_t axes, rank(tensor));
    return Value(axes);
  }
  if (name == "dtype") return Value(builder().dtype(id));
  if (name == "device") return Value(Device{"cpu"});
  if (name == "layout") return Value(Layout{0});
  if (name == "data") return Value(tensor);
  if (name == "T" || name == "mT") {
    TRY_ASSIGN(const std::int64_t axes, rank(tensor));
    if (axes < 2) return Value(tensor);
    Values perm;
    for (std::int64_t i = 0; i < axes; ++i)
      perm.emplace_back(name == "T" ? axes - 1 - i : i < axes - 2 ? i : 2 * axes - 3 - i);
    return call_aten("aten::permute", {Value(tensor), make_list(std::move(perm))}, {});
  }
  static constexpr std::string_view kFalse[] = {"is_cuda",   "requires_grad", "is_sparse", "is_quantized",
                                                "is_mps",    "is_meta",       "is_nested", "is_complex_",
                                                "is_mkldnn", "is_xla"};
  if (std::ranges::find(kFalse, name) != std::end(kFalse)) return Value(false);
  if (name == "is_leaf") return Value(true);
  if (name == "grad_fn" || name == "grad") return Value();
  auto method = std::make_shared<NativeMethod>();
  method->name = std::string(name);
  method->call = [tensor, path = base::cat("Tensor.", name)](Interpreter& in, Values positional,
                                                             NamedValues keywords) {
    positional.insert(positional.begin(), Value(tensor));
    return in.call_named(Named{path}, std::move(positional), std::move(keywords));
  };
  return Value(NativeRef(method));
}

// --- parts -------------------------------------------------------------------------------------------------

namespace {

// x[index]: what is left after everything but tensors of indices, and those by axis (None: none).
struct Indexed {
  Value part;
  Values tensors;
  bool any = false;
};

struct Indexer {
  Interpreter& in;

  Result<Value> as_tensor(const Value& item) const {
    if (item.is<Tensor>()) return item;
    return in.call_named(Named{"torch.tensor"}, {item}, {});
  }

  // Axes of x that an item takes up.
  Result<std::int64_t> axes_of(const Value& item) const {
    if (item.is_none() || item.is<EllipsisValue>() || item.is<bool>()) return 0;
    if (const auto* tensor = item.get<Tensor>()) {
      if (in.builder().dtype(in.aten().current(*tensor)) == tensor::DType::kBool) return in.rank(*tensor);
    }
    return 1;
  }

  Result<Indexed> walk(const Value& whole, const Values& items) const {
    Indexed made{whole, {}, false};
    std::int64_t axis = 0;
    std::int64_t taken = 0;
    for (const Value& item : items) {
      TRY_ASSIGN(const std::int64_t axes, axes_of(item));
      taken += axes;
    }
    for (const Value& item : items) {
      if (item.is<EllipsisValue>()) {
        TRY_ASSIGN(const std::int64_t rank, in.rank(*whole.get<Tensor>()));
        for (std::int64_t i = taken; i < rank; ++i) {
          made.tensors.emplace_back();
          ++axis;
        }
      } else if (item.is_none()) {
        TRY_ASSIGN(made.part, in.call_aten("aten::unsqueeze", {made.part, Value(axis)}, {}));
        made.tensors.emplace_back();
        ++axis;
      } else if (const auto* slice = item.get<SliceValue>()) {
        const Values& parts = *slice->parts;
        if (!parts[0].is_none() || !parts[1].is_none() || !parts[2].is_none()) {
          const Value step = parts[2].is_none() ? Value(std::int64_t{1}) : parts[2];
          TRY_ASSIGN(made.part,
                     in.call_aten("aten::slice", {made.part, Value(axis), parts[0], parts[1], step}, {}));
        }
        made.tensors.emplace_back();
        ++axis;
      } else if (item.is<std::int64_t>() || item.is<Symbol>()) {
        TRY_ASSIGN(made.part, in.call_aten("aten::select", {made.part, Value(axis), item}, {}));
      } else if (item.is<Tensor>() || sequence(item) || item.is<RangeValue>()) {
        TRY_ASSIGN(Value tensor, as_tensor(item));
        TRY_ASSIGN(const std::int64_t axes, axes_of(tensor));
        made.tensors.push_back(std::move(tensor));
        made.any = true;
        axis += axes;
      } else {
        return in.refuse(base::cat("a tensor is indexed with ", describe(item)));
      }
    }
    while (!made.tensors.empty() && made.tensors.back().is_none()) made.tensors.pop_back();
    return made;
  }

  static Values items_of(const Value& index) {
    if (const auto* tuple = index.get<Tuple>()) return (*tuple)->items;
    return {index};
  }
};

}  // namespace

Result<Value> Interpreter::tensor_index(const Tensor& tensor, const Value& index) {
  const Indexer indexer{*this};
  TRY_ASSIGN(const Indexed found, indexer.walk(Value(tensor), Indexer::items_of(index)));
  if (!found.any) return found.part;
  return call_aten("aten::index", {found.part, make_list(found.tensors)}, {});
}

base::Status Interpreter::set_tensor_part(const Tensor& tensor, const Value& index, Value value) {
  const Indexer indexer{*this};
  TRY_ASSIGN(const Indexed found, indexer.walk(Value(tensor), Indexer::items_of(index)));
  if (found.any) {
    if (!value.is<Tensor>()) {
      TRY_ASSIGN(const ValueId number, scalar(value, builder().dtype(aten_.current(tensor))));
      value = Value(aten_.tensor(number));
    }
    TRY(call_aten("aten::index_put_", {found.part, make_list(found.tensors), value}, {}));
    return {};
  }
  TRY(call_aten(value.is<Tensor>() ? "aten::copy_" : "aten::fill_", {found.part, value}, {}));
  return {};
}

}  // namespace wherry::torch
