#include "oci/testing/fake_registry.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/text.h"
#include "oci/manifest.h"
#include "oci/registry.h"
#include "text/json.h"

namespace wherry::oci_testing {
namespace {

using base::cat;
using base::Result;
using http_client::Request;
using http_client::Response;
using oci::Url;

constexpr std::string_view kStorage = "storage.example.com";

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> decode_pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (text.empty()) return pairs;
  for (std::string_view part : base::split(text, '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    pairs.emplace_back(decode(part.substr(0, equals)),
                       decode(part.substr(std::min(equals + 1, part.size()))));
  }
  return pairs;
}

std::string header_of(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (base::to_lower(key) == name) return value;
  return {};
}

Response make(int status, std::string body = {}, http_client::Headers headers = {}) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

Response api_error(int status, std::string_view code, std::string_view message) {
  const text::Json error{{"code", code}, {"message", message}, {"detail", nullptr}};
  return make(status, text::write_json(text::Json{{"errors", text::Json::array({error})}}),
              {{"Content-Type", "application/json"}});
}

std::unexpected<base::Error> broken_connection() {
  return base::fail(base::Code::kUnavailable, "http_client.interrupted", "the connection was closed",
                    "try again");
}

std::string basic(std::string_view username, std::string_view password) {
  return cat("Basic ", base::base64_encode(cat(username, ":", password)));
}

// What the real transport does with a body for a sink.
Result<Response> deliver(const Request& request, Response response) {
  const bool success = response.status >= 200 && response.status < 300;
  if (request.method == "HEAD") response.body.clear();
  if (!success || !request.sink) {
    if (response.body.size() > request.most_response)
      return base::fail(base::Code::kLimit, "http_client.too_large", "the answer is too large", "");
    return response;
  }
  const std::string body = std::exchange(response.body, {});
  const std::size_t half = body.size() / 2;
  for (const std::string_view piece :
       {std::string_view(body).substr(0, half), std::string_view(body).substr(half)}) {
    if (piece.empty()) continue;
    TRY_ASSIGN(const bool more, request.sink(piece));
    if (!more) {
      response.stopped = true;
      break;
    }
  }
  return response;
}

}  // namespace

struct FakeRegistry::Parts {
  std::string method;
  Url url;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;
  std::string authorization;
  std::string content_type;

  std::string parameter(std::string_view name) const {
    for (const auto& [key, value] : query)
      if (key == name) return value;
    return {};
  }
};

Result<Response> FakeRegistry::send(const Request& request) {
  Parts parts;
  parts.method = request.method;
  parts.authorization = header_of(request, "authorization");
  parts.content_type = header_of(request, "content-type");
  parts.body = request.body;
  if (request.source != nullptr) {
    parts.body.clear();
    char piece[1000];
    for (;;) {
      TRY_ASSIGN(const std::size_t count, request.source->read(piece));
      if (count == 0) break;
      parts.body.append(piece, count);
    }
    if (parts.body.size() != request.source->size())
      return base::fail(base::Code::kInternal, "http_client.body_unreadable",
                        "the source lied about its size", "");
  }
  std::string address = request.url;
  for (int redirects = 0;; ++redirects) {
    const auto url = oci::parse_url(address);
    if (!url)
      return base::fail(base::Code::kInvalidInput, "http_client.bad_url", cat("bad URL ", address), "");
    parts.url = *url;
    const std::size_t mark = std::min(url->target.find('?'), url->target.size());
    parts.path = decode(std::string_view(url->target).substr(0, mark));
    parts.query = decode_pairs(std::string_view(url->target).substr(std::min(mark + 1, url->target.size())));
    seen_.push_back({parts.method, address, parts.authorization, parts.content_type, parts.body.size()});
    TRY_ASSIGN(Response response, answer(parts));
    const std::string location(response.header("Location"));
    const bool redirected = response.status == 307 && !location.empty();
    if (!redirected || redirects >= request.most_redirects) {
      response.url = address;
      if (!quirks_.warning.empty())
        response.headers.emplace_back("Warning", cat("299 - \"", quirks_.warning, "\""));
      return deliver(request, std::move(response));
    }
    const auto next = oci::resolve(*url, location);
    if (next && (next->host != url->host || next->scheme != url->scheme)) parts.authorization.clear();
    address = next ? oci::to_string(*next) : location;
  }
}

