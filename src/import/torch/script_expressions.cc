#include <cmath>

#include "base/text.h"
#include "import/torch/script_interpreter.h"
#include "import/torch/script_scope.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
using python::Expression;

struct ConstantValue {
  const Interpreter& interpreter;
  Result<Value> operator()(python::NoneLiteral) const { return Value(); }
  Result<Value> operator()(python::EllipsisLiteral) const { return Value(EllipsisValue{}); }
  Result<Value> operator()(bool value) const { return Value(value); }
  Result<Value> operator()(std::int64_t value) const { return Value(value); }
  Result<Value> operator()(double value) const { return Value(value); }
  Result<Value> operator()(const std::string& value) const { return Value(value); }
  Result<Value> operator()(const python::BytesLiteral&) const {
    return interpreter.refuse("bytes are not supported");
  }
  Result<Value> operator()(const python::BigInteger& value) const {
    return interpreter.refuse(base::cat("the number ", value.digits, " does not fit 64 bits"));
  }
  Result<Value> operator()(const python::Imaginary&) const {
    return interpreter.refuse("complex numbers are not supported");
  }
};

// One evaluation step, by kind of expression.
struct Evaluate {
  Interpreter& in;

  Result<Value> operator()(const python::Constant& node) const {
    return std::visit(ConstantValue{in}, node.value);
  }
  Result<Value> operator()(const python::Name& node) const { return in.lookup(node.id); }

  Result<Value> operator()(const python::Attribute& node) const {
    TRY_ASSIGN(const Value object, in.evaluate(*node.object));
    return in.attribute(object, node.name);
  }

  Result<Value> operator()(const python::Subscript& node) const {
    TRY_ASSIGN(const Value object, in.evaluate(*node.object));
    if (const auto* named = object.get<Named>(); named && !named->path.starts_with("CONSTANTS"))
      return object;  // List[int]
    if (object.is<std::shared_ptr<const ClassObject>>()) return object;
    TRY_ASSIGN(const Value index, in.evaluate(*node.index));
    return in.subscript(object, index);
  }

  Result<Value> operator()(const python::Slice& node) const {
    auto parts = std::make_shared<Values>();
    for (const Expression* part : {node.start, node.stop, node.step}) {
      if (!part) {
        parts->emplace_back();
        continue;
      }
      TRY_ASSIGN(Value value, in.evaluate(*part));
      parts->push_back(std::move(value));
    }
    return Value(SliceValue{std::move(parts)});
  }

  // Calls whose arguments are types, or which need the frame.
  Result<std::optional<Value>> special(const python::Call& node) const {
    const std::string name = python::Module::dotted(*node.callee);
    if (name == "super") {
      if (!in.frame().owner || !in.frame().self) return in.refuse("super() outside of a method");
      return std::optional<Value>(SuperValue{in.frame().self, in.frame().owner});
    }
    const bool types = name == "annotate" || name == "unchecked_cast" || name == "torch.jit.annotate" ||
                       name == "typing.cast" || name == "cast";
    if (types && node.arguments.size() == 2) {
      TRY_ASSIGN(Value value, in.evaluate(*node.arguments[1].value));
      return std::optional<Value>(std::move(value));
    }
    if (name == "uninitialized") return std::optional<Value>(Uninitialized{});
    return std::optional<Value>();
  }

  Result<Value> operator()(const python::Call& node) const {
    TRY_ASSIGN(auto done, special(node));
    if (done) return *std::move(done);
    TRY_ASSIGN(const Value callee, in.evaluate(*node.callee));
    Values positional;
    NamedValues keywords;
    for (const python::Argument& argument : node.arguments) {
      TRY_ASSIGN(Value value, in.evaluate(*argument.value));
      if (argument.stars == 1) {
        TRY_ASSIGN(Values items, in.iterate(value));
        for (Value& item : items) positional.push_back(std::move(item));
      } else if (argument.stars == 2) {
        const Dict* dict = value.get<Dict>();
        if (!dict) return in.refuse(base::cat("** wants a dict, found ", describe(value)));
        for (const auto& [key, entry] : (*dict)->entries) {
          const auto* name = key.get<std::string>();
          if (!name) return in.refuse("a keyword that is no string");
          keywords.emplace_back(*name, entry);
        }
      } else if (!argument.keyword.empty()) {
        keywords.emplace_back(std::string(argument.keyword), std::move(value));
      } else {
        positional.push_back(std::move(value));
      }
    }
    return in.call(callee, std::move(positional), std::move(keywords));
  }

