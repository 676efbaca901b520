// A request as a handler sees it, and the answer it fills in (RFC 9110, RFC 9112).
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace wherry::http {

enum class Version : unsigned char { k1_0, k1_1, k2 };

// Who is at the other end of a connection.
struct Peer {
  std::string address;  // "192.0.2.1", "2001:db8::1", or "unix"
  bool tls = false;
  std::string subject;             // common name of the verified client certificate; "" without one
  std::vector<std::string> names;  // its subject alternative names
  unsigned listener = 0;           // index into ServerOptions::listeners
};

struct HeaderView {
  std::string_view name, value;  // value without surrounding white space
};

// Everything is borrowed from the connection and valid during Handler::handle, or as long as the Later which
// was taken there.
struct Request {
  std::string_view method;  // as sent: "GET"; upper case is the client's duty
  std::string_view path;    // as sent, percent-encoded, begins with '/' (or is "*" for OPTIONS)
  std::string_view query;   // behind '?', without it; as sent
  std::string_view body;    // whole and contiguous, chunks already joined
  std::span<const HeaderView> headers;
  std::chrono::steady_clock::time_point received;  // when its first byte was read
  Version version = Version::k1_1;
  const Peer* peer = nullptr;  // never null in a request which the server hands out

  // First value of the header, name compared without case; "" when absent.
  std::string_view header(std::string_view name) const;
};

// Reused from request to request, so that its strings keep their memory. The server adds Content-Length,
// Date and Connection, and leaves the body out for HEAD and 204.
struct Response {
  int status = 200;
  std::string_view content_type = "application/json";  // static storage
  std::string body;

  // A value with control characters (which could start another header) is left out.
  void add_header(std::string_view name, std::string_view value);
  const std::string& header_lines() const { return headers_; }
  // Sent behind the body over HTTP/2 (gRPC's status); left out over HTTP/1.1.
  void add_trailer(std::string_view name, std::string_view value);
  const std::string& trailer_lines() const { return trailers_; }
  void clear();  // back to an empty 200; memory is kept

  // status and body {"error": "…"}, as every protocol wherry speaks wants it.
  void set_error(int error_status, std::string_view message);

 private:
  std::string headers_;   // "Name: value\r\n" each
  std::string trailers_;  // the same
};

std::string_view reason_phrase(int status);  // "Not Found"; "Status" for a code without a name

bool equal_without_case(std::string_view a, std::string_view b);  // ASCII

// One path segment or query component with its %XX decoded ('+' stays '+'). nullopt for a malformed escape
// and for bytes that no name of ours contains: control characters, and invalid UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

using base::append_json_string;

}  // namespace wherry::http
