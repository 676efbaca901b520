#include "repository/settings.h"

#include <algorithm>
#include <functional>
#include <span>

#include "base/text.h"
#include "text/json.h"

namespace wherry::repository {

using base::cat;
using base::Result;
using base::Status;
using text::Json;

namespace {

constexpr std::int64_t kMostMicroseconds = 3'600'000'000;
constexpr std::int64_t kMostCount = 1'000'000'000;

struct Reader {
  std::string_view what;

  std::unexpected<base::Error> bad(std::string message) const {
    return base::fail(base::Code::kUsage, "repository.bad_settings", cat(what, ": ", message),
                      "see the guide on serving for the members of serving.json");
  }
};

template <class Value>
struct Member {
  std::string_view name;
  std::function<Status(const Json&, const std::string&, Value&)> set;
};

// Every member of `object` must be in the table.
template <class Value>
Status read_members(const Reader& reader, const Json& object, const std::string& path,
                    std::span<const Member<Value>> members, Value& value) {
  if (!object.is_object()) return reader.bad(cat(path.empty() ? "the document" : path, " is not an object"));
  for (const auto& [name, given] : object.items()) {
    const std::string full = path.empty() ? name : cat(path, ".", name);
    const auto row = std::ranges::find(members, name, &Member<Value>::name);
    if (row == members.end()) {
      std::vector<std::string_view> names;
      for (const auto& member : members) names.push_back(member.name);
      const auto near = base::nearest(name, names);
      return reader.bad(cat("unknown member ", base::quoted(full),
                            near ? cat("; did you mean ", base::quoted(*near), "?") : std::string()));
    }
    TRY(row->set(given, full, value));
  }
  return {};
}

Result<std::int64_t> read_integer(const Reader& reader, const Json& given, const std::string& path,
                                  std::int64_t least, std::int64_t most) {
  if (given.is_number_unsigned() && given.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    return reader.bad(cat(path, " is more than ", most));
  if (!given.is_number_integer() || given.get<std::int64_t>() < least || given.get<std::int64_t>() > most)
    return reader.bad(cat(path, " is not an integer from ", least, " to ", most));
  return given.get<std::int64_t>();
}

// Setters of one kind, for the tables below.
template <class Value, class Number>
auto integer(const Reader& reader, Number Value::* to, std::int64_t most, std::int64_t least = 0) {
  return [reader, to, most, least](const Json& given, const std::string& path, Value& value) -> Status {
    TRY_ASSIGN(const std::int64_t number, read_integer(reader, given, path, least, most));
    value.*to = Number(number);
    return {};
  };
}

template <class Value>
auto boolean(const Reader& reader, bool Value::* to) {
  return [reader, to](const Json& given, const std::string& path, Value& value) -> Status {
    if (!given.is_boolean()) return reader.bad(cat(path, " is neither true nor false"));
    value.*to = given.get<bool>();
    return {};
  };
}

Status read_queue_policy(const Reader& reader, const Json& given, const std::string& path,
                         schedule::QueuePolicy& policy) {
  using Queue = schedule::QueuePolicy;
  const Member<Queue> members[] = {
      {"timeout_action",
       [&reader](const Json& action, const std::string& at, Queue& queue) -> Status {
         if (action != "REJECT" && action != "DELAY")
           return reader.bad(cat(at, " is neither \"REJECT\" nor \"DELAY\""));
         queue.timeout_action =
             action == "DELAY" ? schedule::TimeoutAction::kDelay : schedule::TimeoutAction::kReject;
         return {};
       }},
      {"default_timeout_microseconds", integer(reader, &Queue::default_timeout, kMostMicroseconds)},
      {"allow_timeout_override", boolean(reader, &Queue::allow_timeout_override)},
      {"max_queue_size", integer(reader, &Queue::max_queue_size, kMostCount)},
  };
  return read_members<Queue>(reader, given, path, members, policy);
}

Status read_preferred(const Reader& reader, const Json& given, const std::string& path,
                      schedule::Policy& policy) {
  if (!given.is_array() || given.size() > 64) return reader.bad(cat(path, " is not a list of at most 64"));
  policy.preferred_batch_sizes.clear();
  for (const Json& size : given) {
    TRY_ASSIGN(const std::int64_t number, read_integer(reader, size, path, 1, kMostCount));
    policy.preferred_batch_sizes.push_back(static_cast<std::size_t>(number));
  }
  std::ranges::sort(policy.preferred_batch_sizes);
  return {};
}

Status read_priorities(const Reader& reader, const Json& given, const std::string& path,
                       schedule::Policy& policy) {
  if (!given.is_object()) return reader.bad(cat(path, " is not an object"));
  for (const auto& [level, queue] : given.items()) {
    const auto number = base::parse_unsigned(level);
    if (!number || *number == 0 || *number > 1000)
      return reader.bad(cat(path, ": ", base::quoted(level), " is not a priority level"));
    schedule::QueuePolicy own = policy.default_queue_policy;
    TRY(read_queue_policy(reader, queue, cat(path, ".", level), own));
    policy.priority_queue_policy[static_cast<unsigned>(*number)] = own;
  }
  return {};
}

Status read_batching(const Reader& reader, const Json& given, const std::string& path,
                     schedule::Policy& policy) {
  using Policy = schedule::Policy;
  const Member<Policy> members[] = {
      {"preferred_batch_size", [&reader](const Json& sizes, const std::string& at,
                                         Policy& to) { return read_preferred(reader, sizes, at, to); }},
      {"max_queue_delay_microseconds", integer(reader, &Policy::max_queue_delay, kMostMicroseconds)},
      {"preserve_ordering", boolean(reader, &Policy::preserve_ordering)},
      {"priority_levels", integer(reader, &Policy::priority_levels, 1000)},
      {"default_priority_level", integer(reader, &Policy::default_priority_level, 1000)},
      {"default_queue_policy",
       [&reader](const Json& queue, const std::string& at, Policy& to) {
         return read_queue_policy(reader, queue, at, to.default_queue_policy);
       }},
      {"priority_queue_policy", [&reader](const Json& levels, const std::string& at,
                                          Policy& to) { return read_priorities(reader, levels, at, to); }},
  };
  TRY(read_members<Policy>(reader, given, path, members, policy));
  if (policy.priority_levels > 0 &&
      (policy.default_priority_level == 0 || policy.default_priority_level > policy.priority_levels))
    return reader.bad(cat(path, ".default_priority_level is not a level from 1 to ", policy.priority_levels));
  if (!policy.priority_queue_policy.empty() &&
      policy.priority_queue_policy.rbegin()->first > policy.priority_levels)
    return reader.bad(cat(path, ".priority_queue_policy has a level above ", policy.priority_levels));
  return {};
}

Status read_instances(const Reader& reader, const Json& given, const std::string& path,
                      schedule::Policy& policy) {
  if (!given.is_array() || given.size() != 1) return reader.bad(cat(path, " is not a list of one object"));
  const Member<schedule::Policy> members[] = {
      {"count", integer(reader, &schedule::Policy::instances, 1024, 1)}};
  return read_members<schedule::Policy>(reader, given[0], cat(path, "[0]"), members, policy);
}

Status read_version_policy(const Reader& reader, const Json& given, const std::string& path,
                           VersionPolicy& policy) {
  const Member<VersionPolicy> members[] = {
      {"latest",
       [&reader](const Json& latest, const std::string& at, VersionPolicy& to) -> Status {
         to.kind = VersionPolicy::Kind::kLatest;
         const Member<VersionPolicy> inner[] = {
             {"num_versions", integer(reader, &VersionPolicy::latest, kMostCount, 1)}};
         return read_members<VersionPolicy>(reader, latest, at, inner, to);
       }},
      {"all",
       [&reader](const Json& all, const std::string& at, VersionPolicy& to) -> Status {
         to.kind = VersionPolicy::Kind::kAll;
         return read_members<VersionPolicy>(reader, all, at, {}, to);
       }},
      {"specific",
       [&reader](const Json& specific, const std::string& at, VersionPolicy& to) -> Status {
         to.kind = VersionPolicy::Kind::kSpecific;
         const Json* versions = text::find_array(specific, "versions");
         if (versions == nullptr || specific.size() != 1)
           return reader.bad(cat(at, " has something other than a list \"versions\""));
         for (const Json& version : *versions) {
           TRY_ASSIGN(const std::int64_t number,
                      read_integer(reader, version, cat(at, ".versions"), 1, INT64_MAX));
           to.versions.push_back(static_cast<std::uint64_t>(number));
         }
         return {};
       }},
  };
  if (given.is_object() && given.size() != 1)
    return reader.bad(cat(path, " has not exactly one of latest, all and specific"));
  policy = {};
  return read_members<VersionPolicy>(reader, given, path, members, policy);
}

}  // namespace

std::vector<std::uint64_t> VersionPolicy::choose(const std::vector<std::uint64_t>& found) const {
  if (kind == Kind::kAll) return found;
  std::vector<std::uint64_t> chosen;
  if (kind == Kind::kLatest) {
    const std::size_t count = std::min<std::uint64_t>(latest, found.size());
    chosen.assign(found.end() - static_cast<std::ptrdiff_t>(count), found.end());
  } else {
    std::ranges::copy_if(found, std::back_inserter(chosen), [this](std::uint64_t version) {
      return std::ranges::find(versions, version) != versions.end();
    });
  }
  return chosen;
}

Result<Settings> read_settings(std::string_view document, std::string_view what, const Settings& defaults) {
  const Reader reader{what};
  const auto json = text::parse_json(document, what, {.bytes = 1 << 20, .depth = 16});
  if (!json) return reader.bad(base::describe(json.error()));
  Settings settings = defaults;
  const Member<Settings> members[] = {
      {"version_policy",
       [&reader](const Json& given, const std::string& at, Settings& to) {
         return read_version_policy(reader, given, at, to.versions);
       }},
      {"max_batch_size",
       [&reader](const Json& given, const std::string& at, Settings& to) -> Status {
         TRY_ASSIGN(const std::int64_t size, read_integer(reader, given, at, 0, kMostCount));
         to.batching.max_batch_size = static_cast<std::size_t>(std::max<std::int64_t>(size, 1));
         to.batching.most_batch_time = schedule::nanoseconds(0);  // the size was chosen knowingly
         return {};
       }},
      {"instance_group", [&reader](const Json& given, const std::string& at,
                                   Settings& to) { return read_instances(reader, given, at, to.batching); }},
      {"dynamic_batching", [&reader](const Json& given, const std::string& at,
                                     Settings& to) { return read_batching(reader, given, at, to.batching); }},
      {"inline_microseconds", integer(reader, &Settings::inline_limit, kMostMicroseconds)},
      {"max_queue_wait_seconds",
       [&reader](const Json& given, const std::string& at, Settings& to) -> Status {
         TRY_ASSIGN(const std::int64_t wait, read_integer(reader, given, at, 0, 86'400));
         to.batching.most_wait = std::chrono::seconds(wait);
         return {};
       }},
  };
  TRY(read_members<Settings>(reader, *json, "", members, settings));
  for (const std::size_t size : settings.batching.preferred_batch_sizes)
    if (size > settings.batching.max_batch_size)
      return reader.bad(cat("dynamic_batching.preferred_batch_size has ", size,
                            ", more than max_batch_size, ", settings.batching.max_batch_size));
  return settings;
}

std::optional<VersionPolicy> parse_version_policy(std::string_view text) {
  VersionPolicy policy;
  if (text == "all") {
    policy.kind = VersionPolicy::Kind::kAll;
    return policy;
  }
  if (text.starts_with("latest:")) {
    const auto count = base::parse_unsigned(text.substr(7));
    if (!count || *count == 0) return std::nullopt;
    policy.latest = *count;
    return policy;
  }
  policy.kind = VersionPolicy::Kind::kSpecific;
  for (const std::string_view part : base::split(text, ',')) {
    const auto version = base::parse_unsigned(part);
    if (!version || *version == 0) return std::nullopt;
    policy.versions.push_back(*version);
  }
  return policy;
}

}  // namespace wherry::repository
