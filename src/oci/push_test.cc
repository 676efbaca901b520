// Quirks and faults of registries, on the fake.
#include "oci/push.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "oci/testing/fake_registry.h"

namespace wherry::oci {
namespace {

using oci_testing::FakeRegistry;
using oci_testing::Fault;
using oci_testing::Login;
using oci_testing::Quirks;
using oci_testing::SteppingClock;
using namespace std::chrono_literals;

constexpr std::string_view kHost = "registry.example.com";

class PushTest : public testing::Test {
 protected:
  FakeRegistry& start(Quirks quirks = {}, Credentials login = {}, std::string host = std::string(kHost),
                      RegistryOptions options = {}) {
    fake_ = std::make_unique<FakeRegistry>(host, std::move(quirks));
    credentials_ = fixed_credentials(std::move(login));
    session_ = std::make_unique<RegistrySession>(host, RegistryServices{*fake_, clock_, *credentials_},
                                                 std::move(options));
    return *fake_;
  }
  Image image(std::string_view content = "content") const {
    auto layer = build_layer({text_entry("a", std::string(content))}, {}, folder_->path() / "store");
    EXPECT_TRUE(layer);
    ImageSpec spec;
    spec.platform = {.architecture = "amd64"};
    return assemble_image(std::move(spec), {*layer});
  }
  Reference name() const {
    return {.registry = session_->registry(), .repository = "team/fraud", .tag = "1", .digest = {}};
  }
  base::Result<PushResult> push(const PushOptions& options = {}) {
    return push_image(*session_, image(), name(), options);
  }
  void expect_pushed(const PushOptions& options = {}) {
    const auto result = push(options);
    ASSERT_TRUE(result) << base::describe(result.error());
    EXPECT_EQ(fake_->manifest("team/fraud", "1"), image().manifest);
  }
  // "id" of the failure, "" when the push succeeded.
  std::string failure() {
    const auto result = push();
    return result ? std::string() : result.error().id;
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
  SteppingClock clock_;
  std::unique_ptr<FakeRegistry> fake_;
  std::unique_ptr<CredentialStore> credentials_;
  std::unique_ptr<RegistrySession> session_;
};

const Credentials kAda{.username = "ada", .password = "secret", .identity_token = {}, .registry_token = {}};

TEST_F(PushTest, AnonymousPushSendsNoAuthorization) {
  const FakeRegistry& fake = start();
  expect_pushed();
  for (const auto& seen : fake.seen()) EXPECT_EQ(seen.authorization, "") << seen.url;
}

TEST_F(PushTest, UploadIsOnePatchWithTheWholeBlobAndAnEmptyPut) {
  const FakeRegistry& fake = start();
  expect_pushed();
  EXPECT_EQ(fake.count("PATCH", "/blobs/uploads/"), 2);  // layer and configuration
  for (const auto& seen : fake.seen()) {
    if (seen.method == "PATCH") {
      EXPECT_EQ(seen.content_type, "application/octet-stream");
    }
    if (seen.method == "PUT" && seen.url.find("/blobs/") != std::string::npos) {
      EXPECT_EQ(seen.body_size, 0);
    }
    if (seen.method == "PUT" && seen.url.find("/manifests/") != std::string::npos) {
      EXPECT_EQ(seen.content_type, kManifestType);
    }
  }
}

TEST_F(PushTest, EachAnswerOfAPatchIsUnderstood) {
  for (const int status : {201, 202, 204}) {
    start({.patch_status = status});
    expect_pushed();
  }
}

TEST_F(PushTest, RegistryWithoutPatchGetsASinglePut) {
  for (const int status : {404, 405, 416, 501}) {
    const FakeRegistry& fake = start({.patch_status = status});
    expect_pushed();
    EXPECT_EQ(fake.count("PATCH", ""), 2) << "each blob tries once";
  }
}

TEST_F(PushTest, RelativeLocationsAreResolved) {
  start({.absolute_locations = false});
  expect_pushed();
}

TEST_F(PushTest, UploadOnAnotherHostGetsNoAuthorization) {
  const FakeRegistry& fake = start({.login = Login::kBasic, .upload_host = "uploads.example.net"}, kAda);
  expect_pushed();
  EXPECT_GT(fake.count("PATCH", "uploads.example.net"), 0);
  for (const auto& seen : fake.seen()) {
    if (seen.url.find("uploads.example.net") != std::string::npos) {
      EXPECT_EQ(seen.authorization, "");
    }
  }
}

TEST_F(PushTest, UploadToAPrivateAddressIsRefused) {
  start({.upload_host = "169.254.169.254"});
  EXPECT_EQ(failure(), "oci.insecure_address");
}

TEST_F(PushTest, RefusedMountUploads) {
  for (const bool closes : {false, true}) {
    const FakeRegistry& fake = start({.mount_refused = !closes, .mount_closes_connection = closes});
    expect_pushed({.mount_from = {"team/base"}});
    EXPECT_EQ(fake.count("PATCH", ""), 2);
  }
}

TEST_F(PushTest, MountAlwaysNamesItsSource) {
  const FakeRegistry& fake = start();
  expect_pushed({.mount_from = {"team/base"}});
  EXPECT_GT(fake.count("POST", "mount="), 0);
  EXPECT_EQ(fake.count("POST", "mount="), fake.count("POST", "&from=team%2Fbase"));
}

TEST_F(PushTest, SessionOfARefusedMountIsClosed) {
  const FakeRegistry& fake = start();
  expect_pushed({.mount_from = {"team/base"}});
  EXPECT_EQ(fake.count("DELETE", "/blobs/uploads/"), 2);
}

// --- faults
// -------------------------------------------------------------------------------------------------

TEST_F(PushTest, BrokenUploadStartsAnew) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "PATCH", .path_contains = "/blobs/uploads/", .times = 2});
  expect_pushed();
  EXPECT_EQ(clock_.slept(), 4s);  // 1 s, then 3 s
}

