#include "oci/registry.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/file_stream.h"
#include "base/text.h"
#include "oci/layer.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using http_client::Response;

constexpr std::uint64_t kLargestManifest = 4 << 20;
constexpr std::uint64_t kLargestRefusal = 64 << 10;
constexpr std::uint64_t kLargestConfig = 8 << 20;
constexpr std::string_view kDigestHeader = "Docker-Content-Digest";

std::string accepted_types() {
  return cat(kManifestType, ", ", kIndexType, ", ", kDockerManifestType, ", ", kDockerIndexType);
}

std::string manifest_path(std::string_view repository, std::string_view name) {
  return cat("/v2/", repository, "/manifests/", name);
}

std::string blob_path_of(std::string_view repository, std::string_view digest) {
  return cat("/v2/", repository, "/blobs/", digest);
}

std::vector<Scope> pull_scope(std::string_view repository) {
  return {{.repository = std::string(repository)}};
}

std::vector<Scope> push_scope(std::string_view repository) {
  return {{.repository = std::string(repository), .push = true}};
}

std::unexpected<base::Error> mismatch(const RegistrySession& session, std::string_view repository,
                                      std::string_view what, std::string_view got, std::string_view wanted) {
  return base::fail(
      Code::kUnavailable, "oci.digest_mismatch",
      cat(session.registry(), "/", repository, ": ", what, " is ", base::quoted(got), ", not ", wanted),
      "try again; if it stays, do not trust this registry or the proxy in front of it");
}

// A missing manifest is a missing tag unless the registry says the repository is.
base::Error manifest_refusal(const Response& response, const Asked& asked) {
  const auto errors = parse_api_errors(response.body);
  if (response.status != 404 || !errors.empty()) return refusal(response, asked);
  return base::fail(Code::kUnavailable, "oci.manifest_missing",
                    cat(asked.registry, "/", asked.repository, ": ", asked.what,
                        ": there is no such image (HTTP 404)"),
                    "check the name and the tag; push the image first")
      .error();
}

Status check_stored_digest(const RegistrySession& session, const Response& response,
                           std::string_view repository, std::string_view what, std::string_view wanted) {
  const std::string_view stored = response.header(kDigestHeader);
  if (!base::is_sha256_digest(stored) || stored == wanted) return {};
  return mismatch(session, repository, what, stored, wanted);
}

}  // namespace

Result<FetchedManifest> fetch_manifest(RegistrySession& session, const Reference& reference) {
  const std::string what = cat("manifest ", base::quoted(manifest_name(reference)));
  RegistryCall call;
  call.path = manifest_path(reference.repository, manifest_name(reference));
  call.headers = {{"Accept", accepted_types()}};
  call.most_response = kLargestManifest;
  call.scopes = pull_scope(reference.repository);
  call.what = what;
  TRY_ASSIGN(Response response, session.send(call));
  if (response.status != 200)
    return std::unexpected(manifest_refusal(response, {what, session.registry(), reference.repository}));
  FetchedManifest fetched;
  TRY_ASSIGN(fetched.media_type, manifest_media_type(response.body, response.header("Content-Type"),
                                                     cat(to_string(reference), " manifest")));
  fetched.digest = base::sha256_digest(response.body);
  if (!reference.digest.empty() && fetched.digest != reference.digest)
    return mismatch(session, reference.repository, what, fetched.digest, reference.digest);
  TRY(check_stored_digest(session, response, reference.repository, what, fetched.digest));
  fetched.document = std::move(response.body);
  return fetched;
}

Result<std::string> resolve_digest(RegistrySession& session, const Reference& reference) {
  const std::string what = cat("manifest ", base::quoted(manifest_name(reference)));
  RegistryCall call;
  call.method = "HEAD";
  call.path = manifest_path(reference.repository, manifest_name(reference));
  call.headers = {{"Accept", accepted_types()}};
  call.scopes = pull_scope(reference.repository);
  call.what = what;
  TRY_ASSIGN(const Response response, session.send(call));
  const std::string_view digest = response.header(kDigestHeader);
  if (response.status == 200 && base::is_sha256_digest(digest)) {
    if (!reference.digest.empty() && digest != reference.digest)
      return mismatch(session, reference.repository, what, digest, reference.digest);
    return std::string(digest);
  }
  TRY_ASSIGN(FetchedManifest fetched, fetch_manifest(session, reference));
  return std::move(fetched.digest);
}

