#include "program/fields.h"

namespace wherry::program {

text::Json to_json(const tensor::CellValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  if (const double* number = std::get_if<double>(&value)) return to_json(*number);
  return text::Json{{"text", std::get<std::string>(value)}};
}

bool from_json(const text::Json& json, bool& value) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}

bool from_json(const text::Json& json, std::int64_t& value) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return false;
  value = json.get<std::int64_t>();
  return true;
}

bool from_json(const text::Json& json, double& value) {
  if (json.is_number()) {
    value = json.get<double>();
    return true;
  }
  const auto* word = json.get_ptr<const std::string*>();
  if (word == nullptr) return false;
  if (*word == "NaN")
    value = std::nan("");
  else if (*word == "Infinity")
    value = HUGE_VAL;
  else if (*word == "-Infinity")
    value = -HUGE_VAL;
  else
    return false;
  return true;
}

bool from_json(const text::Json& json, std::string& value) {
  const auto* text = json.get_ptr<const std::string*>();
  if (text == nullptr) return false;
  value = *text;
  return true;
}

bool from_json(const text::Json& json, WeightId& value) {
  std::int64_t index = 0;
  if (!from_json(json, index) || index < 0 || index > INT32_MAX) return false;
  value.index = static_cast<std::uint32_t>(index);
  return true;
}

bool from_json(const text::Json& json, tensor::CellValue& value) {
  if (json.is_null()) {
    value = std::monostate{};
    return true;
  }
  if (const std::string* text = text::find_string(json, "text")) {
    value = *text;
    return true;
  }
  double number = 0;
  if (!from_json(json, number)) return false;
  value = number;
  return true;
}

}  // namespace wherry::program
