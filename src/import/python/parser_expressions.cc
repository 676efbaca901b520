#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "import/python/literals.h"
#include "import/python/parser_state.h"

namespace wherry::python {
namespace {

struct BinaryLevel {
  std::array<std::string_view, 5> operators;
};
// From the loosest to the tightest.
constexpr BinaryLevel kBinary[] = {{{"|"}},        {{"^"}},      {{"&"}},
                                   {{"<<", ">>"}}, {{"+", "-"}}, {{"*", "/", "//", "%", "@"}}};

constexpr std::array<std::string_view, 35> kKeywords = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

std::uint32_t deepest(std::span<const Expression* const> nodes) {
  std::uint32_t depth = 0;
  for (const Expression* node : nodes) {
    if (node) depth = std::max(depth, node->depth);
  }
  return depth;
}
std::uint32_t deepest(std::initializer_list<const Expression*> nodes) {
  return deepest(std::span(nodes.begin(), nodes.size()));
}
std::uint32_t deepest(const std::vector<Parameter>& parameters) {
  std::uint32_t depth = 0;
  for (const Parameter& each : parameters) depth = std::max(depth, deepest({each.annotation, each.fallback}));
  return depth;
}

// The depth of what a node holds, one overload for each kind.
struct InnerDepth {
  std::uint32_t operator()(const Constant&) const { return 0; }
  std::uint32_t operator()(const Name&) const { return 0; }
  std::uint32_t operator()(const Attribute& node) const { return node.object->depth; }
  std::uint32_t operator()(const Subscript& node) const { return deepest({node.object, node.index}); }
  std::uint32_t operator()(const Slice& node) const { return deepest({node.start, node.stop, node.step}); }
  std::uint32_t operator()(const Call& node) const {
    std::uint32_t depth = node.callee->depth;
    for (const Argument& each : node.arguments) depth = std::max(depth, each.value->depth);
    return depth;
  }
  std::uint32_t operator()(const Unary& node) const { return node.operand->depth; }
  std::uint32_t operator()(const Binary& node) const { return deepest({node.left, node.right}); }
  std::uint32_t operator()(const Logical& node) const { return deepest(node.operands); }
  std::uint32_t operator()(const Comparison& node) const {
    std::uint32_t depth = node.first->depth;
    for (const auto& [op, operand] : node.rest) depth = std::max(depth, operand->depth);
    return depth;
  }
  std::uint32_t operator()(const Conditional& node) const {
    return deepest({node.test, node.then, node.otherwise});
  }
  std::uint32_t operator()(const TupleDisplay& node) const { return deepest(node.items); }
  std::uint32_t operator()(const ListDisplay& node) const { return deepest(node.items); }
  std::uint32_t operator()(const SetDisplay& node) const { return deepest(node.items); }
  std::uint32_t operator()(const DictDisplay& node) const {
    std::uint32_t depth = 0;
    for (const auto& [key, value] : node.entries) depth = std::max(depth, deepest({key, value}));
    return depth;
  }
  std::uint32_t operator()(const Comprehension& node) const {
    std::uint32_t depth = deepest({node.element, node.value});
    for (const Clause& each : node.clauses) {
      depth = std::max({depth, deepest({each.target, each.iterable}), deepest(each.conditions)});
    }
    return depth;
  }
  std::uint32_t operator()(const Starred& node) const { return node.value->depth; }
  std::uint32_t operator()(const FormattedString& node) const {
    std::uint32_t depth = 0;
    for (const FormattedPart& part : node.parts) depth = std::max(depth, deepest({part.value, part.format}));
    return depth;
  }
  std::uint32_t operator()(const NamedExpression& node) const { return node.value->depth; }
  std::uint32_t operator()(const Lambda& node) const {
    return std::max(node.body->depth, deepest(node.parameters));
  }
  std::uint32_t operator()(const OtherExpression&) const { return 0; }
};

}  // namespace

bool is_keyword(std::string_view name) {
  return std::ranges::find(kKeywords, name) != kKeywords.end();
}

Parser::Made Parser::add(Expression made) {
  if (module_.expressions_.size() + module_.statements_.size() >= limits_.nodes) {
    return base::fail(
        base::Code::kLimit, "python.limit",
        base::cat(module_.name(), " has more than ", limits_.nodes, " expressions and statements"));
  }
  made.depth = 1 + std::visit(InnerDepth{}, made.value);
  if (made.depth > limits_.depth) {
    return base::fail(
        base::Code::kLimit, "python.limit",
        base::cat(module_.where(made.at), ": expressions are nested deeper than ", limits_.depth));
  }
  module_.expressions_.push_back(std::move(made));
  return &module_.expressions_.back();
}

base::Status Parser::deeper() {
  if (level_ <= limits_.depth) return {};
  return base::fail(base::Code::kLimit, "python.limit",
                    base::cat(module_.where(token_.at), ": nested deeper than ", limits_.depth));
}

Parser::Made Parser::expression() {
  const Deeper level(*this);
  TRY(deeper());
  if (is("lambda")) return lambda();
  const Position at = token_.at;
  TRY_ASSIGN(const Expression* then, logical(false));
  if (!is("if")) return then;
  TRY(advance());
  TRY_ASSIGN(const Expression* test, logical(false));
  TRY(expect("else"));
  TRY_ASSIGN(const Expression* otherwise, expression());
  return make(at, Conditional{test, then, otherwise});
}

Parser::Made Parser::named_expression() {
  const Position at = token_.at;
  TRY_ASSIGN(const Expression* left, expression());
  const Name* name = left->as<Name>();
  if (!name || !is(":=")) return left;
  TRY(advance());
  TRY_ASSIGN(const Expression* value, expression());
  return make(at, NamedExpression{name->id, value});
}

base::Result<Expressions> Parser::items(bool& comma) {
  Expressions made;
  comma = false;
  while (true) {
    if (is("*")) {
      const Position star = token_.at;
      TRY(advance());
      TRY_ASSIGN(const Expression* value, binary(0));
      TRY_ASSIGN(const Expression* starred, make(star, Starred{value}));
      made.push_back(starred);
    } else {
      TRY_ASSIGN(const Expression* item, named_expression());
      made.push_back(item);
    }
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) return made;
    comma = true;
    if (token_.kind == TokenKind::kNewline || token_.kind == TokenKind::kEnd ||
        is_any({")", "]", "}", "=", ":", ";"})) {
      return made;
    }
  }
}

