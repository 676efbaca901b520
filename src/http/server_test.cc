// Real sockets on loopback.
#include "http/server.h"

#include <arpa/inet.h>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/text.h"

namespace wherry::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Seen {
  std::atomic<int> handled{0}, refused{0}, ticks{0};
};

class Echo : public Handler {
 public:
  explicit Echo(Seen& seen) : seen_(seen) {}
  void handle(const Request& request, Response& response) override {
    if (request.path == "/slow") std::this_thread::sleep_for(milliseconds{200});
    if (request.path == "/large")
      response.body.assign(20u << 20, 'x');
    else
      response.body = request.body;
    ++seen_.handled;
  }
  void refused(const Refusal&) override { ++seen_.refused; }
  void tick() override { ++seen_.ticks; }

 private:
  Seen& seen_;
};

class Client {
 public:
  explicit Client(unsigned port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  bool connected() const { return connected_; }
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  // One answer with a Content-Length; what came before the end of the connection otherwise.
  std::string receive() {
    while (true) {
      const std::size_t end = rest_.find("\r\n\r\n");
      if (end != rest_.npos) {
        const std::size_t at = rest_.find("Content-Length: ");
        const std::size_t length = at < end ? std::stoul(rest_.substr(at + 16, 20)) : 0;
        if (rest_.size() >= end + 4 + length) {
          std::string answer = rest_.substr(0, end + 4 + length);
          rest_.erase(0, answer.size());
          return answer;
        }
      }
      if (!more()) return std::exchange(rest_, {});
    }
  }
  std::string until_closed() {
    while (more()) {
    }
    return std::exchange(rest_, {});
  }
  // True when the server has closed (or reset) within the time.
  bool closed_within(milliseconds time) {
    pollfd poll_for{socket_, POLLIN, 0};
    char byte;
    return ::poll(&poll_for, 1, static_cast<int>(time.count())) == 1 &&
           ::recv(socket_, &byte, 1, MSG_PEEK) <= 0;
  }

 private:
  bool more() {
    char buffer[65536];
    const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count > 0) rest_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }
  int socket_;
  bool connected_;
  std::string rest_;
};

std::unique_ptr<Server> start(Seen& seen, Limits limits = {}, unsigned threads = 2) {
  auto server = Server::start({.threads = threads, .limits = limits},
                              [&](unsigned) { return std::make_unique<Echo>(seen); });
  EXPECT_TRUE(server);
  return std::move(*server);
}

std::string post(std::string_view path, std::string_view body) {
  return base::cat("POST ", path, " HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

TEST(Server, KeepsAConnectionForManyRequests) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.send(post("/", base::cat("body ", i))));
    ASSERT_THAT(client.receive(), testing::EndsWith(base::cat("body ", i)));
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += post("/", base::cat("<", i, ">"));
  ASSERT_TRUE(client.send(many));
  for (int i = 0; i < 1000; ++i) ASSERT_THAT(client.receive(), testing::EndsWith(base::cat("<", i, ">")));
}

TEST(Server, SendsALargeAnswerToASlowReader) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  std::this_thread::sleep_for(milliseconds{100});
  EXPECT_GT(client.receive().size(), 20u << 20);
}

TEST(Server, TakesALargeChunkedUpload) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  const std::string piece(100'000, 'p');
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.send(base::cat("186a0\r\n", piece, "\r\n")));
  ASSERT_TRUE(client.send("0\r\n\r\n"));
  EXPECT_THAT(client.receive(), HasSubstr("Content-Length: 5000000\r\n"));
}

