// A Kubernetes API server in memory, as far as the scenarios of api_scenarios_test.cc go; those same
// scenarios run against a real kube-apiserver (tests/e2e/kube_fake_nodes.sh), which is what keeps this fake
// honest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "http_client/transport.h"

#include "text/json.h"

namespace wherry::kube::testing {

// Tokens: "admin" may everything; "limited" only get, list, watch and patch Deployments of existing objects;
// others are refused with 401.
class FakeApi {
 public:
  FakeApi();

  base::Result<http_client::Response> handle(const http_client::Request& request);

  // Stores an object as a controller would: no field ownership, an event for watchers.
  void put(const std::string& path, text::Json object);

  // Called at the start of every watch, to let something happen meanwhile.
  std::function<void()> on_watch;
  std::uint64_t oldest_version = 1;   // watches from before it are answered with 410
  std::vector<std::string> requests;  // "PATCH /apis/…", in order
  // Answers to give before any real one, for faults.
  std::vector<base::Result<http_client::Response>> faults;

 private:
  struct Call;
  struct Event {
    std::uint64_t version;
    std::string type;
    std::string path;
    text::Json object;
  };
  http_client::Response get(const Call& call);
  http_client::Response list(const Call& call);
  http_client::Response apply(const Call& call, const std::string& body);
  http_client::Response remove(const Call& call);
  http_client::Response watch(const Call& call);
  bool is_known_namespace(const std::string& name) const;
  std::vector<std::pair<std::string, std::string>> conflicts(const Call& call,
                                                             const text::Json& object) const;

  std::uint64_t version_ = 1;
  std::map<std::string, text::Json> objects_;                           // by path
  std::map<std::string, std::map<std::string, std::string>> managers_;  // path → field → manager
  std::vector<Event> events_;
};

}  // namespace wherry::kube::testing
