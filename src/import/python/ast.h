// Python source as a tree. It is data: nothing here is ever executed as Python; importers look at it, or
// evaluate the part they understand over values of their own.
//
// Nodes are owned by a Module and immutable; pointers to them and texts in them stay valid as long as it
// does, wherever it is moved. Names borrow from the source, which the Module holds. Thread-safety: reading is
// safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wherry::python {

// Both count from 1; columns count bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

struct Expression;
struct Statement;
using Expressions = std::vector<const Expression*>;
using Body = std::vector<const Statement*>;

// --- expressions -----------------------------------------------------------------------------------------
struct NoneLiteral {};
struct EllipsisLiteral {};
// An integer that does not fit int64; `digits` as spelled.
struct BigInteger {
  std::string_view digits;
};
struct Imaginary {
  double value = 0;
};
struct BytesLiteral {
  std::string value;
};
// bool, int, float and str are the alternatives of these types; adjacent strings are joined.
struct Constant {
  std::variant<NoneLiteral, EllipsisLiteral, bool, std::int64_t, double, std::string, BytesLiteral,
               BigInteger, Imaginary>
      value;
};
struct Name {
  std::string_view id;
};
struct Attribute {
  const Expression* object = nullptr;
  std::string_view name;
};
struct Subscript {
  const Expression* object = nullptr;
  const Expression* index = nullptr;  // a TupleDisplay for x[a, b]; Slice stands only here or in that tuple
};
struct Slice {
  const Expression* start = nullptr;  // each may be null
  const Expression* stop = nullptr;
  const Expression* step = nullptr;
};
struct Argument {
  std::string_view keyword;  // empty: positional
  int stars = 0;             // 1: *value, 2: **value
  const Expression* value = nullptr;
};
struct Call {
  const Expression* callee = nullptr;
  std::vector<Argument> arguments;
};
// op: "-", "+", "~", "not"
struct Unary {
  std::string_view op;
  const Expression* operand = nullptr;
};
// op: "+", "-", "*", "/", "//", "%", "@", "**", "<<", ">>", "&", "|", "^"
struct Binary {
  std::string_view op;
  const Expression* left = nullptr;
  const Expression* right = nullptr;
};
// a and b and c; a or b
struct Logical {
  bool is_and = true;
  Expressions operands;
};
// a < b <= c: first, then pairs of operator and operand. op: "==", "!=", "<", "<=", ">", ">=", "is", "is
// not", "in", "not in"
struct Comparison {
  const Expression* first = nullptr;
  std::vector<std::pair<std::string_view, const Expression*>> rest;
};
// then if test else otherwise
struct Conditional {
  const Expression* test = nullptr;
  const Expression* then = nullptr;
  const Expression* otherwise = nullptr;
};
struct TupleDisplay {
  Expressions items;
};
struct ListDisplay {
  Expressions items;
};
struct SetDisplay {
  Expressions items;
};
// A null key stands for **value.
struct DictDisplay {
  std::vector<std::pair<const Expression*, const Expression*>> entries;
};
struct Clause {
  const Expression* target = nullptr;
  const Expression* iterable = nullptr;
  Expressions conditions;
};
enum class ComprehensionKind : std::uint8_t { kList, kSet, kDict, kGenerator };
struct Comprehension {
  ComprehensionKind kind = ComprehensionKind::kList;
  const Expression* element = nullptr;  // the key of kDict
  const Expression* value = nullptr;    // of kDict only
  std::vector<Clause> clauses;
};
struct Starred {
  const Expression* value = nullptr;
};
// f"…": texts and expressions in turn.
struct FormattedPart {
  std::string text;                    // used when value is null
  const Expression* value = nullptr;   // {value!conversion:format}
  char conversion = 0;                 // 'r', 's', 'a' or 0
  const Expression* format = nullptr;  // a FormattedString or null
};
struct FormattedString {
  std::vector<FormattedPart> parts;
};
struct NamedExpression {
  std::string_view name;
  const Expression* value = nullptr;
};

enum class ParameterKind : std::uint8_t { kPositionalOnly, kPlain, kStar, kKeywordOnly, kDoubleStar };
struct Parameter {
  std::string_view name;
  ParameterKind kind = ParameterKind::kPlain;
  const Expression* annotation = nullptr;  // may be null
  const Expression* fallback = nullptr;    // the default; may be null
};
struct Lambda {
  std::vector<Parameter> parameters;
  const Expression* body = nullptr;
};
// yield, await: valid Python that no reader of this tree evaluates.
struct OtherExpression {
  std::string_view what;
};

