#include "oci/manifest.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Result;
using text::Json;

constexpr std::size_t kLargestDocument = 4 << 20;  // distribution-spec: registries take manifests up to 4 MiB
constexpr std::size_t kMostLayers = 1024;          // container runtimes stop far earlier (127 overlays)
constexpr std::size_t kMostManifests = 1024;
constexpr std::size_t kMostAnnotations = 4096;
constexpr std::size_t kMostStrings = 4096;
constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1+";

std::unexpected<base::Error> invalid(std::string_view what, std::string_view why) {
  return base::fail(base::Code::kInvalidInput, "oci.document_invalid", cat(what, ": ", why),
                    "the registry or layout holds a damaged document; push the image again");
}

base::Status check_count(std::size_t count, std::size_t most, std::string_view what, std::string_view items) {
  if (count <= most) return {};
  return base::fail(base::Code::kLimit, "oci.document_limit",
                    cat(what, ": ", count, " ", items, ", more than ", most), "no real image has that many");
}

Result<Json> parse(std::string_view document, std::string_view what) {
  TRY_ASSIGN(Json json, text::parse_json(document, what, {.bytes = kLargestDocument, .depth = 32}));
  if (!json.is_object()) return invalid(what, "it is not a JSON object");
  return json;
}

void put_annotations(Json& object, std::string_view key, const Annotations& annotations) {
  if (annotations.empty()) return;
  Json members = Json::object();
  for (const auto& [name, value] : annotations) members[name] = value;
  object[std::string(key)] = std::move(members);
}

Result<Annotations> read_annotations(const Json& object, std::string_view key, std::string_view what) {
  Annotations annotations;
  const Json* members = text::find_object(object, key);
  if (members == nullptr) return annotations;
  TRY(check_count(members->size(), kMostAnnotations, what, "annotations"));
  for (const auto& [name, value] : members->items()) {
    if (!value.is_string()) return invalid(what, cat(key, " ", base::quoted(name), " is not a string"));
    annotations.emplace_back(name, value.get_ref<const std::string&>());
  }
  return annotations;
}

Result<std::vector<std::string>> read_strings(const Json& object, std::string_view key,
                                              std::string_view what) {
  std::vector<std::string> strings;
  const Json* items = text::find_array(object, key);
  if (items == nullptr) return strings;
  TRY(check_count(items->size(), kMostStrings, what, key));
  for (const Json& item : *items) {
    if (!item.is_string()) return invalid(what, cat(key, " holds something which is not a string"));
    strings.push_back(item.get_ref<const std::string&>());
  }
  return strings;
}

std::string string_or_empty(const Json& object, std::string_view key) {
  const std::string* value = text::find_string(object, key);
  return value == nullptr ? std::string() : *value;
}

Platform read_platform(const Json& object) {
  return {string_or_empty(object, "architecture"), string_or_empty(object, "os"),
          string_or_empty(object, "variant")};
}

void put_platform(Json& object, const Platform& platform) {
  object["architecture"] = platform.architecture;
  object["os"] = platform.os;
  if (!platform.variant.empty()) object["variant"] = platform.variant;
}

Json to_json(const Descriptor& descriptor) {
  Json json{{"mediaType", descriptor.media_type}, {"digest", descriptor.digest}, {"size", descriptor.size}};
  if (descriptor.platform) {
    Json platform = Json::object();
    put_platform(platform, *descriptor.platform);
    json["platform"] = std::move(platform);
  }
  put_annotations(json, "annotations", descriptor.annotations);
  return json;
}

Result<Descriptor> read_descriptor(const Json& json, std::string_view what) {
  if (!json.is_object()) return invalid(what, "a descriptor is not a JSON object");
  Descriptor descriptor;
  TRY_ASSIGN(descriptor.digest, text::require_string(json, "digest", what));
  TRY_ASSIGN(descriptor.media_type, text::require_string(json, "mediaType", what));
  TRY_ASSIGN(const std::int64_t size, text::require_integer(json, "size", what));
  if (!base::is_sha256_digest(descriptor.digest))
    return invalid(what, cat("digest ", base::quoted(descriptor.digest), " is not a sha256 digest"));
  if (size < 0) return invalid(what, cat("size ", size, " of ", descriptor.digest, " is negative"));
  descriptor.size = static_cast<std::uint64_t>(size);
  if (const Json* platform = text::find_object(json, "platform"))
    descriptor.platform = read_platform(*platform);
  TRY_ASSIGN(descriptor.annotations, read_annotations(json, "annotations", what));
  return descriptor;
}

