#include "http_client/transport.h"

#include <arpa/inet.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"

namespace wherry::http_client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Listens on loopback and plays one scripted answer per connection, in order, keeping what it was sent.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url(std::string_view path = "/") const { return base::cat("http://127.0.0.1:", port_, path); }
  std::string request(std::size_t i) {
    const std::lock_guard lock(mutex_);
    return i < requests_.size() ? requests_[i] : "(none)";
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return requests_.size();
  }

 private:
  static bool complete(const std::string& text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == text.npos) return false;
    const std::size_t length = text.find("Content-Length: ");
    return length == text.npos || text.size() - end - 4 >= std::stoul(text.substr(length + 16));
  }
  void run() {
    for (const std::string& answer : answers_) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      std::string text;
      char buffer[4096];
      while (!complete(text)) {
        const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(text);
      }
      if (answer == "(silence)") {
        while (::recv(client, buffer, sizeof buffer, 0) > 0) {
        }
      } else {
        ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      ::close(client);
    }
  }
  std::vector<std::string> answers_, requests_;
  std::mutex mutex_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::thread thread_;
};

std::string answer(std::string_view status, std::string_view body, std::string_view headers = "") {
  return base::cat("HTTP/1.1 ", status, "\r\n", headers, "Content-Length: ", body.size(), "\r\n\r\n", body);
}

class StillClock : public base::Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::from_time_t(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  }
  std::chrono::steady_clock::time_point steady_now() override { return {}; }
  void sleep_for(std::chrono::milliseconds duration) override { slept.push_back(duration.count()); }
  std::vector<std::int64_t> slept;
};

