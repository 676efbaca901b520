#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using text::Json;

const Json& null_json() {
  static const Json kNull;
  return kNull;
}

}  // namespace

const Json& at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* place = &object;
  for (std::string_view key : path) {
    place = text::find(*place, key);
    if (place == nullptr) return null_json();
  }
  return *place;
}

std::string string_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json& value = at(object, path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t integer_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json& value = at(object, path);
  if (!value.is_number_integer()) return 0;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return 0;
  return value.get<std::int64_t>();
}

const Json& list_at(const Json& object, std::initializer_list<std::string_view> path) {
  static const Json kEmpty = Json::array();
  const Json& value = at(object, path);
  return value.is_array() ? value : kEmpty;
}

const Json& condition(const Json& object, std::string_view type) {
  for (const Json& entry : list_at(object, {"status", "conditions"}))
    if (string_at(entry, {"type"}) == type) return entry;
  return null_json();
}

bool is_owned_by(const Json& object, const Json& owner) {
  const std::string uid = string_at(owner, {"metadata", "uid"});
  if (uid.empty()) return false;
  for (const Json& reference : list_at(object, {"metadata", "ownerReferences"}))
    if (string_at(reference, {"uid"}) == uid) return true;
  return false;
}

}  // namespace wherry::kube
