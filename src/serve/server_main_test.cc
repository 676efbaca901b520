// The server as a process: real signals, real sockets.
#include "serve/server_main.h"

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/text.h"
#include "serve/test_model.h"

namespace wherry::serve {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Connection {
 public:
  explicit Connection(unsigned port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  bool connected() const { return connected_; }
  // One request and its answer; "" when the connection failed.
  std::string ask(std::string_view request) {
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      return {};
    std::string answer;
    char buffer[8192];
    while (true) {
      const std::size_t end = answer.find("\r\n\r\n");
      if (end != answer.npos &&
          answer.size() >= end + 4 + std::stoul(answer.substr(answer.find("Content-Length: ") + 16)))
        return answer;
      const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
      if (count <= 0) return {};
      answer.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  int socket_;
  bool connected_;
};

constexpr std::string_view kReady = "GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n";

std::string invocation() {
  constexpr std::string_view kBody = R"({"dataframe_records":[{"amount":9,"country":"DE"}]})";
  return base::cat(
      "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ",
      kBody.size(), "\r\n\r\n", kBody);
}

class Process : public testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryFolder::make();
    ASSERT_TRUE(made);
    folder_ = std::make_unique<base::TemporaryFolder>(std::move(*made));
    bundle_ = (folder_->path() / "bundle").string();
    write_test_bundle(bundle_);
  }
  void TearDown() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    if (log_end_ >= 0) ::close(log_end_);
  }
  void start(std::vector<std::string> arguments) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      arguments.insert(arguments.begin(), "wherry-server");
      std::vector<char*> pointers;
      for (std::string& argument : arguments) pointers.push_back(argument.data());
      _exit(run_server(static_cast<int>(pointers.size()), pointers.data()));
    }
    ::close(ends[1]);
    log_end_ = ends[0];
  }
  // The log up to and including `word`; all of it when the process ends before.
  std::string log_until(std::string_view word) {
    char buffer[4096];
    while (log_.find(word) == log_.npos) {
      const ssize_t count = ::read(log_end_, buffer, sizeof buffer);
      if (count <= 0) break;
      log_.append(buffer, static_cast<std::size_t>(count));
    }
    return log_;
  }
  unsigned port() {
    const std::string text = log_until("\"threads\"");
    const std::size_t at = text.find("127.0.0.1:");
    return at == text.npos ? 0 : static_cast<unsigned>(std::stoul(text.substr(at + 10)));
  }
  int exit_status() {
    int status = 0;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::unique_ptr<base::TemporaryFolder> folder_;
  std::string bundle_, log_;
  pid_t child_ = -1;
  int log_end_ = -1;
};

TEST_F(Process, ServesAndEndsWithZeroAfterSigterm) {
  start({bundle_, "--port", "0"});
  const unsigned on = port();
  log_until("\"ready\"");
  {
    Connection client(on);
    EXPECT_THAT(client.ask(invocation()), HasSubstr(R"({"predictions":["fraud"]})"));
  }
  ::kill(child_, SIGTERM);
  EXPECT_EQ(exit_status(), 0);
  EXPECT_THAT(log_until("(end)"), HasSubstr(R"("path":"/invocations","status":200)"));
}

TEST_F(Process, RefusesABundleWhoseGoldenPredictionsDiffer) {
  std::string golden(kGoodGolden);
  golden.replace(golden.find("\"fraud\"}"), 8, "\"ok\"}");
  write_test_bundle(bundle_, golden);
  start({bundle_, "--port", "0"});
  EXPECT_THAT(log_until("(end)"), HasSubstr("error: "));
  EXPECT_EQ(exit_status(), 1);
}

TEST_F(Process, EndsWithOneWhenThereIsNoBundle) {
  start({bundle_ + "-missing", "--port", "0"});
  EXPECT_THAT(log_until("(end)"), HasSubstr("error: "));
  EXPECT_EQ(exit_status(), 1);
}

TEST_F(Process, EndsWithTwoForAWrongOption) {
  start({bundle_, "--prot", "0"});
  EXPECT_THAT(log_until("(end)"), HasSubstr("hint: did you mean --port?"));
  EXPECT_EQ(exit_status(), 2);
}

TEST_F(Process, GoesOnServingDuringTheDrainDelay) {
  start({bundle_, "--port", "0", "--drain-delay", "2s"});
  const unsigned on = port();
  log_until("\"ready\"");
  ::kill(child_, SIGTERM);
  log_until("\"draining\"");
  EXPECT_THAT(Connection(on).ask(kReady), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Connection(on).ask(invocation()), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(exit_status(), 0);
}

TEST_F(Process, EndsAtOnceWithASecondSignal) {
  start({bundle_, "--port", "0", "--drain-delay", "60s"});
  log_until("\"ready\"");
  ::kill(child_, SIGINT);
  log_until("\"draining\"");
  std::this_thread::sleep_for(milliseconds{600});
  ::kill(child_, SIGINT);
  EXPECT_EQ(exit_status(), 130);
}

TEST_F(Process, LosesNoRequestWhenEndedUnderLoad) {
  start({bundle_, "--port", "0", "--access-log", "off", "--threads", "2"});
  const unsigned on = port();
  log_until("\"ready\"");
  std::atomic<int> answered{0}, lost{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      while (true) {
        Connection client(on);
        if (!client.connected()) return;
        while (true) {
          const std::string answer = client.ask(invocation());
          if (!answer.starts_with("HTTP/1.1 200 ")) {
            ++lost;
            return;
          }
          ++answered;
          if (answer.find("Connection: close") != answer.npos) break;
        }
      }
    });
  while (answered < 500 && lost == 0) std::this_thread::sleep_for(milliseconds{1});
  ::kill(child_, SIGTERM);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(exit_status(), 0);
  EXPECT_EQ(lost, 0);
  EXPECT_GE(answered, 500);
}

}  // namespace
}  // namespace wherry::serve