Parser::Made Parser::star_expressions() {
  const Position at = token_.at;
  bool comma = false;
  TRY_ASSIGN(Expressions made, items(comma));
  if (!comma) return made[0];
  return make(at, TupleDisplay{std::move(made)});
}

Parser::Made Parser::target_list() {
  const Position at = token_.at;
  Expressions items;
  bool comma = false;
  while (true) {
    if (is("*")) {
      const Position star = token_.at;
      TRY(advance());
      TRY_ASSIGN(const Expression* value, postfix());
      TRY_ASSIGN(const Expression* starred, make(star, Starred{value}));
      items.push_back(starred);
    } else {
      TRY_ASSIGN(const Expression* item, postfix());
      items.push_back(item);
    }
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) break;
    comma = true;
    if (is("in")) break;
  }
  if (!comma) return items[0];
  return make(at, TupleDisplay{std::move(items)});
}

Parser::Made Parser::logical(bool is_and) {
  const Position at = token_.at;
  const std::string_view word = is_and ? "and" : "or";
  TRY_ASSIGN(const Expression* first, is_and ? negation() : logical(true));
  if (!is(word)) return first;
  Expressions operands = {first};
  while (is(word)) {
    TRY(advance());
    TRY_ASSIGN(const Expression* next, is_and ? negation() : logical(true));
    operands.push_back(next);
  }
  return make(at, Logical{is_and, std::move(operands)});
}

Parser::Made Parser::negation() {
  if (!is("not")) return comparison();
  const Deeper level(*this);
  TRY(deeper());
  const Position at = token_.at;
  TRY(advance());
  TRY_ASSIGN(const Expression* operand, negation());
  return make(at, Unary{"not", operand});
}