Result<std::vector<Descriptor>> read_descriptors(const Json& object, std::string_view key, std::size_t most,
                                                 std::string_view what) {
  const Json* items = text::find_array(object, key);
  if (items == nullptr) return invalid(what, cat("it has no list ", base::quoted(key)));
  TRY(check_count(items->size(), most, what, key));
  std::vector<Descriptor> descriptors;
  for (const Json& item : *items) {
    TRY_ASSIGN(Descriptor descriptor, read_descriptor(item, what));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

// Go's time.RFC3339 as written by image builders: seconds, optional fraction, Z or offset. Only the date and
// time are needed; anything else counts as the epoch.
std::int64_t read_created(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const int fields =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second);
  if (fields != 6) return 0;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return 0;
  return std::chrono::sys_days(date).time_since_epoch().count() * 86400LL + hour * 3600 + minute * 60 +
         second;
}

}  // namespace

std::string to_string(const Platform& platform) {
  std::string text = cat(platform.os, "/", platform.architecture);
  if (!platform.variant.empty()) text += cat("/", platform.variant);
  return text;
}

const std::string* find_annotation(const Annotations& annotations, std::string_view key) {
  const auto found = std::ranges::find(annotations, key, &Annotations::value_type::first);
  return found == annotations.end() ? nullptr : &found->second;
}

