#include "oci/push.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/digest.h"
#include "base/percent.h"
#include "base/text.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using http_client::Response;

// The registry may read the whole blob again before it answers.
constexpr std::chrono::milliseconds kUploadIdle{300'000};
// Answers to PATCH and PUT which say that the registry does not do it this way, so that another is tried.
constexpr std::array kOtherWayStatuses{404, 405, 411, 415, 416, 501};

bool is_success(int status) {
  return status >= 200 && status < 300;
}

bool asks_for_another_way(int status) {
  return std::ranges::find(kOtherWayStatuses, status) != kOtherWayStatuses.end();
}

// Counts what is read, for progress.
class CountingSource final : public http_client::BodySource {
 public:
  CountingSource(std::unique_ptr<http_client::BodySource> source, std::string_view digest,
                 const PushOptions& options)
      : source_(std::move(source)), digest_(digest), options_(options) {}

  std::uint64_t size() const override { return source_->size(); }
  Result<std::size_t> read(std::span<char> out) override {
    TRY_ASSIGN(const std::size_t count, source_->read(out));
    sent_ += count;
    if (options_.on_progress) options_.on_progress({.digest = digest_, .sent = sent_, .size = size()});
    return count;
  }
  Status rewind() override {
    sent_ = 0;
    return source_->rewind();
  }

 private:
  std::unique_ptr<http_client::BodySource> source_;
  std::string_view digest_;
  const PushOptions& options_;
  std::uint64_t sent_ = 0;
};

// How an attempt ended without a fatal error.
enum class Attempt { kStored, kMounted, kNotThisWay, kTryAgain };

class Upload {
 public:
  Upload(RegistrySession& session, std::string_view repository, const BlobContent& blob,
         const PushOptions& options)
      : session_(session),
        repository_(repository),
        blob_(blob),
        options_(options),
        what_(cat("blob ", blob.descriptor.digest)) {
    scopes_ = {{.repository = std::string(repository), .push = true}};
    for (const std::string& from : options.mount_from)
      if (from != repository) scopes_.push_back({.repository = from});
  }

  Result<BlobOutcome> run() {
    const auto& waits = session_.retry_policy().waits;
    for (std::size_t tried = 0;; ++tried) {
      TRY_ASSIGN(const bool there, exists());
      if (there) return BlobOutcome::kExisted;
      const bool last = tried == waits.size();
      TRY_ASSIGN(const Attempt ended, attempt(tried == 0));
      if (ended == Attempt::kMounted) return BlobOutcome::kMounted;
      if (ended == Attempt::kStored) return BlobOutcome::kUploaded;
      if (last) return std::unexpected(std::move(*failure_));
      pause(waits[tried]);
    }
  }

 private:
  // One go at it: mount if asked for, else PATCH and PUT, else a single PUT.
  Result<Attempt> attempt(bool may_mount) {
    if (may_mount) {
      TRY_ASSIGN(const bool mounted, mount());
      if (mounted) return Attempt::kMounted;
    }
    TRY_ASSIGN(const Attempt begun, begin());
    if (begun == Attempt::kTryAgain) return begun;
    if (!single_put_) {
      TRY_ASSIGN(const Attempt ended, patch_and_put());
      if (ended != Attempt::kNotThisWay) return ended;
      single_put_ = true;
      TRY_ASSIGN(const Attempt again, begin());
      if (again == Attempt::kTryAgain) return again;
    }
    return put_whole();
  }

  RegistryCall call(std::string method) const {
    RegistryCall made;
    made.method = std::move(method);
    made.scopes = scopes_;
    made.what = what_;
    made.retry = false;
    return made;
  }

  Result<bool> exists() {
    RegistryCall head = call("HEAD");
    head.path = cat("/v2/", repository_, "/blobs/", blob_.descriptor.digest);
    head.retry = true;
    auto response = session_.send(head);
    // Amazon ECR closes the connection instead of answering for unknown repositories: the upload says more.
    if (!response && response.error().id == "http_client.interrupted") return false;
    if (!response) return std::unexpected(std::move(response).error());
    if (response->status == 401 || response->status == 403) return std::unexpected(refused(*response));
    return response->status == 200;
  }

  // A registry which cannot or will not mount answers anything: then the blob is uploaded.
  Result<bool> mount() {
    for (const Scope& scope : scopes_) {
      if (scope.push) continue;
      RegistryCall post = call("POST");
      post.path =
          cat("/v2/", repository_, "/blobs/uploads/?mount=", base::percent_encode(blob_.descriptor.digest),
              "&from=", base::percent_encode(scope.repository));
      const auto response = session_.send(post);
      if (!response) continue;
      if (response->status == 201) return true;
      if (response->status == 202) TRY(cancel(*response));
    }
    return false;
  }

  // The session which a refused mount opened is not needed; registries drop it by themselves, so only an
  // unsafe address counts as an error.
  Status cancel(const Response& response) {
    TRY(follow(response));
    RegistryCall remove = call("DELETE");
    remove.url = location_;
    const auto ignored = session_.send(remove);
    return {};
  }

  Result<Attempt> begin() {
    RegistryCall post = call("POST");
    post.path = cat("/v2/", repository_, "/blobs/uploads/");
    post.retry = true;
    TRY_ASSIGN(const Response response, session_.send(post));
    if (http_client::is_retryable(response.status)) return try_again(refused(response));
    if (response.status != 202 && response.status != 201) return std::unexpected(refused(response));
    location_.reset();
    TRY(follow(response));
    if (!location_)
      return base::fail(Code::kUnavailable, "oci.upload_invalid",
                        cat(session_.registry(), "/", repository_, ": the upload of ", what_,
                            " was accepted without saying where to"),
                        "check that the address is a registry");
    return Attempt::kStored;
  }

  // The newest Location counts: an older one may be gone.
  Status follow(const Response& response) {
    const std::string_view header = response.header("Location");
    if (header.empty()) return {};
    const auto asked = parse_url(response.url);
    const auto target = resolve(asked.value_or(location_.value_or(session_.base_url())), header);
    if (!target)
      return base::fail(
          Code::kUnavailable, "oci.upload_invalid",
          cat(session_.registry(), "/", repository_, ": bad upload address ", base::quoted(header)),
          "check that the address is a registry");
    TRY(check_target(session_.base_url(), *target, "the upload address"));
    location_ = *target;
    return {};
  }

  Result<Attempt> patch_and_put() {
    TRY_ASSIGN(const auto source, open());
    RegistryCall patch = call("PATCH");
    patch.url = location_;
    patch.headers = {{"Content-Type", "application/octet-stream"}};
    patch.source = source.get();
    patch.idle = kUploadIdle;
    auto response = session_.send(patch);
    if (!response) return recoverable(std::move(response).error());
    if (asks_for_another_way(response->status)) return Attempt::kNotThisWay;
    if (http_client::is_retryable(response->status)) return try_again(refused(*response));
    if (!is_success(response->status)) return std::unexpected(refused(*response));
    TRY(follow(*response));
    return finish(nullptr);
  }

  Result<Attempt> put_whole() {
    TRY_ASSIGN(const auto source, open());
    return finish(source.get());
  }

  Result<Attempt> finish(http_client::BodySource* source) {
    RegistryCall put = call("PUT");
    put.url = location_;
    add_parameter(*put.url, "digest", blob_.descriptor.digest);
    put.headers = {{"Content-Type", "application/octet-stream"}};
    put.source = source;
    put.idle = kUploadIdle;
    auto response = session_.send(put);
    if (!response) return recoverable(std::move(response).error());
    if (http_client::is_retryable(response->status)) return try_again(refused(*response));
    if (source == nullptr && asks_for_another_way(response->status)) return Attempt::kNotThisWay;
    if (!is_success(response->status)) return std::unexpected(refused(*response));
    const std::string_view stored = response->header("Docker-Content-Digest");
    if (base::is_sha256_digest(stored) && stored != blob_.descriptor.digest)
      return base::fail(Code::kUnavailable, "oci.digest_mismatch",
                        cat(session_.registry(), "/", repository_, ": ", what_, " was stored as ", stored),
                        "do not trust this registry or the proxy in front of it");
    return Attempt::kStored;
  }

  Result<std::unique_ptr<http_client::BodySource>> open() {
    std::unique_ptr<http_client::BodySource> source;
    std::filesystem::path file = blob_.file;
    if (blob_.fetch) {
      TRY_ASSIGN(file, blob_.fetch());
    }
    if (file.empty()) {
      source = http_client::memory_source(blob_.text);
    } else {
      TRY_ASSIGN(source, http_client::file_source(file, 0, blob_.descriptor.size));
    }
    return std::make_unique<CountingSource>(std::move(source), blob_.descriptor.digest, options_);
  }

  base::Error refused(const Response& response) {
    if (const auto seconds = base::parse_unsigned(base::trim(response.header("Retry-After"))))
      asked_wait_ = std::chrono::seconds(std::min<std::uint64_t>(*seconds, 1'000'000));
    return refusal(response, {what_, session_.registry(), repository_});
  }

  Attempt try_again(base::Error error) {
    failure_ = std::move(error);
    return Attempt::kTryAgain;
  }

  Result<Attempt> recoverable(base::Error error) {
    const bool final = error.code != Code::kUnavailable || error.id == "http_client.cancelled" ||
                       error.id == "http_client.body_unreadable" || error.id.starts_with("oci.");
    if (final) return std::unexpected(std::move(error));
    return try_again(std::move(error));
  }

  void pause(std::chrono::milliseconds wait) {
    const auto& policy = session_.retry_policy();
    if (asked_wait_ && *asked_wait_ <= policy.most_retry_after) wait = *asked_wait_;
    asked_wait_.reset();
    if (policy.on_retry) policy.on_retry(failure_->message, wait);
    session_.clock().sleep_for(wait);
  }

  RegistrySession& session_;
  std::string_view repository_;
  const BlobContent& blob_;
  const PushOptions& options_;
  std::string what_;
  std::vector<Scope> scopes_;
  std::optional<Url> location_;
  std::optional<base::Error> failure_;
  std::optional<std::chrono::milliseconds> asked_wait_;
  bool single_put_ = false;
};

}  // namespace

