// Who is asking and what they may: the access file and the token issuer's keys, kept up to date.
//
// Nothing here writes a key, a token or a hash anywhere: events name lines, files and identities.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "auth/access_file.h"
#include "auth/key_set.h"
#include "auth/published.h"
#include "auth/token.h"

#include "base/files.h"

namespace wherry::auth {

struct Identity {
  enum class Kind : std::uint8_t { kAnyone, kKey, kToken, kCertificate };
  Kind kind = Kind::kAnyone;
  std::string name;  // of the key, the token's subject, the certificate's common name; for logs
  Grant grant;
  std::shared_ptr<Bucket> bucket;  // null: no rate limit
  bool is_anyone() const { return kind == Kind::kAnyone; }
};

struct Config {
  std::filesystem::path access_file;
  std::string key_set;  // path, http:// or https:// URL; empty: tokens are not accepted
  TokenRules token_rules;
  std::chrono::seconds key_set_age{300};  // a URL is fetched again when older
};

// GET of a URL, at most so many bytes, with a time limit of its own. Called on the background thread only.
using Fetch = std::function<base::Result<std::string>(const std::string& url, std::size_t most_bytes)>;
// What happened, for the log: "auth_reloaded", "auth_reload_failed", "auth_keys_fetched", …
using Notify = std::function<void(std::string_view event, std::string_view detail)>;

struct Now {
  std::chrono::system_clock::time_point wall;
  std::chrono::steady_clock::time_point steady;
};

// What a request came with; all borrowed.
struct Credentials {
  std::string_view authorization;  // header values, "" when absent
  std::string_view api_key;
  std::string_view certificate;              // common name of the verified client certificate
  std::span<const std::string> alternative;  // and its subject alternative names
};

// Everything a thread needs to decide, immutable.
struct Policy {
  struct Key {
    Hash hash{};
    std::optional<std::chrono::system_clock::time_point> ends;
    std::shared_ptr<const Identity> identity;
  };
  std::unordered_multimap<std::uint64_t, Key> keys;  // by the first bytes of the hash
  AccessFile file;
  std::shared_ptr<const Identity> anyone;
  std::vector<std::shared_ptr<const Identity>> certificates;  // beside file.certificates
  std::shared_ptr<const KeySet> key_set;                      // null: not fetched yet, or no tokens
};

// Buckets by owner, kept over reloads, so that a reload gives nobody a full one. Thread-safe; bounded: past
// the bound a shard forgets, and those subjects begin with a full bucket.
class Buckets {
 public:
  std::shared_ptr<Bucket> of(const std::string& owner, Rate rate);

 private:
  static constexpr std::size_t kShards = 16, kMostOfShard = 8192;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<Bucket>> buckets;
  };
  std::array<Shard, kShards> shards_;
};

// Thread-safe but for start(), stop() and the destructor, which one thread calls.
class Authority {
 public:
  // Reads the files; a URL is not fetched yet. Errors: those of the files, "auth.bad_access_file",
  // "auth.bad_key_set". `files` must outlive it.
  static base::Result<std::unique_ptr<Authority>> open(Config config, base::FileSystem& files, Fetch fetch,
                                                       Notify notify);
  ~Authority();

  // What the background thread does once a second: rereads changed files, fetches the key set when it is
  // old, missing, or a token named an unknown key. Whatever fails leaves the old state and says so once.
  void step(std::chrono::steady_clock::time_point now);
  void start();  // the background thread
  void stop();

  struct State {
    std::size_t keys = 0, token_lines = 0, signing_keys = 0;
    std::uint64_t failed_refreshes = 0;  // since the start
  };
  State state() const;

 private:
  friend class Gate;
  Authority(Config config, base::FileSystem& files, Fetch fetch, Notify notify);
  bool key_set_is_url() const;
  base::Status read_access_file(std::string content);
  void use_key_set(std::shared_ptr<const KeySet> keys);
  void reread_files();
  void fetch_key_set(std::chrono::steady_clock::time_point now);
  void publish();
  void failed(std::string_view event, const base::Error& error);

  const Config config_;
  base::FileSystem& files_;
  const Fetch fetch_;
  const Notify notify_;

  // Of the background thread (or the caller of step()).
  AccessFile file_;
  std::shared_ptr<const KeySet> key_set_;
  std::string access_content_hash_, key_set_content_hash_, last_failure_;
  std::optional<std::chrono::steady_clock::time_point> last_fetch_;
  std::chrono::seconds retry_after_{0};  // after a failed fetch

  std::atomic<bool> key_wanted_{false};  // a token named an unknown key
  std::atomic<std::uint64_t> failures_{0};
  Buckets buckets_;
  Published<Policy> policy_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wherry::auth
