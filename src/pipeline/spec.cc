#include "pipeline/spec.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "pipeline/pins.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using base::Code;
using base::fail;

struct ClusterRow {
  Cluster cluster;
  std::string_view name;
  Cloud cloud;
};
constexpr std::array<ClusterRow, 5> kClusters{{
    {Cluster::kKubeconfig, "kubeconfig", Cloud::kNone},
    {Cluster::kEks, "eks", Cloud::kAws},
    {Cluster::kGke, "gke", Cloud::kGoogle},
    {Cluster::kAks, "aks", Cloud::kAzure},
    {Cluster::kIks, "iks", Cloud::kIbm},
}};

struct RegistryRow {
  Registry registry;
  std::string_view suffix;  // of the host without port
  Cloud cloud;
  std::optional<Cluster> cluster;  // the natural one beside it
};
constexpr std::array<RegistryRow, 6> kRegistries{{
    {Registry::kGithub, "ghcr.io", Cloud::kNone, {}},
    {Registry::kGitlab, "registry.gitlab.com", Cloud::kNone, {}},
    {Registry::kEcr, ".amazonaws.com", Cloud::kAws, Cluster::kEks},
    {Registry::kArtifactRegistry, "-docker.pkg.dev", Cloud::kGoogle, Cluster::kGke},
    {Registry::kAcr, ".azurecr.io", Cloud::kAzure, Cluster::kAks},
    {Registry::kIcr, "icr.io", Cloud::kIbm, Cluster::kIks},
}};

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool consists_of(std::string_view text, std::initializer_list<std::string_view> alphabets) {
  return std::ranges::all_of(text, [&](char c) {
    return std::ranges::any_of(alphabets, [&](std::string_view set) { return set.find(c) != set.npos; });
  });
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && consists_of(text, {kLower, kDigits, "-"}) &&
         kLower.find(text.front()) != kLower.npos && text.back() != '-';
}

base::Status check_label(std::string_view what, std::string_view text) {
  if (is_label(text)) return {};
  return fail(Code::kUsage, "pipeline.invalid_name",
              cat("the ", what, " ", base::quoted(text), " is not a DNS label"),
              cat("for example ", to_label(text)));
}

base::Status check_model(std::string_view path) {
  const auto wrong = [&](std::string_view why, std::string_view hint) {
    return fail(Code::kUsage, "pipeline.invalid_model", cat("model path ", base::quoted(path), " ", why),
                std::string(hint));
  };
  if (path.starts_with('/') || path.starts_with('-') || path.starts_with('~'))
    return wrong("is not relative to the repository",
                 "give the path as seen from the repository's top folder");
  for (const std::string_view part : base::split(path, '/'))
    if (part.empty() || part == "..") return wrong("has an empty part or '..'", "write it without them");
  const bool ascii_ok = std::ranges::all_of(path, [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 ||
           consists_of(std::string_view(&c, 1), {kLower, kUpper, kDigits, " ._/-+@=,:#%&()[]~!"});
  });
  if (!ascii_ok || !base::is_valid_utf8(path) || path.front() == ' ' || path.back() == ' ')
    return wrong("has a character which CI systems or shells interpret", "rename the file");
  return {};
}