TEST_F(PushTest, UploadWhichFailsAgainAndAgainIsAnError) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "PATCH", .path_contains = "/blobs/uploads/", .times = 99});
  EXPECT_EQ(failure(), "http_client.interrupted");
  EXPECT_EQ(fake.count("PATCH", ""), 3);
}

TEST_F(PushTest, BrokenPutIsMadeGoodByHead) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "PUT", .path_contains = "/blobs/uploads/", .times = 1});
  expect_pushed();
}

TEST_F(PushTest, ServerErrorsAreTriedAgain) {
  for (const int status : {500, 502, 503, 504, 408}) {
    FakeRegistry& fake = start();
    fake.add_fault({.method = "PUT", .path_contains = "/manifests/", .times = 1, .status = status});
    fake.add_fault({.method = "POST", .path_contains = "/blobs/uploads/", .times = 1, .status = status});
    expect_pushed();
  }
}

TEST_F(PushTest, RetryAfterIsHonoured) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "PATCH",
                  .path_contains = "",
                  .times = 1,
                  .status = 429,
                  .headers = {{"Retry-After", "17"}}});
  expect_pushed();
  EXPECT_EQ(clock_.slept(), 17s);
}

TEST_F(PushTest, RateLimitWithoutEndIsAnError) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "HEAD", .path_contains = "", .times = 99, .status = 429});
  fake.add_fault({.method = "POST", .path_contains = "", .times = 99, .status = 429});
  EXPECT_EQ(failure(), "oci.rate_limited");
}

TEST_F(PushTest, StaleUploadAddressIsNotUsed) {
  start({.location_changes = true});  // the fake answers 404 for an old address
  expect_pushed();
}

TEST_F(PushTest, RegistryWhichStoredSomethingElseIsAnError) {
  start({.stored_digest = base::sha256_digest("something else")});
  EXPECT_EQ(failure(), "oci.digest_mismatch");
}

TEST_F(PushTest, UploadAcceptedWithoutAddressIsAnError) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "POST", .path_contains = "/blobs/uploads/", .times = 1, .status = 202});
  EXPECT_EQ(failure(), "oci.upload_invalid");
}

TEST_F(PushTest, MissingRepositoryOfEcrNamesTheCommand) {
  const std::string ecr = "1234.dkr.ecr.eu-west-1.amazonaws.com";
  start({.closes_for_missing_repository = true}, {}, ecr);
  const auto result = push();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "oci.repository_missing");
  EXPECT_NE(result.error().hint.find("aws ecr create-repository --repository-name team/fraud"),
            std::string::npos);
}

TEST_F(PushTest, MissingRepositoryElsewhereIsNamed) {
  start({.repositories_are_made = false});
  EXPECT_EQ(failure(), "oci.repository_missing");
}

TEST_F(PushTest, DigestOfTheReferenceMustBeTheImages) {
  const FakeRegistry& fake = start();
  Reference other = name();
  other.digest = base::sha256_digest("other");
  EXPECT_EQ(push_image(*session_, image(), other, {}).error().id, "oci.digest_mismatch");
  EXPECT_TRUE(fake.seen().empty());
}

