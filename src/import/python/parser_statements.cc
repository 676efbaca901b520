#include <array>

#include "base/text.h"
#include "import/python/parser.h"
#include "import/python/parser_state.h"

namespace wherry::python {

base::Result<Module> parse(std::string source, std::string name, const Limits& limits) {
  if (source.size() > limits.bytes) {
    return base::fail(base::Code::kLimit, "python.limit",
                      base::cat(name, " has ", base::human_size(source.size()), ", more than ",
                                base::human_size(limits.bytes)));
  }
  Module module(std::move(name), std::move(source));
  Parser parser(module, limits);
  TRY(parser.file());
  return module;
}

Parser::Parser(Module& module, const Limits& limits)
    : module_(module), limits_(limits), lexer_(module.source(), module.name()) {}

Parser::Parser(Parser& outer, std::string_view source, Position start)
    : module_(outer.module_),
      limits_(outer.limits_),
      lexer_(source, outer.module_.name(), start, true),
      level_(outer.level_) {}

// --- tokens ------------------------------------------------------------------------------------------------

base::Status Parser::advance() {
  TRY_ASSIGN(token_, lexer_.next());
  return {};
}

bool Parser::is(std::string_view text) const {
  return (token_.kind == TokenKind::kName || token_.kind == TokenKind::kOperator) && token_.text == text;
}

bool Parser::is_any(std::initializer_list<std::string_view> texts) const {
  for (const std::string_view text : texts) {
    if (is(text)) return true;
  }
  return false;
}

base::Result<bool> Parser::accept(std::string_view text) {
  if (!is(text)) return false;
  TRY(advance());
  return true;
}

base::Status Parser::expect(std::string_view text) {
  if (!is(text)) return unexpected_token(base::cat("'", text, "'"));
  return advance();
}

base::Result<std::string_view> Parser::identifier(std::string_view role) {
  if (token_.kind != TokenKind::kName || is_keyword(token_.text)) {
    return unexpected_token(base::cat("the name of ", role));
  }
  const std::string_view name = token_.text;
  TRY(advance());
  return name;
}

std::unexpected<base::Error> Parser::error(std::string message) const {
  return syntax_error(module_.name(), token_.at, std::move(message));
}

std::unexpected<base::Error> Parser::unexpected_token(std::string_view wanted) const {
  std::string found;
  switch (token_.kind) {
    case TokenKind::kNewline:
      found = "the end of the line";
      break;
    case TokenKind::kEnd:
      found = "the end";
      break;
    case TokenKind::kIndent:
      found = "more indentation";
      break;
    case TokenKind::kDedent:
      found = "less indentation";
      break;
    default:
      found = base::quoted(token_.text, 40);
  }
  return error(base::cat("expected ", wanted, ", found ", found));
}

base::Status Parser::append(Body& body, Statement made) {
  if (module_.expressions_.size() + module_.statements_.size() >= limits_.nodes) {
    return base::fail(
        base::Code::kLimit, "python.limit",
        base::cat(module_.name(), " has more than ", limits_.nodes, " expressions and statements"));
  }
  module_.statements_.push_back(std::move(made));
  body.push_back(&module_.statements_.back());
  return {};
}

// --- statements --------------------------------------------------------------------------------------------

base::Status Parser::file() {
  TRY(advance());
  while (token_.kind != TokenKind::kEnd) TRY(statement(module_.body_));
  return {};
}

base::Status Parser::statement(Body& into) {
  const Deeper level(*this);
  TRY(deeper());
  if (token_.kind == TokenKind::kNewline) return advance();
  if (token_.kind == TokenKind::kIndent || token_.kind == TokenKind::kDedent)
    return unexpected_token("a statement");
  if (token_.kind == TokenKind::kName || is("@")) {
    TRY_ASSIGN(const bool done, compound(into));
    if (done) return {};
  }
  return simple_line(into);
}

base::Result<bool> Parser::compound(Body& into) {
  const Position at = token_.at;
  if (is("if")) {
    TRY(if_statement(into));
  } else if (is("while")) {
    While made;
    TRY(advance());
    TRY_ASSIGN(made.test, named_expression());
    TRY_ASSIGN(made.body, block());
    TRY_ASSIGN(made.otherwise, otherwise());
    TRY(append(into, at, std::move(made)));
  } else if (is("for")) {
    TRY(for_statement(into));
  } else if (is("with")) {
    TRY(with_statement(into));
  } else if (is("try")) {
    TRY(try_statement(into));
  } else if (is("def")) {
    TRY(function(into, {}, false));
  } else if (is("class")) {
    TRY(class_statement(into, {}));
  } else if (is("@")) {
    TRY(decorated(into));
  } else {
    return other_statement(into);
  }
  return true;
}

// `async …`, `match subject:` and `type X = …`; the last two are names elsewhere.
base::Result<bool> Parser::other_statement(Body& into) {
  const Position at = token_.at;
  if (is("async")) {
    TRY(advance());
    if (is("def")) {
      TRY(function(into, {}, true));
      return true;
    }
    if (!is("for") && !is("with")) return unexpected_token("'def', 'for' or 'with'");
    TRY(skip_to_line_end());
    TRY(skip_block());
    TRY(append(into, at, OtherStatement{"async"}));
    return true;
  }
  if (is("match") && starts_match()) {
    TRY(skip_to_line_end());
    TRY(skip_block());
    TRY(append(into, at, OtherStatement{"match"}));
    return true;
  }
  return false;
}

// Whether the line that starts with the name "match" ends with a colon, outside of brackets and strings: a
// look at the text, because the lexer does not go back.
bool Parser::starts_match() const {
  const auto offset = static_cast<std::size_t>(token_.text.data() - module_.source().data());
  std::string_view line = module_.source().substr(offset + token_.text.size());
  line = line.substr(0, line.find_first_of("\r\n#"));
  line = base::trim(line);
  if (!line.ends_with(":")) return false;
  const char next = line.front();
  return next != ':' && next != '=' && next != '.' && next != ',';
}

base::Status Parser::skip_to_line_end() {
  while (token_.kind != TokenKind::kNewline && token_.kind != TokenKind::kEnd) TRY(advance());
  return {};
}

base::Status Parser::skip_block() {
  TRY(advance());
  if (token_.kind != TokenKind::kIndent) return unexpected_token("an indented block");
  int depth = 0;
  do {
    if (token_.kind == TokenKind::kIndent) ++depth;
    if (token_.kind == TokenKind::kDedent) --depth;
    if (token_.kind == TokenKind::kEnd) return {};
    TRY(advance());
  } while (depth > 0);
  return {};
}

base::Result<Body> Parser::block() {
  TRY(expect(":"));
  Body body;
  if (token_.kind != TokenKind::kNewline) {
    TRY(simple_line(body));
    return body;
  }
  TRY(advance());
  if (token_.kind != TokenKind::kIndent) return unexpected_token("an indented block");
  TRY(advance());
  while (token_.kind != TokenKind::kDedent && token_.kind != TokenKind::kEnd) TRY(statement(body));
  if (token_.kind == TokenKind::kDedent) TRY(advance());
  return body;
}

base::Result<Body> Parser::otherwise() {
  TRY_ASSIGN(const bool there, accept("else"));
  if (!there) return Body{};
  return block();
}

base::Status Parser::if_statement(Body& into) {
  const Deeper level(*this);
  TRY(deeper());
  const Position at = token_.at;
  If made;
  TRY(advance());
  TRY_ASSIGN(made.test, named_expression());
  TRY_ASSIGN(made.body, block());
  if (is("elif")) {
    TRY(if_statement(made.otherwise));
  } else {
    TRY_ASSIGN(made.otherwise, otherwise());
  }
  return append(into, at, std::move(made));
}

base::Status Parser::for_statement(Body& into) {
  const Position at = token_.at;
  For made;
  TRY(advance());
  TRY_ASSIGN(made.target, target_list());
  TRY(expect("in"));
  TRY_ASSIGN(made.iterable, star_expressions());
  TRY_ASSIGN(made.body, block());
  TRY_ASSIGN(made.otherwise, otherwise());
  return append(into, at, std::move(made));
}

// At the opening parenthesis of a `with`: whether it stands around the items (`with (a as x, b as y):`)
// rather than in an expression, which an `as` inside tells.
bool Parser::wraps_items() const {
  std::string_view line =
      module_.source().substr(static_cast<std::size_t>(token_.text.data() - module_.source().data()));
  line = base::trim(line.substr(0, line.find(":\n")));
  return line.ends_with(")") && line.find(" as ") != std::string_view::npos;
}

base::Status Parser::with_statement(Body& into) {
  const Position at = token_.at;
  With made;
  TRY(advance());
  const bool wrapped = is("(") && wraps_items();
  if (wrapped) TRY(advance());
  while (!is(")") && !is(":")) {
    WithItem item;
    TRY_ASSIGN(item.context, expression());
    TRY_ASSIGN(const bool named, accept("as"));
    if (named) {
      TRY_ASSIGN(item.target, postfix());
    }
    made.items.push_back(item);
    TRY_ASSIGN(const bool more, accept(","));
    if (!more) break;
  }
  if (made.items.empty()) return unexpected_token("an expression");
  if (wrapped) TRY(expect(")"));
  TRY_ASSIGN(made.body, block());
  return append(into, at, std::move(made));
}

base::Status Parser::try_statement(Body& into) {
  const Position at = token_.at;
  Try made;
  TRY(advance());
  TRY_ASSIGN(made.body, block());
  while (is("except")) {
    ExceptHandler handler;
    TRY(advance());
    TRY_ASSIGN([[maybe_unused]] const bool group, accept("*"));
    if (!is(":")) {
      TRY_ASSIGN(handler.type, star_expressions());
      TRY_ASSIGN(const bool named, accept("as"));
      if (named) {
        TRY_ASSIGN(handler.name, identifier("an exception"));
      }
    }
    TRY_ASSIGN(handler.body, block());
    made.handlers.push_back(std::move(handler));
  }
  TRY_ASSIGN(made.otherwise, otherwise());
  TRY_ASSIGN(const bool ends, accept("finally"));
  if (ends) {
    TRY_ASSIGN(made.finally, block());
  }
  if (made.handlers.empty() && !ends) return unexpected_token("'except' or 'finally'");
  return append(into, at, std::move(made));
}

base::Status Parser::decorated(Body& into) {
  Expressions decorators;
  while (is("@")) {
    TRY(advance());
    TRY_ASSIGN(const Expression* decorator, named_expression());
    decorators.push_back(decorator);
    if (token_.kind != TokenKind::kNewline) return unexpected_token("the end of the line");
    TRY(advance());
  }
  if (is("class")) return class_statement(into, std::move(decorators));
  TRY_ASSIGN(const bool is_async, accept("async"));
  if (!is("def")) return unexpected_token("'def' or 'class'");
  return function(into, std::move(decorators), is_async);
}

base::Status Parser::function(Body& into, Expressions decorators, bool is_async) {
  const Position at = token_.at;
  Function made;
  made.decorators = std::move(decorators);
  made.is_async = is_async;
  TRY(advance());
  TRY_ASSIGN(made.name, identifier("a function"));
  if (is("[")) {  // type parameters say nothing to us
    TRY(advance());
    while (!is("]") && token_.kind != TokenKind::kEnd) TRY(advance());
    TRY(expect("]"));
  }
  TRY(expect("("));
  TRY_ASSIGN(made.parameters, parameters(")", true));
  TRY_ASSIGN(const bool typed, accept("->"));
  if (typed) {
    TRY_ASSIGN(made.returns, expression());
  }
  TRY_ASSIGN(made.body, block());
  return append(into, at, std::move(made));
}

base::Status Parser::class_statement(Body& into, Expressions decorators) {
  const Position at = token_.at;
  Class made;
  made.decorators = std::move(decorators);
  TRY(advance());
  TRY_ASSIGN(made.name, identifier("a class"));
  if (is("[")) {
    TRY(advance());
    while (!is("]") && token_.kind != TokenKind::kEnd) TRY(advance());
    TRY(expect("]"));
  }
  TRY_ASSIGN(const bool based, accept("("));
  if (based) {
    TRY_ASSIGN(made.bases, arguments());
  }
  TRY_ASSIGN(made.body, block());
  return append(into, at, std::move(made));
}

base::Status Parser::simple_line(Body& into) {
  while (true) {
    TRY(simple(into));
    TRY_ASSIGN(const bool more, accept(";"));
    if (!more || token_.kind == TokenKind::kNewline) break;
  }
  if (token_.kind != TokenKind::kNewline) return unexpected_token("the end of the statement");
  return advance();
}

base::Status Parser::simple(Body& into) {
  const Position at = token_.at;
  if (is("pass") || is("break") || is("continue")) {
    const std::string_view word = token_.text;
    TRY(advance());
    if (word == "break") return append(into, at, Break{});
    if (word == "continue") return append(into, at, Continue{});
    return append(into, at, Pass{});
  }
  if (is("return")) {
    Return made;
    TRY(advance());
    if (token_.kind != TokenKind::kNewline && !is(";")) {
      TRY_ASSIGN(made.value, star_expressions());
    }
    return append(into, at, made);
  }
  if (is("raise")) {
    Raise made;
    TRY(advance());
    if (token_.kind != TokenKind::kNewline && !is(";")) {
      TRY_ASSIGN(made.exception, expression());
    }
    TRY_ASSIGN(const bool from, accept("from"));
    if (from) {
      TRY_ASSIGN(made.cause, expression());
    }
    return append(into, at, made);
  }
  if (is("assert")) {
    Assert made;
    TRY(advance());
    TRY_ASSIGN(made.test, named_expression());
    TRY_ASSIGN(const bool told, accept(","));
    if (told) {
      TRY_ASSIGN(made.message, expression());
    }
    return append(into, at, made);
  }
  if (is("del")) {
    TRY(advance());
    TRY_ASSIGN(const Expression* target, star_expressions());
    const TupleDisplay* several = target->as<TupleDisplay>();
    return append(into, at, Delete{several ? several->items : Expressions{target}});
  }
  if (is("global") || is("nonlocal")) {
    Scope made{is("global"), {}};
    bool more = true;
    TRY(advance());
    while (more) {
      TRY_ASSIGN(const std::string_view name, identifier("a variable"));
      made.names.push_back(name);
      TRY_ASSIGN(more, accept(","));
    }
    return append(into, at, std::move(made));
  }
  if (is("import")) return import_statement(into);
  if (is("from")) return import_from(into);
  return expression_statement(into);
}

base::Status Parser::expression_statement(Body& into) {
  constexpr std::array<std::string_view, 13> kAugmented = {
      "+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**="};
  const Position at = token_.at;
  const bool names_type = is("type");
  TRY_ASSIGN(const Expression* first, star_expressions());
  if (names_type && first->as<Name>() && token_.kind == TokenKind::kName) {  // type X = …
    TRY(skip_to_line_end());
    return append(into, at, OtherStatement{"type"});
  }
  for (const std::string_view op : kAugmented) {
    if (!is(op)) continue;
    TRY(advance());
    TRY_ASSIGN(const Expression* value, star_expressions());
    return append(into, at, AugmentedAssign{first, op.substr(0, op.size() - 1), value});
  }
  if (is(":")) {
    AnnotatedAssign made{first, nullptr, nullptr};
    TRY(advance());
    TRY_ASSIGN(made.annotation, expression());
    TRY_ASSIGN(const bool valued, accept("="));
    if (valued) {
      TRY_ASSIGN(made.value, star_expressions());
    }
    return append(into, at, made);
  }
  if (!is("=")) return append(into, at, ExpressionStatement{first});
  Assign made;
  const Expression* value = first;
  while (is("=")) {
    made.targets.push_back(value);
    TRY(advance());
    TRY_ASSIGN(value, star_expressions());
  }
  made.value = value;
  return append(into, at, std::move(made));
}

base::Result<std::string> Parser::dotted_name() {
  TRY_ASSIGN(const std::string_view first, identifier("a module"));
  std::string name(first);
  while (is(".")) {
    TRY(advance());
    TRY_ASSIGN(const std::string_view part, identifier("a module"));
    name += '.';
    name += part;
  }
  return name;
}

base::Status Parser::import_statement(Body& into) {
  const Position at = token_.at;
  Import made;
  TRY(advance());
  bool more = true;
  while (more) {
    ImportedName name;
    TRY_ASSIGN(name.name, dotted_name());
    TRY_ASSIGN(const bool renamed, accept("as"));
    if (renamed) {
      TRY_ASSIGN(name.alias, identifier("a module"));
    }
    made.names.push_back(std::move(name));
    TRY_ASSIGN(more, accept(","));
  }
  return append(into, at, std::move(made));
}

base::Status Parser::import_from(Body& into) {
  const Position at = token_.at;
  ImportFrom made;
  TRY(advance());
  while (is(".") || is("...")) {
    made.level += static_cast<int>(token_.text.size());
    TRY(advance());
  }
  if (!is("import")) {
    TRY_ASSIGN(made.module, dotted_name());
  }
  TRY(expect("import"));
  TRY_ASSIGN(const bool star, accept("*"));
  if (star) {
    made.names.push_back({"*", {}});
    return append(into, at, std::move(made));
  }
  TRY_ASSIGN(const bool wrapped, accept("("));
  bool more = true;
  while (more && !(wrapped && is(")"))) {
    ImportedName name;
    TRY_ASSIGN(const std::string_view imported, identifier("what is imported"));
    name.name = imported;
    TRY_ASSIGN(const bool renamed, accept("as"));
    if (renamed) {
      TRY_ASSIGN(name.alias, identifier("what is imported"));
    }
    made.names.push_back(std::move(name));
    TRY_ASSIGN(more, accept(","));
  }
  if (wrapped) TRY(expect(")"));
  if (made.names.empty()) return unexpected_token("a name");
  return append(into, at, std::move(made));
}

}  // namespace wherry::python
