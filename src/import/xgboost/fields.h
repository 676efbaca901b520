// Members of a document, with errors that name them. Private to module xgboost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "import/xgboost/document.h"

namespace wherry::xgboost {

// `where` is the path of `object` in messages.
struct Place {
  const Value& value;
  std::string where;

  bool has(std::string_view key) const { return value.find(key) != nullptr; }
  base::Result<Place> member(std::string_view key) const;
  base::Result<std::string> text(std::string_view key) const;
  // A whole number, as number or as text; `otherwise` when absent.
  base::Result<std::int64_t> integer(std::string_view key, std::int64_t otherwise) const;
  // An array of numbers.
  base::Result<const Value::Numbers*> numbers(std::string_view key) const;
  // The same as float32 or whole numbers within the given bounds.
  base::Result<std::vector<float>> floats(std::string_view key) const;
  base::Result<std::vector<std::int64_t>> integers(std::string_view key, std::int64_t least,
                                                   std::int64_t most) const;
  base::Result<std::vector<std::string>> texts(std::string_view key) const;
  base::Result<std::vector<Place>> items(std::string_view key) const;

  std::unexpected<base::Error> wrong(std::string_view what) const;  // "<where>: <what>"
};

}  // namespace wherry::xgboost