std::size_t FakeRegistry::count(std::string_view method, std::string_view url_contains) const {
  return static_cast<std::size_t>(std::ranges::count_if(seen_, [&](const Seen& one) {
    return one.method == method && one.url.find(url_contains) != std::string::npos;
  }));
}

bool FakeRegistry::has_blob(const std::string& repository, const std::string& digest) const {
  const auto found = repositories_.find(repository);
  return found != repositories_.end() && found->second.blobs.contains(digest);
}

std::string FakeRegistry::manifest(const std::string& repository, const std::string& name) const {
  const auto found = repositories_.find(repository);
  if (found == repositories_.end()) return {};
  const auto manifest = found->second.manifests.find(name);
  return manifest == found->second.manifests.end() ? std::string() : manifest->second.document;
}

void FakeRegistry::put_blob(const std::string& repository, const std::string& content) {
  repositories_[repository].blobs[base::sha256_digest(content)] = content;
}

void FakeRegistry::put_manifest(const std::string& repository, const std::string& name,
                                const std::string& document, const std::string& media_type) {
  for (const std::string& key : {name, base::sha256_digest(document)})
    repositories_[repository].manifests[key] = {document, media_type};
}

Result<Response> FakeRegistry::answer(const Parts& parts) {
  for (Fault& fault : faults_) {
    const bool meant = fault.times > 0 && fault.method == parts.method &&
                       oci::to_string(parts.url).find(fault.path_contains) != std::string::npos;
    if (!meant) continue;
    --fault.times;
    if (fault.status == 0) return broken_connection();
    return make(fault.status, fault.body, fault.headers);
  }
  if (parts.url.host == kStorage) {
    const std::string digest = parts.path.substr(1);
    for (const auto& [name, repository] : repositories_)
      if (const auto blob = repository.blobs.find(digest); blob != repository.blobs.end())
        return make(200, blob->second);
    return make(404);
  }
  if (parts.path == "/token") return answer_token(parts);
  if (parts.url.host != host_ && (quirks_.upload_host.empty() || parts.url.host != quirks_.upload_host))
    return base::fail(base::Code::kUnavailable, "http_client.dns", cat("no such host ", parts.url.host), "");
  if (quirks_.speaks_tls_only && parts.url.scheme == "http")
    return make(400, "Client sent an HTTP request to an HTTPS server.\n");
  if (parts.path == "/v2/") {
    if (auto refused = refuse_login(parts, "", false)) return std::move(*refused);
    return make(200, "{}");
  }
  return answer_api(parts);
}

Response FakeRegistry::unauthorized(const std::string& repository, bool push) const {
  Response response = api_error(401, "UNAUTHORIZED", "authentication required");
  const std::string realm = quirks_.realm.empty() ? cat("https://auth.", host_, "/token") : quirks_.realm;
  std::string bearer = cat("Bearer realm=\"", realm, "\",service=\"", host_, "\"");
  if (!repository.empty()) bearer += cat(",scope=\"", oci::to_string(oci::Scope{repository, push}), "\"");
  if (quirks_.login == Login::kBearer) response.headers.emplace_back("Www-Authenticate", bearer);
  if (quirks_.login == Login::kBasic || quirks_.basic_after_bearer)
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"registry\"");
  return response;
}

std::optional<Response> FakeRegistry::refuse_login(const Parts& parts, const std::string& repository,
                                                   bool push) const {
  if (quirks_.login == Login::kNone || parts.url.host != host_) return std::nullopt;
  if (quirks_.login == Login::kBasic) {
    if (parts.authorization == basic(quirks_.username, quirks_.password)) return std::nullopt;
    return unauthorized(repository, push);
  }
  if (!parts.authorization.starts_with("Bearer ")) return unauthorized(repository, push);
  const auto token = tokens_.find(parts.authorization.substr(7));
  if (token == tokens_.end()) return unauthorized(repository, push);
  if (repository.empty()) return std::nullopt;
  const bool granted = token->second.contains(cat(repository, ":push")) ||
                       (!push && token->second.contains(cat(repository, ":pull")));
  if (!granted) return unauthorized(repository, push);
  return std::nullopt;
}

