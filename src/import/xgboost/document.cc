#include "import/xgboost/document.h"

#include <algorithm>
#include <array>

namespace wherry::xgboost {

const Value* Value::find(std::string_view key) const {
  const Object* members = as<Object>();
  if (members == nullptr) return nullptr;
  const Value* found = nullptr;
  for (const auto& [name, value] : *members)
    if (name == key) found = &value;
  return found;
}

bool is_skipped(std::string_view key) {
  constexpr std::array<std::string_view, 5> kSkipped{"Config", "loss_changes", "parents", "sorted_idx",
                                                     "sum_hessian"};
  return std::ranges::find(kSkipped, key) != kSkipped.end();
}

}  // namespace wherry::xgboost
