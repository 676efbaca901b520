#include "oci/credentials.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/text.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;
using base::cat;
using base::Code;
using base::Result;
using text::Json;

constexpr std::uint64_t kLargestConfig = 4 << 20;
constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";
constexpr std::string_view kTokenUser = "<token>";
constexpr std::string_view kNotFound = "credentials not found in native keychain";

std::unexpected<base::Error> invalid(std::string_view what, std::string_view why) {
  return base::fail(Code::kUsage, "oci.credentials_invalid", cat(what, ": ", why),
                    "log in again with docker login or podman login");
}

std::string_view server_key(std::string_view registry) {
  return registry == "docker.io" ? kDockerHubKey : registry;
}

// "registry/a/b", "registry/a", "registry", most telling first; then the forms with a scheme which older
// docker versions wrote.
std::vector<std::string> keys_for(std::string_view registry, std::string_view repository) {
  std::vector<std::string> keys;
  std::string key = cat(registry, "/", repository);
  for (;;) {
    keys.push_back(key);
    const std::size_t cut = key.rfind('/');
    if (cut == std::string::npos) break;
    key.resize(cut);
  }
  if (registry == "docker.io") {
    for (std::string_view name : {kDockerHubKey, std::string_view("index.docker.io")})
      keys.emplace_back(name);
  } else {
    for (std::string_view end : {"", "/", "/v1/", "/v2/"}) {
      keys.push_back(cat("https://", registry, end));
      keys.push_back(cat("http://", registry, end));
    }
  }
  return keys;
}

std::string text_of(const Json& object, std::string_view key) {
  const std::string* value = text::find_string(object, key);
  return value == nullptr ? std::string() : *value;
}

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Credentials from_pair(std::string username, std::string secret) {
  if (username == kTokenUser)
    return {.username = {}, .password = {}, .identity_token = std::move(secret), .registry_token = {}};
  return {.username = std::move(username),
          .password = std::move(secret),
          .identity_token = {},
          .registry_token = {}};
}

Result<Credentials> read_entry(const Json& entry, std::string_view what, std::string_view key) {
  const auto bad = [&](std::string_view why) {
    return invalid(what, cat("the login for ", base::quoted(key), " ", why));
  };
  Credentials found;
  found.identity_token = text_of(entry, "identitytoken");
  found.registry_token = text_of(entry, "registrytoken");
  if (!is_clean(found.identity_token) || !is_clean(found.registry_token))
    return bad("has control characters");
  if (!found.registry_token.empty()) found.identity_token.clear();
  if (!found.is_anonymous()) return found;
  std::string username = text_of(entry, "username");
  std::string password = text_of(entry, "password");
  if (const std::string joined = text_of(entry, "auth"); !joined.empty()) {
    const auto pair = base::base64_decode(joined);
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos || colon == 0) return bad("is not base64 of user:password");
    username = pair->substr(0, colon);
    password = pair->substr(colon + 1);
    password.erase(
        std::ranges::find_if_not(password.rbegin(), password.rend(), [](char c) { return c == '\0'; }).base(),
        password.end());
  }
  if (!is_clean(username) || !is_clean(password) || username.find(':') != std::string::npos)
    return bad("has characters which cannot be sent");
  return from_pair(std::move(username), std::move(password));
}

const Json* find_entry(const Json& config, std::string_view registry, std::string_view repository,
                       std::string& key) {
  const Json* auths = text::find_object(config, "auths");
  if (auths == nullptr) return nullptr;
  for (std::string& candidate : keys_for(registry, repository)) {
    if (const Json* entry = text::find_object(*auths, candidate)) {
      key = std::move(candidate);
      return entry;
    }
  }
  return nullptr;
}

Result<Credentials> find_in(const Json& config, std::string_view what, std::string_view registry,
                            std::string_view repository) {
  std::string key;
  const Json* entry = find_entry(config, registry, repository, key);
  if (entry == nullptr) return Credentials{};
  return read_entry(*entry, what, key);
}

// The helper named for this registry, or "".
Result<std::string> helper_for(const Json& config, std::string_view what, std::string_view registry) {
  std::string name;
  if (const Json* helpers = text::find_object(config, "credHelpers")) {
    name = text_of(*helpers, registry);
    if (name.empty()) name = text_of(*helpers, server_key(registry));
  }
  if (name.empty()) name = text_of(config, "credsStore");
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!std::ranges::all_of(name, allowed))
    return invalid(what, cat("bad credential helper ", base::quoted(name)));
  return name;
}

