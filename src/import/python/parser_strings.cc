#include "base/text.h"
#include "import/python/literals.h"
#include "import/python/parser_state.h"

namespace wherry::python {
namespace {

constexpr int kMostNesting = 4;  // of format specifications in each other

// Where the expression of a replacement field ends: at "}", "!conversion" or ":format" outside of brackets
// and strings; text.size() when it does not.
std::size_t end_of_field(std::string_view text, std::size_t from) {
  int brackets = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'' || c == '"') {
      const std::string_view quote = text.substr(i, text.substr(i, 3) == std::string(3, c) ? 3 : 1);
      std::size_t end = i + quote.size();
      while (end < text.size() && text.substr(end, quote.size()) != quote) end += text[end] == '\\' ? 2 : 1;
      i = end + quote.size() - 1;
    } else if (c == '(' || c == '[' || c == '{') {
      ++brackets;
    } else if (brackets > 0 && (c == ')' || c == ']' || c == '}')) {
      --brackets;
    } else if (brackets == 0 && (c == '}' || c == ':' || (c == '!' && text.substr(i, 2) != "!="))) {
      return i;
    }
  }
  return text.size();
}

// Where the format specification that starts at `from` ends.
std::size_t end_of_format(std::string_view text, std::size_t from) {
  int braces = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '{') ++braces;
    if (text[i] == '}' && braces-- == 0) return i;
  }
  return text.size();
}

}  // namespace

// Adjacent string tokens are one value.
Parser::Made Parser::strings() {
  const Position at = token_.at;
  std::string plain;
  bool bytes = false;
  FormattedString joined;
  const auto flush = [&] {
    if (!plain.empty()) joined.parts.push_back({std::move(plain), nullptr, 0, nullptr});
    plain.clear();
  };
  bool any_formatted = false;
  for (bool first = true; token_.kind == TokenKind::kString; first = false) {
    const StringSpelling spelling = take_apart(token_.text);
    if (!first && spelling.bytes != bytes) return error("bytes and str next to each other");
    bytes = spelling.bytes;
    if (spelling.formatted) {
      any_formatted = true;
      const auto skipped = static_cast<std::uint32_t>(spelling.prefix + spelling.quotes);
      TRY_ASSIGN(const Expression* part,
                 formatted(spelling.inside, {token_.at.line, token_.at.column + skipped}, spelling.raw, 0));
      flush();
      for (const FormattedPart& each : part->as<FormattedString>()->parts) joined.parts.push_back(each);
    } else if (spelling.raw) {
      plain += spelling.inside;
    } else {
      auto value = unescape(spelling.inside, bytes);
      if (!value) return error("an escape in this string is malformed or not known");
      plain += *value;
    }
    TRY(advance());
  }
  if (!any_formatted) {
    if (bytes) return make(at, Constant{BytesLiteral{std::move(plain)}});
    return make(at, Constant{std::move(plain)});
  }
  flush();
  return make(at, std::move(joined));
}

// What stands in the quotes of an f-string, or behind the colon of a replacement field.
Parser::Made Parser::formatted(std::string_view text, Position at, bool raw, int nesting) {
  if (nesting > kMostNesting) return error("format specifications are nested too deep");
  FormattedString made;
  std::string plain;
  const auto flush = [&]() -> base::Status {
    if (plain.empty()) return {};
    auto value = raw ? std::optional(plain) : unescape(plain, false);
    if (!value) return error("an escape in this string is malformed or not known");
    made.parts.push_back({*std::move(value), nullptr, 0, nullptr});
    plain.clear();
    return {};
  };
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "{{" || text.substr(i, 2) == "}}") {
      plain += text[i];
      i += 2;
    } else if (text[i] == '}') {
      return error("'}' in an f-string without its opening brace");
    } else if (text[i] == '{') {
      TRY(flush());
      TRY(replacement_field(text, i, at, raw, nesting, made));
    } else {
      plain += text[i++];
    }
  }
  TRY(flush());
  return make(at, std::move(made));
}

// {value=!r:format}, from the opening brace at `i`; leaves `i` behind the closing one.
base::Status Parser::replacement_field(std::string_view text, std::size_t& i, Position at, bool raw,
                                       int nesting, FormattedString& into) {
  const std::size_t from = i + 1;
  std::size_t end = end_of_field(text, from);
  std::string_view inside = text.substr(from, end - from);
  const std::string_view trimmed = base::trim(inside);
  FormattedPart part;
  bool debug = false;
  if (trimmed.size() > 1 && trimmed.back() == '=' &&
      std::string_view("=!<>").find(trimmed[trimmed.size() - 2]) == std::string_view::npos) {
    debug = true;  // {x=} shows its own text
    into.parts.push_back({std::string(inside), nullptr, 0, nullptr});
    inside = inside.substr(0, static_cast<std::size_t>(trimmed.data() - inside.data()) + trimmed.size() - 1);
  }
  const Deeper level(*this);
  TRY(deeper());
  Parser inner(*this, inside, {at.line, at.column + static_cast<std::uint32_t>(from)});
  TRY(inner.advance());
  TRY_ASSIGN(part.value, inner.star_expressions());
  if (inner.token_.kind != TokenKind::kEnd) return inner.unexpected_token("'}'");
  if (end < text.size() && text[end] == '!') {
    part.conversion = end + 1 < text.size() ? text[end + 1] : '\0';
    if (std::string_view("rsa").find(part.conversion) == std::string_view::npos || part.conversion == 0) {
      return error("a conversion of an f-string is not !r, !s or !a");
    }
    end += 2;
  } else if (debug) {
    part.conversion = 'r';
  }
  if (end < text.size() && text[end] == ':') {
    const std::size_t close = end_of_format(text, end + 1);
    TRY_ASSIGN(part.format,
               formatted(text.substr(end + 1, close - end - 1),
                         {at.line, at.column + static_cast<std::uint32_t>(end + 1)}, raw, nesting + 1));
    end = close;
  }
  if (end >= text.size() || text[end] != '}') return error("a brace in an f-string is never closed");
  into.parts.push_back(std::move(part));
  i = end + 1;
  return {};
}

}  // namespace wherry::python