TEST_F(PushTest, LayerMissingOnDiskIsAnErrorAtOnce) {
  start();
  const Image pushed = image();
  ASSERT_TRUE(base::real_files().remove_all(pushed.layers[0].file));
  const auto result = push_image(*session_, pushed, name(), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "http_client.body_unreadable");
  EXPECT_EQ(clock_.slept(), 0s);
}

TEST_F(PushTest, ServerWhichIsNoRegistryIsNamed) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "GET", .path_contains = "/v2/", .times = 1, .status = 404, .body = "<html>"});
  EXPECT_EQ(failure(), "oci.not_a_registry");
}

TEST_F(PushTest, WarningIsShownOnce) {
  std::vector<std::string> shown;
  RegistryOptions options;
  options.on_warning = [&](std::string_view text) { shown.emplace_back(text); };
  start({.warning = "storage is nearly full"}, {}, std::string(kHost), options);
  expect_pushed();
  EXPECT_EQ(shown, std::vector<std::string>{"storage is nearly full"});
}

// --- login
// --------------------------------------------------------------------------------------------------

TEST_F(PushTest, BasicLoginIsSent) {
  start({.login = Login::kBasic}, kAda);
  expect_pushed();
}

TEST_F(PushTest, WrongBasicLoginIsUnauthorizedAndNotTriedAgain) {
  const FakeRegistry& fake = start({.login = Login::kBasic}, {.username = "ada", .password = "wrong"});
  EXPECT_EQ(failure(), "oci.unauthorized");
  EXPECT_LE(fake.seen().size(), 3);
}

TEST_F(PushTest, BearerTokenIsFetchedOnceForAllRequests) {
  const FakeRegistry& fake = start({.login = Login::kBearer}, kAda);
  expect_pushed();
  EXPECT_EQ(fake.count("GET", "/token"), 1);
}

TEST_F(PushTest, PasswordGoesToTheTokenServerOnly) {
  const FakeRegistry& fake = start({.login = Login::kBearer}, kAda);
  expect_pushed();
  for (const auto& seen : fake.seen()) {
    const bool is_token_server = seen.url.find("/token") != std::string::npos;
    EXPECT_EQ(seen.authorization.starts_with("Basic "), is_token_server) << seen.url;
  }
}

TEST_F(PushTest, ShortLivedTokensAreRenewed) {
  const FakeRegistry& fake = start({.login = Login::kBearer, .token_lifetime = 1}, kAda);
  expect_pushed();
  EXPECT_GT(fake.count("GET", "/token"), 3);
}

TEST_F(PushTest, MountScopeIsAskedForToo) {
  FakeRegistry& fake = start({.login = Login::kBearer}, kAda);
  for (const std::string& content :
       {image().config, *base::real_files().read(image().layers[0].file, 1 << 20)})
    fake.put_blob("team/base", content);
  const auto result = push({.mount_from = {"team/base"}});
  ASSERT_TRUE(result) << base::describe(result.error());
  EXPECT_EQ(result->blobs[0].outcome, BlobOutcome::kMounted);
  EXPECT_GT(fake.count("GET", "repository%3Ateam%2Fbase%3Apull"), 0);
}

TEST_F(PushTest, TokenServerWhichReadsOnlyTheFirstScopeStillWorks) {
  start({.login = Login::kBearer, .one_scope_per_token = true}, kAda);
  expect_pushed({.mount_from = {"team/base"}});
}

TEST_F(PushTest, TokenWithFewerRightsIsUnauthorizedAtTheEnd) {
  const FakeRegistry& fake = start({.login = Login::kBearer});  // anonymous: pull only
  EXPECT_EQ(failure(), "oci.unauthorized");
  EXPECT_EQ(fake.count("PATCH", ""), 0);
}

TEST_F(PushTest, WrongPasswordAtTheTokenServerIsUnauthorized) {
  start({.login = Login::kBearer}, {.username = "ada", .password = "wrong"});
  EXPECT_EQ(failure(), "oci.unauthorized");
}

TEST_F(PushTest, IdentityTokenIsExchanged) {
  const FakeRegistry& fake =
      start({.login = Login::kBearer, .identity_token = "id"}, {.identity_token = "id"});
  expect_pushed();
  EXPECT_EQ(fake.count("POST", "/token"), 1);
}

TEST_F(PushTest, IdentityTokenFallsBackToGet) {
  start({.login = Login::kBearer, .identity_token = "id", .no_refresh_grant = true},
        {.identity_token = "id"});
  expect_pushed();
}

TEST_F(PushTest, FirstOfSeveralChallengesIsTaken) {
  const FakeRegistry& fake = start({.login = Login::kBearer, .basic_after_bearer = true}, kAda);
  expect_pushed();
  EXPECT_GT(fake.count("GET", "/token"), 0);
}

