// One registry, spoken to as the OCI distribution specification 1.1 says: finding out about it, logging in,
// sending requests, and the verbs on manifests and blobs which push and pull are made of.
//
// A session keeps its login, so use one per registry. Thread-safety: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http_client/transport.h"

#include "base/clock.h"
#include "base/error.h"
#include "oci/answers.h"
#include "oci/credentials.h"
#include "oci/manifest.h"
#include "oci/reference.h"

namespace wherry::oci {

// What the session works with; all borrowed, outliving it.
struct RegistryServices {
  http_client::Transport& transport;
  base::Clock& clock;
  CredentialStore& credentials;
};

struct RegistryOptions {
  // Plain HTTP and unverified certificates (the transport must be made with TlsOptions::insecure too). A
  // registry on the loopback interface may speak plain HTTP without it.
  bool insecure = false;
  http_client::RetryPolicy retry = {};
  std::function<void(std::string_view)> on_warning = {};  // each text a registry wants people to read, once
};

// A right asked of the token server: "repository:team/fraud:pull,push".
struct Scope {
  std::string repository;
  bool push = false;
  bool operator==(const Scope&) const = default;
};
std::string to_string(const Scope& scope);

struct RegistryCall {
  std::string method = "GET";
  std::string path;        // "/v2/…", below the registry; or
  std::optional<Url> url;  // where an answer pointed to, already checked
  http_client::Headers headers = {};
  std::string body = {};
  http_client::BodySource* source = nullptr;
  http_client::Sink sink = {};
  std::uint64_t most_response = 16u << 20;
  std::chrono::milliseconds idle{30'000};
  std::vector<Scope> scopes = {};
  bool retry = true;           // false for what must not be repeated blindly
  std::string_view what = {};  // for messages: "layer sha256:…"
};

class RegistrySession {
 public:
  RegistrySession(std::string registry, const RegistryServices& services, RegistryOptions options);
  ~RegistrySession();
  RegistrySession(const RegistrySession&) = delete;
  RegistrySession& operator=(const RegistrySession&) = delete;

  const std::string& registry() const;

  // The answer, whatever its status, after logging in as the registry asks. The first call finds out how the
  // registry is reached (GET /v2/). Authorization goes to the registry's own host only.
  // Errors: transport's, "oci.not_a_registry", "oci.challenge_invalid", "oci.token_invalid",
  // "oci.unauthorized", "oci.insecure_address", the credential store's.
  base::Result<http_client::Response> send(const RegistryCall& call);

  // The registry's address; known after the first call.
  const Url& base_url() const;
  base::Clock& clock() const;
  const http_client::RetryPolicy& retry_policy() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// --- manifests -------------------------------------------------------------------------------------------

struct FetchedManifest {
  std::string media_type;
  std::string document;  // exact bytes
  std::string digest;    // computed from them
};

// Errors: "oci.manifest_missing", "oci.digest_mismatch" (what came is not what the reference or the registry
// named), refusals (answers.h).
base::Result<FetchedManifest> fetch_manifest(RegistrySession& session, const Reference& reference);

// The digest a tag stands for now, without fetching the manifest where the registry tells it.
base::Result<std::string> resolve_digest(RegistrySession& session, const Reference& reference);

// Stores exact bytes under a tag or digest; the answer is their digest.
base::Result<std::string> put_manifest(RegistrySession& session, std::string_view repository,
                                       std::string_view tag_or_digest, std::string_view media_type,
                                       std::string_view document);

// Gives an image of this repository one more tag.
base::Result<std::string> add_tag(RegistrySession& session, const Reference& reference, std::string_view tag);

// --- blobs -----------------------------------------------------------------------------------------------

base::Result<bool> has_blob(RegistrySession& session, std::string_view repository, std::string_view digest);

// A small blob, digest checked; "oci.blob_missing", "oci.digest_mismatch", and "http_client.too_large" for
// one of more than `most` bytes (or 64 KiB, which an error's explanation may take).
base::Result<std::string> fetch_blob(RegistrySession& session, std::string_view repository,
                                     const Descriptor& blob, std::uint64_t most);

// A blob of any size into a layer store (layer.h); the file's path. Nothing is fetched when it is there.
base::Result<std::filesystem::path> fetch_blob_to(RegistrySession& session, std::string_view repository,
                                                  const Descriptor& blob, const std::filesystem::path& store);

// --- images ----------------------------------------------------------------------------------------------

struct RemoteImage {
  std::string digest;  // of what the reference names: index or manifest
  Manifest manifest;   // of the platform chosen
  std::string manifest_digest;
  ImageConfig config;
};

// Manifest and configuration of an image; from an index, of `platform`.
base::Result<RemoteImage> fetch_image(RegistrySession& session, const Reference& reference,
                                      const Platform& platform);

}  // namespace wherry::oci
