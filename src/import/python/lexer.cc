#include "import/python/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace wherry::python {
namespace {

constexpr std::size_t kMostIndents = 100;  // as CPython
constexpr int kMostBrackets = 400;
constexpr int kMostNesting = 8;  // strings in the braces of f-strings, one inside the other

constexpr auto kOperators = std::to_array<std::string_view>(
    {"**=", "//=", ">>=", "<<=", "...", "!=", "->", ":=", "==", "<=", ">=", "+=", "-=", "*=", "/=", "%=",
     "@=",  "&=",  "|=",  "^=",  "**",  "//", "<<", ">>", "+",  "-",  "*",  "/",  "%",  "@",  "&",  "|",
     "^",   "~",   "<",   ">",   "(",   ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",  ";",  "="});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool starts_name(char c) {
  return (base::is_ascii_alphanumeric(c) && !is_digit(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) {
  return starts_name(c) || is_digit(c);
}

}  // namespace

std::unexpected<base::Error> syntax_error(std::string_view file, Position at, std::string message) {
  return base::fail(base::Code::kInvalidInput, "python.syntax",
                    base::cat(file, ":", at.line, ":", at.column, ": ", message),
                    "check that the file is valid Python 3");
}

Lexer::Lexer(std::string_view source, std::string_view file, Position start, bool inside_brackets)
    : source_(source),
      file_(file),
      line_(start.line),
      first_column_(start.column),
      first_line_(start.line),
      embedded_(inside_brackets) {
  if (source_.starts_with("\xef\xbb\xbf")) offset_ = line_start_ = 3;
  if (embedded_) line_begins_ = false;
}

Position Lexer::here() const {
  const auto column = static_cast<std::uint32_t>(offset_ - line_start_ + 1);
  return {line_, line_ == first_line_ ? column + first_column_ - 1 : column};
}

std::unexpected<base::Error> Lexer::error(std::string message) const {
  return syntax_error(file_, here(), std::move(message));
}

void Lexer::new_line(std::size_t width) {
  offset_ += width;
  line_start_ = offset_;
  ++line_;
}

Token Lexer::token(TokenKind kind, std::size_t end) {
  Token made{kind, here(), source_.substr(offset_, end - offset_)};
  offset_ = end;
  line_has_tokens_ = true;
  return made;
}

bool Lexer::skip_blank() {
  while (offset_ < source_.size()) {
    const char c = peek();
    const std::size_t end_width = c == '\n' ? 1 : c == '\r' ? (peek(1) == '\n' ? 2 : 1) : 0;
    if (c == ' ' || c == '\t' || c == '\f') {
      ++offset_;
    } else if (c == '#') {
      while (offset_ < source_.size() && peek() != '\n' && peek() != '\r') ++offset_;
    } else if (c == '\\' && (peek(1) == '\n' || peek(1) == '\r')) {
      ++offset_;
      new_line(peek() == '\r' && peek(1) == '\n' ? 2 : 1);
    } else if (end_width != 0) {
      if (brackets_ == 0 && !embedded_) return true;
      new_line(end_width);
    } else {
      return false;
    }
  }
  return false;
}

base::Result<Token> Lexer::at_line_start() {
  while (true) {  // lines without tokens do not count
    std::uint32_t width = 0;
    while (peek() == ' ' || peek() == '\t' || peek() == '\f') {
      if (peek() == '\f') width = 0;
      if (peek() == ' ') ++width;
      if (peek() == '\t') width = (width / 8 + 1) * 8;
      ++offset_;
    }
    if (peek() == '#') {
      while (offset_ < source_.size() && peek() != '\n' && peek() != '\r') ++offset_;
    }
    if (offset_ >= source_.size()) width = 0;
    if (peek() == '\n' || peek() == '\r') {
      new_line(peek() == '\r' && peek(1) == '\n' ? 2 : 1);
      continue;
    }
    line_begins_ = false;
    line_has_tokens_ = false;
    if (width > indents_.back()) {
      if (indents_.size() >= kMostIndents) return error("too many levels of indentation");
      indents_.push_back(width);
      return Token{TokenKind::kIndent, here(), {}};
    }
    while (width < indents_.back()) {
      indents_.pop_back();
      ++pending_dedents_;
    }
    if (width != indents_.back()) return error("this indentation matches no outer one");
    return next();
  }
}

base::Result<Token> Lexer::next() {
  if (line_begins_) return at_line_start();
  if (pending_dedents_ > 0) {
    --pending_dedents_;
    return Token{TokenKind::kDedent, here(), {}};
  }
  if (skip_blank()) {
    Token made{TokenKind::kNewline, here(), {}};
    new_line(peek() == '\r' && peek(1) == '\n' ? 2 : 1);
    line_begins_ = true;
    return made;
  }
  if (offset_ >= source_.size()) {
    if (embedded_) return Token{TokenKind::kEnd, here(), {}};
    if (brackets_ > 0) return error("a bracket is never closed");
    if (line_has_tokens_) {
      line_has_tokens_ = false;
      line_begins_ = true;
      return Token{TokenKind::kNewline, here(), {}};
    }
    return Token{TokenKind::kEnd, here(), {}};
  }
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (const std::size_t prefix = prefix_of_string(); prefix != std::string_view::npos) return string(prefix);
  if (starts_name(c)) {
    std::size_t end = offset_ + 1;
    while (end < source_.size() && continues_name(source_[end])) ++end;
    return token(TokenKind::kName, end);
  }
  return operator_token();
}

base::Result<Token> Lexer::number() {
  std::size_t end = offset_;
  const auto at = [&](std::size_t i) { return i < source_.size() ? source_[i] : '\0'; };
  if (peek() == '0' && (peek(1) | 0x20) >= 'a' &&
      ((peek(1) | 0x20) == 'x' || (peek(1) | 0x20) == 'o' || (peek(1) | 0x20) == 'b')) {
    end += 2;
    while (base::is_ascii_alphanumeric(at(end)) || at(end) == '_') ++end;
    return token(TokenKind::kNumber, end);
  }
  const auto digits = [&] {
    while (is_digit(at(end)) || (at(end) == '_' && is_digit(at(end + 1)))) ++end;
  };
  digits();
  if (at(end) == '.') {
    ++end;
    digits();
  }
  if ((at(end) | 0x20) == 'e') {
    const std::size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
    if (is_digit(at(end + 1 + sign))) {
      end += 1 + sign;
      digits();
    }
  }
  if ((at(end) | 0x20) == 'j') ++end;
  return token(TokenKind::kNumber, end);
}

// Bytes of the prefix when a string starts here, else npos.
std::size_t Lexer::prefix_of_string() const {
  std::size_t length = 0;
  while (length < 3 && std::string_view("rRbBuUfF").find(peek(length)) != std::string_view::npos &&
         peek(length))
    ++length;
  return peek(length) == '"' || peek(length) == '\'' ? length : std::string_view::npos;
}

// The offset behind the closing quote of the string whose inside starts at `from`.
base::Result<std::size_t> Lexer::end_of_string(std::size_t from, std::string_view quote, bool formatted,
                                               int nesting) {
  if (nesting > kMostNesting) return error("f-strings are nested too deep");
  int braces = 0;
  for (std::size_t i = from; i < source_.size();) {
    const char c = source_[i];
    if (formatted && c == '{') {
      if (braces == 0 && source_.substr(i, 2) == "{{") {
        i += 2;
        continue;
      }
      ++braces;
    } else if (formatted && c == '}' && braces > 0) {
      --braces;
    } else if (braces > 0 && (c == '"' || c == '\'') &&
               !(quote.size() == 3 && source_.substr(i, 3) == quote)) {
      const bool triple = source_.substr(i, 3) == std::string(3, c);
      const bool inner_formatted = (source_[i - 1] | 0x20) == 'f';
      TRY_ASSIGN(i, end_of_string(i + (triple ? 3 : 1), source_.substr(i, triple ? 3 : 1), inner_formatted,
                                  nesting + 1));
      continue;
    } else if (c == '\\') {
      i += source_.substr(i, 3) == "\\\r\n" ? 3 : 2;
      continue;
    } else if (source_.substr(i, quote.size()) == quote) {
      return i + quote.size();
    } else if (quote.size() == 1 && (c == '\n' || c == '\r')) {
      break;
    }
    ++i;
  }
  return error("a string is never closed");
}

base::Result<Token> Lexer::string(std::size_t prefix) {
  const std::size_t quotes = offset_ + prefix;
  const bool triple = source_.substr(quotes, 3) == std::string(3, source_[quotes]);
  const std::string_view quote = source_.substr(quotes, triple ? 3 : 1);
  const bool formatted = source_.substr(offset_, prefix).find_first_of("fF") != std::string_view::npos;
  TRY_ASSIGN(const std::size_t end, end_of_string(quotes + quote.size(), quote, formatted, 0));
  const std::size_t begin = offset_;
  Token made = token(TokenKind::kString, end);
  for (std::size_t i = begin; i < end; ++i) {  // a string may span lines
    const bool ends = source_[i] == '\n' || (source_[i] == '\r' && (i + 1 >= end || source_[i + 1] != '\n'));
    if (!ends) continue;
    ++line_;
    line_start_ = i + 1;
  }
  return made;
}

base::Result<Token> Lexer::operator_token() {
  const std::string_view rest = source_.substr(offset_);
  for (const std::string_view spelling : kOperators) {
    if (!rest.starts_with(spelling)) continue;
    if (spelling == "(" || spelling == "[" || spelling == "{") {
      if (++brackets_ > kMostBrackets) return error("too many brackets inside each other");
    } else if (spelling == ")" || spelling == "]" || spelling == "}") {
      if (--brackets_ < 0) return error(base::cat("'", spelling, "' without its opening bracket"));
    }
    return token(TokenKind::kOperator, offset_ + spelling.size());
  }
  if (rest.starts_with("!")) return token(TokenKind::kOperator, offset_ + 1);  // conversions of f-strings
  return error(base::cat("unexpected character ", base::quoted(rest.substr(0, 1))));
}

}  // namespace wherry::python
