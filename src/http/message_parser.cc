#include "http/message_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>

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
  Head* head = nullptr;         // while the head is parsed
  std::string* body = nullptr;  // while chunks are parsed
  std::size_t most_headers = 0;
  int hosts = 0, lengths = 0, encodings = 0;
  std::string_view encoding, expectation;

 private:
  void on_request_impl(beast::verb, View method, View target, int version, error_code&) override {
    head->method = plain(method);
    head->target = plain(target);
    head->http_1_1 = version == 11;
  }
  void on_field_impl(beast::field field, View name, View value, error_code& error) override {
    if (head == nullptr) return;  // a trailer: read over, as RFC 9112 section 7.1.2 allows
    if (head->headers.size() == most_headers) {
      error = beast::error::header_limit;
      return;
    }
    head->headers.push_back({plain(name), plain(value)});
    if (field == beast::field::host) ++hosts;
    if (field == beast::field::content_length) ++lengths;
    if (field == beast::field::transfer_encoding) {
      ++encodings;
      encoding = plain(value);
    }
    if (field == beast::field::expect) expectation = plain(value);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, View text, error_code&) override {
    body->append(text.data(), text.size());
    return text.size();
  }
  std::size_t on_body_impl(View text, error_code&) override { return text.size(); }  // never fed one
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
      {beast::error::bad_chunk, {400, "malformed chunk"}},
      {beast::error::bad_chunk_extension, {400, "malformed chunk extension"}},
  };
  for (const Row& row : kRows)
    if (error == row.error) return row.objection;
  return {400, "malformed request head"};
}

// What Beast lets pass and RFC 9112 wants refused.
Objection check(const Parser& parser, const Head& head) {
  if (parser.hosts > 1 || (head.http_1_1 && parser.hosts == 0))
    return {400, "exactly one Host header is needed"};
  if (parser.lengths > 1) return {400, "several Content-Length headers"};
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

}  // namespace

struct MessageParser::State {
  const Limits& limits;
  std::optional<Parser> parser;
};

MessageParser::MessageParser(const Limits& limits) : state_(new State{limits, std::nullopt}) {}
MessageParser::~MessageParser() = default;

Objection MessageParser::parse_head(std::string_view text, Head& head) {
  head = Head{.headers = std::move(head.headers)};
  head.headers.clear();
  if (is_folded(text)) return {400, "a header is continued on the next line, or contains a bare CR"};
  Parser& parser = state_->parser.emplace();
  parser.head = &head;
  parser.most_headers = state_->limits.most_headers;
  parser.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(text.size() + 1, UINT32_MAX)));
  parser.body_limit(state_->limits.most_body);
  error_code error;
  parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
  parser.head = nullptr;
  if (error || !parser.is_header_done()) return objection_to(error);
  if (const Objection objection = check(parser, head)) return objection;
  head.chunked = parser.chunked();
  head.keep_alive = parser.keep_alive();
  head.expects_continue = head.http_1_1 && !parser.expectation.empty();
  head.has_length = parser.lengths > 0;
  if (const auto length = parser.content_length()) head.content_length = *length;
  return {};
}

Objection MessageParser::parse_chunks(std::string_view text, std::string& body, std::size_t& consumed,
                                      bool& finished) {
  Parser& parser = *state_->parser;
  parser.body = &body;
  parser.eager(true);
  error_code error;
  consumed = 0;
  while (consumed < text.size() && !parser.is_done()) {
    const std::size_t count =
        parser.put(boost::asio::const_buffer(text.data() + consumed, text.size() - consumed), error);
    consumed += count;
    if (error == beast::error::need_more || (!error && count == 0)) break;
    if (error) return objection_to(error);
  }
  finished = parser.is_done();
  return {};
}

}  // namespace wherry::http