Result<Credentials> ask_helper(base::Processes& processes, const std::string& name,
                               std::string_view registry) {
  const std::string program = cat("docker-credential-", name);
  base::Command command;
  command.arguments = {program, "get"};
  command.input = server_key(registry);
  TRY_ASSIGN(const base::CommandOutput output, processes.run(command));
  const std::string_view said = base::trim(output.out);
  const auto failed = [&](std::string_view why) {
    return base::fail(Code::kDenied, "oci.credential_helper", cat(program, " for ", registry, ": ", why),
                      cat("try it by hand: echo ", command.input, " | ", program, " get"));
  };
  if (output.status != 0) {
    if (said == kNotFound) return Credentials{};
    const std::string_view error = said.empty() ? base::trim(output.err) : said;
    return failed(cat("exit status ", output.status, ": ", base::quoted(error, 200)));
  }
  const auto answer = text::parse_json(said, program);
  if (!answer) return failed("its answer is not JSON");
  const std::string username = text_of(*answer, "Username");
  const std::string secret = text_of(*answer, "Secret");
  if (username.empty() || !is_clean(username) || !is_clean(secret))
    return failed("its answer has no usable login");
  return from_pair(username, secret);
}

class DockerCredentials final : public CredentialStore {
 public:
  DockerCredentials(Environment environment, base::FileSystem& files, base::Processes& processes)
      : environment_(std::move(environment)), files_(files), processes_(processes) {}

  Result<Credentials> find(std::string_view registry, std::string_view repository) override {
    const std::optional<fs::path> file = config_file();
    if (!file) return Credentials{};
    TRY_ASSIGN(const std::string document, files_.read(*file, kLargestConfig));
    TRY_ASSIGN(const Json config, text::parse_json(document, file->string()));
    TRY_ASSIGN(const std::string helper, helper_for(config, file->string(), registry));
    if (!helper.empty()) {
      TRY_ASSIGN(Credentials found, remembered_answer(helper, registry));
      if (!found.is_anonymous()) return found;
    }
    return find_in(config, file->string(), registry, repository);
  }

 private:
  std::optional<fs::path> config_file() {
    const auto home = environment_("HOME");
    std::vector<fs::path> places;
    if (const auto folder = environment_("DOCKER_CONFIG"))
      places.push_back(fs::path(*folder) / "config.json");
    else if (home)
      places.push_back(fs::path(*home) / ".docker" / "config.json");
    if (const auto file = environment_("REGISTRY_AUTH_FILE")) places.emplace_back(*file);
    if (const auto folder = environment_("XDG_RUNTIME_DIR"))
      places.push_back(fs::path(*folder) / "containers" / "auth.json");
    if (const auto folder = environment_("XDG_CONFIG_HOME"))
      places.push_back(fs::path(*folder) / "containers" / "auth.json");
    else if (home)
      places.push_back(fs::path(*home) / ".config" / "containers" / "auth.json");
    for (fs::path& place : places)
      if (files_.exists(place)) return std::move(place);
    return std::nullopt;
  }

  Result<Credentials> remembered_answer(const std::string& helper, std::string_view registry) {
    const std::lock_guard lock(mutex_);
    const std::string key = cat(helper, " ", registry);
    if (const auto found = answers_.find(key); found != answers_.end()) return found->second;
    TRY_ASSIGN(Credentials answer, ask_helper(processes_, helper, registry));
    return answers_.emplace(key, std::move(answer)).first->second;
  }

  Environment environment_;
  base::FileSystem& files_;
  base::Processes& processes_;
  std::mutex mutex_;
  std::map<std::string, Credentials> answers_;
};

class FixedCredentials final : public CredentialStore {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> find(std::string_view, std::string_view) override { return credentials_; }

 private:
  Credentials credentials_;
};

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

std::unique_ptr<CredentialStore> docker_credentials(Environment environment, base::FileSystem& files,
                                                    base::Processes& processes) {
  return std::make_unique<DockerCredentials>(std::move(environment), files, processes);
}

std::unique_ptr<CredentialStore> fixed_credentials(Credentials credentials) {
  return std::make_unique<FixedCredentials>(std::move(credentials));
}

Result<Credentials> find_in_config(std::string_view document, std::string_view what,
                                   std::string_view registry, std::string_view repository) {
  TRY_ASSIGN(const Json config, text::parse_json(document, what, {.bytes = kLargestConfig, .depth = 32}));
  return find_in(config, what, registry, repository);
}

}  // namespace wherry::oci
