#include "kube/changes.h"

#include <array>
#include <set>

#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using base::cat;
using text::Json;

constexpr std::size_t kDeepest = 100;

// The member which tells the elements of a list apart, as the API's merge keys do; "" for plain lists.
std::string_view key_of(const Json& list) {
  for (std::string_view key : {"name", "containerPort", "port", "topologyKey", "type", "uid"}) {
    bool all = !list.empty();
    std::set<std::string> seen;
    for (const Json& item : list) {
      const Json* value = text::find(item, key);
      all = all && value != nullptr && seen.insert(text::write_json(*value)).second;
    }
    if (all) return key;
  }
  return {};
}

std::string label(const Json& item, std::string_view key) {
  const Json& value = item.at(std::string(key));
  return value.is_string() ? value.get<std::string>() : text::write_json(value);
}

class Comparison {
 public:
  explicit Comparison(std::vector<Change>& changes) : changes_(changes) {}

  void run(const std::string& path, const Json& before, const Json& after, std::size_t depth) {
    if (before == after) return;
    if (depth < kDeepest && before.is_object() && after.is_object())
      return objects(path, before, after, depth);
    if (depth < kDeepest && before.is_array() && after.is_array()) {
      const std::string_view key = key_of(before);
      if (!key.empty() && key == key_of(after)) return lists(path, before, after, key, depth);
    }
    changes_.push_back({path, before, after});
  }

 private:
  static std::string join(const std::string& path, const std::string& key) {
    // A key with dots (labels) is quoted, so that a path reads one way only.
    const bool plain = key.find('.') == std::string::npos;
    return plain ? (path.empty() ? key : cat(path, ".", key)) : cat(path, "[", key, "]");
  }

  void objects(const std::string& path, const Json& before, const Json& after, std::size_t depth) {
    static const Json kAbsent;
    for (const auto& [key, value] : before.items()) {
      const Json* other = text::find(after, key);
      run(join(path, key), value, other == nullptr ? kAbsent : *other, depth + 1);
    }
    for (const auto& [key, value] : after.items())
      if (text::find(before, key) == nullptr) run(join(path, key), kAbsent, value, depth + 1);
  }

  void lists(const std::string& path, const Json& before, const Json& after, std::string_view key,
             std::size_t depth) {
    static const Json kAbsent;
    const auto find_in = [&](const Json& list, const std::string& wanted) -> const Json& {
      for (const Json& item : list)
        if (label(item, key) == wanted) return item;
      return kAbsent;
    };
    for (const Json& item : before)
      run(cat(path, "[", label(item, key), "]"), item, find_in(after, label(item, key)), depth + 1);
    for (const Json& item : after)
      if (find_in(before, label(item, key)).is_null())
        run(cat(path, "[", label(item, key), "]"), kAbsent, item, depth + 1);
  }

  std::vector<Change>& changes_;
};

Json without_bookkeeping(Json object) {
  if (!object.is_object()) return object;
  object.erase("status");
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return object;
  for (const char* key :
       {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})
    metadata->erase(key);
  const auto annotations = metadata->find("annotations");
  if (annotations != metadata->end() && annotations->is_object()) {
    annotations->erase("deployment.kubernetes.io/revision");
    if (annotations->empty()) metadata->erase("annotations");
  }
  return object;
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "(none)";
  const std::string text = text::write_json(value);
  return text.size() <= 200 ? text : text.substr(0, 200) + "…";
}

}  // namespace

std::vector<Change> compare(const Json& before, const Json& after) {
  std::vector<Change> changes;
  Comparison(changes).run({}, without_bookkeeping(before), without_bookkeeping(after), 0);
  return changes;
}

std::string describe(const Change& change) {
  return cat(change.path.empty() ? "(the whole object)" : change.path, ": ", value_text(change.before),
             " -> ", value_text(change.after));
}

}  // namespace wherry::kube
