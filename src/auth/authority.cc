#include "auth/authority.h"

#include <algorithm>
#include <cstring>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::auth {

using base::cat;
using base::Result;
using base::Status;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr seconds kLeastBetweenFetches{30};  // however many tokens name unknown keys
constexpr seconds kFirstRetry{2}, kLastRetry{60};

std::uint64_t prefix_of(const Hash& hash) {
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, hash.data(), sizeof prefix);
  return prefix;
}

}  // namespace

std::shared_ptr<Bucket> Buckets::of(const std::string& owner, Rate rate) {
  if (!rate.limited()) return nullptr;
  Shard& shard = shards_[std::hash<std::string>()(owner) % kShards];
  const std::scoped_lock lock(shard.mutex);
  if (shard.buckets.size() >= kMostOfShard && !shard.buckets.contains(owner)) shard.buckets.clear();
  std::shared_ptr<Bucket>& bucket = shard.buckets[owner];
  if (bucket == nullptr || bucket->rate() != rate) bucket = std::make_shared<Bucket>(rate);
  return bucket;
}

Authority::Authority(Config config, base::FileSystem& files, Fetch fetch, Notify notify)
    : config_(std::move(config)),
      files_(files),
      fetch_(std::move(fetch)),
      notify_(std::move(notify)),
      policy_(std::make_shared<const Policy>()) {}

Authority::~Authority() {
  stop();
}

bool Authority::key_set_is_url() const {
  return config_.key_set.starts_with("https://") || config_.key_set.starts_with("http://");
}

Result<std::unique_ptr<Authority>> Authority::open(Config config, base::FileSystem& files, Fetch fetch,
                                                   Notify notify) {
  std::unique_ptr<Authority> made(
      new Authority(std::move(config), files, std::move(fetch), std::move(notify)));
  TRY_ASSIGN(std::string content, files.read(made->config_.access_file, kMostAccessBytes));
  TRY(made->read_access_file(std::move(content)));
  if (!made->config_.key_set.empty() && !made->key_set_is_url()) {
    TRY_ASSIGN(const std::string keys, files.read(made->config_.key_set, kMostKeySetBytes));
    TRY_ASSIGN(KeySet set, KeySet::parse(keys, made->config_.key_set));
    made->key_set_content_hash_ = base::sha256_hex(keys);
    made->key_set_ = std::make_shared<const KeySet>(std::move(set));
  }
  if (!made->config_.key_set.empty() && made->file_.tokens.empty())
    return base::fail(base::Code::kUsage, "auth.bad_access_file",
                      cat(made->config_.access_file.string(),
                          ": tokens are to be accepted, but no line says what they may do"),
                      "add a line such as: token scope=predict permissions=predict,metadata");
  made->publish();
  return made;
}

Status Authority::read_access_file(std::string content) {
  TRY_ASSIGN(file_, parse_access_file(content, config_.access_file.string()));
  access_content_hash_ = base::sha256_hex(content);
  return {};
}

void Authority::publish() {
  auto policy = std::make_shared<Policy>();
  policy->file = file_;
  policy->key_set = key_set_;
  for (const KeyLine& line : file_.keys)
    policy->keys.emplace(prefix_of(line.hash),
                         Policy::Key{line.hash, line.ends,
                                     std::make_shared<const Identity>(
                                         Identity{Identity::Kind::kKey, line.name, Grant{{line.rule}},
                                                  buckets_.of(cat("key ", line.name), line.rate)})});
  for (const CertificateLine& line : file_.certificates)
    policy->certificates.push_back(std::make_shared<const Identity>(
        Identity{Identity::Kind::kCertificate, line.pattern, Grant{{line.rule}},
                 buckets_.of(cat("certificate ", line.pattern), line.rate)}));
  Identity anyone;
  anyone.name = "anyone";
  if (file_.anyone) anyone.grant.rules.push_back(*file_.anyone);
  anyone.bucket = buckets_.of("anyone", file_.anyone_rate);
  policy->anyone = std::make_shared<const Identity>(std::move(anyone));
  policy_.publish(std::move(policy));
}

void Authority::failed(std::string_view event, const base::Error& error) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  const std::string text = base::describe(error);
  if (text == last_failure_) return;
  last_failure_ = text;
  notify_(event, text);
}

void Authority::reread_files() {
  auto content = files_.read(config_.access_file, kMostAccessBytes);
  if (!content) {
    failed("auth_reload_failed", content.error());
  } else if (base::sha256_hex(*content) != access_content_hash_) {
    const Status read = read_access_file(std::move(*content));
    if (read) {
      publish();
      last_failure_.clear();
      notify_("auth_reloaded", cat(config_.access_file.string(), ": ", file_.keys.size(), " keys"));
    } else {
      failed("auth_reload_failed", read.error());
    }
  }
  if (config_.key_set.empty() || key_set_is_url()) return;
  const auto keys = files_.read(config_.key_set, kMostKeySetBytes);
  if (!keys) return failed("auth_reload_failed", keys.error());
  std::string hash = base::sha256_hex(*keys);
  if (hash == key_set_content_hash_) return;
  auto set = KeySet::parse(*keys, config_.key_set);
  if (!set) return failed("auth_reload_failed", set.error());
  key_set_content_hash_ = std::move(hash);
  use_key_set(std::make_shared<const KeySet>(std::move(*set)));
}

void Authority::use_key_set(std::shared_ptr<const KeySet> keys) {
  key_set_ = std::move(keys);
  last_failure_.clear();
  publish();
  notify_("auth_keys_loaded", cat(config_.key_set, ": ", key_set_->size(), " signing keys, ",
                                  key_set_->left_out(), " others left out"));
}

void Authority::fetch_key_set(steady_clock::time_point now) {
  if (!key_set_is_url()) return;
  if (last_fetch_) {
    const auto age = now - *last_fetch_;
    const bool wanted = key_wanted_.load(std::memory_order_relaxed) && age >= kLeastBetweenFetches;
    const bool retry = retry_after_ > seconds{0} && age >= retry_after_;
    if (!wanted && !retry && age < config_.key_set_age) return;
  }
  last_fetch_ = now;
  key_wanted_.store(false, std::memory_order_relaxed);
  auto fetched = fetch_(config_.key_set, kMostKeySetBytes);
  Result<KeySet> set = fetched ? KeySet::parse(*fetched, config_.key_set) : std::unexpected(fetched.error());
  if (!set) {
    retry_after_ = retry_after_ == seconds{0} ? kFirstRetry : std::min(2 * retry_after_, kLastRetry);
    return failed("auth_keys_not_fetched", set.error());
  }
  retry_after_ = seconds{0};
  std::string hash = base::sha256_hex(*fetched);
  if (hash == key_set_content_hash_) return;
  key_set_content_hash_ = std::move(hash);
  use_key_set(std::make_shared<const KeySet>(std::move(*set)));
}

void Authority::step(steady_clock::time_point now) {
  reread_files();
  fetch_key_set(now);
}

void Authority::start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      step(steady_clock::now());
      lock.lock();
      wake_.wait_for(lock, seconds{1}, [this] { return stopping_; });
    }
  });
}

void Authority::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Authority::State Authority::state() const {
  const auto policy = policy_.get();
  return {policy->file.keys.size(), policy->file.tokens.size(),
          policy->key_set == nullptr ? 0 : policy->key_set->size(),
          failures_.load(std::memory_order_relaxed)};
}

}  // namespace wherry::auth
