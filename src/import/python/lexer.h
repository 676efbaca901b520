// Python source as tokens (docs.python.org/3/reference/lexical_analysis.html): indentation becomes kIndent
// and kDedent, lines joined by brackets or a backslash are one, comments are gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/python/ast.h"

namespace wherry::python {

enum class TokenKind : std::uint8_t { kName, kNumber, kString, kOperator, kNewline, kIndent, kDedent, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Position at;
  std::string_view text;  // as spelled, borrowed; a string with its prefix and quotes; names include keywords
};

// A cursor over source which makes one token per call; after kEnd only kEnd. Single use, not thread-safe.
class Lexer {
 public:
  // `inside_brackets`: for the expression in the braces of an f-string; line ends mean nothing there.
  Lexer(std::string_view source, std::string_view file, Position start = {}, bool inside_brackets = false);

  base::Result<Token> next();

 private:
  base::Result<Token> at_line_start();
  base::Result<Token> number();
  base::Result<Token> string(std::size_t prefix);
  base::Result<Token> operator_token();
  base::Result<std::size_t> end_of_string(std::size_t from, std::string_view quote, bool formatted,
                                          int nesting);
  std::unexpected<base::Error> error(std::string message) const;
  Token token(TokenKind kind, std::size_t end);
  std::size_t prefix_of_string() const;
  bool skip_blank();  // spaces, comments, joined lines; true when a line ended

  char peek(std::size_t ahead = 0) const {
    return offset_ + ahead < source_.size() ? source_[offset_ + ahead] : '\0';
  }
  void new_line(std::size_t width);
  Position here() const;

  std::string_view source_;
  std::string_view file_;
  std::size_t offset_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t first_column_ = 1;  // of the first line
  std::uint32_t first_line_ = 1;
  std::vector<std::uint32_t> indents_ = {0};
  int brackets_ = 0;
  bool embedded_ = false;
  bool line_begins_ = true;
  bool line_has_tokens_ = false;
  int pending_dedents_ = 0;
};

// The error "python.syntax" of a place.
std::unexpected<base::Error> syntax_error(std::string_view file, Position at, std::string message);

}  // namespace wherry::python
