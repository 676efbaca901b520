#include <algorithm>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_interpreter.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;

struct OperatorRow {
  std::string_view op;
  std::string_view number;     // on numbers, known or of the graph
  std::string_view tensor;     // on tensors
  std::string_view reflected;  // number op tensor; empty: the operands may be exchanged
  std::string_view method;     // on instances
};
constexpr OperatorRow kBinaryRows[] = {
    {"+", "_operator::add", "aten::add", "", "__add__"},
    {"-", "_operator::sub", "aten::sub", "aten::rsub", "__sub__"},
    {"*", "_operator::mul", "aten::mul", "", "__mul__"},
    {"/", "_operator::truediv", "aten::div", "aten::div", "__truediv__"},
    {"//", "_operator::floordiv", "aten::floor_divide", "aten::floor_divide", "__floordiv__"},
    {"%", "_operator::mod", "aten::remainder", "aten::remainder", "__mod__"},
    {"**", "_operator::pow", "aten::pow", "aten::pow", "__pow__"},
    {"@", "", "aten::matmul", "aten::matmul", "__matmul__"},
    {"&", "_operator::and_", "aten::bitwise_and", "", "__and__"},
    {"|", "_operator::or_", "aten::bitwise_or", "", "__or__"},
    {"^", "", "aten::bitwise_xor", "", "__xor__"},
    {"<<", "", "aten::bitwise_left_shift", "", "__lshift__"},
    {">>", "", "aten::bitwise_right_shift", "", "__rshift__"},
};
struct ComparisonRow {
  std::string_view op;
  std::string_view number;
  std::string_view tensor;
  std::string_view reflected;  // of tensors, with the operands exchanged
};
constexpr ComparisonRow kComparisonRows[] = {
    {"==", "_operator::eq", "aten::eq", "aten::eq"}, {"!=", "_operator::ne", "aten::ne", "aten::ne"},
    {"<", "_operator::lt", "aten::lt", "aten::gt"},  {"<=", "_operator::le", "aten::le", "aten::ge"},
    {">", "_operator::gt", "aten::gt", "aten::lt"},  {">=", "_operator::ge", "aten::ge", "aten::le"},
};

bool is_number(const Value& value) {
  return Interpreter::number_type(value).has_value() || value.is<Symbol>();
}

// 6 & 3 and the like, which _operator has for bools only.
std::optional<std::int64_t> bitwise(std::string_view op, std::int64_t a, std::int64_t b) {
  if (op == "&") return a & b;
  if (op == "|") return a | b;
  if (op == "^") return a ^ b;
  if (b < 0 || b > 62) return std::nullopt;
  if (op == "<<" && a >= 0 && (a >> (62 - b)) == 0) return a << b;
  if (op == ">>") return a >> b;
  return std::nullopt;
}

// TorchScript writes dtypes, layouts and memory formats as their numbers.
std::optional<std::int64_t> code_of(const Value& value) {
  if (const auto* dtype = value.get<tensor::DType>()) return c10_of(*dtype);
  if (const auto* layout = value.get<Layout>()) return layout->number;
  if (const auto* format = value.get<MemoryFormat>()) return format->number;
  return std::nullopt;
}

// nullopt: neither is such a thing.
std::optional<bool> equal_codes(const Value& left, const Value& right) {
  const auto a = code_of(left);
  const auto b = code_of(right);
  const auto* first = left.get<std::int64_t>();
  const auto* second = right.get<std::int64_t>();
  if (a && b) return left.value.index() == right.value.index() && *a == *b;
  if (a && second) return *a == *second;
  if (b && first) return *b == *first;
  return std::nullopt;
}

}  // namespace

Result<Value> Interpreter::unary(std::string_view op, const Value& operand) {
  if (op == "not") {
    TRY_ASSIGN(const auto found, truth(operand));
    if (const bool* known = std::get_if<bool>(&found)) return Value(!*known);
    return number(builder().add("Not", {std::get<Symbol>(found).value}));
  }
  if (op == "+") return operand;
  if (operand.is<Tensor>()) return call_aten(op == "-" ? "aten::neg" : "aten::bitwise_not", {operand}, {});
  if (op == "-" && is_number(operand)) return call_aten("_operator::neg", {operand}, {});
  if (const auto* integer = operand.get<std::int64_t>(); integer && op == "~") return Value(~*integer);
  if (operand.is<Object>()) return call_method(operand, "__neg__", {});
  return refuse(base::cat(op, " on ", describe(operand)));
}

