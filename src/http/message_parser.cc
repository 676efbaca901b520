#include "http/message_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>

namespace wherry::http {

namespace beast = boost::beast::http;
using boost::beast::error_code;
using View = boost::beast::string_view;

namespace {

std::string_view plain(View text) {
  return {text.data(), text.size()};
}

class Parser : public beast::basic_parser<true> {
 public:
  Head* head = nullptr;
  std::size_t most_headers = 0;
  int hosts = 0, lengths = 0, encodings = 0;
  std::string_view length, encoding, expectation;

 private:
  void on_request_impl(beast::verb, View method, View target, int version, error_code&) override {
    head->method = plain(method);
    head->target = plain(target);
    head->http_1_1 = version == 11;
  }
  void on_field_impl(beast::field field, View name, View value, error_code& error) override {
    if (head->headers.size() == most_headers) {
      error = beast::error::header_limit;
      return;
    }
    head->headers.push_back({plain(name), plain(value)});
    if (field == beast::field::host) ++hosts;
    if (field == beast::field::content_length) {
      ++lengths;
      length = plain(value);
    }
    if (field == beast::field::transfer_encoding) {
      ++encodings;
      encoding = plain(value);
    }
    if (field == beast::field::expect) expectation = plain(value);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, View text, error_code&) override { return text.size(); }
  std::size_t on_body_impl(View text, error_code&) override { return text.size(); }
  void on_header_impl(error_code&) override {}
  void on_response_impl(int, View, int, error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
  void on_finish_impl(error_code&) override {}
};

struct Row {
  beast::error error;
  Objection objection;
};

Objection objection_to(const error_code& error) {
  static const Row kRows[] = {
      {beast::error::header_limit, {431, "the request has too many headers"}},
      {beast::error::body_limit, {413, "the request body is too large"}},
      {beast::error::bad_version, {505, "only HTTP/1.1 and HTTP/1.0 are spoken here"}},
      {beast::error::bad_method, {400, "malformed request line: method"}},
      {beast::error::bad_target, {400, "malformed request line: target"}},
      {beast::error::bad_content_length, {400, "malformed or repeated Content-Length"}},
      {beast::error::multiple_content_length, {400, "several Content-Length headers"}},
      {beast::error::bad_transfer_encoding,
       {400, "Transfer-Encoding together with Content-Length, or twice"}},
  };
  for (const Row& row : kRows)
    if (error == row.error) return row.objection;
  return {400, "malformed request head"};
}

// What Beast lets pass and RFC 9112 wants refused.
Objection check(const Parser& parser, const Head& head) {
  if (parser.hosts > 1 || (head.http_1_1 && parser.hosts == 0))
    return {400, "exactly one Host header is needed"};
  if (parser.lengths > 1 || parser.length.find(',') != parser.length.npos)
    return {400, "several Content-Length headers"};
  if (parser.encodings > 0 && parser.lengths > 0)
    return {400, "Transfer-Encoding together with Content-Length, or twice"};
  if (parser.encodings > 1) return {400, "several Transfer-Encoding headers"};
  if (parser.encodings > 0 && !head.http_1_1) return {400, "Transfer-Encoding in an HTTP/1.0 request"};
  if (parser.encodings > 0 && !equal_without_case(parser.encoding, "chunked"))
    return {501, "the only Transfer-Encoding understood is chunked"};
  if (!parser.expectation.empty() && !equal_without_case(parser.expectation, "100-continue"))
    return {417, "the only expectation understood is 100-continue"};
  return {};
}

// RFC 9112 section 5.2: a line that begins with white space continues the one before; refused, because not
// everybody between client and us reads it the same way. So is a bare CR.
bool is_folded(std::string_view head) {
  for (std::size_t i = head.find('\r'); i + 2 < head.size(); i = head.find('\r', i + 1))
    if (head[i + 1] != '\n' || head[i + 2] == ' ' || head[i + 2] == '\t') return true;
  return false;
}

// RFC 7540 section 3.2: exactly one HTTP2-Settings must come with "Upgrade: h2c".
void find_upgrade(Head& head) {
  std::string_view settings;
  int asked = 0, found = 0;
  for (const HeaderView& header : head.headers) {
    if (equal_without_case(header.name, "Upgrade") && equal_without_case(header.value, "h2c")) ++asked;
    if (!equal_without_case(header.name, "HTTP2-Settings")) continue;
    ++found;
    settings = header.value;
  }
  if (asked == 1 && found == 1) head.h2c_settings = settings;
}

}  // namespace

Objection parse_head(std::string_view text, const Limits& limits, Head& head) {
  head = Head{.headers = std::move(head.headers)};
  head.headers.clear();
  if (is_folded(text)) return {400, "a header is continued on the next line, or contains a bare CR"};
  Parser parser;
  parser.head = &head;
  parser.most_headers = limits.most_headers;
  parser.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(text.size() + 1, UINT32_MAX)));
  parser.body_limit(limits.most_body);
  error_code error;
  parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
  if (error || !parser.is_header_done()) return objection_to(error);
  if (const Objection objection = check(parser, head)) return objection;
  head.chunked = parser.chunked();
  head.keep_alive = parser.keep_alive();
  head.expects_continue = head.http_1_1 && !parser.expectation.empty();
  head.has_length = parser.lengths > 0;
  if (const auto length = parser.content_length()) head.content_length = *length;
  if (parser.upgrade()) find_upgrade(head);
  return {};
}

bool split_target(std::string_view target, Request& request) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.size() > scheme.size() && equal_without_case(target.substr(0, scheme.size()), scheme)) {
      const std::size_t path = target.find_first_of("/?", scheme.size());
      target = path == target.npos ? std::string_view("/") : target.substr(path);
      if (target.starts_with('?')) return false;
    }
  const bool asterisk = target == "*" && request.method == "OPTIONS";
  if (!target.starts_with('/') && !asterisk) return false;
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  request.query = question == target.npos ? std::string_view() : target.substr(question + 1);
  return true;
}

}  // namespace wherry::http
