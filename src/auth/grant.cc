#include "auth/grant.h"

#include <algorithm>

namespace wherry::auth {

std::string_view name(Permission permission) {
  return kPermissionNames[static_cast<std::size_t>(permission)];
}

std::optional<Permission> find_permission(std::string_view name) {
  for (std::size_t i = 1; i < std::size(kPermissionNames); ++i)
    if (kPermissionNames[i] == name) return static_cast<Permission>(i);
  return std::nullopt;
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

PermissionSet PermissionSet::all() {
  PermissionSet set;
  for (std::size_t i = 1; i < std::size(kPermissionNames); ++i) set.add(static_cast<Permission>(i));
  return set;
}

bool Rule::allows(Permission permission, std::string_view model) const {
  return permissions.has(permission) &&
         std::ranges::any_of(models, [&](const std::string& glob) { return matches_glob(glob, model); });
}

bool Grant::allows(Permission permission, std::string_view model) const {
  return permission == Permission::kNothing ||
         std::ranges::any_of(rules, [&](const Rule& rule) { return rule.allows(permission, model); });
}

bool Grant::allows(Permission permission) const {
  return permission == Permission::kNothing ||
         std::ranges::any_of(rules, [&](const Rule& rule) { return rule.permissions.has(permission); });
}

}  // namespace wherry::auth