TEST(Transport, GivesStatusHeadersAndBody) {
  ScriptedServer server({answer("404 Not Found", "gone", "X-Thing: a b \r\n")});
  const auto response =
      make_transport()->send({.url = server.url("/x?y=1"), .headers = {{"Accept", "text/plain"}}});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "gone");
  EXPECT_EQ(response->header("x-thing"), "a b");
  EXPECT_THAT(server.request(0), HasSubstr("GET /x?y=1 HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(0), HasSubstr("Accept: text/plain\r\n"));
}

TEST(Transport, SendsABodyFromMemoryWithItsLength) {
  ScriptedServer server({answer("201 Created", "")});
  ASSERT_TRUE(make_transport()->send({.method = "PUT", .url = server.url(), .body = "hello"}));
  EXPECT_THAT(server.request(0), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(server.request(0), testing::EndsWith("\r\n\r\nhello"));
  EXPECT_THAT(server.request(0), Not(HasSubstr("Expect")));
}

TEST(Transport, StreamsAPartOfAFile) {
  auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  std::ofstream(folder->path() / "blob") << "0123456789";
  auto source = file_source(folder->path() / "blob", 2, 5);
  ASSERT_TRUE(source);
  ScriptedServer server({answer("202 Accepted", "")});
  ASSERT_TRUE(make_transport()->send({.method = "PATCH", .url = server.url(), .source = source->get()}));
  EXPECT_THAT(server.request(0), testing::EndsWith("\r\n\r\n23456"));
}

TEST(Transport, ReportsAFileThatBecameShorter) {
  auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  std::ofstream(folder->path() / "blob") << "0123456789";
  auto source = file_source(folder->path() / "blob", 5, 50);
  ASSERT_TRUE(source);
  ScriptedServer server({"(silence)"});
  const auto response =
      make_transport()->send({.method = "PUT", .url = server.url(), .source = source->get()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.body_unreadable");
}

TEST(Transport, StreamsASuccessfulBodyToTheSinkUntilItHasEnough) {
  ScriptedServer server({answer("200 OK", "one\r\ntwo\nthree\nfour")});
  std::vector<std::string> lines;
  const auto response = make_transport()->send(
      {.url = server.url(), .sink = LineSplitter([&](std::string_view line) -> base::Result<bool> {
                              lines.emplace_back(line);
                              return lines.size() < 2;
                            })});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_TRUE(response->stopped);
  EXPECT_THAT(lines, ElementsAre("one", "two"));
}

TEST(Transport, KeepsTheBodyOfAnErrorAnswerFromTheSink) {
  ScriptedServer server({answer("410 Gone", "too old")});
  const auto response = make_transport()->send(
      {.url = server.url(), .sink = [](std::string_view) -> base::Result<bool> { return true; }});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "too old");
}

TEST(Transport, StopsCollectingAtTheLimit) {
  ScriptedServer server({answer("200 OK", std::string(5000, 'x'))});
  const auto response = make_transport()->send({.url = server.url(), .most_response = 1000});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.too_large");
}

TEST(Transport, RepeatsMethodAndBodyAfter307) {
  ScriptedServer server(
      {answer("307 Temporary Redirect", "", "Location: /other\r\n"), answer("200 OK", "done")});
  const auto response = make_transport()->send({.method = "PUT", .url = server.url("/first"), .body = "abc"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->url, server.url("/other"));
  EXPECT_THAT(server.request(1), HasSubstr("PUT /other HTTP/1.1"));
  EXPECT_THAT(server.request(1), testing::EndsWith("\r\n\r\nabc"));
}

TEST(Transport, BecomesAGetAfter303) {
  ScriptedServer server({answer("303 See Other", "", "Location: /other\r\n"), answer("200 OK", "done")});
  ASSERT_TRUE(make_transport()->send({.method = "POST", .url = server.url("/first"), .body = "abc"}));
  EXPECT_THAT(server.request(1), HasSubstr("GET /other HTTP/1.1"));
  EXPECT_THAT(server.request(1), Not(HasSubstr("abc")));
}

TEST(Transport, DoesNotCarryAuthorizationToAnotherOrigin) {
  ScriptedServer other({answer("200 OK", "blob")});
  ScriptedServer server({answer("302 Found", "", base::cat("Location: ", other.url("/blob"), "\r\n"))});
  ASSERT_TRUE(make_transport()->send({.url = server.url(), .headers = {{"authorization", "Bearer secret"}}}));
  EXPECT_THAT(server.request(0), HasSubstr("Bearer secret"));
  EXPECT_THAT(other.request(0), Not(HasSubstr("secret")));
}

TEST(Transport, GivesTheRedirectBackWhenToldNotToFollow) {
  ScriptedServer server({answer("302 Found", "", "Location: /other\r\n")});
  const auto response = make_transport()->send({.url = server.url(), .most_redirects = 0});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
}

TEST(Transport, EndsARedirectLoop) {
  const std::string loop = answer("302 Found", "", "Location: /\r\n");
  ScriptedServer server({loop, loop, loop});
  const auto response = make_transport()->send({.url = server.url(), .most_redirects = 2});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.redirect");
}

TEST(Transport, RefusesARedirectToAFile) {
  ScriptedServer server({answer("302 Found", "", "Location: file:///etc/passwd\r\n")});
  const auto response = make_transport()->send({.url = server.url()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.redirect");
}

TEST(Transport, RefusesOtherProtocolsAndCredentialsInTheUrl) {
  for (const char* url :
       {"ftp://example.org/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "nonsense", ""}) {
    const auto response = make_transport()->send({.url = url});
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().id, "http_client.bad_url") << url;
  }
}

TEST(Transport, SaysThatNothingListens) {
  std::string url;
  {
    url = ScriptedServer({}).url();
  }
  const auto response = make_transport()->send({.url = url});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.refused");
  EXPECT_EQ(response.error().code, base::Code::kUnavailable);
}

TEST(Transport, SaysThatTheNameIsUnknown) {
  const auto response = make_transport()->send({.url = "http://no-such-host.invalid/"});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.dns");
}

TEST(Transport, EndsAfterTheTotalTime) {
  ScriptedServer server({"(silence)"});
  const auto response =
      make_transport()->send({.url = server.url(), .timeouts = {.total = std::chrono::milliseconds{200}}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.timeout");
}

TEST(Transport, ReportsAnAnswerCutShort) {
  ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"});
  const auto response = make_transport()->send({.url = server.url()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.interrupted");
}

TEST(Transport, StopsWhenCancelled) {
  ScriptedServer server({"(silence)"});
  const std::atomic<bool> cancelled{true};
  const auto response = make_transport()->send({.url = server.url(), .cancelled = &cancelled});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.cancelled");
}

TEST(Retries, WaitAndTryAgainAfterRetryableStatuses) {
  ScriptedServer server(
      {answer("503 Busy", ""), answer("429 Slow", "", "Retry-After: 7\r\n"), answer("200 OK", "x")});
  StillClock clock;
  const auto response = send_with_retries(*make_transport(), clock, {.url = server.url()});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_THAT(clock.slept, ElementsAre(1000, 7000));
}

TEST(Retries, UnderstandARetryAfterDate) {
  ScriptedServer server(
      {answer("503 Busy", "", "Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n"), answer("200 OK", "x")});
  StillClock clock;
  ASSERT_TRUE(send_with_retries(*make_transport(), clock, {.url = server.url()}));
  EXPECT_THAT(clock.slept, ElementsAre(10000));
}

TEST(Retries, GiveUpWhenTheServerAsksForTooLongAWait) {
  ScriptedServer server({answer("429 Slow", "", "Retry-After: 86400\r\n")});
  StillClock clock;
  const auto response = send_with_retries(*make_transport(), clock, {.url = server.url()});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 429);
  EXPECT_TRUE(clock.slept.empty());
}

TEST(Retries, SendTheWholeBodyEachTime) {
  ScriptedServer server({answer("500 Oops", ""), answer("201 Created", "")});
  StillClock clock;
  const auto source = memory_source("payload");
  ASSERT_TRUE(send_with_retries(*make_transport(), clock,
                                {.method = "PUT", .url = server.url(), .source = source.get()}));
  EXPECT_THAT(server.request(1), testing::EndsWith("\r\n\r\npayload"));
}

TEST(Retries, DoNotRepeatWhatTheSinkHasSeen) {
  ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", answer("200 OK", "x")});
  StillClock clock;
  std::string seen;
  const auto response =
      send_with_retries(*make_transport(), clock,
                        {.url = server.url(), .sink = [&](std::string_view piece) -> base::Result<bool> {
                           seen += piece;
                           return true;
                         }});
  EXPECT_FALSE(response);
  EXPECT_EQ(seen, "abc");
  EXPECT_TRUE(clock.slept.empty());
}

TEST(Retries, DoNotRepeatWhatWillNeverWork) {
  StillClock clock;
  EXPECT_FALSE(send_with_retries(*make_transport(), clock, {.url = "ftp://example.org/"}));
  EXPECT_TRUE(clock.slept.empty());
}

TEST(LineSplitter, JoinsPiecesAndLimitsLines) {
  std::vector<std::string> lines;
  LineSplitter splitter(
      [&](std::string_view line) -> base::Result<bool> {
        lines.emplace_back(line);
        return true;
      },
      8);
  for (const char* piece : {"a", "b\r", "\n\nc", "d\n"}) ASSERT_TRUE(splitter(piece));
  EXPECT_THAT(lines, ElementsAre("ab", "", "cd"));
  ASSERT_TRUE(splitter("12345"));
  EXPECT_FALSE(splitter("67890"));
}

// A real TLS server: `openssl s_server`, with a certificate for "wherry.test" only.
class Tls : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    folder_ = std::make_unique<base::TemporaryFolder>(std::move(*folder));
    key_ = folder_->path() / "key.pem";
    certificate_ = folder_->path() / "certificate.pem";
    const auto made = base::real_processes().run(
        {.arguments = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                       "-nodes", "-keyout", key_, "-out", certificate_, "-days", "2", "-subj",
                       "/CN=wherry.test", "-addext", "subjectAltName=DNS:wherry.test"}});
    ASSERT_TRUE(made);
    ASSERT_EQ(made->status, 0) << made->err;
    for (port_ = 0; port_ == 0;) {  // a port nothing uses now; the server takes it a moment later
      const ScriptedServer probe({});
      port_ = static_cast<unsigned>(std::stoul(probe.url("").substr(17)));
    }
    server_ = std::thread([this] {
      (void)base::real_processes().run(
          {.arguments = {"openssl", "s_server", "-accept", base::cat("127.0.0.1:", port_), "-key", key_,
                         "-cert", certificate_, "-www", "-naccept", std::to_string(connections_)},
           .timeout = std::chrono::seconds{20}});
    });
  }
  void TearDown() override {
    if (server_.joinable()) server_.join();
  }
  // Until the server has started, connections are refused.
  base::Result<Response> get(TlsOptions tls) {
    const auto transport = make_transport({.tls = std::move(tls)});
    for (int i = 0;; ++i) {
      auto response = transport->send({.url = base::cat("https://127.0.0.1:", port_, "/")});
      if (response || response.error().id != "http_client.refused" || i == 200) return response;
      base::system_clock().sleep_for(std::chrono::milliseconds{20});
    }
  }
  std::string pem() const {
    std::ifstream file(certificate_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::unique_ptr<base::TemporaryFolder> folder_;
  std::string key_, certificate_;
  unsigned port_ = 0;
  int connections_ = 1;
  std::thread server_;
};

TEST_F(Tls, RefusesAnUnknownAuthority) {
  const auto response = get({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.tls_untrusted") << response.error().message;
  EXPECT_EQ(response.error().code, base::Code::kDenied);
}

TEST_F(Tls, TrustsTheGivenAuthorityUnderTheGivenName) {
  const auto response = get({.ca_data = pem(), .server_name = "wherry.test"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
}

TEST_F(Tls, RefusesAnotherName) {
  const auto response = get({.ca_data = pem()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().id, "http_client.tls_untrusted") << response.error().message;
}

TEST_F(Tls, VerifiesNothingWhenInsecure) {
  const auto response = get({.insecure = true});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
}

}  // namespace
}  // namespace wherry::http_client
