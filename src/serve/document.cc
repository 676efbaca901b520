#include "serve/document.h"

#include "base/digest.h"
#include "base/text.h"
#include "http/coding.h"

namespace wherry::serve {

using base::cat;

namespace {

// Empty where coding saves nothing.
std::string coded(std::string_view content_type, std::string_view body, std::string_view coding) {
  http::Coder coder;
  http::Response response;
  response.content_type = content_type;
  response.body = body;
  const http::HeaderView wanted[] = {{"Accept-Encoding", coding}};
  coder.encode(wanted, response);
  return response.body.size() < body.size() ? std::move(response.body) : std::string();
}

// Whether a list of entity tags names `etag`, compared weakly.
bool names_etag(std::string_view list, std::string_view etag) {
  for (std::string_view one : base::split(list, ',')) {
    one = base::trim(one);
    if (one == "*") return true;
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag.substr(2)) return true;
  }
  return false;
}

}  // namespace

Document make_document(std::string_view content_type, std::string body,
                       std::vector<std::pair<std::string_view, std::string>> headers) {
  Document document{.content_type = content_type, .headers = std::move(headers)};
  document.zstd = coded(content_type, body, "zstd");
  document.gzip = coded(content_type, body, "gzip");
  document.etag = cat("W/\"", base::sha256_hex(body).substr(0, 32), "\"");
  document.body = std::move(body);
  return document;
}

void answer_document(const Document& document, const http::Request& request, http::Response& response) {
  response.add_header("ETag", document.etag);
  response.add_header("Vary", "Accept-Encoding");
  response.add_header("Cache-Control", "no-cache");
  for (const auto& [name, value] : document.headers) response.add_header(name, value);
  if (names_etag(request.header("If-None-Match"), document.etag)) {
    response.status = 304;
    return;
  }
  response.content_type = document.content_type;
  const http::Coding coding = http::preferred_coding(request.headers);
  const std::string* bytes = coding == http::Coding::kZstd   ? &document.zstd
                             : coding == http::Coding::kGzip ? &document.gzip
                                                             : nullptr;
  if (bytes == nullptr || bytes->empty()) {
    response.body = document.body;
    return;
  }
  response.add_header("Content-Encoding", http::name_of(coding));
  response.body = *bytes;
}

std::shared_ptr<const Document> DocumentCache::get(std::uint64_t generation, std::string_view name,
                                                   const std::function<Document()>& make) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_ || documents_.size() >= kMost) documents_.clear();
  generation_ = generation;
  const auto found = documents_.find(name);
  if (found != documents_.end()) return found->second;
  return documents_.emplace(name, std::make_shared<const Document>(make())).first->second;
}

}  // namespace wherry::serve