TEST_F(PushTest, TokenServerWithoutTlsIsRefusedBeforeThePasswordIsSent) {
  const FakeRegistry& fake = start({.login = Login::kBearer, .realm = "http://auth.example.com/token"}, kAda);
  EXPECT_EQ(failure(), "oci.insecure_address");
  EXPECT_EQ(fake.count("GET", "/token"), 0);
}

TEST_F(PushTest, TokenServerAtAPrivateAddressIsRefused) {
  const FakeRegistry& fake = start({.login = Login::kBearer, .realm = "https://192.168.0.1/token"}, kAda);
  EXPECT_EQ(failure(), "oci.insecure_address");
  EXPECT_EQ(fake.count("GET", "/token"), 0);
}

// --- addresses
// ----------------------------------------------------------------------------------------------

TEST_F(PushTest, LoopbackIsSpokenToInPlainHttp) {
  const FakeRegistry& fake = start({}, {}, "127.0.0.1:5000");
  expect_pushed();
  EXPECT_TRUE(fake.seen().front().url.starts_with("http://"));
}

TEST_F(PushTest, LoopbackRegistryWithTlsIsFound) {
  const FakeRegistry& fake =
      start({.absolute_locations = false, .speaks_tls_only = true}, {}, "127.0.0.1:5000");
  expect_pushed();
  EXPECT_TRUE(fake.seen().back().url.starts_with("https://"));
}

TEST_F(PushTest, OtherHostsAreNeverSpokenToInPlainHttp) {
  FakeRegistry& fake = start();
  fake.add_fault({.method = "GET", .path_contains = "https://", .times = 99});
  EXPECT_FALSE(push());
  for (const auto& seen : fake.seen()) EXPECT_TRUE(seen.url.starts_with("https://")) << seen.url;
}

TEST_F(PushTest, HostWithoutAddressIsNotAskedAgain) {
  start();
  Reference elsewhere = name();
  FakeRegistry other("other.example.com");
  RegistrySession session("registry.example.com", RegistryServices{other, clock_, *credentials_}, {});
  const auto result = push_image(session, image(), elsewhere, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "http_client.dns");
  EXPECT_EQ(other.seen().size(), 1);
  EXPECT_EQ(clock_.slept(), 0s);
}

TEST_F(PushTest, InsecureRegistryMaySpeakPlainHttp) {
  RegistryOptions options;
  options.insecure = true;
  FakeRegistry& fake = start({.absolute_locations = false}, {}, std::string(kHost), options);
  fake.add_fault({.method = "GET", .path_contains = "https://", .times = 99});
  expect_pushed();
}

// --- reading
// ------------------------------------------------------------------------------------------------

TEST_F(PushTest, BlobIsFollowedToStorageWithoutAuthorization) {
  const FakeRegistry& fake = start({.login = Login::kBearer, .blobs_on_storage = true}, kAda);
  expect_pushed();
  const auto remote = fetch_image(*session_, name(), {.architecture = "amd64"});
  ASSERT_TRUE(remote) << base::describe(remote.error());
  EXPECT_EQ(fake.seen().back().url.substr(0, 28), "https://storage.example.com/");
  EXPECT_EQ(fake.seen().back().authorization, "");
}

TEST_F(PushTest, DamagedBlobIsNoticed) {
  start({.damaged_blobs = true});
  expect_pushed();
  EXPECT_EQ(fetch_image(*session_, name(), {.architecture = "amd64"}).error().id, "oci.digest_mismatch");
  const auto file =
      fetch_blob_to(*session_, "team/fraud", image().layers[0].descriptor, folder_->path() / "pulled");
  EXPECT_EQ(file.error().id, "oci.digest_mismatch");
  EXPECT_FALSE(
      std::filesystem::exists(blob_path(folder_->path() / "pulled", image().layers[0].descriptor.digest)));
}

TEST_F(PushTest, ManifestWhichIsNotWhatTheReferenceNamesIsNoticed) {
  FakeRegistry& fake = start();
  const std::string document = image().manifest;
  Reference other = name();
  other.digest = base::sha256_digest("other");
  fake.put_manifest("team/fraud", other.digest, document, std::string(kManifestType));
  EXPECT_EQ(fetch_manifest(*session_, other).error().id, "oci.digest_mismatch");
}

TEST_F(PushTest, OverlongManifestIsALimit) {
  FakeRegistry& fake = start();
  fake.put_manifest("team/fraud", "1", std::string(5 << 20, ' '), std::string(kManifestType));
  EXPECT_EQ(fetch_manifest(*session_, name()).error().id, "http_client.too_large");
}

}  // namespace
}  // namespace wherry::oci
