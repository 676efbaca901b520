// JSON as XGBoost writes it, which has the tokens NaN and Infinity. Numbers are rounded to float32 from their
// decimal digits, once.
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "import/xgboost/document.h"

namespace wherry::xgboost {
namespace {

using base::cat;
using base::Result;
using base::Status;

constexpr double kLargestInteger = 9007199254740992.0;  // all integers up to it are doubles

class JsonReader {
 public:
  JsonReader(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  Result<Value> document() {
    TRY_ASSIGN(Value value, read_value(0));
    skip_space();
    if (at_ != text_.size()) return broken("something after the end of the document");
    return value;
  }

 private:
  std::unexpected<base::Error> broken(std::string_view what) const {
    return base::fail(base::Code::kInvalidInput, "xgboost.json_syntax", cat("offset ", at_, ": ", what),
                      "the file is damaged or incomplete; save the model again");
  }
  std::unexpected<base::Error> too_much(std::string_view what) const {
    return base::fail(base::Code::kLimit, "xgboost.limit", cat("offset ", at_, ": ", what),
                      "no XGBoost model is like this; save the model again");
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    skip_space();
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<Value> read_value(std::uint64_t depth) {
    if (depth > limits_.depth) return too_much(cat("nested deeper than ", limits_.depth));
    if (++values_ > limits_.values) return too_much(cat("more than ", limits_.values, " values"));
    skip_space();
    switch (peek()) {
      case '{':
        return read_object(depth);
      case '[':
        return read_array(depth);
      case '"': {
        TRY_ASSIGN(std::string text, read_string());
        return Value{std::move(text)};
      }
      case 't':
        if (take("true")) return Value{true};
        break;
      case 'f':
        if (take("false")) return Value{false};
        break;
      case 'n':
        if (take("null")) return Value{};
        break;
      default: {
        TRY_ASSIGN(const double number, read_number());
        return Value{number};
      }
    }
    return broken("no value");
  }

  Result<Value> read_object(std::uint64_t depth) {
    Value::Object members;
    ++at_;
    if (take('}')) return Value{std::move(members)};
    do {
      skip_space();
      if (peek() != '"') return broken("expected a key");
      TRY_ASSIGN(std::string key, read_string());
      if (!take(':')) return broken("expected a colon");
      TRY_ASSIGN(Value value, read_value(depth + 1));
      if (!is_skipped(key)) members.push_back({std::move(key), std::move(value)});
    } while (take(','));
    if (!take('}')) return broken("expected a comma or a brace");
    return Value{std::move(members)};
  }

  static bool begins_number(char c) { return c == '-' || c == 'N' || c == 'I' || (c >= '0' && c <= '9'); }

  Result<Value> read_array(std::uint64_t depth) {
    ++at_;
    if (take(']')) return Value{Value::Numbers()};
    skip_space();
    const char first = peek();
    if (begins_number(first) || first == 't' || first == 'f') return read_numbers();
    Value::Array items;
    do {
      TRY_ASSIGN(Value item, read_value(depth + 1));
      items.push_back(std::move(item));
    } while (take(','));
    if (!take(']')) return broken("expected a comma or a bracket");
    return Value{std::move(items)};
  }

  Result<Value> read_numbers() {
    Value::Numbers numbers;
    do {
      skip_space();
      if (take("true")) {
        numbers.push_back(1);
      } else if (take("false")) {
        numbers.push_back(0);
      } else {
        TRY_ASSIGN(const double number, read_number());
        numbers.push_back(number);
      }
    } while (take(','));
    if (!take(']')) return broken("expected a comma or a bracket");
    return Value{std::move(numbers)};
  }

  Result<double> read_number() {
    if (take("NaN")) return std::nan("");
    if (take("Infinity")) return INFINITY;
    if (take("-Infinity")) return -INFINITY;
    if (take("-NaN")) return std::nan("");
    std::size_t end = at_;
    bool is_integer = true;
    while (end < text_.size()) {
      const char c = text_[end];
      if (c == '.' || c == 'e' || c == 'E') is_integer = false;
      const bool belongs = c == '.' || c == 'e' || c == 'E' || c == '-' || c == '+' || (c >= '0' && c <= '9');
      if (!belongs) break;
      ++end;
    }
    const char* from = text_.data() + at_;
    const char* to = text_.data() + end;
    double number = 0;
    if (is_integer) {
      std::int64_t integer = 0;
      const auto parsed = std::from_chars(from, to, integer);
      if (parsed.ec != std::errc() || parsed.ptr != to) return broken("not a number");
      number = static_cast<double>(integer);
      if (std::abs(number) > kLargestInteger) return broken("an integer too large");
    } else {
      float rounded = 0;
      const auto parsed = std::from_chars(from, to, rounded);
      if (parsed.ec != std::errc() || parsed.ptr != to) return broken("not a float32 number");
      number = static_cast<double>(rounded);
    }
    at_ = end;
    return number;
  }

  Result<std::uint32_t> read_hex4() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || parsed.ptr != digits.data() + 4) return broken("a bad \\u escape");
    at_ += 4;
    return code;
  }

  // What follows \u: one code unit, or two which make a character.
  Status read_escape(std::string& out) {
    TRY_ASSIGN(std::uint32_t code, read_hex4());
    if (code >= 0xd800 && code < 0xdc00) {
      if (!take("\\u")) return broken("half a character");
      TRY_ASSIGN(const std::uint32_t low, read_hex4());
      if (low < 0xdc00 || low > 0xdfff) return broken("half a character");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xc0 | (code >> 6)), put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      put(0xe0 | (code >> 12)), put(0x80 | ((code >> 6) & 0x3f)), put(0x80 | (code & 0x3f));
    } else {
      put(0xf0 | (code >> 18)), put(0x80 | ((code >> 12) & 0x3f));
      put(0x80 | ((code >> 6) & 0x3f)), put(0x80 | (code & 0x3f));
    }
    return {};
  }

  Result<std::string> read_string() {
    std::string out;
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      constexpr std::string_view kEscapes = "\"\\/bfnrt";
      constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
      const char escape = peek();
      ++at_;
      if (escape == 'u') {
        TRY(read_escape(out));
        continue;
      }
      const std::size_t which = kEscapes.find(escape);
      if (which == std::string_view::npos) return broken("an unknown escape");
      out += kMeanings[which];
    }
    at_ = text_.size();
    return broken("a string without end");
  }

  std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::uint64_t values_ = 0;
};

}  // namespace

Result<Value> read_json(std::string_view document, const Limits& limits) {
  return JsonReader(document, limits).document();
}

}  // namespace wherry::xgboost