std::string format_created(std::int64_t seconds) {
  // Not through system_clock: its nanoseconds end in the year 2262, RFC 3339 in 9999.
  constexpr std::int64_t kYear0 = -62'167'219'200;
  constexpr std::int64_t kEndOfYear9999 = 253'402'300'799;
  const std::time_t time = std::clamp(seconds, kYear0, kEndOfYear9999);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

std::string write_manifest(const Manifest& manifest) {
  Json layers = Json::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(to_json(layer));
  Json json{{"schemaVersion", 2},
            {"mediaType", manifest.media_type},
            {"config", to_json(manifest.config)},
            {"layers", std::move(layers)}};
  put_annotations(json, "annotations", manifest.annotations);
  return text::write_json(json);
}

std::string write_index(const Index& index) {
  Json manifests = Json::array();
  for (const Descriptor& manifest : index.manifests) manifests.push_back(to_json(manifest));
  Json json{{"schemaVersion", 2}, {"mediaType", index.media_type}, {"manifests", std::move(manifests)}};
  put_annotations(json, "annotations", index.annotations);
  return text::write_json(json);
}

std::string write_config(const ImageConfig& config) {
  Json json = Json::object();
  json["created"] = format_created(config.created);
  put_platform(json, config.platform);
  Json& run = json["config"] = Json::object();
  if (!config.user.empty()) run["User"] = config.user;
  if (!config.exposed_ports.empty()) {
    Json& ports = run["ExposedPorts"] = Json::object();
    for (const std::string& port : config.exposed_ports) ports[port] = Json::object();
  }
  if (!config.environment.empty()) run["Env"] = config.environment;
  if (!config.entrypoint.empty()) run["Entrypoint"] = config.entrypoint;
  if (!config.command.empty()) run["Cmd"] = config.command;
  if (!config.working_directory.empty()) run["WorkingDir"] = config.working_directory;
  put_annotations(run, "Labels", config.labels);
  if (!config.stop_signal.empty()) run["StopSignal"] = config.stop_signal;
  json["rootfs"] = Json{{"type", "layers"}, {"diff_ids", config.diff_ids}};
  if (!config.history.empty()) {
    Json& history = json["history"] = Json::array();
    for (const HistoryEntry& entry : config.history) {
      Json item{{"created", format_created(config.created)}, {"created_by", entry.created_by}};
      if (!entry.comment.empty()) item["comment"] = entry.comment;
      history.push_back(std::move(item));
    }
  }
  return text::write_json(json);
}

Result<Manifest> parse_manifest(std::string_view document, std::string_view what) {
  TRY_ASSIGN(const Json json, parse(document, what));
  if (text::find_integer(json, "schemaVersion") == 1)
    return base::fail(base::Code::kUnsupported, "oci.document_unsupported",
                      cat(what, ": it is a Docker schema 1 manifest, which registries gave up in 2020"),
                      "push the image again with a current tool");
  Manifest manifest;
  if (const std::string type = string_or_empty(json, "mediaType"); !type.empty()) manifest.media_type = type;
  const Json* config = text::find_object(json, "config");
  if (config == nullptr) return invalid(what, "it has no config descriptor");
  TRY_ASSIGN(manifest.config, read_descriptor(*config, what));
  TRY_ASSIGN(manifest.layers, read_descriptors(json, "layers", kMostLayers, what));
  TRY_ASSIGN(manifest.annotations, read_annotations(json, "annotations", what));
  return manifest;
}

Result<Index> parse_index(std::string_view document, std::string_view what) {
  TRY_ASSIGN(const Json json, parse(document, what));
  Index index;
  if (const std::string type = string_or_empty(json, "mediaType"); !type.empty()) index.media_type = type;
  TRY_ASSIGN(index.manifests, read_descriptors(json, "manifests", kMostManifests, what));
  TRY_ASSIGN(index.annotations, read_annotations(json, "annotations", what));
  return index;
}

Result<ImageConfig> parse_config(std::string_view document, std::string_view what) {
  TRY_ASSIGN(const Json json, parse(document, what));
  ImageConfig config;
  config.platform = read_platform(json);
  if (config.platform.architecture.empty() || config.platform.os.empty())
    return invalid(what, "it names no architecture or operating system");
  config.created = read_created(string_or_empty(json, "created"));
  if (const Json* run = text::find_object(json, "config")) {
    config.user = string_or_empty(*run, "User");
    config.working_directory = string_or_empty(*run, "WorkingDir");
    config.stop_signal = string_or_empty(*run, "StopSignal");
    TRY_ASSIGN(config.entrypoint, read_strings(*run, "Entrypoint", what));
    TRY_ASSIGN(config.command, read_strings(*run, "Cmd", what));
    TRY_ASSIGN(config.environment, read_strings(*run, "Env", what));
    TRY_ASSIGN(config.labels, read_annotations(*run, "Labels", what));
    if (const Json* ports = text::find_object(*run, "ExposedPorts")) {
      TRY(check_count(ports->size(), kMostStrings, what, "ports"));
      for (const auto& [port, ignored] : ports->items()) config.exposed_ports.push_back(port);
    }
  }
  const Json* rootfs = text::find_object(json, "rootfs");
  if (rootfs == nullptr) return invalid(what, "it has no rootfs");
  TRY_ASSIGN(config.diff_ids, read_strings(*rootfs, "diff_ids", what));
  if (const Json* history = text::find_array(json, "history")) {
    TRY(check_count(history->size(), kMostStrings, what, "history entries"));
    for (const Json& entry : *history)
      config.history.push_back({string_or_empty(entry, "created_by"), string_or_empty(entry, "comment")});
  }
  return config;
}

bool is_index_type(std::string_view media_type) {
  return media_type == kIndexType || media_type == kDockerIndexType;
}

Result<std::string> manifest_media_type(std::string_view document, std::string_view announced,
                                        std::string_view what) {
  constexpr std::array<std::string_view, 4> kKnown{kManifestType, kIndexType, kDockerManifestType,
                                                   kDockerIndexType};
  announced = base::trim(announced.substr(0, announced.find(';')));
  if (std::ranges::find(kKnown, announced) != kKnown.end()) return std::string(announced);
  TRY_ASSIGN(const Json json, parse(document, what));
  const std::string own = string_or_empty(json, "mediaType");
  if (std::ranges::find(kKnown, own) != kKnown.end()) return own;
  if (own.empty() && text::find_array(json, "manifests") != nullptr) return std::string(kIndexType);
  if (own.empty() && text::find_object(json, "config") != nullptr) return std::string(kManifestType);
  const std::string shown = own.empty() ? std::string(announced) : own;
  return base::fail(base::Code::kUnsupported, "oci.document_unsupported",
                    cat(what, ": it is of type ", base::quoted(shown), ", not an image manifest or index"),
                    shown.starts_with(kDockerSchema1) ? "push the image again with a current tool"
                                                      : "name an image, not an artifact");
}

Result<Descriptor> choose_platform(const Index& index, const Platform& wanted, std::string_view what) {
  std::string offered;
  for (const Descriptor& entry : index.manifests) {
    if (!entry.platform) {
      if (index.manifests.size() == 1) return entry;
      continue;
    }
    const bool same = entry.platform->os == wanted.os && entry.platform->architecture == wanted.architecture;
    if (same && (wanted.variant.empty() || entry.platform->variant == wanted.variant)) return entry;
    if (offered.size() < 400) offered += cat(offered.empty() ? "" : ", ", to_string(*entry.platform));
  }
  return base::fail(
      base::Code::kNotFound, "oci.platform_missing", cat(what, ": no image for ", to_string(wanted)),
      offered.empty() ? std::string("the index is empty") : cat("it has ", base::quoted(offered, 400)));
}

}  // namespace wherry::oci