Response FakeRegistry::answer_token(const Parts& parts) {
  std::vector<std::string> scopes;
  bool may_push = parts.authorization == basic(quirks_.username, quirks_.password);
  if (parts.method == "POST") {
    if (quirks_.no_refresh_grant) return make(404);
    std::string given;
    for (const auto& [key, value] : decode_pairs(parts.body)) {
      if (key == "refresh_token") given = value;
      if (key == "scope")
        for (std::string_view scope : base::split(value, ' ')) scopes.emplace_back(scope);
    }
    if (quirks_.identity_token.empty() || given != quirks_.identity_token) return make(401);
    may_push = true;
  } else {
    for (const auto& [key, value] : parts.query)
      if (key == "scope") scopes.push_back(value);
    if (!quirks_.identity_token.empty())
      may_push |= parts.authorization == basic("<token>", quirks_.identity_token);
    if (!parts.authorization.empty() && !may_push) return make(401, "bad login");
  }
  if (quirks_.one_scope_per_token && scopes.size() > 1) scopes.resize(1);
  const std::string token = cat("token-", tokens_.size() + 1);
  std::set<std::string>& granted = tokens_[token];
  for (const std::string& scope : scopes) {
    const auto fields = base::split(scope, ':');
    if (fields.size() != 3) continue;
    granted.insert(cat(fields[1], ":pull"));
    if (may_push && fields[2].find("push") != std::string_view::npos) granted.insert(cat(fields[1], ":push"));
  }
  return make(200, text::write_json({{"token", token}, {"expires_in", quirks_.token_lifetime}}));
}

Result<Response> FakeRegistry::answer_api(const Parts& parts) {
  const auto cut = [&](std::string_view marker) { return parts.path.find(marker); };
  std::string repository, rest;
  std::string_view kind;
  for (std::string_view marker : {"/blobs/uploads/", "/blobs/", "/manifests/"}) {
    const std::size_t at = cut(marker);
    if (at == std::string::npos || at < 4) continue;
    repository = parts.path.substr(4, at - 4);
    rest = parts.path.substr(at + marker.size());
    kind = marker;
    break;
  }
  if (kind.empty()) return make(404, "404 page not found\n");
  const bool push = parts.method != "GET" && parts.method != "HEAD";
  if (auto refused = refuse_login(parts, repository, push)) return std::move(*refused);
  if (!repositories_.contains(repository)) {
    if (quirks_.closes_for_missing_repository) return broken_connection();
    if (push && !quirks_.repositories_are_made)
      return api_error(404, "NAME_UNKNOWN", "repository name not known to registry");
    if (push) repositories_[repository];
  }
  if (kind == "/blobs/") return answer_blob(parts, repository, rest);
  if (kind == "/manifests/") return answer_manifest(parts, repository, rest);
  if (parts.method == "POST") return begin_upload(parts, repository);
  if (!uploads_.contains(rest))
    return api_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  if (parts.method == "PATCH") return continue_upload(parts, repository, rest);
  if (parts.method == "PUT") return finish_upload(parts, repository, rest);
  if (parts.method == "DELETE") {
    uploads_.erase(rest);
    return make(204);
  }
  return make(405);
}

Response FakeRegistry::answer_blob(const Parts& parts, const std::string& repository,
                                   const std::string& digest) {
  if (!has_blob(repository, digest)) return api_error(404, "BLOB_UNKNOWN", "blob unknown to registry");
  if (parts.method == "GET" && quirks_.blobs_on_storage)
    return make(307, "", {{"Location", cat("https://", kStorage, "/", digest)}});
  std::string content = repositories_[repository].blobs[digest];
  if (quirks_.damaged_blobs && !content.empty()) content.back() = static_cast<char>(content.back() ^ 1);
  return make(200, std::move(content), {{"Docker-Content-Digest", digest}});
}

