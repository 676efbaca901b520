// Against scripted sockets, Python's http.server and openssl s_server.
#include "http/fetch.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "base/child.h"
#include "base/files.h"
#include "base/text.h"
#include "http/fetch_answer.h"
#include "http/fetch_connection.h"
#include "http/test_certificates.h"

namespace wherry::http {
namespace {

using base::cat;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

// Plays scripts, one for each connection: each string of a script answers one request; the connection is
// closed behind the last. An empty string answers nothing and keeps the connection open until the end.
class ScriptedServer {
 public:
  using Script = std::vector<std::string>;
  explicit ScriptedServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
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
    {
      const std::lock_guard lock(mutex_);
      if (open_ >= 0) ::shutdown(open_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }
  std::string url(std::string_view path = "/") const { return cat("http://127.0.0.1:", port_, path); }
  unsigned port() const { return port_; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void run() {
    for (const Script& script : scripts_) {
      const int file = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (file < 0) return;
      {
        const std::lock_guard lock(mutex_);
        open_ = file;
        ++connections_;
      }
      for (const std::string& answer : script) {
        if (!take_request(file)) break;
        if (answer.empty()) {
          char byte;
          (void)!::recv(file, &byte, 1, 0);
        }
        (void)!::send(file, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      const std::lock_guard lock(mutex_);
      open_ = -1;
      ::close(file);
    }
  }
  bool take_request(int file) {
    std::string request;
    while (true) {
      const std::size_t end = request.find("\r\n\r\n");
      if (end != request.npos) {
        const std::size_t at = request.find("Content-Length: ");
        const std::size_t length =
            at == request.npos ? 0 : std::strtoul(request.c_str() + at + 16, nullptr, 10);
        if (request.size() >= end + 4 + length) break;
      }
      char buffer[4096];
      const ssize_t count = ::recv(file, buffer, sizeof buffer, 0);
      if (count <= 0) return false;
      request.append(buffer, static_cast<std::size_t>(count));
    }
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    return true;
  }

  std::vector<Script> scripts_;
  int listener_;
  unsigned port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  int connections_ = 0;
  int open_ = -1;
  std::thread thread_;
};

using Script = ScriptedServer::Script;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello";

base::Result<FetchAnswer> get(const std::string& url, FetchRequest request = {}) {
  request.url = url;
  return make_fetcher({})->fetch(request);
}
std::string error_of(const base::Result<FetchAnswer>& answer) {
  return answer ? "none" : answer.error().id;
}

TEST(Fetch, GivesStatusHeadersAndBody) {
  ScriptedServer server({Script{std::string(kHello)}});
  const auto answer = get(server.url("/a?b=1"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("x-one"), "1");
  EXPECT_EQ(answer->body, "hello");
  EXPECT_THAT(server.requests().at(0), StartsWith(cat("GET /a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:",
                                                      server.port(), "\r\nUser-Agent: wherry-server\r\n")));
}
TEST(Fetch, SendsHeadersAndBody) {
  ScriptedServer server({Script{std::string(kHello)}});
  ASSERT_TRUE(get(server.url(), {.method = "POST", .headers = {{"X-Key", "v"}}, .body = "payload"}));
  EXPECT_THAT(server.requests().at(0), HasSubstr("\r\nX-Key: v\r\nContent-Length: 7\r\n\r\npayload"));
}
TEST(Fetch, ReadsChunkedAnswers) {
  ScriptedServer server(
      {Script{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\nT: "
              "1\r\n\r\n"}});
  EXPECT_EQ(get(server.url())->body, "hello");
}
TEST(Fetch, ReadsAnswersWhichEndWithTheConnection) {
  ScriptedServer server({Script{"HTTP/1.0 200 OK\r\n\r\nhello"}});
  EXPECT_EQ(get(server.url())->body, "hello");
}
TEST(Fetch, LooksPastInformationalAnswers) {
  ScriptedServer server({Script{cat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", kHello)}});
  EXPECT_EQ(get(server.url())->body, "hello");
}
TEST(Fetch, ExpectsNoBodyBehindHeadAnd204) {
  ScriptedServer server(
      {Script{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"}});
  const auto fetcher = make_fetcher({});
  EXPECT_EQ(fetcher->fetch({.method = "HEAD", .url = server.url()})->body, "");
  EXPECT_EQ(fetcher->fetch({.method = "DELETE", .url = server.url()})->status, 204);
}
TEST(Fetch, DoesNotFollowRedirects) {
  ScriptedServer server({Script{"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"}});
  const auto answer = get(server.url());
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->header("Location"), "/b");
}
TEST(Fetch, UsesAConnectionAgain) {
  ScriptedServer server({Script{std::string(kHello), std::string(kHello)}});
  const auto fetcher = make_fetcher({});
  ASSERT_TRUE(fetcher->fetch({.url = server.url()}));
  ASSERT_TRUE(fetcher->fetch({.method = "POST", .url = server.url(), .body = "x"}));
  EXPECT_EQ(server.connections(), 1);
}
TEST(Fetch, DoesNotUseAConnectionAgainWhichTheServerClosed) {
  ScriptedServer server({Script{std::string(kHello)}, Script{std::string(kHello)}});
  const auto fetcher = make_fetcher({});
  ASSERT_TRUE(fetcher->fetch({.url = server.url()}));
  const auto second = fetcher->fetch({.url = server.url()});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(server.connections(), 2);
}
TEST(Fetch, ClosesWhereTheServerSaysSo) {
  ScriptedServer server(
      {Script{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", std::string(kHello)},
       Script{std::string(kHello)}});
  const auto fetcher = make_fetcher({});
  ASSERT_TRUE(fetcher->fetch({.url = server.url()}));
  ASSERT_TRUE(fetcher->fetch({.url = server.url()}));
  EXPECT_EQ(server.connections(), 2);
}
TEST(Fetch, GivesUpAtTheDeadline) {
  ScriptedServer server({Script{""}});
  EXPECT_EQ(error_of(get(server.url(), {.deadline = milliseconds{50}})), "http.fetch_timeout");
}
TEST(Fetch, GivesUpAtTheDeadlineInTheMiddleOfAnAnswer) {
  ScriptedServer server({Script{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", ""}});
  EXPECT_EQ(error_of(get(server.url(), {.deadline = milliseconds{50}})), "http.fetch_timeout");
}
TEST(Fetch, CanBeCancelled) {
  ScriptedServer server({Script{""}});
  const std::atomic<bool> cancelled{true};
  EXPECT_EQ(error_of(get(server.url(), {.deadline = milliseconds{0}, .cancelled = &cancelled})),
            "http.fetch_cancelled");
}
TEST(Fetch, RefusesAnswersWhichAreTooLarge) {
  ScriptedServer server(
      {Script{std::string(kHello)},
       Script{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
       Script{"HTTP/1.0 200 OK\r\n\r\nhello"}});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(error_of(get(server.url(), {.most_answer = 4})), "http.fetch_too_large") << i;
}
TEST(Fetch, RefusesWhatIsNotHttp) {
  for (const std::string_view answer :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n a: b\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    ScriptedServer server({Script{std::string(answer)}});
    EXPECT_EQ(error_of(get(server.url())), "http.fetch_malformed") << answer;
  }
}
TEST(Fetch, RefusesAnswersWhichAreCutOff) {
  ScriptedServer server(
      {Script{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"}, Script{"HTTP/1.1 200 OK\r\nConte"}});
  EXPECT_EQ(error_of(get(server.url())), "http.fetch_malformed");
  EXPECT_EQ(error_of(get(server.url())), "http.fetch_malformed");
}
TEST(Fetch, RefusesHeadsWithoutEnd) {
  ScriptedServer server({Script{cat("HTTP/1.1 200 OK\r\nA: ", std::string(40'000, 'x'))}});
  EXPECT_EQ(error_of(get(server.url())), "http.fetch_malformed");
}
TEST(Fetch, SaysThatNobodyListens) {
  std::string url;
  {
    ScriptedServer server({});
    url = server.url();
  }
  const auto answer = get(url);
  EXPECT_EQ(error_of(answer), "http.fetch_failed");
  EXPECT_THAT(answer.error().message, HasSubstr("Connection refused"));
}
TEST(Fetch, SaysThatANameIsUnknown) {
  EXPECT_EQ(error_of(get("http://no-such-name.invalid/")), "http.fetch_failed");
}
TEST(Fetch, RefusesHeadersWithLineBreaks) {
  EXPECT_EQ(error_of(get("http://127.0.0.1:1/", {.headers = {{"X", "a\r\nB: c"}}})), "http.bad_url");
}

TEST(FetchUrl, IsTakenApart) {
  const auto url = parse_url("https://models.example:8443/a/b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin, (Origin{true, "models.example", 8443}));
  EXPECT_EQ(url->authority, "models.example:8443");
  EXPECT_EQ(url->target, "/a/b?c=d");
}
TEST(FetchUrl, HasDefaults) {
  EXPECT_EQ(parse_url("http://[::1]")->origin, (Origin{false, "::1", 80}));
  EXPECT_EQ(parse_url("https://a?b")->target, "/?b");
  EXPECT_EQ(parse_url("https://a")->origin.port, 443);
}
TEST(FetchUrl, IsRefusedWhereItMakesNoSense) {
  for (const std::string_view url :
       {"", "ftp://a", "http://", "http:///x", "http://a:0/", "http://a:65536", "http://a:x", "http://u:p@a/",
        "http://[::1", "http://[::1]x", "http://a b/", "http://a/\r\n"})
    EXPECT_FALSE(parse_url(url)) << url;
}

// A program under test, on a port nothing used a moment before.
unsigned free_port() {
  return ScriptedServer({}).port();
}
base::Result<FetchAnswer> get_when_up(Fetcher& fetcher, const std::string& url) {
  for (int i = 0;; ++i) {
    auto answer = fetcher.fetch({.url = url});
    const bool refused = !answer && answer.error().message.find("refused") != std::string::npos;
    if (!refused || i == 500) return answer;
    std::this_thread::sleep_for(milliseconds{10});
  }
}

TEST(FetchFromOthers, ReadsWhatPythonServes) {
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  const std::string content(100'000, 'k');
  ASSERT_TRUE(base::real_files().write(folder->path() / "keys.json", content));
  const unsigned port = free_port();
  auto python = base::Child::start({"python3", "-m", "http.server", std::to_string(port), "--bind",
                                    "127.0.0.1", "--directory", folder->path().string()});
  ASSERT_TRUE(python);
  const auto fetcher = make_fetcher({});
  const auto answer = get_when_up(*fetcher, cat("http://localhost:", port, "/keys.json"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->body == content);
}

class FetchTls : public testing::Test {
 protected:
  void start(const TestCertificate& certificate) {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    const TestKeyPair pair = authority_.issue(certificate);
    ASSERT_TRUE(base::real_files().write(path("cert.pem"), pair.certificate));
    ASSERT_TRUE(base::real_files().write(path("key.pem"), pair.key));
    ASSERT_TRUE(base::real_files().write(path("ca.pem"), authority_.certificate()));
    port_ = free_port();
    auto openssl = base::Child::start({"openssl", "s_server", "-quiet", "-accept", cat("127.0.0.1:", port_),
                                       "-cert", path("cert.pem"), "-key", path("key.pem"), "-www"});
    ASSERT_TRUE(openssl);
    server_.emplace(std::move(*openssl));
  }
  std::string path(std::string_view name) const { return (folder_->path() / name).string(); }
  base::Result<FetchAnswer> get(std::string_view host, bool trusted = true) {
    const auto fetcher = make_fetcher(trusted ? FetchOptions{.authorities = path("ca.pem")} : FetchOptions{});
    return get_when_up(*fetcher, cat("https://", host, ":", port_, "/"));
  }

  TestAuthority authority_;
  std::optional<base::TemporaryFolder> folder_;
  unsigned port_ = 0;
  std::optional<base::Child> server_;
};

TEST_F(FetchTls, ReadsFromAServerWhoseAuthorityIsKnown) {
  start({});
  const auto answer = get("localhost");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->body, HasSubstr("TLSv1.3"));
  EXPECT_TRUE(get("127.0.0.1"));
}
TEST_F(FetchTls, RefusesAServerOfAnotherName) {
  start({.name = "other", .alternatives = "DNS:other.example"});
  const auto answer = get("localhost");
  EXPECT_EQ(error_of(answer), "http.fetch_untrusted");
  EXPECT_THAT(answer.error().message, HasSubstr("ostname mismatch"));
}
TEST_F(FetchTls, RefusesAnAddressTheCertificateIsNotFor) {
  start({.name = "localhost", .alternatives = "DNS:localhost"});
  EXPECT_EQ(error_of(get("127.0.0.1")), "http.fetch_untrusted");
}
TEST_F(FetchTls, RefusesAnExpiredCertificate) {
  start({.to_seconds = -60});
  const auto answer = get("localhost");
  EXPECT_EQ(error_of(answer), "http.fetch_untrusted");
  EXPECT_THAT(answer.error().message, HasSubstr("expired"));
}
TEST_F(FetchTls, RefusesUnknownAuthorities) {
  start({});
  EXPECT_THAT(error_of(get("localhost", false)),
              testing::AnyOf("http.fetch_untrusted", "http.fetch_no_authorities"));
}
TEST_F(FetchTls, SaysThatAFileOfAuthoritiesIsNone) {
  const auto fetcher = make_fetcher({.authorities = "/nonexistent.pem"});
  EXPECT_EQ(error_of(fetcher->fetch({.url = "https://127.0.0.1:1/"})), "http.fetch_no_authorities");
}
TEST(FetchFromOthers, SaysThatAServerDoesNotSpeakTls) {
  ScriptedServer server({Script{"HTTP/1.1 400 Bad Request\r\n\r\n"}});
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(base::real_files().write(folder->path() / "ca.pem", TestAuthority().certificate()));
  const auto fetcher = make_fetcher({.authorities = folder->path() / "ca.pem"});
  EXPECT_EQ(error_of(fetcher->fetch(
                {.url = cat("https://127.0.0.1:", server.port(), "/"), .deadline = milliseconds{300}})),
            "http.fetch_timeout");  // it waits for a request, which a handshake is not
}

}  // namespace
}  // namespace wherry::http
