// The tree of values in an XGBoost model, whether it was written as JSON or as UBJSON (XGBoost
// src/common/json.cc), read with bounds on everything a file may ask for.
//
// Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::xgboost {

struct Member;

// null, true or false, a number, a string, an array of numbers (true and false in it are 1 and 0), an array
// of other values, an object. Numbers with a point or an exponent are rounded to float32, as XGBoost does,
// others are integers; both are kept as double. An empty array is an array of numbers.
class Value {
 public:
  using Numbers = std::vector<double>;
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;  // in file order; the last of equal keys counts

  std::variant<std::monostate, bool, double, std::string, Numbers, Array, Object> data;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  const Value* find(std::string_view key) const;  // null: not an object, or no such key
};

struct Member {
  std::string key;
  Value value;
};

struct Limits {
  std::uint64_t depth = 64;
  std::uint64_t values = 50'000'000;  // other than elements of number arrays
};

// Both skip what prediction does not need: statistics of nodes, and the training configuration of a pickled
// booster. Errors: "xgboost.json_syntax", "xgboost.ubj_syntax" and "xgboost.limit", naming the offset.
base::Result<Value> read_json(std::string_view document, const Limits& limits = {});
base::Result<Value> read_ubj(base::Bytes document, const Limits& limits = {});

// Whether the value of this key is skipped.
bool is_skipped(std::string_view key);

}  // namespace wherry::xgboost