TEST(Server, LetsTheClientReadTheRefusalOfABodyStillBeingSent) {
  Seen seen;
  const auto server = start(seen, {.most_body = 1000});
  Client client(server->port());
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"));
  for (int i = 0; i < 30; ++i) client.send(std::string(100'000, 'a'));
  EXPECT_THAT(client.until_closed(), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, EndsASlowHeadWith408) {
  Seen seen;
  const auto server = start(seen, {.head = milliseconds{100}});
  Client client(server->port());
  for (int i = 0; i < 6; ++i) {
    client.send("G");
    std::this_thread::sleep_for(milliseconds{30});
  }
  EXPECT_THAT(client.until_closed(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(seen.refused, 1);
}

TEST(Server, EndsASlowBodyWith408) {
  Seen seen;
  const auto server = start(seen, {.body = milliseconds{100}});
  Client client(server->port());
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"));
  for (int i = 0; i < 6; ++i) {
    client.send("b");
    std::this_thread::sleep_for(milliseconds{30});
  }
  EXPECT_THAT(client.until_closed(), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, ClosesAnIdleConnectionAndOneThatSaysNothing) {
  Seen seen;
  const auto server = start(seen, {.head = milliseconds{100}, .idle = milliseconds{100}});
  Client silent(server->port()), idle(server->port());
  ASSERT_TRUE(idle.send(post("/", "x")));
  EXPECT_THAT(idle.receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(idle.closed_within(milliseconds{2000}));
  EXPECT_TRUE(silent.closed_within(milliseconds{2000}));
}

TEST(Server, ClosesOnAClientWhichDoesNotRead) {
  Seen seen;
  const auto server = start(seen, {.write = milliseconds{100}});
  Client client(server->port());
  ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  std::this_thread::sleep_for(milliseconds{500});
  EXPECT_LT(client.receive().size(), 20u << 20);
}

TEST(Server, RefusesConnectionsPastTheMost) {
  Seen seen;
  const auto server = start(seen, {.most_connections = 2});
  Client a(server->port()), b(server->port());
  ASSERT_TRUE(a.send(post("/", "1")) && b.send(post("/", "1")));
  a.receive();
  b.receive();
  Client c(server->port());
  EXPECT_THAT(c.receive(), StartsWith("HTTP/1.1 503 "));
}

TEST(Server, TicksWhileConnectionsAreOpen) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/", "1")));
  client.receive();
  std::this_thread::sleep_for(milliseconds{600});
  EXPECT_GE(seen.ticks, 2);
}

TEST(Server, SaysThatThePortIsInUse) {
  Seen seen;
  const auto first = start(seen);
  const auto second =
      Server::start({.port = first->port()}, [&](unsigned) { return std::make_unique<Echo>(seen); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "http.port_in_use");
}

TEST(Server, SaysThatTheAddressIsNone) {
  Seen seen;
  const auto server =
      Server::start({.host = "example"}, [&](unsigned) { return std::make_unique<Echo>(seen); });
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().id, "http.bad_address");
}

TEST(Drain, MarksAnswersButKeepsAccepting) {
  Seen seen;
  const auto server = start(seen);
  server->begin_drain();
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/", "1")));
  EXPECT_THAT(client.until_closed(), HasSubstr("Connection: close\r\n"));
}

TEST(Drain, AnswersTheRequestBeingHandled) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/slow", "1")));
  std::this_thread::sleep_for(milliseconds{50});
  std::thread stopper([&] { EXPECT_EQ(server->stop(milliseconds{5000}), 0u); });
  EXPECT_THAT(client.until_closed(), StartsWith("HTTP/1.1 200 "));
  stopper.join();
}

TEST(Drain, AnswersOneLastRequestOnAnIdleConnection) {
  Seen seen;
  const auto server = start(seen, {.drain_idle = milliseconds{4000}});
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/", "1")));
  client.receive();
  std::thread stopper([&] { EXPECT_EQ(server->stop(milliseconds{5000}), 0u); });
  std::this_thread::sleep_for(milliseconds{100});
  ASSERT_TRUE(client.send(post("/", "2")));
  EXPECT_THAT(client.until_closed(), HasSubstr("Connection: close\r\n"));
  stopper.join();
}

TEST(Drain, EndsSoonWithIdleConnections) {
  Seen seen;
  const auto server = start(seen, {.drain_idle = milliseconds{100}});
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/", "1")));
  client.receive();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(server->stop(milliseconds{5000}), 0u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds{1500});
}

TEST(Drain, CutsWhatIsStillUnfinishedAfterTheGrace) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  ASSERT_TRUE(
      client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"));
  ASSERT_THAT(client.receive(), StartsWith("HTTP/1.1 100 "));
  EXPECT_EQ(server->stop(milliseconds{200}), 1u);
}

TEST(Drain, RefusesNewConnectionsAfterwards) {
  Seen seen;
  const auto server = start(seen);
  const unsigned port = server->port();
  server->stop(milliseconds{1000});
  EXPECT_FALSE(Client(port).connected());
}

// Every request sent over an accepted connection is answered, whatever moment the stop falls on.
TEST(Drain, LosesNoRequestUnderLoad) {
  for (int round = 0; round < 5; ++round) {
    Seen seen;
    const auto server =
        start(seen, {.drain_idle = milliseconds{5000}});  // a busy machine may hold a client up
    std::atomic<int> sent{0}, answered{0}, lost{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i)
      clients.emplace_back([&, port = server->port()] {
        while (true) {
          Client client(port);
          if (!client.connected()) return;
          for (bool open = true; open;) {
            if (!client.send(post("/", "payload"))) {
              ++lost;
              return;
            }
            ++sent;
            const std::string answer = client.receive();
            if (!answer.starts_with("HTTP/1.1 200 ") || !answer.ends_with("payload")) {
              ++lost;
              return;
            }
            ++answered;
            open = answer.find("Connection: close") == answer.npos;
          }
        }
      });
    while (answered < 500) std::this_thread::sleep_for(milliseconds{1});
    std::this_thread::sleep_for(milliseconds{round});
    EXPECT_EQ(server->stop(milliseconds{10'000}), 0u);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(lost, 0) << "round " << round << ", " << answered << " answered";
    EXPECT_GT(answered, 0);
  }
}

}  // namespace
}  // namespace wherry::http
