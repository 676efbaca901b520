// Applying a set of objects together.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kube/changes.h"
#include "kube/client.h"
#include "text/json.h"

namespace wherry::kube {

enum class ApplyResult { kCreated, kChanged, kUnchanged };
std::string_view name(ApplyResult result);  // "created"

struct AppliedObject {
  ObjectName name;
  ApplyResult result = ApplyResult::kUnchanged;
  text::Json object;  // as the server has it
  std::vector<std::string> warnings;
};

struct ApplyAllOptions {
  bool force = false;
  bool dry_run = false;
  std::function<void(const AppliedObject&)> on_applied = {};
};

// Applies in the order given. First everything is tried with dryRun=All, so that a refusal of one object
// (conflict, quota, permissions) leaves nothing half done; an object whose namespace is itself still to be
// created is validated only when applied. A rejected object's error says which one in its context.
base::Result<std::vector<AppliedObject>> apply_all(Client& client, const std::vector<text::Json>& objects,
                                                   const ApplyAllOptions& options = {});

struct ObjectDifference {
  ObjectName name;
  bool exists = true;
  std::vector<Change> changes;  // empty: nothing would change
  std::vector<std::string> warnings;
};

// What apply_all would change: a dry run against the live objects. `force` as for apply.
base::Result<std::vector<ObjectDifference>> diff_all(Client& client, const std::vector<text::Json>& objects,
                                                     bool force = false);

}  // namespace wherry::kube
