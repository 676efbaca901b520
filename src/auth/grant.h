// Who may do what: permissions, and the models they hold for.
//
// Thread-safety: values; read from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::auth {

// What an address of the server asks for. kNothing: liveness, readiness, ping.
enum class Permission : std::uint8_t {
  kNothing,
  kMetadata,  // names, signatures and versions of models and server; the page
  kPredict,
  kMetrics,
  kManage,  // load and unload models, log level
  kDebug,   // what the server is doing
};
inline constexpr std::string_view kPermissionNames[] = {"nothing", "metadata", "predict",
                                                        "metrics", "manage",   "debug"};

std::string_view name(Permission permission);
std::optional<Permission> find_permission(std::string_view name);  // not "nothing"

// '*' stands for any run of characters, '?' for one; everything else for itself. Linear in practice: one
// position is remembered, not a stack.
bool matches_glob(std::string_view pattern, std::string_view text);

struct PermissionSet {
  std::uint8_t bits = 0;
  void add(Permission permission) {
    bits = static_cast<std::uint8_t>(bits | 1u << static_cast<unsigned>(permission));
  }
  bool has(Permission permission) const { return (bits >> static_cast<unsigned>(permission) & 1u) != 0; }
  static PermissionSet all();
  friend bool operator==(const PermissionSet&, const PermissionSet&) = default;
};

// Permissions on the models whose name matches one of the globs.
struct Rule {
  PermissionSet permissions;
  std::vector<std::string> models;
  bool allows(Permission permission, std::string_view model) const;
};

// The union of some rules.
struct Grant {
  std::vector<Rule> rules;
  // For what concerns one model.
  bool allows(Permission permission, std::string_view model) const;
  // For what concerns no model in particular: any rule with the permission will do.
  bool allows(Permission permission) const;
};

}  // namespace wherry::auth
