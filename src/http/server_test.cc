// Real sockets on loopback.
#include "http/server.h"

#include <arpa/inet.h>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace wherry::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Answers deferred requests on a thread of its own, `delay` after they came.
class Computer {
 public:
  Computer() : thread_([this] { run(); }) {}
  ~Computer() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void take(Later later) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(later));
    changed_.notify_one();
  }
  std::atomic<int> abandoned{0};

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Later later = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      compute(std::move(later));
      lock.lock();
    }
  }
  void compute(Later later) {
    const bool patient = later.request().path == "/later/abandon";
    for (int i = 0; patient && !later.abandoned() && i < 5000; ++i)
      std::this_thread::sleep_for(milliseconds{1});
    if (later.request().path == "/later/slow") std::this_thread::sleep_for(milliseconds{150});
    if (later.abandoned()) ++abandoned;
    Response response;
    response.body = base::cat("later ", later.request().body);
    later.answer(std::move(response));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Later> waiting_;
  bool ended_ = false;
  std::thread thread_;
};

struct Seen {
  std::atomic<int> handled{0}, refused{0}, ticks{0};
  Computer computer;
};

class Echo : public Handler {
 public:
  explicit Echo(Seen& seen) : seen_(seen) {}
  void handle(const Request& request, Response& response, Exchange& exchange) override {
    if (request.path.starts_with("/later")) return seen_.computer.take(exchange.later());
    if (request.path == "/peer") {
      response.body = base::cat(request.peer->address, " ", request.peer->listener);
      return;
    }
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
  explicit Client(const std::string& path) {
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
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

TEST(Later, AnswersFromAnotherThreadOverOneConnection) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.send(post("/later", base::cat(i))));
    ASSERT_THAT(client.receive(), testing::EndsWith(base::cat("\r\n\r\nlater ", i)));
  }
}

TEST(Later, KeepsTheOrderOfPipelinedRequests) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  std::string many;
  for (int i = 0; i < 300; ++i) many += post(i % 3 == 0 ? "/later" : "/", base::cat("<", i, ">"));
  ASSERT_TRUE(client.send(many));
  for (int i = 0; i < 300; ++i) ASSERT_THAT(client.receive(), testing::EndsWith(base::cat("<", i, ">")));
}

TEST(Later, NoticesThatTheClientWentAway) {
  Seen seen;
  const auto server = start(seen);
  {
    Client client(server->port());
    ASSERT_TRUE(client.send(post("/later/abandon", "")));
    std::this_thread::sleep_for(milliseconds{50});
  }
  for (int i = 0; i < 5000 && seen.computer.abandoned == 0; ++i) std::this_thread::sleep_for(milliseconds{1});
  EXPECT_EQ(seen.computer.abandoned, 1);
}

TEST(Later, IsWaitedForWhenTheServerStops) {
  Seen seen;
  const auto server = start(seen);
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/later/slow", "1")));
  std::this_thread::sleep_for(milliseconds{50});
  std::thread stopper([&] { EXPECT_EQ(server->stop(milliseconds{5000}), 0u); });
  EXPECT_THAT(client.until_closed(), testing::EndsWith("later 1"));
  stopper.join();
}

TEST(Later, MayOutliveTheServer) {
  Seen seen;
  auto server = start(seen);
  Client client(server->port());
  ASSERT_TRUE(client.send(post("/later/abandon", "")));
  std::this_thread::sleep_for(milliseconds{50});
  EXPECT_EQ(server->stop(milliseconds{0}), 1u);
  server.reset();
  EXPECT_EQ(client.receive(), "");
}

TEST(Listeners, ServeSeveralAddressesAndASocketFile) {
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  const std::string path = folder->path() / "wherry.sock";
  Seen seen;
  auto server = Server::start({.listeners = {{}, {.unix_path = path, .unix_mode = 0600}, {.host = "::1"}}},
                              [&](unsigned) { return std::make_unique<Echo>(seen); });
  ASSERT_TRUE(server) << server.error().message;
  Client tcp((*server)->port(0)), local(path);
  ASSERT_TRUE(tcp.send(post("/peer", "")) && local.send(post("/peer", "")));
  EXPECT_THAT(tcp.receive(), testing::EndsWith("127.0.0.1 0"));
  EXPECT_THAT(local.receive(), testing::EndsWith("unix 1"));
  EXPECT_NE((*server)->port(2), 0);
  struct stat found{};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  (*server)->stop(milliseconds{1000});
  EXPECT_NE(::stat(path.c_str(), &found), 0);
}

TEST(Listeners, ReplaceASocketFileLeftBehindButNotOneInUse) {
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  const std::string path = folder->path() / "wherry.sock";
  const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(left);
  const auto first = ListeningSocket::open({.unix_path = path});
  ASSERT_TRUE(first) << first.error().message;
  const auto second = ListeningSocket::open({.unix_path = path});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "http.port_in_use");
  EXPECT_TRUE(Client(path).connected());
}

TEST(Listeners, LeaveAFileWhichIsNoSocketAlone) {
  const auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  const std::string path = folder->path() / "data";
  std::fclose(std::fopen(path.c_str(), "w"));
  EXPECT_EQ(ListeningSocket::open({.unix_path = path}).error().id, "http.cannot_listen");
  EXPECT_EQ(ListeningSocket::open({.unix_path = std::string(200, 'a')}).error().id, "http.bad_address");
  struct stat found{};
  EXPECT_EQ(::stat(path.c_str(), &found), 0);
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
