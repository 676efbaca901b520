// UBJSON (Universal Binary JSON, draft 12) as far as XGBoost's writer goes: objects without a count, arrays
// with or without one, typed arrays of numbers; everything big-endian.
#include <cmath>
#include <optional>

#include "base/text.h"
#include "import/xgboost/document.h"

namespace wherry::xgboost {
namespace {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;

class UbjReader {
 public:
  UbjReader(Bytes bytes, const Limits& limits) : bytes_(bytes), reader_(bytes), limits_(limits) {}

  Result<Value> document() {
    TRY_ASSIGN(const char marker, next());
    if (marker != '{') return broken("no object");
    TRY_ASSIGN(Value value, read_value(marker, 0));
    return value;
  }

 private:
  std::unexpected<base::Error> broken(std::string_view what) const {
    return base::fail(base::Code::kInvalidInput, "xgboost.ubj_syntax",
                      cat("offset ", reader_.position(), ": ", what),
                      "the file is damaged or incomplete; save the model again");
  }
  std::unexpected<base::Error> too_much(std::string_view what) const {
    return base::fail(base::Code::kLimit, "xgboost.limit", cat("offset ", reader_.position(), ": ", what),
                      "no XGBoost model is like this; save the model again");
  }

  // The next byte which is no no-op.
  Result<char> next() {
    for (;;) {
      const auto byte = reader_.take(1);
      if (!byte) return broken("the document ends early");
      const char c = static_cast<char>((*byte)[0]);
      if (c != 'N') return c;
    }
  }
  std::optional<char> peek() const {
    if (reader_.remaining() == 0) return std::nullopt;
    return static_cast<char>(bytes_[reader_.position()]);
  }
  bool take(char c) {
    if (peek() != c) return false;
    return reader_.take(1).has_value();
  }

  template <class T, class As = T>
  Result<As> big() {
    const auto number = reader_.big<T>();
    if (!number) return broken("the document ends early");
    return static_cast<As>(*number);
  }

  static std::uint64_t size_of(char marker) {
    switch (marker) {
      case 'i':
      case 'U':
        return 1;
      case 'I':
        return 2;
      case 'l':
      case 'd':
        return 4;
      case 'L':
      case 'D':
        return 8;
      default:
        return 0;  // no number
    }
  }

  Result<std::int64_t> read_integer(char marker) {
    switch (marker) {
      case 'i':
        return big<std::int8_t, std::int64_t>();
      case 'U':
        return big<std::uint8_t, std::int64_t>();
      case 'I':
        return big<std::int16_t, std::int64_t>();
      case 'l':
        return big<std::int32_t, std::int64_t>();
      case 'L':
        return big<std::int64_t>();
      default:
        return broken("expected an integer");
    }
  }

  Result<double> read_number(char marker) {
    if (marker == 'd') return big<float, double>();
    if (marker == 'D') return big<double>();
    TRY_ASSIGN(const std::int64_t integer, read_integer(marker));
    constexpr std::int64_t kLargest = std::int64_t{1} << 53;
    if (integer > kLargest || integer < -kLargest) return broken("an integer too large");
    return static_cast<double>(integer);
  }

  // A length, which is at most what is left: everything counted has at least one byte.
  Result<std::uint64_t> read_length() {
    TRY_ASSIGN(const char marker, next());
    TRY_ASSIGN(const std::int64_t length, read_integer(marker));
    if (length < 0 || static_cast<std::uint64_t>(length) > reader_.remaining())
      return broken(cat("a length of ", length, " where ", reader_.remaining(), " bytes are left"));
    return static_cast<std::uint64_t>(length);
  }

  Result<std::string> read_text() {
    TRY_ASSIGN(const std::uint64_t length, read_length());
    TRY_ASSIGN(const Bytes text, reader_.take(length));
    return std::string(base::as_text(text));
  }

  Result<Value> read_value(char marker, std::uint64_t depth) {
    if (depth > limits_.depth) return too_much(cat("nested deeper than ", limits_.depth));
    if (++values_ > limits_.values) return too_much(cat("more than ", limits_.values, " values"));
    switch (marker) {
      case 'Z':
        return Value{};
      case 'T':
        return Value{true};
      case 'F':
        return Value{false};
      case 'C': {
        TRY_ASSIGN(const char c, big<char>());
        return Value{std::string(1, c)};
      }
      case 'S': {
        TRY_ASSIGN(std::string text, read_text());
        return Value{std::move(text)};
      }
      case '[':
        return read_array(depth);
      case '{':
        return read_object(depth);
      default: {
        TRY_ASSIGN(const double number, read_number(marker));
        return Value{number};
      }
    }
  }

  Result<Value> read_object(std::uint64_t depth) {
    Value::Object members;
    if (peek() == '$' || peek() == '#') return broken("an object with a count, which XGBoost never writes");
    for (;;) {
      TRY_ASSIGN(const char first, next());
      if (first == '}') return Value{std::move(members)};
      // The key is a string without its marker.
      TRY_ASSIGN(const std::int64_t length, read_integer(first));
      if (length < 0 || static_cast<std::uint64_t>(length) > reader_.remaining())
        return broken(cat("a key of ", length, " bytes"));
      TRY_ASSIGN(const Bytes key, reader_.take(static_cast<std::uint64_t>(length)));
      TRY_ASSIGN(const char marker, next());
      TRY_ASSIGN(Value value, read_value(marker, depth + 1));
      if (!is_skipped(base::as_text(key)))
        members.push_back({std::string(base::as_text(key)), std::move(value)});
    }
  }

  Result<Value> read_array(std::uint64_t depth) {
    if (take('$')) return read_typed_array();
    std::optional<std::uint64_t> count;
    if (take('#')) {
      TRY_ASSIGN(count, read_length());
    }
    Value::Numbers numbers;
    Value::Array items;
    for (std::uint64_t i = 0; !count || i < *count; ++i) {
      TRY_ASSIGN(const char marker, next());
      if (!count && marker == ']') break;
      const bool is_flag = marker == 'T' || marker == 'F';
      if (items.empty() && (is_flag || size_of(marker) != 0)) {
        double number = marker == 'T' ? 1 : 0;
        if (!is_flag) {
          TRY_ASSIGN(number, read_number(marker));
        }
        numbers.push_back(number);
        continue;
      }
      if (!numbers.empty()) return broken("numbers and other values in one array");
      TRY_ASSIGN(Value item, read_value(marker, depth + 1));
      items.push_back(std::move(item));
    }
    if (items.empty()) return Value{std::move(numbers)};
    return Value{std::move(items)};
  }

  Result<Value> read_typed_array() {
    TRY_ASSIGN(const char type, next());
    const std::uint64_t size = size_of(type);
    if (size == 0) return broken("a typed array of something else than numbers");
    if (!take('#')) return broken("a typed array without count");
    TRY_ASSIGN(const std::uint64_t count, read_length());
    if (count > reader_.remaining() / size)
      return broken(cat(count, " numbers where ", reader_.remaining(), " bytes are left"));
    Value::Numbers numbers;
    numbers.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      TRY_ASSIGN(const double number, read_number(type));
      numbers.push_back(number);
    }
    return Value{std::move(numbers)};
  }

  Bytes bytes_;
  base::ByteReader reader_;
  const Limits& limits_;
  std::uint64_t values_ = 0;
};

}  // namespace

Result<Value> read_ubj(Bytes document, const Limits& limits) {
  return UbjReader(document, limits).document();
}

}  // namespace wherry::xgboost
