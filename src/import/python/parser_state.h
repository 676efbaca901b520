// The recursive-descent parser: one member per rule of the grammar. Internal to the module.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "import/python/ast.h"
#include "import/python/lexer.h"
#include "import/python/parser.h"

namespace wherry::python {

// Reads one Module. Single use, not thread-safe.
class Parser {
 public:
  Parser(Module& module, const Limits& limits);

  base::Status file();

 private:
  using Made = base::Result<const Expression*>;

  // The expression in the braces of an f-string, which starts at `start`.
  Parser(Parser& outer, std::string_view source, Position start);

  // --- tokens
  base::Status advance();
  bool is(std::string_view text) const;  // operator or name spelled so
  bool is_any(std::initializer_list<std::string_view> texts) const;
  base::Result<bool> accept(std::string_view text);
  base::Status expect(std::string_view text);
  base::Result<std::string_view> identifier(std::string_view role);
  std::unexpected<base::Error> error(std::string message) const;
  std::unexpected<base::Error> unexpected_token(std::string_view wanted) const;

  // --- nodes
  template <class T>
  Made make(Position at, T value) {
    return add(Expression{at, 1, std::move(value)});
  }
  Made add(Expression made);
  template <class T>
  base::Status append(Body& body, Position at, T value) {
    return append(body, Statement{at, std::move(value)});
  }
  base::Status append(Body& body, Statement made);
  base::Status deeper();

  // --- expressions (parser_expressions.cc)
  Made expression();        // with if-else, lambda
  Made named_expression();  // x := …
  Made star_expressions();  // a, *b: a tuple when there is a comma
  base::Result<Expressions> items(bool& comma);
  Made target_list();  // of for and comprehensions
  Made logical(bool is_and);
  Made negation();
  Made comparison();
  Made binary(int level);
  Made unary();
  Made power();
  Made postfix();
  Made subscript(const Expression* object, Position at);
  Made slice();
  base::Result<std::vector<Argument>> arguments();  // behind the opening parenthesis, through the closing one
  Made atom();
  Made keyword_atom();
  Made parenthesis();
  Made list();
  Made braces();
  Made lambda();
  Made strings();
  Made formatted(std::string_view text, Position at, bool raw, int nesting);
  base::Status replacement_field(std::string_view text, std::size_t& i, Position at, bool raw, int nesting,
                                 FormattedString& into);
  base::Result<std::vector<Clause>> clauses();
  base::Result<std::vector<Parameter>> parameters(std::string_view end, bool annotated);

  // --- statements (parser_statements.cc)
  base::Status statement(Body& into);
  base::Status simple_line(Body& into);
  base::Status simple(Body& into);
  base::Status expression_statement(Body& into);
  base::Result<Body> block();
  base::Result<Body> otherwise();  // else: …, empty when there is none
  base::Result<bool> compound(Body& into);
  base::Status if_statement(Body& into);
  base::Status for_statement(Body& into);
  base::Status with_statement(Body& into);
  base::Status try_statement(Body& into);
  base::Status decorated(Body& into);
  base::Status function(Body& into, Expressions decorators, bool is_async);
  base::Status class_statement(Body& into, Expressions decorators);
  base::Status import_statement(Body& into);
  base::Status import_from(Body& into);
  base::Result<std::string> dotted_name();
  base::Status skip_block();
  base::Status skip_to_line_end();
  bool starts_match() const;
  bool wraps_items() const;
  base::Result<bool> other_statement(Body& into);

  struct Deeper {  // counts one level for as long as it lives
    explicit Deeper(Parser& parser) : level(parser.level_) { ++level; }
    ~Deeper() { --level; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    std::size_t& level;
  };

  Module& module_;
  const Limits& limits_;
  Lexer lexer_;
  Token token_;
  std::size_t level_ = 0;
};

// Whether a name is reserved (False, None, and, class …).
bool is_keyword(std::string_view name);

}  // namespace wherry::python