struct Expression {
  Position at;
  std::uint32_t depth = 1;  // nodes on the longest way down, this one included; bounded by Limits::depth
  std::variant<Constant, Name, Attribute, Subscript, Slice, Call, Unary, Binary, Logical, Comparison,
               Conditional, TupleDisplay, ListDisplay, SetDisplay, DictDisplay, Comprehension, Starred,
               FormattedString, NamedExpression, Lambda, OtherExpression>
      value;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

// --- statements ------------------------------------------------------------------------------------------
struct ExpressionStatement {
  const Expression* value = nullptr;
};
// a = b = value: targets from left to right.
struct Assign {
  Expressions targets;
  const Expression* value = nullptr;
};
// target op= value; op without the equals sign.
struct AugmentedAssign {
  const Expression* target = nullptr;
  std::string_view op;
  const Expression* value = nullptr;
};
struct AnnotatedAssign {
  const Expression* target = nullptr;
  const Expression* annotation = nullptr;
  const Expression* value = nullptr;  // may be null
};
struct If {
  const Expression* test = nullptr;
  Body body;
  Body otherwise;  // elif is an If in here
};
struct While {
  const Expression* test = nullptr;
  Body body;
  Body otherwise;
};
struct For {
  const Expression* target = nullptr;
  const Expression* iterable = nullptr;
  Body body;
  Body otherwise;
};
struct Break {};
struct Continue {};
struct Pass {};
struct Return {
  const Expression* value = nullptr;  // may be null
};
struct Raise {
  const Expression* exception = nullptr;  // may be null
  const Expression* cause = nullptr;      // may be null
};
struct Assert {
  const Expression* test = nullptr;
  const Expression* message = nullptr;  // may be null
};
struct WithItem {
  const Expression* context = nullptr;
  const Expression* target = nullptr;  // may be null
};
struct With {
  std::vector<WithItem> items;
  Body body;
};
struct ExceptHandler {
  const Expression* type = nullptr;  // may be null
  std::string_view name;
  Body body;
};
struct Try {
  Body body;
  std::vector<ExceptHandler> handlers;
  Body otherwise;
  Body finally;
};
struct Delete {
  Expressions targets;
};
struct Scope {
  bool is_global = true;  // else nonlocal
  std::vector<std::string_view> names;
};
struct ImportedName {
  std::string name;        // dotted for `import a.b`; "*" for a star import
  std::string_view alias;  // may be empty
};
struct Import {
  std::vector<ImportedName> names;
};
struct ImportFrom {
  std::string module;  // may be empty (from . import x)
  int level = 0;       // leading dots
  std::vector<ImportedName> names;
};
struct Function {
  std::string_view name;
  std::vector<Parameter> parameters;
  const Expression* returns = nullptr;  // may be null
  Body body;
  Expressions decorators;
  bool is_async = false;
};
struct Class {
  std::string_view name;
  std::vector<Argument> bases;  // keywords as keyword arguments
  Body body;
  Expressions decorators;
};
// async for, match, type: valid Python that no reader of this tree evaluates; bodies are skipped.
struct OtherStatement {
  std::string_view what;
};

struct Statement {
  Position at;
  std::variant<ExpressionStatement, Assign, AugmentedAssign, AnnotatedAssign, If, While, For, Break, Continue,
               Pass, Return, Raise, Assert, With, Try, Delete, Scope, Import, ImportFrom, Function, Class,
               OtherStatement>
      value;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

// --- the whole -------------------------------------------------------------------------------------------
class Module {
 public:
  Module(std::string name, std::string source);
  Module(Module&&) noexcept = default;
  Module& operator=(Module&&) noexcept = default;

  const std::string& name() const { return *name_; }  // of the file, for messages
  std::string_view source() const { return *source_; }
  const Body& body() const { return body_; }

  // "model.py:12"
  std::string where(Position at) const;
  // The line itself, trimmed; "" past the end.
  std::string_view line(Position at) const;

  // A top-level class or function by name, the last one that has it; null when there is none.
  const Class* find_class(std::string_view name) const;
  const Function* find_function(std::string_view name) const;

  // "torch.nn.functional" for a Name or Attribute chain of that spelling, "" for anything else.
  static std::string dotted(const Expression& expression);

 private:
  friend class Parser;
  std::unique_ptr<std::string> name_;
  std::unique_ptr<std::string> source_;
  std::deque<Expression> expressions_;
  std::deque<Statement> statements_;
  Body body_;
};

// As Module::find_function, for the methods of a class.
const Function* find_method(const Class& definition, std::string_view name);

}  // namespace wherry::python
