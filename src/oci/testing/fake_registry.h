// An OCI registry inside the process, behind the Transport interface: no sockets, no time. It behaves as
// distribution/distribution 2.8 does (the scenarios in registry_test.cc run on both) and, where asked, with
// the quirks and faults of other registries.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http_client/transport.h"

#include "base/clock.h"
#include "oci/answers.h"

namespace wherry::oci_testing {

enum class Login { kNone, kBasic, kBearer };

// Everything off: a plain docker-registry.
struct Quirks {
  Login login = Login::kNone;
  std::string username = "ada";
  std::string password = "secret";
  std::string identity_token = {};             // accepted in POST to the token server
  bool no_refresh_grant = false;               // the token server answers 404 to POST
  std::string realm = {};                      // of the token server; default: https://auth.<host>/token
  bool basic_after_bearer = false;             // offers both, Bearer first
  bool one_scope_per_token = false;            // the token server reads only the first scope
  int token_lifetime = 300;                    // seconds
  int patch_status = 202;                      // Amazon ECR: 201; others: 204; 405: does not take PATCH
  bool mount_refused = false;                  // 405 to ?mount=
  bool mount_closes_connection = false;        // or nothing at all
  bool closes_for_missing_repository = false;  // Amazon ECR; repositories must be in `repositories`
  bool repositories_are_made = true;           // on the first push
  bool absolute_locations = true;
  std::string upload_host = {};    // uploads go to another host
  bool location_changes = true;    // each answer gives a new upload address, the old one is gone
  bool blobs_on_storage = false;   // GET of a blob redirects to https://storage.example.com
  bool damaged_blobs = false;      // GET of a blob changes its last byte
  std::string stored_digest = {};  // Docker-Content-Digest of every PUT
  std::string warning = {};        // Warning: 299 - "…"
  bool speaks_tls_only = false;    // plain requests get 400 as Go's server answers
};

// A fault for the next matching requests.
struct Fault {
  std::string method;         // "PATCH"
  std::string path_contains;  // "/blobs/uploads/"
  int times = 1;
  int status = 0;                     // 0: the connection breaks ("http_client.interrupted")
  http_client::Headers headers = {};  // e.g. Retry-After
  std::string body = {};
};

struct Seen {
  std::string method;
  std::string url;
  std::string authorization;
  std::string content_type;
  std::uint64_t body_size = 0;
};

class FakeRegistry final : public http_client::Transport {
 public:
  explicit FakeRegistry(std::string host, Quirks quirks = {})
      : host_(std::move(host)), quirks_(std::move(quirks)) {}

  base::Result<http_client::Response> send(const http_client::Request& request) override;

  void add_repository(const std::string& name) { repositories_[name]; }
  void add_fault(Fault fault) { faults_.push_back(std::move(fault)); }
  const std::vector<Seen>& seen() const { return seen_; }
  std::size_t count(std::string_view method, std::string_view url_contains) const;
  bool has_blob(const std::string& repository, const std::string& digest) const;
  std::string manifest(const std::string& repository, const std::string& name) const;  // "" when absent
  void put_blob(const std::string& repository, const std::string& content);
  void put_manifest(const std::string& repository, const std::string& name, const std::string& document,
                    const std::string& media_type);

 private:
  struct StoredManifest {
    std::string document;
    std::string media_type;
  };
  struct Repository {
    std::map<std::string, std::string> blobs;
    std::map<std::string, StoredManifest> manifests;  // by tag and by digest
  };
  struct Parts;  // one request, taken apart

  base::Result<http_client::Response> answer(const Parts& parts);
  base::Result<http_client::Response> answer_api(const Parts& parts);
  http_client::Response answer_token(const Parts& parts);
  http_client::Response answer_blob(const Parts& parts, const std::string& repository,
                                    const std::string& digest);
  base::Result<http_client::Response> begin_upload(const Parts& parts, const std::string& repository);
  http_client::Response continue_upload(const Parts& parts, const std::string& repository,
                                        const std::string& id);
  http_client::Response finish_upload(const Parts& parts, const std::string& repository,
                                      const std::string& id);
  http_client::Response answer_manifest(const Parts& parts, const std::string& repository,
                                        const std::string& name);
  http_client::Response store_manifest(const Parts& parts, const std::string& repository,
                                       const std::string& name);
  std::optional<http_client::Response> refuse_login(const Parts& parts, const std::string& repository,
                                                    bool push) const;
  http_client::Response unauthorized(const std::string& repository, bool push) const;
  std::string upload_location(const std::string& repository, const std::string& id) const;

  std::string host_;
  Quirks quirks_;
  std::map<std::string, Repository> repositories_;
  std::map<std::string, std::string> uploads_;           // what has arrived, by upload address
  std::map<std::string, std::set<std::string>> tokens_;  // granted scopes
  std::vector<Fault> faults_;
  std::vector<Seen> seen_;
  int next_upload_ = 1;
};

// A clock which only moves when somebody sleeps.
class SteppingClock final : public base::Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000) + slept_);
  }
  std::chrono::steady_clock::time_point steady_now() override {
    return std::chrono::steady_clock::time_point(std::chrono::hours(1) + slept_);
  }
  void sleep_for(std::chrono::milliseconds duration) override { slept_ += duration; }
  std::chrono::milliseconds slept() const { return slept_; }

 private:
  std::chrono::milliseconds slept_{0};
};

}  // namespace wherry::oci_testing
