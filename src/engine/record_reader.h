// Reads the JSON of a record cell: one forward pass, nothing allocated but for strings with escapes. Takes
// NaN, Infinity and -Infinity as Python's json does. Private to module engine.
//
// The first failure sticks (problem()); every later call returns false. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wherry::engine {

class RecordReader {
 public:
  enum class Kind { kObject, kArray, kString, kNumber, kBool, kNull, kBad };

  // Unescaped strings go to `arena`, which is given room for the whole text, so that views into it stay
  // valid.
  RecordReader(std::string_view json, std::string& arena);

  Kind peek();
  bool begin_object() { return begin('{', "an object is expected"); }
  bool begin_array() { return begin('[', "a list is expected"); }
  // True: a member (element) follows, its key read. False: the container ended, or failed().
  bool next_member(std::string_view& key);
  bool next_element();
  bool string(std::string_view& out);
  bool number(double& out);
  bool boolean(bool& out);
  bool null();
  bool finish();  // nothing but white space is left

  bool failed() const { return problem_ != nullptr; }
  const char* problem() const { return problem_; }
  bool fail(const char* problem);  // always false

 private:
  void skip_space();
  bool begin(char bracket, const char* what);
  bool next(char closing);
  bool literal(std::string_view word);
  bool escape();
  bool hex4(unsigned& unit);

  const char* p_;
  const char* end_;
  std::string& arena_;
  bool first_ = true;  // of the container just begun
  const char* problem_ = nullptr;
};

}  // namespace wherry::engine