bool is_host(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (colon != text.npos) {
    const auto port = base::parse_unsigned(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return false;
  }
  return consists_of(host, {kLower, kDigits, ".-"}) && !host.empty() && host.front() != '-' &&
         host.front() != '.' && host.back() != '.' &&
         (host.find('.') != host.npos || colon != text.npos || host == "localhost");
}

bool is_repository_part(std::string_view part) {
  constexpr std::string_view kSeparators = "._-";
  return !part.empty() && consists_of(part, {kLower, kDigits, kSeparators}) &&
         kSeparators.find(part.front()) == kSeparators.npos &&
         kSeparators.find(part.back()) == kSeparators.npos;
}

base::Status check_image(std::string_view image) {
  const auto parts = base::split(image, '/');
  const bool tagged = parts.back().find_first_of(":@") != std::string_view::npos;
  bool good = parts.size() >= 2 && is_host(parts[0]) && image.size() <= 255;
  for (std::size_t i = 1; i < parts.size(); ++i) good = good && is_repository_part(parts[i]);
  if (good) return {};
  return fail(Code::kUsage, "pipeline.invalid_image",
              cat("image ", base::quoted(image), " is not REGISTRY/REPOSITORY"),
              tagged ? "leave tag and digest out: the pipeline tags with the commit"
                     : "for example ghcr.io/acme/fraud; lower case, the registry's host first");
}

// "ghcr.io" matches itself; ".amazonaws.com" any host below it; "icr.io" also "us.icr.io".
bool matches(std::string_view host, std::string_view suffix) {
  if (!host.ends_with(suffix)) return false;
  const std::string_view before = host.substr(0, host.size() - suffix.size());
  return before.empty() || suffix.front() == '.' || suffix.front() == '-' || before.back() == '.';
}

Registry registry_of(std::string_view image) {
  const std::string_view registry = image.substr(0, image.find('/'));
  const std::string_view host = registry.substr(0, registry.find(':'));
  for (const RegistryRow& row : kRegistries)
    if (matches(host, row.suffix)) return row.registry;
  if (host == "localhost" || host.starts_with("127.")) return Registry::kAnonymous;
  return Registry::kPassword;
}

base::Result<Cluster> parse_cluster(std::string_view text) {
  std::vector<std::string_view> names;
  for (const ClusterRow& row : kClusters) {
    if (row.name == text) return row.cluster;
    names.push_back(row.name);
  }
  const auto close = base::nearest(text, names);
  return fail(Code::kUsage, "pipeline.unknown_cluster", cat("no kind of cluster ", base::quoted(text)),
              close ? cat("did you mean ", *close, "?") : "one of eks, gke, aks, iks, kubeconfig");
}

std::optional<Cluster> natural_cluster(std::optional<Registry> registry) {
  for (const RegistryRow& row : kRegistries)
    if (registry == row.registry) return row.cluster;
  return {};
}

}  // namespace

base::Result<Spec> make_spec(const Request& request) {
  Spec spec{.name = request.name,
            .model = request.model,
            .image = request.image,
            .registry = {},
            .cluster = {},
            .name_space = request.name_space.empty() ? "default" : request.name_space,
            .branch = request.branch.empty() ? "main" : request.branch,
            .pins = {}};
  TRY(check_label("name", spec.name));
  TRY(check_label("namespace", spec.name_space));
  TRY(check_model(spec.model));
  if (!consists_of(spec.branch, {kLower, kUpper, kDigits, "._/-"}) || spec.branch.front() == '-')
    return fail(Code::kUsage, "pipeline.invalid_branch",
                cat("branch ", base::quoted(spec.branch), " has a character CI systems interpret"),
                "letters, digits, '.', '_', '/' and '-' only");
  if (!spec.image.empty()) {
    TRY(check_image(spec.image));
    spec.registry = registry_of(spec.image);
  }
  if (!request.cluster.empty()) {
    TRY_ASSIGN(spec.cluster, parse_cluster(request.cluster));
  } else {
    spec.cluster = natural_cluster(spec.registry);
  }
  TRY_ASSIGN(spec.pins, pins_with(request.pins));
  return spec;
}

std::string to_label(std::string_view text) {
  std::string label;
  for (const char c : base::to_lower(text)) {
    const bool letter = kLower.find(c) != kLower.npos;
    const bool digit = kDigits.find(c) != kDigits.npos;
    if (letter || (digit && !label.empty()))
      label += c;
    else if (!label.empty() && label.back() != '-')
      label += '-';
  }
  label.resize(std::min<std::size_t>(label.size(), 63));
  while (!label.empty() && label.back() == '-') label.pop_back();
  return label.empty() ? "service" : label;
}

std::string_view name(Cluster cluster) {
  for (const ClusterRow& row : kClusters)
    if (row.cluster == cluster) return row.name;
  return {};
}

Cloud cloud_of(Cluster cluster) {
  for (const ClusterRow& row : kClusters)
    if (row.cluster == cluster) return row.cloud;
  return Cloud::kNone;
}

Cloud cloud_of(Registry registry) {
  for (const RegistryRow& row : kRegistries)
    if (row.registry == registry) return row.cloud;
  return Cloud::kNone;
}

}  // namespace wherry::pipeline
