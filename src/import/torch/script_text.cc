#include "import/torch/script_text.h"

#include <cmath>

#include "base/text.h"

namespace wherry::torch {
namespace {

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = base::cat(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string joined(const Values& items) {
  std::string text;
  for (const Value& item : items) text += base::cat(text.empty() ? "" : ", ", repr_of(item));
  return text;
}

}  // namespace

std::string repr_of(const Value& value) {
  if (const auto* text = value.get<std::string>()) return base::cat("'", *text, "'");
  return text_of(value);
}

std::string text_of(const Value& value) {
  if (const auto* text = value.get<std::string>()) return *text;
  if (const auto* number = value.get<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.get<double>()) return real_text(*number);
  if (const auto* dtype = value.get<tensor::DType>())
    return base::cat("torch.", tensor::info(*dtype).numpy_name);
  if (const auto* device = value.get<Device>()) return device->name;
  if (const auto* list = value.get<List>()) return base::cat("[", joined((*list)->items), "]");
  if (const auto* tuple = value.get<Tuple>()) {
    return base::cat("(", joined((*tuple)->items), (*tuple)->items.size() == 1 ? ",)" : ")");
  }
  return describe(value);
}

std::string format_text(const std::string& pattern, const Values& values) {
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::size_t close = pattern[i] == '{' ? pattern.find('}', i) : std::string::npos;
    if (close == std::string::npos) {
      text += pattern[i];
      continue;
    }
    const std::string_view inside = std::string_view(pattern).substr(i + 1, close - i - 1);
    const auto index = inside.empty() ? std::optional<std::uint64_t>(next++) : base::parse_unsigned(inside);
    if (index && *index < values.size()) {
      text += text_of(values[*index]);
    } else {
      text += pattern.substr(i, close - i + 1);
    }
    i = close;
  }
  return text;
}

std::string percent_text(const std::string& pattern, const Values& values) {
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char kind = pattern[i] == '%' && i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    const bool field = kind == 's' || kind == 'd' || kind == 'i' || kind == 'r';
    if (kind == '%') {
      text += '%';
    } else if (field && next < values.size()) {
      const Value& value = values[next++];
      text += kind == 'r' ? repr_of(value) : text_of(value);
    } else {
      text += pattern[i];
      continue;
    }
    ++i;
  }
  return text;
}

}  // namespace wherry::torch
