#include "kube/service_spec.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::Status;

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

Status refuse(std::string message, std::string hint) {
  return base::fail(Code::kUsage, "kube.spec_invalid", std::move(message), std::move(hint));
}

// [prefix/]name: the prefix a DNS subdomain, the name like a label value.
bool is_label_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view prefix = key.substr(0, slash);
    if (prefix.empty() || prefix.size() > 253) return false;
    for (std::string_view part : base::split(prefix, '.'))
      if (!is_dns_label(std::string(part))) return false;
    key.remove_prefix(slash + 1);
  }
  return !key.empty() && is_label_value(std::string(key));
}

Status check_labels(const ServiceSpec& spec) {
  constexpr std::array<std::string_view, 3> kOurs{"app.kubernetes.io/name", "app.kubernetes.io/instance",
                                                  "app.kubernetes.io/managed-by"};
  for (const auto& [key, value] : spec.labels) {
    if (!is_label_key(key) || !is_label_value(value))
      return refuse(
          cat("label ", base::quoted(key), ": ", base::quoted(value), " is not a valid label"),
          "keys are [prefix/]name; names and values have at most 63 letters, digits, '-', '_', '.'");
    if (std::ranges::find(kOurs, key) != kOurs.end())
      return refuse(cat("label ", base::quoted(key), " is set by wherry itself"), "choose another key");
  }
  for (const auto* list : {&spec.annotations, &spec.pod_annotations})
    for (const auto& [key, value] : *list)
      if (!is_label_key(key))
        return refuse(cat("annotation ", base::quoted(key), " is not a valid key"), "keys are [prefix/]name");
  return {};
}

Status check_image(const std::string& image) {
  const bool printable =
      std::ranges::all_of(image, [](char c) { return std::isgraph(static_cast<unsigned char>(c)) != 0; });
  if (image.empty() || !printable)
    return refuse(cat("image ", base::quoted(image), " is not an image reference"),
                  "for example registry/fraud@sha256:…");
  const auto at = image.find('@');
  if (at != std::string::npos && (at == 0 || !base::is_sha256_digest(image.substr(at + 1))))
    return refuse(cat("image ", base::quoted(image), ": what follows '@' is not a sha256 digest"),
                  "a digest is sha256: and 64 lower-case hex digits");
  return {};
}

Status check_resources(const Resources& resources) {
  const std::array<std::pair<std::string_view, const std::string*>, 6> fields{{
      {"cpu request", &resources.cpu_request},
      {"cpu limit", &resources.cpu_limit},
      {"memory request", &resources.memory_request},
      {"memory limit", &resources.memory_limit},
      {"ephemeral-storage request", &resources.ephemeral_storage_request},
      {"ephemeral-storage limit", &resources.ephemeral_storage_limit},
  }};
  for (const auto& [what, value] : fields)
    if (!value->empty() && !is_quantity(*value))
      return refuse(cat(what, " ", base::quoted(*value), " is not a quantity"), "write 250m, 1, 64Mi, 1Gi …");
  return {};
}

Status check_environment(const ServiceSpec& spec) {
  for (const EnvironmentVariable& variable : spec.environment) {
    const bool good = !variable.name.empty() && !std::isdigit(static_cast<unsigned char>(variable.name[0])) &&
                      std::ranges::all_of(variable.name, [](char c) {
                        return is_alnum(c) || c == '_' || c == '.' || c == '-';
                      });
    if (!good)
      return refuse(cat("environment variable ", base::quoted(variable.name), " has an impossible name"),
                    "use letters, digits and '_'");
    if (!variable.secret.empty() && (!variable.value.empty() || variable.secret_key.empty()))
      return refuse(cat("environment variable ", base::quoted(variable.name),
                        " needs a value or a secret with its key"),
                    "give exactly one of the two");
  }
  return {};
}

Status check_numbers(const ServiceSpec& spec) {
  struct Bound {
    std::string_view what;
    long long value, least, most;
  };
  const std::array<Bound, 7> bounds{{
      {"port", spec.port, 1024, 65535},
      {"service port", spec.service_port, 1, 65535},
      {"replicas", spec.replicas.value_or(0), 0, 10'000},
      {"drain delay", spec.drain_seconds, 0, 3600},
      {"grace period", spec.grace_seconds, 1, 7200},
      {"startup time", spec.startup_seconds, 1, 7200},
      {"progress deadline", spec.progress_deadline_seconds, 1, 86'400},
  }};
  for (const Bound& bound : bounds)
    if (bound.value < bound.least || bound.value > bound.most)
      return refuse(cat(bound.what, " ", bound.value, " is not between ", bound.least, " and ", bound.most),
                    bound.what == "port" ? "the pod runs without root, which ports below 1024 would need"
                                         : "choose a value in that range");
  if (spec.grace_seconds <= spec.drain_seconds)
    return refuse(cat("the grace period (", spec.grace_seconds, " s) is not longer than the drain delay (",
                      spec.drain_seconds, " s)"),
                  "the difference is the time requests in flight have to end");
  if (spec.progress_deadline_seconds <= spec.startup_seconds)
    return refuse(cat("the progress deadline (", spec.progress_deadline_seconds,
                      " s) is not longer than the startup time (", spec.startup_seconds, " s)"),
                  "raise the deadline, or lower the startup time");
  return {};
}

}  // namespace

bool is_dns_label(const std::string& text) {
  return !text.empty() && text.size() <= 63 && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

bool is_label_value(const std::string& text) {
  if (text.empty()) return true;
  return text.size() <= 63 && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_quantity(const std::string& text) {
  constexpr std::array<std::string_view, 15> kSuffixes{"",  "n", "u",  "m",  "k",  "M",  "G", "T",
                                                       "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi"};
  std::size_t digits = 0, dots = 0, i = 0;
  for (; i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) || text[i] == '.'); ++i)
    (text[i] == '.' ? dots : digits) += 1;
  if (digits == 0 || digits > 18 || dots > 1) return false;
  return std::ranges::find(kSuffixes, std::string_view(text).substr(i)) != kSuffixes.end();
}

Status validate(const ServiceSpec& spec) {
  if (!is_dns_label(spec.name))
    return refuse(
        cat("service name ", base::quoted(spec.name), " is not a DNS label"),
        "use 1 to 63 lower-case letters, digits and '-', starting and ending with a letter or digit");
  if (std::isdigit(static_cast<unsigned char>(spec.name[0])))
    return refuse(cat("service name ", base::quoted(spec.name), " starts with a digit"),
                  "a Kubernetes Service must start with a letter");
  if (!is_dns_label(spec.namespace_name))
    return refuse(cat("namespace ", base::quoted(spec.namespace_name), " is not a DNS label"),
                  "use lower-case letters, digits and '-'");
  TRY(check_image(spec.image));
  TRY(check_numbers(spec));
  TRY(check_resources(spec.resources));
  TRY(check_labels(spec));
  return check_environment(spec);
}

std::string version_label(const std::string& image) {
  const auto at = image.find('@');
  const std::string_view name = std::string_view(image).substr(0, at);
  const auto slash = name.rfind('/');
  const auto colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  std::string label;
  if (colon != std::string_view::npos)
    label = name.substr(colon + 1);
  else if (const std::string_view digest =
               at == std::string::npos ? "" : std::string_view(image).substr(at + 1);
           digest.starts_with("sha256:"))
    label = digest.substr(7, 12);
  if (label.size() > 63) label.resize(63);
  while (!label.empty() && !is_alnum(label.back())) label.pop_back();
  return is_label_value(label) ? label : std::string();
}

}  // namespace wherry::kube