Result<PushedBlob> push_blob(RegistrySession& session, std::string_view repository, const BlobContent& blob,
                             const PushOptions& options) {
  TRY_ASSIGN(const BlobOutcome outcome, Upload(session, repository, blob, options).run());
  const Descriptor& descriptor = blob.descriptor;
  if (options.on_progress)
    options.on_progress({.digest = descriptor.digest,
                         .sent = descriptor.size,
                         .size = descriptor.size,
                         .done = true,
                         .outcome = outcome});
  return PushedBlob{.digest = descriptor.digest, .size = descriptor.size, .outcome = outcome};
}

Result<PushResult> push_image(RegistrySession& session, const Image& image, const Reference& reference,
                              const PushOptions& options) {
  if (!reference.digest.empty() && reference.digest != image.descriptor.digest)
    return base::fail(Code::kUsage, "oci.digest_mismatch",
                      cat(to_string(reference), ": the image built is ", image.descriptor.digest),
                      "leave the digest away, or build from the same files");
  std::vector<BlobContent> blobs;
  for (const Layer& layer : image.layers)
    blobs.push_back({.descriptor = layer.descriptor, .text = {}, .file = layer.file});
  blobs.push_back({.descriptor = image.config_descriptor, .text = image.config});
  PushResult result;
  for (const BlobContent& blob : blobs) {
    TRY_ASSIGN(PushedBlob pushed, push_blob(session, reference.repository, blob, options));
    result.blobs.push_back(std::move(pushed));
  }
  const std::string& name = reference.tag.empty() ? image.descriptor.digest : reference.tag;
  TRY_ASSIGN(result.digest,
             put_manifest(session, reference.repository, name, image.descriptor.media_type, image.manifest));
  return result;
}

}  // namespace wherry::oci