Result<Value> Interpreter::binary(std::string_view op, const Value& left, const Value& right) {
  const auto* row = std::ranges::find(kBinaryRows, op, &OperatorRow::op);
  if (row == std::end(kBinaryRows)) return refuse(base::cat("the operator ", op, " is not supported"));
  for (const Value* each : {&left, &right}) {  // arithmetic on a parameter that __init__ makes
    if (const Named* named = each->get<Named>();
        building && named && named->path.starts_with("wherry.parameter"))
      return *each;
  }
  if (left.is<Tensor>()) return call_aten(row->tensor, {left, right}, {});
  if (right.is<Tensor>()) {
    return row->reflected.empty()           ? call_aten(row->tensor, {right, left}, {})
           : row->reflected == "aten::rsub" ? call_aten(row->reflected, {right, left}, {})
                                            : reflected(row->reflected, left, right);
  }
  if (is_number(left) && is_number(right)) {
    const auto* a = left.get<std::int64_t>();
    const auto* b = right.get<std::int64_t>();
    if (a && b) {
      if (const auto bits = std::string_view("&|^<<>>").find(op) != std::string_view::npos
                                ? bitwise(op, *a, *b)
                                : std::nullopt) {
        return Value(*bits);
      }
    }
    if (row->number.empty()) return refuse(base::cat("the operator ", op, " on numbers is not supported"));
    return call_aten(row->number, {left, right}, {});
  }
  const Values* a = sequence(left);
  const Values* b = sequence(right);
  if (op == "+" && a && b && left.value.index() == right.value.index()) {
    Values items = *a;
    items.insert(items.end(), b->begin(), b->end());
    return left.is<Tuple>() ? make_tuple(std::move(items)) : make_list(std::move(items), branches_);
  }
  if (op == "*") {
    const Value& repeated = a || left.is<std::string>() ? left : right;
    const Value& times = a || left.is<std::string>() ? right : left;
    const auto* count = times.get<std::int64_t>();
    if (const Values* items = sequence(repeated); items && count) {
      if (*count > 0 && static_cast<std::uint64_t>(*count) * (items->size() + 1) > limits_.items) {
        return refuse("a list has too many items");
      }
      Values made;
      for (std::int64_t i = 0; i < *count; ++i) made.insert(made.end(), items->begin(), items->end());
      return repeated.is<Tuple>() ? make_tuple(std::move(made)) : make_list(std::move(made), branches_);
    }
  }
  if (op == "+" && left.is<std::string>() && right.is<std::string>()) {
    return Value(*left.get<std::string>() + *right.get<std::string>());
  }
  if (const auto* pattern = left.get<std::string>(); pattern && op == "%") {
    const Tuple* several = right.get<Tuple>();
    return Value(percent_text(*pattern, several ? (*several)->items : Values{right}));
  }
  if (left.is<Object>()) return call_method(left, row->method, {right});
  return refuse(base::cat(describe(left), " ", op, " ", describe(right), " is not supported"));
}

// number op tensor, where there is an operator for (tensor, tensor) only: the number becomes a tensor without
// axes, of the kind a number has in type promotion.
Result<Value> Interpreter::reflected(std::string_view name, const Value& left, const Value& right) {
  if (!is_number(left)) return refuse(base::cat(describe(left), " and a tensor"));
  if (name == "aten::pow") return call_aten(name, {left, right}, {});
  const tensor::DType of_tensor = builder().dtype(aten_.current(*right.get<Tensor>()));
  const bool real = left.is<double>() || (left.is<Symbol>() && builder().dtype(left.get<Symbol>()->value) ==
                                                                   tensor::DType::kFloat64);
  const bool integral = of_tensor != tensor::DType::kFloat16 && of_tensor != tensor::DType::kBfloat16 &&
                        of_tensor != tensor::DType::kFloat32 && of_tensor != tensor::DType::kFloat64;
  const tensor::DType dtype = !integral ? of_tensor : real ? tensor::DType::kFloat32 : of_tensor;
  TRY_ASSIGN(const graph::ValueId value, scalar(left, dtype));
  return call_aten(name, {Value(aten_.tensor(value)), right}, {});
}

bool Interpreter::same(const Value& left, const Value& right) const {
  if (left.value.index() != right.value.index()) return false;
  if (left.is_none()) return true;
  if (const auto* a = left.get<bool>()) return *a == *right.get<bool>();
  if (const auto* a = left.get<std::int64_t>()) return *a == *right.get<std::int64_t>();
  if (const auto* a = left.get<std::string>()) return *a == *right.get<std::string>();
  if (const auto* a = left.get<tensor::DType>()) return *a == *right.get<tensor::DType>();
  if (const auto* a = left.get<Object>()) return *a == *right.get<Object>();
  if (const auto* a = left.get<List>()) return *a == *right.get<List>();
  if (const auto* a = left.get<Dict>()) return *a == *right.get<Dict>();
  if (const auto* a = left.get<Tuple>()) return *a == *right.get<Tuple>();
  if (const auto* a = left.get<Named>()) return a->path == right.get<Named>()->path;
  if (const auto* a = left.get<Tensor>())
    return a->value == right.get<Tensor>()->value && a->variable == right.get<Tensor>()->variable;
  if (const auto* a = left.get<std::shared_ptr<const ClassObject>>())
    return *a == *right.get<std::shared_ptr<const ClassObject>>();
  return left.is<EllipsisValue>();
}