Result<std::string> put_manifest(RegistrySession& session, std::string_view repository,
                                 std::string_view tag_or_digest, std::string_view media_type,
                                 std::string_view document) {
  const std::string what = cat("manifest ", base::quoted(tag_or_digest));
  const std::string digest = base::sha256_digest(document);
  RegistryCall call;
  call.method = "PUT";
  call.path = manifest_path(repository, tag_or_digest);
  call.headers = {{"Content-Type", std::string(media_type)}};
  call.body = document;
  call.scopes = push_scope(repository);
  call.what = what;
  TRY_ASSIGN(const Response response, session.send(call));
  if (response.status < 200 || response.status > 299)
    return std::unexpected(refusal(response, {what, session.registry(), repository}));
  TRY(check_stored_digest(session, response, repository, what, digest));
  return digest;
}

Result<std::string> add_tag(RegistrySession& session, const Reference& reference, std::string_view tag) {
  TRY_ASSIGN(const FetchedManifest fetched, fetch_manifest(session, reference));
  return put_manifest(session, reference.repository, tag, fetched.media_type, fetched.document);
}

Result<bool> has_blob(RegistrySession& session, std::string_view repository, std::string_view digest) {
  const std::string what = cat("blob ", digest);
  RegistryCall call;
  call.method = "HEAD";
  call.path = blob_path_of(repository, digest);
  call.scopes = pull_scope(repository);
  call.what = what;
  TRY_ASSIGN(const Response response, session.send(call));
  if (response.status == 200) return true;
  if (response.status == 404) return false;
  return std::unexpected(refusal(response, {what, session.registry(), repository}));
}

Result<std::string> fetch_blob(RegistrySession& session, std::string_view repository, const Descriptor& blob,
                               std::uint64_t most) {
  const std::string what = cat("blob ", blob.digest);
  RegistryCall call;
  call.path = blob_path_of(repository, blob.digest);
  call.most_response = std::max(most, kLargestRefusal);
  call.scopes = pull_scope(repository);
  call.what = what;
  TRY_ASSIGN(Response response, session.send(call));
  if (response.status == 404)
    return base::fail(Code::kUnavailable, "oci.blob_missing",
                      cat(session.registry(), "/", repository, ": ", what, " is not there"),
                      "push the image again");
  if (response.status != 200)
    return std::unexpected(refusal(response, {what, session.registry(), repository}));
  if (const std::string got = base::sha256_digest(response.body); got != blob.digest)
    return mismatch(session, repository, what, got, blob.digest);
  return std::move(response.body);
}

Result<std::filesystem::path> fetch_blob_to(RegistrySession& session, std::string_view repository,
                                            const Descriptor& blob, const std::filesystem::path& store) {
  const std::filesystem::path place = blob_path(store, blob.digest);
  if (holds_blob(place, blob.digest, blob.size)) return place;
  const std::string what = cat("blob ", blob.digest);
  TRY_ASSIGN(base::FileWriter file, base::FileWriter::create_in(place.parent_path()));
  base::Sha256 hash;
  std::uint64_t received = 0;
  RegistryCall call;
  call.path = blob_path_of(repository, blob.digest);
  call.scopes = pull_scope(repository);
  call.what = what;
  call.sink = [&](std::string_view piece) -> Result<bool> {
    received += piece.size();
    if (received > blob.size)
      return mismatch(session, repository, what, cat("larger than ", blob.size, " bytes"),
                      "what its manifest says");
    hash.update(piece);
    TRY(file.write(base::as_bytes(piece)));
    return true;
  };
  TRY_ASSIGN(const Response response, session.send(call));
  if (response.status != 200)
    return std::unexpected(refusal(response, {what, session.registry(), repository}));
  if (const std::string got = cat("sha256:", hash.finish_hex()); got != blob.digest)
    return mismatch(session, repository, what, got, blob.digest);
  TRY(file.commit(place));
  return place;
}

Result<RemoteImage> fetch_image(RegistrySession& session, const Reference& reference,
                                const Platform& platform) {
  TRY_ASSIGN(FetchedManifest fetched, fetch_manifest(session, reference));
  RemoteImage image;
  image.digest = fetched.digest;
  const std::string name = to_string(reference);
  if (is_index_type(fetched.media_type)) {
    TRY_ASSIGN(const Index index, parse_index(fetched.document, name));
    TRY_ASSIGN(const Descriptor chosen, choose_platform(index, platform, name));
    Reference one = reference;
    one.digest = chosen.digest;
    TRY_ASSIGN(fetched, fetch_manifest(session, one));
  }
  TRY_ASSIGN(image.manifest, parse_manifest(fetched.document, name));
  image.manifest_digest = fetched.digest;
  TRY_ASSIGN(const std::string config,
             fetch_blob(session, reference.repository, image.manifest.config, kLargestConfig));
  TRY_ASSIGN(image.config, parse_config(config, cat("configuration of ", name)));
  return image;
}

}  // namespace wherry::oci
