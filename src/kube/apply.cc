#include "kube/apply.h"

#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Result;
using text::Json;

// The live object; null Json when there is none, or when we may apply it but not read it.
Result<Json> live(Client& client, const ObjectName& name) {
  auto object = client.get(name);
  if (object) return std::move(*object);
  const std::string& id = object.error().id;
  if (id == "kube.object_missing" || id == "kube.namespace_missing" || id == "kube.forbidden") return Json();
  return std::unexpected(std::move(object).error());
}

// The namespaces among `objects` which do not exist yet: nothing in them can be tried beforehand.
Result<std::vector<std::string>> namespaces_to_come(Client& client, const std::vector<Json>& objects) {
  std::vector<std::string> names;
  for (const Json& object : objects) {
    TRY_ASSIGN(const ObjectName name, name_of(object));
    if (name.kind != &kinds::kNamespace) continue;
    TRY_ASSIGN(const Json there, live(client, name));
    if (there.is_null()) names.push_back(name.name);
  }
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  for (const std::string& known : names)
    if (known == name) return true;
  return false;
}

Result<AppliedObject> apply_one(Client& client, const Json& object, const ApplyOptions& options) {
  AppliedObject result;
  TRY_ASSIGN(result.name, name_of(object));
  TRY_ASSIGN(const Json before, live(client, result.name));
  auto applied = client.apply(object, options);
  if (!applied)
    return base::with_context(std::move(applied).error(), cat("applying ", label_of(result.name)));
  // Not by resourceVersion: the controllers write status between our reading and our applying.
  const bool no_change = !before.is_null() && compare(before, applied->object).empty();
  result.result = applied->created ? ApplyResult::kCreated
                                   : (no_change ? ApplyResult::kUnchanged : ApplyResult::kChanged);
  result.object = std::move(applied->object);
  result.warnings = std::move(applied->warnings);
  return result;
}

}  // namespace

std::string_view name(ApplyResult result) {
  switch (result) {
    case ApplyResult::kCreated:
      return "created";
    case ApplyResult::kChanged:
      return "changed";
    default:
      return "unchanged";
  }
}

Result<std::vector<AppliedObject>> apply_all(Client& client, const std::vector<Json>& objects,
                                             const ApplyAllOptions& options) {
  TRY_ASSIGN(const std::vector<std::string> to_come, namespaces_to_come(client, objects));
  std::vector<AppliedObject> tried;
  for (const Json& object : objects) {
    TRY_ASSIGN(const ObjectName name, name_of(object));
    if (contains(to_come, name.namespace_name)) continue;
    TRY_ASSIGN(AppliedObject one, apply_one(client, object, {.force = options.force, .dry_run = true}));
    tried.push_back(std::move(one));
  }
  if (options.dry_run) {
    for (const AppliedObject& one : tried)
      if (options.on_applied) options.on_applied(one);
    return tried;
  }
  std::vector<AppliedObject> done;
  for (const Json& object : objects) {
    TRY_ASSIGN(AppliedObject one, apply_one(client, object, {.force = options.force}));
    if (options.on_applied) options.on_applied(one);
    done.push_back(std::move(one));
  }
  return done;
}

Result<std::vector<ObjectDifference>> diff_all(Client& client, const std::vector<Json>& objects, bool force) {
  TRY_ASSIGN(const std::vector<std::string> to_come, namespaces_to_come(client, objects));
  std::vector<ObjectDifference> differences;
  for (const Json& object : objects) {
    ObjectDifference difference;
    TRY_ASSIGN(difference.name, name_of(object));
    if (contains(to_come, difference.name.namespace_name)) {
      difference.exists = false;
      difference.changes = compare(Json(), object);
      differences.push_back(std::move(difference));
      continue;
    }
    TRY_ASSIGN(const Json before, live(client, difference.name));
    auto after = client.apply(object, {.force = force, .dry_run = true});
    if (!after)
      return base::with_context(std::move(after).error(), cat("comparing ", label_of(difference.name)));
    difference.exists = !before.is_null();
    difference.changes = compare(before, after->object);
    difference.warnings = std::move(after->warnings);
    differences.push_back(std::move(difference));
  }
  return differences;
}

}  // namespace wherry::kube
