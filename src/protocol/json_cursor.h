// A pull reader of JSON (RFC 8259) over a borrowed buffer: one forward pass, no tree, no allocation except
// for strings with escapes. Private to module protocol.
//
//   if (!cursor.begin_array()) return cursor.error();
//   while (cursor.next_element()) { … read exactly one value … }
//   if (cursor.failed()) return cursor.error();
//
// The first failure sticks: every later call returns false and the error stays. The text must be valid UTF-8
// (checked by the caller once for the whole body). Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::protocol {

struct JsonNumber {
  double value = 0;             // correctly rounded
  bool is_integer = false;      // written without point and exponent
  bool is_negative = false;     // written with a minus sign
  bool fits = false;            // an integer whose magnitude is the one below
  std::uint64_t magnitude = 0;  // without the sign
};

struct JsonCursorOptions {
  std::size_t depth = 100;
  bool nan_tokens = false;
  bool base64_objects = false;            // {"b64": "…"} stands for text, as TensorFlow Serving writes bytes
  bool vectors_of_one = false;            // [value] may stand for the value: read_cell() of rows.h
  std::string_view subject = "the body";  // what is read, and the number of its first line: for messages
  std::size_t first_line = 1;
};

class JsonCursor {
 public:
  enum class Kind : std::uint8_t { kObject, kArray, kString, kNumber, kTrue, kFalse, kNull, kBad };

  // Unescaped strings go to `arena`, which is cleared and given room for the whole text when the first one
  // is met, so that views into it stay valid. No string may be read more than twice (skipping does not
  // count).
  JsonCursor(std::string_view text, const JsonCursorOptions& options, std::string& arena);

  // What value comes next; kBad for anything which starts none (also the end).
  Kind peek() {
    skip_space();
    return p_ < end_ ? kKinds[static_cast<unsigned char>(*p_)] : Kind::kBad;
  }

  bool begin_object() { return begin('{'); }
  bool begin_array() { return begin('['); }
  // True: a member (element) follows, its key read. False: the container ended, or failed().
  bool next_member(std::string_view& key);
  bool next_element() {
    skip_space();
    if (p_ < end_ && *p_ == ',' && !first_) {
      ++p_;
      return true;
    }
    return next_element_slow();
  }

  bool string(std::string_view& out);
  // Whether {"b64": … comes next, where the options allow it, and the bytes it stands for.
  bool at_base64();
  bool takes_vectors_of_one() const { return options_.vectors_of_one; }
  bool base64(std::string_view& bytes);
  bool number(JsonNumber& out);
  // For lists of numbers. Where next_element() has said that an element follows: reads elements which are
  // plain numbers (below 16 characters, no exponent) and what stands behind each, element i to
  // out[i * stride], and gives how many, at most `most`. Then an element follows still, which may be plain or
  // not; or, `ended`, next_element() is to be asked, which will find the list's end.
  std::size_t plain_numbers(double* out, std::size_t stride, std::size_t most, bool& ended);
  bool boolean(bool& out);
  bool null();
  bool skip_value();
  bool raw_value(std::string_view& json);  // skips it, and says where it stands in the text
  bool finish();                           // nothing but white space is left

  // A place to come back to; only while the container it was taken in is open.
  struct Mark {
    const char* p = nullptr;
    std::size_t depth = 0;
  };
  Mark mark();
  void seek(const Mark& mark);

  bool failed() const { return failed_; }
  bool fail(base::Error error);  // keeps the first one; always false
  // "protocol.bad_json" at the current place: "… at line 1, column 7".
  bool fail_syntax(std::string_view problem);
  std::unexpected<base::Error> error() const;
  base::Status status() const;

 private:
  static const std::array<Kind, 256> kKinds;

  void skip_space() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  bool skip_any();
  void ready_arena();
  bool begin(char bracket);
  bool end_container();
  bool next_element_slow();
  bool separator(char closing, bool& ended);
  bool literal(std::string_view word);
  bool special_number(bool negative, JsonNumber& out);
  bool huge_number(const char* end, JsonNumber& out);
  bool unescape(const char* run, std::string_view& out);
  bool escape(std::string& out);
  bool hex4(std::uint32_t& unit);

  const char* begin_;
  const char* p_;
  const char* end_;
  std::string& arena_;
  JsonCursorOptions options_;
  std::size_t depth_ = 0;
  bool first_ = false;
  bool failed_ = false;
  bool arena_ready_ = false;
  std::optional<base::Error> error_;
};

}  // namespace wherry::protocol
