// Reads and writes any struct which lists its members in `fields(visitor)` as JSON: one description per
// struct serves writing, reading and checking. Supported members: bool, integers, double (NaN and infinities
// as the strings "NaN", "Infinity", "-Infinity"), std::string, enums with enum_names(), WeightId, CellValue,
// vectors and nested structs of these.
#pragma once

#include <cmath>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "program/ops.h"
#include "text/json.h"

namespace wherry::program {

class FieldWriter;
class FieldReader;

template <class T>
concept HasFields = requires(T value, FieldWriter& writer) { value.fields(writer); };

inline text::Json to_json(bool value) {
  return value;
}
inline text::Json to_json(const std::string& value) {
  return value;
}
inline text::Json to_json(WeightId value) {
  return value.index;
}
template <std::integral T>
text::Json to_json(T value) {
  return value;
}
inline text::Json to_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}
template <class E>
  requires std::is_enum_v<E>
text::Json to_json(E value) {
  return std::string(enum_names(value)[static_cast<std::size_t>(value)]);
}
// null, a number, {"text": …}: text in an object, so that the text "NaN" is not taken for the number.
text::Json to_json(const tensor::CellValue& value);
template <HasFields T>
text::Json to_json(const T& value);
template <class T>
text::Json to_json(const std::vector<T>& values) {
  text::Json list = text::Json::array();
  for (const T& value : values) list.push_back(to_json(value));
  return list;
}

class FieldWriter {
 public:
  template <class T>
  void operator()(std::string_view key, const T& value) {
    object[std::string(key)] = to_json(value);
  }
  text::Json object = text::Json::object();
};

template <HasFields T>
text::Json to_json(const T& value) {
  FieldWriter writer;
  const_cast<T&>(value).fields(writer);  // the writer only reads
  return std::move(writer.object);
}

// Each returns false when the JSON is not of the type; then `value` is unspecified.
bool from_json(const text::Json& json, bool& value);
bool from_json(const text::Json& json, std::int64_t& value);
bool from_json(const text::Json& json, double& value);
bool from_json(const text::Json& json, std::string& value);
bool from_json(const text::Json& json, WeightId& value);
bool from_json(const text::Json& json, tensor::CellValue& value);
template <class E>
  requires std::is_enum_v<E>
bool from_json(const text::Json& json, E& value) {
  const auto* text = json.get_ptr<const std::string*>();
  if (text == nullptr) return false;
  const auto names = enum_names(E{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != *text) continue;
    value = static_cast<E>(i);
    return true;
  }
  return false;
}
template <HasFields T>
bool from_json(const text::Json& json, T& value);
template <class T>
bool from_json(const text::Json& json, std::vector<T>& values) {
  if (!json.is_array()) return false;
  values.resize(json.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!from_json(json[i], values[i])) return false;
  return true;
}

// Members may come in any order; a missing one or one of another type fails, unknown ones are ignored.
class FieldReader {
 public:
  explicit FieldReader(const text::Json& object) : object_(object) {}
  template <class T>
  void operator()(std::string_view key, T& value) {
    const text::Json* member = text::find(object_, key);
    if (wrong_member_.empty() && (member == nullptr || !from_json(*member, value))) wrong_member_ = key;
  }
  const std::string& wrong_member() const { return wrong_member_; }  // empty: all were right

 private:
  const text::Json& object_;
  std::string wrong_member_;
};

template <HasFields T>
bool from_json(const text::Json& json, T& value) {
  if (!json.is_object()) return false;
  FieldReader reader(json);
  value.fields(reader);
  return reader.wrong_member().empty();
}

}  // namespace wherry::program