std::string FakeRegistry::upload_location(const std::string& repository, const std::string& id) const {
  const std::string path = cat("/v2/", repository, "/blobs/uploads/", id, "?_state=x");
  if (!quirks_.upload_host.empty()) return cat("https://", quirks_.upload_host, path);
  const bool plain = host_.starts_with("127.") || host_.starts_with("localhost");
  return quirks_.absolute_locations ? cat(plain ? "http://" : "https://", host_, path) : path;
}

Result<Response> FakeRegistry::begin_upload(const Parts& parts, const std::string& repository) {
  const std::string mount = parts.parameter("mount");
  if (!mount.empty()) {
    if (quirks_.mount_closes_connection) return broken_connection();
    if (quirks_.mount_refused) return make(405);
    const std::string from = parts.parameter("from");
    if (has_blob(from, mount)) {
      repositories_[repository].blobs[mount] = repositories_[from].blobs[mount];
      return make(201, "", {{"Location", cat("/v2/", repository, "/blobs/", mount)}});
    }
  }
  const std::string id = cat("upload-", next_upload_++);
  uploads_[id];
  return make(202, "", {{"Location", upload_location(repository, id)}, {"Range", "0-0"}});
}

Response FakeRegistry::continue_upload(const Parts& parts, const std::string& repository,
                                       const std::string& id) {
  if (quirks_.patch_status >= 400) return make(quirks_.patch_status);
  std::string content = uploads_[id] + parts.body;
  std::string next = id;
  if (quirks_.location_changes) {
    uploads_.erase(id);
    next = cat("upload-", next_upload_++);
  }
  uploads_[next] = std::move(content);
  return make(
      quirks_.patch_status, "",
      {{"Location", upload_location(repository, next)}, {"Range", cat("0-", uploads_[next].size() - 1)}});
}

Response FakeRegistry::finish_upload(const Parts& parts, const std::string& repository,
                                     const std::string& id) {
  const std::string content = uploads_[id] + parts.body;
  const std::string digest = parts.parameter("digest");
  if (base::sha256_digest(content) != digest)
    return api_error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  uploads_.erase(id);
  repositories_[repository].blobs[digest] = content;
  return make(201, "",
              {{"Docker-Content-Digest", quirks_.stored_digest.empty() ? digest : quirks_.stored_digest}});
}

Response FakeRegistry::answer_manifest(const Parts& parts, const std::string& repository,
                                       const std::string& name) {
  if (parts.method == "PUT") return store_manifest(parts, repository, name);
  const auto found = repositories_.find(repository);
  const bool known = found != repositories_.end() && found->second.manifests.contains(name);
  if (!known) return api_error(404, "MANIFEST_UNKNOWN", "manifest unknown");
  const StoredManifest& manifest = found->second.manifests.at(name);
  return make(200, manifest.document,
              {{"Content-Type", manifest.media_type},
               {"Docker-Content-Digest", base::sha256_digest(manifest.document)}});
}

Response FakeRegistry::store_manifest(const Parts& parts, const std::string& repository,
                                      const std::string& name) {
  Repository& stored = repositories_[repository];
  const auto json = text::parse_json(parts.body, "manifest");
  if (!json) return api_error(400, "MANIFEST_INVALID", "manifest invalid");
  if (!oci::is_index_type(parts.content_type)) {
    const auto manifest = oci::parse_manifest(parts.body, "manifest");
    if (!manifest) return api_error(400, "MANIFEST_INVALID", "manifest invalid");
    std::vector<oci::Descriptor> needed = manifest->layers;
    needed.push_back(manifest->config);
    for (const oci::Descriptor& blob : needed)
      if (!stored.blobs.contains(blob.digest))
        return api_error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
  }
  const std::string digest = base::sha256_digest(parts.body);
  if (name.starts_with("sha256:") && name != digest)
    return api_error(400, "DIGEST_INVALID", "digest mismatch");
  put_manifest(repository, name, parts.body, parts.content_type);
  return make(201, "",
              {{"Docker-Content-Digest", quirks_.stored_digest.empty() ? digest : quirks_.stored_digest}});
}

}  // namespace wherry::oci_testing