Parser::Made Parser::comparison() {
  const Position at = token_.at;
  TRY_ASSIGN(const Expression* first, binary(0));
  Comparison made{first, {}};
  while (true) {
    std::string_view op;
    if (token_.kind == TokenKind::kOperator && is_any({"==", "!=", "<", "<=", ">", ">="})) {
      op = token_.text;
      TRY(advance());
    } else if (is("in")) {
      op = "in";
      TRY(advance());
    } else if (is("is")) {
      TRY(advance());
      TRY_ASSIGN(const bool negated, accept("not"));
      op = negated ? "is not" : "is";
    } else if (is("not")) {
      TRY(advance());
      TRY(expect("in"));
      op = "not in";
    } else {
      break;
    }
    TRY_ASSIGN(const Expression* operand, binary(0));
    made.rest.emplace_back(op, operand);
  }
  if (made.rest.empty()) return first;
  return make(at, std::move(made));
}

Parser::Made Parser::binary(int level) {
  if (level == static_cast<int>(std::size(kBinary))) return unary();
  const Position at = token_.at;
  TRY_ASSIGN(const Expression* left, binary(level + 1));
  while (token_.kind == TokenKind::kOperator &&
         std::ranges::find(kBinary[level].operators, token_.text) != kBinary[level].operators.end()) {
    const std::string_view op = token_.text;
    TRY(advance());
    TRY_ASSIGN(const Expression* right, binary(level + 1));
    TRY_ASSIGN(left, make(at, Binary{op, left, right}));
  }
  return left;
}

Parser::Made Parser::unary() {
  if (token_.kind != TokenKind::kOperator || !is_any({"-", "+", "~"})) return power();
  const Deeper level(*this);
  TRY(deeper());
  const Position at = token_.at;
  const std::string_view op = token_.text;
  TRY(advance());
  TRY_ASSIGN(const Expression* operand, unary());
  if (op == "-") {  // literals of negative numbers are one node; -2**63 has no positive twin
    if (const Constant* literal = operand->as<Constant>()) {
      const auto* integer = std::get_if<std::int64_t>(&literal->value);
      if (integer && *integer != INT64_MIN) return make(at, Constant{-*integer});
      if (const auto* real = std::get_if<double>(&literal->value)) return make(at, Constant{-*real});
      const auto* big = std::get_if<BigInteger>(&literal->value);
      if (big && big->digits == "9223372036854775808") return make(at, Constant{INT64_MIN});
    }
  }
  return make(at, Unary{op, operand});
}

Parser::Made Parser::power() {
  const Position at = token_.at;
  if (is("await")) {
    TRY(advance());
    TRY_ASSIGN([[maybe_unused]] const Expression* awaited, postfix());
    return make(at, OtherExpression{"await"});
  }
  TRY_ASSIGN(const Expression* base, postfix());
  if (!is("**")) return base;
  const Deeper level(*this);
  TRY(deeper());
  TRY(advance());
  TRY_ASSIGN(const Expression* exponent, unary());
  return make(at, Binary{"**", base, exponent});
}

Parser::Made Parser::postfix() {
  const Position at = token_.at;
  TRY_ASSIGN(const Expression* made, atom());
  while (token_.kind == TokenKind::kOperator) {
    if (is(".")) {
      TRY(advance());
      const Position place = token_.at;
      if (token_.kind != TokenKind::kName) return unexpected_token("an attribute's name");
      const std::string_view name = token_.text;
      TRY(advance());
      TRY_ASSIGN(made, make(place, Attribute{made, name}));
    } else if (is("(")) {
      TRY(advance());
      TRY_ASSIGN(auto given, arguments());
      TRY_ASSIGN(made, make(at, Call{made, std::move(given)}));
    } else if (is("[")) {
      TRY(advance());
      TRY_ASSIGN(made, subscript(made, at));
    } else {
      break;
    }
  }
  return made;
}

Parser::Made Parser::subscript(const Expression* object, Position at) {
  const Position place = token_.at;
  Expressions items;
  bool comma = false;
  while (!is("]")) {
    TRY_ASSIGN(const Expression* item, slice());
    items.push_back(item);
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) break;
    comma = true;
  }
  if (items.empty()) return unexpected_token("an index");
  TRY(expect("]"));
  if (!comma) return make(at, Subscript{object, items[0]});
  TRY_ASSIGN(const Expression* index, make(place, TupleDisplay{std::move(items)}));
  return make(at, Subscript{object, index});
}