Result<Value> Interpreter::equal(const Value& left, const Value& right) {
  if (left.is<Tensor>() || right.is<Tensor>()) return compare("==", left, right);
  if (is_number(left) && is_number(right)) {
    const auto* a = left.get<Symbol>();
    const auto* b = right.get<Symbol>();
    if (a && b) {
      if (a->value == b->value) return Value(true);
      const auto one = builder().elements(a->value);
      const auto other = builder().elements(b->value);
      if (one && other && *one == *other) return Value(true);
    }
    return call_aten("_operator::eq", {left, right}, {});
  }
  const auto* text = left.get<std::string>();
  const auto* other_text = right.get<std::string>();
  if (text && other_text) return Value(*text == *other_text);
  if (const auto alike = equal_codes(left, right)) return Value(*alike);
  const auto* device = left.get<Device>();
  const auto* other_device = right.get<Device>();
  if (device && other_device) return Value(true);  // there is one device
  if (device && other_text) return Value(device->name == *other_text);
  const Values* a = sequence(left);
  const Values* b = sequence(right);
  if (a && b) {
    if (a->size() != b->size()) return Value(false);
    std::optional<Symbol> joined;
    for (std::size_t i = 0; i < a->size(); ++i) {
      TRY_ASSIGN(const Value found, equal((*a)[i], (*b)[i]));
      if (const bool* known = found.get<bool>()) {
        if (!*known) return Value(false);
      } else {
        const Symbol symbol = *found.get<Symbol>();
        joined = joined ? Symbol{builder().add("And", {joined->value, symbol.value})} : symbol;
      }
    }
    if (joined) return Value(*joined);
    return Value(true);
  }
  return Value(same(left, right));
}

Result<Value> Interpreter::contained(const Value& container, const Value& item) {
  if (const auto* text = container.get<std::string>()) {
    const auto* part = item.get<std::string>();
    if (!part) return refuse("`in` a text wants a text");
    return Value(text->find(*part) != std::string::npos);
  }
  if (container.is<Object>()) return call_method(container, "__contains__", {item});
  TRY_ASSIGN(const Values items, iterate(container));
  std::optional<Symbol> joined;
  for (const Value& each : items) {
    TRY(step());
    TRY_ASSIGN(const Value found, equal(each, item));
    TRY_ASSIGN(const auto yes, truth(found));
    if (const bool* known = std::get_if<bool>(&yes)) {
      if (*known) return Value(true);
      continue;
    }
    const Symbol symbol = std::get<Symbol>(yes);
    joined = joined ? Symbol{builder().add("Or", {joined->value, symbol.value})} : symbol;
  }
  return joined ? Value(*joined) : Value(false);
}

Result<bool> Interpreter::contains(const Value& container, const Value& item) {
  TRY_ASSIGN(const Value found, contained(container, item));
  return known_truth(found, "`in`");
}

Result<Value> Interpreter::compare(std::string_view op, const Value& left, const Value& right) {
  if (op == "is") return Value(same(left, right));
  if (op == "is not") return Value(!same(left, right));
  if (op == "in" || op == "not in") {
    TRY_ASSIGN(Value found, contained(right, left));
    if (op == "in") return found;
    return unary("not", found);
  }
  const auto* row = std::ranges::find(kComparisonRows, op, &ComparisonRow::op);
  const bool nothing = left.is_none() || right.is_none();
  if (!nothing && left.is<Tensor>()) return call_aten(row->tensor, {left, right}, {});
  if (!nothing && right.is<Tensor>()) return call_aten(row->reflected, {right, left}, {});
  if (op == "==") return equal(left, right);
  if (op == "!=") {
    TRY_ASSIGN(const Value found, equal(left, right));
    return unary("not", found);
  }
  const auto* text = left.get<std::string>();
  const auto* other_text = right.get<std::string>();
  if (text && other_text) {
    const int order = text->compare(*other_text);
    return Value(op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0);
  }
  if (is_number(left) && is_number(right)) return call_aten(row->number, {left, right}, {});
  const Values* a = sequence(left);
  const Values* b = sequence(right);
  if (a && b) {  // lexicographic
    for (std::size_t i = 0; i < std::min(a->size(), b->size()); ++i) {
      TRY_ASSIGN(const Value found, equal((*a)[i], (*b)[i]));
      TRY_ASSIGN(const bool alike, known_truth(found, "a comparison of lists"));
      if (!alike) return compare(op, (*a)[i], (*b)[i]);
    }
    return compare(op, Value(static_cast<std::int64_t>(a->size())),
                   Value(static_cast<std::int64_t>(b->size())));
  }
  return refuse(base::cat(describe(left), " ", op, " ", describe(right), " is not supported"));
}

}  // namespace wherry::torch
