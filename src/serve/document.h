// Documents which change with the model at most: prepared once, with an ETag and coded bytes, and answered
// with 304 to whom has them already (RFC 9110 sections 8.8.3 and 13.1.2).
//
// Thread-safety: a Document is immutable; DocumentCache may be used from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace wherry::serve {

struct Document {
  std::string_view content_type;  // static storage
  std::string body;
  std::string zstd, gzip;  // the same bytes coded; empty where that saves nothing
  std::string etag;        // weak, as the bytes differ by coding
  std::vector<std::pair<std::string_view, std::string>> headers;  // beside those about the body
};

Document make_document(std::string_view content_type, std::string body,
                       std::vector<std::pair<std::string_view, std::string>> headers = {});

// 200 in the coding which the client likes best, or 304 where If-None-Match names this document.
void answer_document(const Document& document, const http::Request& request, http::Response& response);

// Documents by name, made at first use and forgotten when `generation`, which stands for the models they
// describe, is another one.
class DocumentCache {
 public:
  std::shared_ptr<const Document> get(std::uint64_t generation, std::string_view name,
                                      const std::function<Document()>& make);

  static constexpr std::size_t kMost = 64;  // when there are more, all are forgotten

 private:
  std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::map<std::string, std::shared_ptr<const Document>, std::less<>> documents_;
};

}  // namespace wherry::serve