Parser::Made Parser::slice() {
  const Position at = token_.at;
  if (is("*")) {
    TRY(advance());
    TRY_ASSIGN(const Expression* value, binary(0));
    return make(at, Starred{value});
  }
  const Expression* parts[3] = {};
  if (!is(":")) {
    TRY_ASSIGN(parts[0], named_expression());
    if (!is(":")) return parts[0];
  }
  for (int i = 1; i < 3 && is(":"); ++i) {
    TRY(advance());
    if (is_any({":", "]", ","})) continue;
    TRY_ASSIGN(parts[i], expression());
  }
  return make(at, Slice{parts[0], parts[1], parts[2]});
}

base::Result<std::vector<Argument>> Parser::arguments() {
  std::vector<Argument> given;
  while (!is(")")) {
    Argument made;
    if (is_any({"*", "**"}) && token_.kind == TokenKind::kOperator) {
      made.stars = static_cast<int>(token_.text.size());
      TRY(advance());
      TRY_ASSIGN(made.value, expression());
    } else {
      const Position at = token_.at;
      TRY_ASSIGN(made.value, named_expression());
      const Name* name = made.value->as<Name>();
      if (name && is("=")) {
        TRY(advance());
        made.keyword = name->id;
        TRY_ASSIGN(made.value, expression());
      } else if (is_any({"for", "async"})) {
        TRY_ASSIGN(auto inside, clauses());
        TRY_ASSIGN(made.value, make(at, Comprehension{ComprehensionKind::kGenerator, made.value, nullptr,
                                                      std::move(inside)}));
      }
    }
    given.push_back(made);
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) break;
  }
  TRY(expect(")"));
  return given;
}

Parser::Made Parser::atom() {
  const Deeper level(*this);
  TRY(deeper());
  const Position at = token_.at;
  switch (token_.kind) {
    case TokenKind::kNumber: {
      auto value = number_value(token_.text);
      if (!value) return error(base::cat("bad number ", base::quoted(token_.text)));
      TRY(advance());
      return make(at, *std::move(value));
    }
    case TokenKind::kString:
      return strings();
    case TokenKind::kName: {
      if (is_keyword(token_.text)) return keyword_atom();
      const std::string_view id = token_.text;
      TRY(advance());
      return make(at, Name{id});
    }
    case TokenKind::kOperator:
      if (is("(")) return parenthesis();
      if (is("[")) return list();
      if (is("{")) return braces();
      if (is("...")) {
        TRY(advance());
        return make(at, Constant{EllipsisLiteral{}});
      }
      break;
    default:
      break;
  }
  return unexpected_token("an expression");
}

Parser::Made Parser::keyword_atom() {
  const Position at = token_.at;
  const std::string_view word = token_.text;
  if (word == "None" || word == "True" || word == "False") {
    TRY(advance());
    if (word == "None") return make(at, Constant{NoneLiteral{}});
    return make(at, Constant{word == "True"});
  }
  if (word == "yield") {
    TRY(advance());
    TRY_ASSIGN([[maybe_unused]] const bool from, accept("from"));
    if (token_.kind != TokenKind::kNewline && !is_any({")", "]", "}", ";", "="})) {
      TRY_ASSIGN([[maybe_unused]] const Expression* value, star_expressions());
    }
    return make(at, OtherExpression{"yield"});
  }
  return unexpected_token("an expression");
}

Parser::Made Parser::parenthesis() {
  const Position at = token_.at;
  TRY(advance());
  if (is(")")) {
    TRY(advance());
    return make(at, TupleDisplay{});
  }
  TRY_ASSIGN(const Expression* inside, star_expressions());
  if (is_any({"for", "async"})) {
    TRY_ASSIGN(auto loops, clauses());
    TRY_ASSIGN(inside,
               make(at, Comprehension{ComprehensionKind::kGenerator, inside, nullptr, std::move(loops)}));
  }
  TRY(expect(")"));
  return inside;
}

