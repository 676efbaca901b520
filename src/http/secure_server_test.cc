// The whole server with TLS and content codings, over real sockets.
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#define ZLIB_CONST
#include <zlib.h>

#include "base/files.h"
#include "base/text.h"
#include "http/fetch.h"
#include "http/server.h"
#include "http/test_certificates.h"
#include "http/test_deflate.h"
#include "http/tls.h"

namespace wherry::http {
namespace {

using base::cat;
using std::chrono::milliseconds;
using testing::HasSubstr;

std::string unzipped(std::string_view coded) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1u << 20, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(coded.data());
  stream.avail_in = static_cast<uInt>(coded.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class Echo : public Handler {
 public:
  explicit Echo(std::atomic<int>& refusals) : refusals_(refusals) {}
  ~Echo() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void handle(const Request& request, Response& response, Exchange& exchange) override {
    if (request.path == "/later") {
      threads_.emplace_back([later = exchange.later()]() mutable {
        Response answer;
        answer.body = later.request().body;
        later.answer(std::move(answer));
      });
    } else if (request.path == "/peer") {
      response.body = cat(request.peer->tls ? "tls " : "plain ", request.peer->subject);
    } else if (request.path == "/large") {
      response.content_type = "application/x-large";
      response.body.assign(20u << 20, 'x');
    } else {
      response.body = request.body;
    }
  }
  void refused(const Refusal&) override { ++refusals_; }
  void tick() override {}

 private:
  std::atomic<int>& refusals_;
  std::vector<std::thread> threads_;
};

class SecureServer : public testing::Test {
 protected:
  void start(ClientCertificate wanted = ClientCertificate::kNone, bool tls = true) {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    renew({});
    put("ca.pem", authority_.certificate());
    ServerOptions options;
    options.limits.head = milliseconds{2000};
    Listener listener;
    if (tls) {
      auto context = TlsContext::load({.certificate = path("cert.pem"),
                                       .key = path("key.pem"),
                                       .client_authorities = path("ca.pem"),
                                       .client_certificate = wanted},
                                      base::real_files(), base::system_clock());
      ASSERT_TRUE(context) << context.error().message;
      listener.tls = tls_ = *context;
    }
    options.listeners.push_back(listener);
    auto server = Server::start(options, [&](unsigned) { return std::make_unique<Echo>(refusals_); });
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    fetcher_ = make_fetcher({.authorities = path("ca.pem")});
  }
  void renew(const TestCertificate& certificate) {
    const TestKeyPair pair = authority_.issue(certificate);
    put("cert.pem", pair.certificate);
    put("key.pem", pair.key);
  }
  void put(std::string_view name, const std::string& content) {
    ASSERT_TRUE(base::real_files().write(path(name), content));
  }
  std::filesystem::path path(std::string_view name) const { return folder_->path() / name; }
  std::string url(std::string_view at) const {
    return cat(tls_ ? "https" : "http", "://localhost:", server_->port(), at);
  }
  FetchAnswer post(std::string_view at, std::string_view body, FetchHeaders headers = {}) {
    const std::string address = url(at);
    auto answer = fetcher_->fetch({.method = "POST",
                                   .url = address,
                                   .headers = std::move(headers),
                                   .body = body,
                                   .most_answer = 64u << 20});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::move(*answer) : FetchAnswer{};
  }

  TestAuthority authority_;
  std::optional<base::TemporaryFolder> folder_;
  std::atomic<int> refusals_{0};
  std::shared_ptr<TlsContext> tls_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Fetcher> fetcher_;
};

TEST_F(SecureServer, AnswersOverTls) {
  start();
  EXPECT_EQ(post("/", "hello").body, "hello");
  EXPECT_EQ(post("/peer", "").body, "tls ");
}
TEST_F(SecureServer, AnswersLaterOverTls) {
  start();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(post("/later", cat("hello ", i)).body, cat("hello ", i));
}
TEST_F(SecureServer, CarriesLargeBodiesBothWays) {
  start();
  const std::string large(5u << 20, 'y');
  EXPECT_TRUE(post("/", large).body == large);
  EXPECT_EQ(post("/large", "").body.size(), 20u << 20);
}
TEST_F(SecureServer, RefusesClientsWithoutTheCertificateItRequires) {
  start(ClientCertificate::kRequired);
  const std::string address = url("/");
  EXPECT_FALSE(fetcher_->fetch({.url = address}));
  while (refusals_ == 0) std::this_thread::sleep_for(milliseconds{1});
}
TEST_F(SecureServer, ServesARenewedCertificateOnNewConnectionsOnly) {
  start();
  EXPECT_EQ(post("/", "old").body, "old");
  renew({.name = "renewed", .alternatives = "DNS:renewed.example"});
  ASSERT_TRUE(tls_->refresh().value());
  EXPECT_EQ(post("/", "kept").body, "kept");
  const std::string address = url("/");
  EXPECT_EQ(make_fetcher({.authorities = path("ca.pem")})->fetch({.url = address}).error().id,
            "http.fetch_untrusted");  // it is for another name now
}
TEST_F(SecureServer, TellsPlainHttpThatTlsIsSpoken) {
  start();
  const std::string address = cat("http", url("/").substr(5));
  const auto answer = fetcher_->fetch({.url = address});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("https://"));
}
TEST_F(SecureServer, EndsWithoutLossWhileItIsAsked) {
  start();
  std::atomic<bool> stopping{false};
  std::atomic<int> answered{0};
  std::jthread client([&] {
    const auto fetcher = make_fetcher({.authorities = path("ca.pem")});
    const std::string address = url("/later");
    while (true) {
      const auto answer = fetcher->fetch({.method = "PUT", .url = address, .body = "x"});
      if (!answer && stopping && answer.error().message.find("cannot connect") != std::string::npos) return;
      ASSERT_TRUE(answer) << answer.error().message;
      ++answered;
    }
  });
  while (answered < 100) std::this_thread::sleep_for(milliseconds{1});
  stopping = true;
  EXPECT_EQ(server_->stop(milliseconds{10'000}), 0u);
}

TEST_F(SecureServer, DecodesRequestsForTheHandler) {
  start(ClientCertificate::kNone, false);
  EXPECT_EQ(post("/", gzipped("hello"), {{"Content-Encoding", "gzip"}}).body, "hello");
}
TEST_F(SecureServer, DecodesRequestsWhichAreAnsweredLater) {
  start(ClientCertificate::kNone, false);
  for (int i = 0; i < 10; ++i) {
    const std::string plain = cat("hello ", std::string(static_cast<std::size_t>(i) * 40'000, 'x'));
    EXPECT_TRUE(post("/later", gzipped(plain), {{"Content-Encoding", "gzip"}}).body == plain);
  }
}
TEST_F(SecureServer, CodesAnswersGivenAtOnceAndLater) {
  start(ClientCertificate::kNone, false);
  const std::string plain(5000, 'x');
  for (const std::string_view at : {"/", "/later"}) {
    const FetchAnswer answer = post(at, plain, {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(answer.header("Content-Encoding"), "gzip");
    EXPECT_EQ(answer.header("Vary"), "Accept-Encoding");
    EXPECT_TRUE(unzipped(answer.body) == plain) << at;
  }
}
TEST_F(SecureServer, RefusesUnknownCodingsAndGoesOn) {
  start(ClientCertificate::kNone, false);
  const FetchAnswer refused = post("/", "x", {{"Content-Encoding", "br"}});
  EXPECT_EQ(refused.status, 415);
  EXPECT_EQ(refused.header("Accept-Encoding"), "zstd, gzip, deflate");
  EXPECT_EQ(refusals_, 1);
  EXPECT_EQ(post("/", "hello").body, "hello");
}
TEST_F(SecureServer, EndsBombs) {
  start(ClientCertificate::kNone, false);
  EXPECT_EQ(post("/", gzipped(std::string(80u << 20, '0')), {{"Content-Encoding", "gzip"}}).status, 413);
}

}  // namespace
}  // namespace wherry::http
