#include "import/torch/script_value.h"

#include "base/text.h"

namespace wherry::torch {
namespace {

struct Describe {
  std::string operator()(None) const { return "None"; }
  std::string operator()(bool value) const { return value ? "True" : "False"; }
  std::string operator()(std::int64_t value) const { return base::cat("the number ", value); }
  std::string operator()(double value) const { return base::cat("the number ", value); }
  std::string operator()(const std::string& value) const { return base::quoted(value, 40); }
  std::string operator()(const Tensor&) const { return "a tensor"; }
  std::string operator()(const Symbol&) const { return "a number known only at run time"; }
  std::string operator()(tensor::DType value) const {
    return base::cat("the dtype ", tensor::info(value).numpy_name);
  }
  std::string operator()(const Device&) const { return "a device"; }
  std::string operator()(const Layout&) const { return "a layout"; }
  std::string operator()(const MemoryFormat&) const { return "a memory format"; }
  std::string operator()(const List& value) const { return base::cat("a list of ", value->items.size()); }
  std::string operator()(const Tuple& value) const { return base::cat("a tuple of ", value->items.size()); }
  std::string operator()(const Dict& value) const { return base::cat("a dict of ", value->entries.size()); }
  std::string operator()(const Object& value) const {
    return base::cat("an instance of ", value->class_name);
  }
  std::string operator()(const FunctionRef& value) const {
    return value->definition ? base::cat("the function ", value->definition->name) : "a lambda";
  }
  std::string operator()(const NativeRef& value) const { return base::cat("the method ", value->name); }
  std::string operator()(const std::shared_ptr<const ClassObject>& value) const {
    return base::cat("the class ", value->name);
  }
  std::string operator()(const Named& value) const { return value.path; }
  std::string operator()(EllipsisValue) const { return "..."; }
  std::string operator()(Uninitialized) const { return "a variable without a value"; }
  std::string operator()(RangeValue) const { return "a range"; }
  std::string operator()(const SliceValue&) const { return "a slice"; }
  std::string operator()(const SuperValue&) const { return "super()"; }
};

}  // namespace

std::string describe(const Value& value) {
  return std::visit(Describe{}, value.value);
}

Value make_list(Values items, int branch) {
  return List(std::make_shared<ListObject>(ListObject{std::move(items), branch}));
}

Value make_tuple(Values items, std::vector<std::string> names) {
  return Tuple(std::make_shared<const TupleObject>(TupleObject{std::move(items), std::move(names)}));
}

const Values* sequence(const Value& value) {
  if (const auto* list = value.get<List>()) return &(*list)->items;
  if (const auto* tuple = value.get<Tuple>()) return &(*tuple)->items;
  return nullptr;
}

}  // namespace wherry::torch