  Result<Value> operator()(const python::Unary& node) const {
    TRY_ASSIGN(const Value operand, in.evaluate(*node.operand));
    return in.unary(node.op, operand);
  }
  Result<Value> operator()(const python::Binary& node) const {
    TRY_ASSIGN(const Value left, in.evaluate(*node.left));
    TRY_ASSIGN(const Value right, in.evaluate(*node.right));
    return in.binary(node.op, left, right);
  }

  // Known operands decide as in Python; bools of the graph are joined by And and Or.
  Result<Value> operator()(const python::Logical& node) const {
    std::optional<Symbol> joined;
    Value last;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      TRY_ASSIGN(last, in.evaluate(*node.operands[i]));
      TRY_ASSIGN(const auto truth, in.truth(last));
      if (const bool* known = std::get_if<bool>(&truth)) {
        if (*known == node.is_and) continue;
        if (!joined) return last;
        return Value(*known);  // x and False, x or True
      }
      const Symbol symbol = std::get<Symbol>(truth);
      joined = joined ? Symbol{in.builder().add(node.is_and ? "And" : "Or", {joined->value, symbol.value})}
                      : symbol;
    }
    if (joined) return Value(*joined);
    return last;
  }

  Result<Value> operator()(const python::Comparison& node) const {
    TRY_ASSIGN(Value left, in.evaluate(*node.first));
    std::optional<Symbol> joined;
    Value result;
    for (const auto& [op, operand] : node.rest) {
      TRY_ASSIGN(Value right, in.evaluate(*operand));
      TRY_ASSIGN(result, in.compare(op, left, right));
      if (node.rest.size() == 1) return result;
      TRY_ASSIGN(const auto truth, in.truth(result));
      if (const bool* known = std::get_if<bool>(&truth)) {
        if (!*known) return Value(false);
      } else {
        const Symbol symbol = std::get<Symbol>(truth);
        joined = joined ? Symbol{in.builder().add("And", {joined->value, symbol.value})} : symbol;
      }
      left = std::move(right);
    }
    if (joined) return Value(*joined);
    return result;
  }

  Result<Value> operator()(const python::Conditional& node) const {
    TRY_ASSIGN(const Value test, in.evaluate(*node.test));
    TRY_ASSIGN(const auto truth, in.truth(test));
    if (const bool* known = std::get_if<bool>(&truth))
      return in.evaluate(*known ? *node.then : *node.otherwise);
    return in.branch(
        std::get<Symbol>(truth), {}, [&] { return in.evaluate(*node.then); },
        [&] { return in.evaluate(*node.otherwise); });
  }

  Result<Value> operator()(const python::TupleDisplay& node) const {
    TRY_ASSIGN(Values items, in.evaluate_all(node.items));
    return make_tuple(std::move(items));
  }
  Result<Value> operator()(const python::ListDisplay& node) const {
    TRY_ASSIGN(Values items, in.evaluate_all(node.items));
    return make_list(std::move(items), in.branches());
  }
  // Sets are lists without the items that are there already.
  Result<Value> as_set(Values items) const {
    return in.call_named(Named{"builtins.set"}, {make_list(std::move(items), in.branches())}, {});
  }
  Result<Value> operator()(const python::SetDisplay& node) const {
    TRY_ASSIGN(Values items, in.evaluate_all(node.items));
    return as_set(std::move(items));
  }
  Result<Value> operator()(const python::DictDisplay& node) const {
    auto made = std::make_shared<DictObject>();
    made->branch = in.branches();
    const Value dict = Dict(made);
    for (const auto& [key, value] : node.entries) {
      TRY_ASSIGN(Value item, in.evaluate(*value));
      if (key) {
        TRY_ASSIGN(const Value name, in.evaluate(*key));
        TRY(in.set_subscript(dict, name, std::move(item)));
        continue;
      }
      const Dict* other = item.get<Dict>();
      if (!other) return in.refuse("** in a dict wants a dict");
      for (const auto& [name, entry] : (*other)->entries) TRY(in.set_subscript(dict, name, entry));
    }
    return dict;
  }

  base::Status comprehend(const python::Comprehension& node, std::size_t clause, Values& into,
                          DictObject* dict) const {
    if (clause == node.clauses.size()) {
      TRY_ASSIGN(Value element, in.evaluate(*node.element));
      if (!dict) {
        into.push_back(std::move(element));
        return {};
      }
      TRY_ASSIGN(Value value, in.evaluate(*node.value));
      for (auto& [key, entry] : dict->entries) {
        TRY(in.step());
        if (!in.same(key, element)) continue;
        entry = std::move(value);
        return {};
      }
      dict->entries.emplace_back(std::move(element), std::move(value));
      return {};
    }
    const python::Clause& loop = node.clauses[clause];
    TRY_ASSIGN(const Value over, in.evaluate(*loop.iterable));
    TRY_ASSIGN(const Values items, in.iterate(over));
    for (const Value& item : items) {
      TRY(in.assign(*loop.target, item));
      bool wanted = true;
      for (const Expression* condition : loop.conditions) {
        TRY_ASSIGN(const Value test, in.evaluate(*condition));
        TRY_ASSIGN(wanted, in.known_truth(test, "the condition of a comprehension"));
        if (!wanted) break;
      }
      if (wanted) TRY(comprehend(node, clause + 1, into, dict));
    }
    return {};
  }

  Result<Value> operator()(const python::Comprehension& node) const {
    auto inner = std::make_shared<Frame>();
    inner->source = in.frame().source;
    inner->owner = in.frame().owner;
    inner->self = in.frame().self;
    const FrameScope scope(in, inner, true);
    Values items;
    auto dict = std::make_shared<DictObject>();
    dict->branch = in.branches();
    const bool is_dict = node.kind == python::ComprehensionKind::kDict;
    TRY(comprehend(node, 0, items, is_dict ? dict.get() : nullptr));
    if (is_dict) return Value(Dict(dict));
    if (node.kind == python::ComprehensionKind::kSet) return as_set(std::move(items));
    return make_list(std::move(items), in.branches());
  }

  Result<Value> operator()(const python::Starred&) const {
    return in.refuse("a star outside of a list or call");
  }

  Result<Value> operator()(const python::FormattedString& node) const {
    std::string text;
    for (const python::FormattedPart& part : node.parts) {
      if (!part.value) {
        text += part.text;
        continue;
      }
      TRY_ASSIGN(const Value value, in.evaluate(*part.value));
      text += part.conversion == 'r' ? repr_of(value) : text_of(value);
    }
    return Value(std::move(text));
  }

  Result<Value> operator()(const python::NamedExpression& node) const {
    TRY_ASSIGN(Value value, in.evaluate(*node.value));
    in.frame().variables[node.name] = value;
    return value;
  }

  Result<Value> operator()(const python::Lambda& node) const { return in.closure(nullptr, &node); }
  Result<Value> operator()(const python::OtherExpression& node) const {
    return in.refuse(base::cat("`", node.what, "` is not supported"));
  }
};

}  // namespace

Result<Value> Interpreter::evaluate(const Expression& expression) {
  TRY(step());
  const python::Position before = at_;
  at_ = expression.at;
  auto value = std::visit(Evaluate{*this}, expression.value);
  at_ = before;
  return value;
}

Result<Values> Interpreter::evaluate_all(const python::Expressions& expressions) {
  Values values;
  for (const Expression* each : expressions) {
    if (const auto* starred = each->as<python::Starred>()) {
      TRY_ASSIGN(const Value several, evaluate(*starred->value));
      TRY_ASSIGN(Values items, iterate(several));
      for (Value& item : items) values.push_back(std::move(item));
      continue;
    }
    TRY_ASSIGN(Value value, evaluate(*each));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace wherry::torch
