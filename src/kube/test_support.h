// Stand-ins for the parts of the world the tests of this module need. Included by tests only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http_client/transport.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/process.h"
#include "kube/client.h"
#include "kube/credentials.h"

namespace wherry::kube::testing {

// Stands still unless told; sleeping moves it.
class FakeClock final : public base::Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::from_time_t(1'795'000'000) + passed;
  }
  std::chrono::steady_clock::time_point steady_now() override {
    return std::chrono::steady_clock::time_point{} + passed;
  }
  void sleep_for(std::chrono::milliseconds duration) override {
    passed += duration;
    slept.push_back(duration);
  }
  std::chrono::milliseconds passed{1'000'000};
  std::vector<std::chrono::milliseconds> slept;
};

// Files by path; everything else does not exist. Counts reads.
class FakeFiles final : public base::FileSystem {
 public:
  std::map<std::string, std::string> content;
  std::map<std::string, int> reads;
  base::Result<std::string> read(const std::filesystem::path& path, std::uint64_t most) override;
  base::Status write(const std::filesystem::path& path, std::string_view text, bool executable) override;
  bool exists(const std::filesystem::path& path) override { return content.contains(path.string()); }
  base::Status remove_all(const std::filesystem::path& path) override;
};

// Answers from a list, keeping what it was asked.
class FakeProcesses final : public base::Processes {
 public:
  std::vector<base::Result<base::CommandOutput>> answers;  // used in order; the last one for ever
  std::vector<base::Command> asked;
  base::Result<base::CommandOutput> run(const base::Command& command) override;
};

// A self-signed certificate and its key, PEM, ending at `end`.
std::pair<std::string, std::string> make_key_pair(std::chrono::system_clock::time_point end);

// A transport which is a function; the client owns a thin shell of it.
using Answer = std::function<base::Result<http_client::Response>(const http_client::Request&)>;
ClientOptions options_with(Answer answer);

// Feeds a 2xx body to the request's sink in pieces of `piece` bytes, as a real transport would, or puts it
// into the answer when there is no sink.
base::Result<http_client::Response> deliver(const http_client::Request& request,
                                            http_client::Response response, std::size_t piece = 7);

// An access with a bearer token to "https://fake".
Access fake_access(const std::string& token = "admin");

}  // namespace wherry::kube::testing
