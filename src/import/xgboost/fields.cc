#include "import/xgboost/fields.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "import/xgboost/model.h"

namespace wherry::xgboost {

using base::cat;
using base::Result;

std::unexpected<base::Error> Place::wrong(std::string_view what) const {
  return inconsistent(cat(where.empty() ? "the model" : where, ": ", what));
}

Result<Place> Place::member(std::string_view key) const {
  const Value* found = value.find(key);
  if (found == nullptr) return wrong(cat("no ", base::quoted(key)));
  return Place{*found, where.empty() ? std::string(key) : cat(where, ".", key)};
}

Result<std::string> Place::text(std::string_view key) const {
  TRY_ASSIGN(const Place place, member(key));
  const std::string* text = place.value.as<std::string>();
  if (text == nullptr) return place.wrong("not text");
  return *text;
}

Result<std::int64_t> Place::integer(std::string_view key, std::int64_t otherwise) const {
  if (!has(key)) return otherwise;
  TRY_ASSIGN(const Place place, member(key));
  if (const double* number = place.value.as<double>();
      number != nullptr && *number == std::trunc(*number) && std::abs(*number) < 1e15)
    return static_cast<std::int64_t>(*number);
  std::int64_t out = 0;
  const std::string* text = place.value.as<std::string>();
  if (text != nullptr && !text->empty() &&
      std::from_chars(text->data(), text->data() + text->size(), out).ptr == text->data() + text->size())
    return out;
  return place.wrong("not a whole number");
}

Result<const Value::Numbers*> Place::numbers(std::string_view key) const {
  TRY_ASSIGN(const Place place, member(key));
  const auto* found = place.value.as<Value::Numbers>();
  if (found == nullptr) return place.wrong("not an array of numbers");
  return found;
}

Result<std::vector<float>> Place::floats(std::string_view key) const {
  TRY_ASSIGN(const Value::Numbers* found, numbers(key));
  std::vector<float> out;
  out.reserve(found->size());
  for (double number : *found) out.push_back(static_cast<float>(number));
  return out;
}

Result<std::vector<std::int64_t>> Place::integers(std::string_view key, std::int64_t least,
                                                  std::int64_t most) const {
  TRY_ASSIGN(const Value::Numbers* found, numbers(key));
  std::vector<std::int64_t> out;
  out.reserve(found->size());
  for (double number : *found) {
    if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) ||
        number != std::trunc(number))
      return wrong(cat(key, " has ", number, ", which is no whole number from ", least, " to ", most));
    out.push_back(static_cast<std::int64_t>(number));
  }
  return out;
}

Result<std::vector<std::string>> Place::texts(std::string_view key) const {
  std::vector<std::string> out;
  if (!has(key)) return out;
  TRY_ASSIGN(const std::vector<Place> found, items(key));
  for (const Place& item : found) {
    const std::string* text = item.value.as<std::string>();
    if (text == nullptr) return item.wrong("not text");
    if (!base::is_valid_utf8(*text)) return item.wrong("not UTF-8");
    out.push_back(*text);
  }
  return out;
}

Result<std::vector<Place>> Place::items(std::string_view key) const {
  TRY_ASSIGN(const Place place, member(key));
  std::vector<Place> out;
  const auto* numbers = place.value.as<Value::Numbers>();
  if (numbers != nullptr && numbers->empty()) return out;
  const auto* array = place.value.as<Value::Array>();
  if (array == nullptr) return place.wrong("not an array");
  for (std::size_t i = 0; i < array->size(); ++i)
    out.push_back(Place{(*array)[i], cat(place.where, "[", i, "]")});
  return out;
}

}  // namespace wherry::xgboost