Parser::Made Parser::list() {
  const Position at = token_.at;
  TRY(advance());
  if (is("]")) {
    TRY(advance());
    return make(at, ListDisplay{});
  }
  bool comma = false;
  TRY_ASSIGN(Expressions inside, items(comma));
  if (!comma && is_any({"for", "async"})) {
    TRY_ASSIGN(auto loops, clauses());
    TRY(expect("]"));
    return make(at, Comprehension{ComprehensionKind::kList, inside[0], nullptr, std::move(loops)});
  }
  TRY(expect("]"));
  return make(at, ListDisplay{std::move(inside)});
}

Parser::Made Parser::braces() {
  const Position at = token_.at;
  TRY(advance());
  DictDisplay dict;
  SetDisplay set;
  while (!is("}")) {
    const Expression* key = nullptr;
    const Expression* value = nullptr;
    if (is("**")) {
      TRY(advance());
      TRY_ASSIGN(value, binary(0));
    } else if (is("*")) {
      const Position star = token_.at;
      TRY(advance());
      TRY_ASSIGN(value, binary(0));
      TRY_ASSIGN(key, make(star, Starred{value}));
      value = nullptr;
    } else {
      TRY_ASSIGN(key, named_expression());
      if (is(":")) {
        TRY(advance());
        TRY_ASSIGN(value, expression());
      }
    }
    if (is_any({"for", "async"}) && key && dict.entries.empty() && set.items.empty()) {
      TRY_ASSIGN(auto loops, clauses());
      TRY(expect("}"));
      return make(at, Comprehension{value ? ComprehensionKind::kDict : ComprehensionKind::kSet, key, value,
                                    std::move(loops)});
    }
    if (value ? !set.items.empty() : !dict.entries.empty()) return unexpected_token("':'");
    if (value) {
      dict.entries.emplace_back(key, value);
    } else {
      set.items.push_back(key);
    }
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) break;
  }
  TRY(expect("}"));
  if (!set.items.empty()) return make(at, std::move(set));
  return make(at, std::move(dict));
}

base::Result<std::vector<Clause>> Parser::clauses() {
  std::vector<Clause> made;
  while (is_any({"for", "async"})) {
    TRY_ASSIGN([[maybe_unused]] const bool is_async, accept("async"));
    TRY(expect("for"));
    Clause clause;
    TRY_ASSIGN(clause.target, target_list());
    TRY(expect("in"));
    TRY_ASSIGN(clause.iterable, logical(false));
    while (is("if")) {
      TRY(advance());
      TRY_ASSIGN(const Expression* condition, logical(false));
      clause.conditions.push_back(condition);
    }
    made.push_back(std::move(clause));
  }
  return made;
}

Parser::Made Parser::lambda() {
  const Position at = token_.at;
  TRY(advance());
  TRY_ASSIGN(auto taken, parameters(":", false));
  TRY_ASSIGN(const Expression* body, expression());
  return make(at, Lambda{std::move(taken), body});
}

base::Result<std::vector<Parameter>> Parser::parameters(std::string_view end, bool annotated) {
  std::vector<Parameter> made;
  ParameterKind kind = ParameterKind::kPlain;
  while (!is(end)) {
    if (is("/")) {
      TRY(advance());
      for (Parameter& each : made) each.kind = ParameterKind::kPositionalOnly;
    } else if (is("*") || is("**")) {
      Parameter one;
      one.kind = is("*") ? ParameterKind::kStar : ParameterKind::kDoubleStar;
      TRY(advance());
      kind = ParameterKind::kKeywordOnly;
      if (!is(",")) {  // a bare star only separates
        TRY_ASSIGN(one.name, identifier("a parameter"));
        if (annotated && is(":")) {
          TRY(advance());
          TRY_ASSIGN(one.annotation, is("*") ? star_expressions() : expression());
        }
        made.push_back(one);
      }
    } else {
      Parameter one;
      one.kind = kind;
      TRY_ASSIGN(one.name, identifier("a parameter"));
      if (annotated && is(":")) {
        TRY(advance());
        TRY_ASSIGN(one.annotation, expression());
      }
      if (is("=")) {
        TRY(advance());
        TRY_ASSIGN(one.fallback, expression());
      }
      made.push_back(one);
    }
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) break;
  }
  TRY(expect(end));
  return made;
}

}  // namespace wherry::python
