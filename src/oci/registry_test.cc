// Scenarios which a registry must answer alike whether it is the fake or a real one. With
// WHERRY_TEST_REGISTRY=127.0.0.1:5000 they also run against the registry there (tests/e2e/registry.sh does
// that with docker-registry), so that the fake cannot drift from what it stands for.
#include "oci/registry.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "oci/push.h"
#include "oci/testing/fake_registry.h"

namespace wherry::oci {
namespace {

using oci_testing::FakeRegistry;
using oci_testing::SteppingClock;

enum class Kind { kFake, kReal };

std::vector<Kind> kinds() {
  if (std::getenv("WHERRY_TEST_REGISTRY") == nullptr) return {Kind::kFake};
  return {Kind::kFake, Kind::kReal};
}

class RegistryScenario : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kFake) {
      transport_ = std::make_unique<FakeRegistry>("127.0.0.1:5000");
      start("127.0.0.1:5000");
      return;
    }
    transport_ = http_client::make_transport();
    start(std::getenv("WHERRY_TEST_REGISTRY"));
  }
  void start(const std::string& registry) {
    session_ = std::make_unique<RegistrySession>(
        registry, RegistryServices{*transport_, clock_, *credentials_}, RegistryOptions{});
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = test->name();
    repository_ = base::cat("scenario-", ::getpid(), "/", base::to_lower(name.substr(0, name.find('/'))));
  }
  Image image(std::string_view content = "content") const {
    auto layer = build_layer({text_entry("a", std::string(content))}, {}, folder_->path() / "store");
    EXPECT_TRUE(layer);
    ImageSpec spec;
    spec.platform = {.architecture = "amd64"};
    spec.entrypoint = {"/a"};
    spec.labels = {{"org.opencontainers.image.title", "fraud"}};
    return assemble_image(std::move(spec), {*layer});
  }
  Reference name(std::string_view tag, std::string_view digest = "") const {
    return {.registry = session_->registry(),
            .repository = repository_,
            .tag = std::string(tag),
            .digest = std::string(digest)};
  }
  PushResult must_push(const Image& pushed, const Reference& reference, const PushOptions& options = {}) {
    auto result = push_image(*session_, pushed, reference, options);
    EXPECT_TRUE(result) << base::describe(result.error()) << " / " << result.error().hint;
    return result ? *result : PushResult{};
  }
  static std::string outcomes(const PushResult& result) {
    constexpr std::string_view kNames = "emu";  // existed, mounted, uploaded
    std::string text;
    for (const PushedBlob& blob : result.blobs) text += kNames[static_cast<std::size_t>(blob.outcome)];
    return text;
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
  SteppingClock clock_;
  std::unique_ptr<CredentialStore> credentials_ = fixed_credentials({});
  std::unique_ptr<http_client::Transport> transport_;
  std::unique_ptr<RegistrySession> session_;
  std::string repository_;
};

TEST_P(RegistryScenario, PushUploadsThenFindsEverythingThere) {
  const Image pushed = image();
  const PushResult first = must_push(pushed, name("1"));
  EXPECT_EQ(first.digest, pushed.descriptor.digest);
  EXPECT_EQ(outcomes(first), "uu");
  EXPECT_EQ(outcomes(must_push(pushed, name("1"))), "ee");
}

TEST_P(RegistryScenario, BlobsOfAnotherRepositoryAreMounted) {
  const Image pushed = image();
  must_push(pushed, name("1"));
  const std::string from = repository_;
  repository_ += "-other";
  EXPECT_EQ(outcomes(must_push(pushed, name("1"), {.mount_from = {from}})), "mm");
}

TEST_P(RegistryScenario, MountFromARepositoryWithoutTheBlobUploads) {
  EXPECT_EQ(outcomes(must_push(image(), name("1"), {.mount_from = {"scenario/absent"}})), "uu");
}

TEST_P(RegistryScenario, LargeLayerIsStreamed) {
  std::string noise;
  std::uint64_t state = 1;
  for (int i = 0; i < 3'000'000; ++i)
    noise += static_cast<char>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
  std::uint64_t most_sent = 0;
  const PushOptions options{.mount_from = {}, .on_progress = [&](const PushProgress& progress) {
                              most_sent = std::max(most_sent, progress.sent);
                            }};
  const Image pushed = image(noise);
  EXPECT_EQ(outcomes(must_push(pushed, name("1"), options)), "uu");
  EXPECT_EQ(most_sent, pushed.layers[0].descriptor.size);
}

TEST_P(RegistryScenario, ImageIsReadBack) {
  const Image pushed = image();
  must_push(pushed, name("1"));
  const auto remote = fetch_image(*session_, name("1"), {.architecture = "amd64"});
  ASSERT_TRUE(remote) << base::describe(remote.error());
  EXPECT_EQ(remote->digest, pushed.descriptor.digest);
  EXPECT_EQ(remote->config.labels, pushed.spec.labels);
  EXPECT_EQ(remote->manifest.layers.at(0), pushed.layers[0].descriptor);
}

TEST_P(RegistryScenario, LayerIsFetchedIntoAStore) {
  const Image pushed = image();
  must_push(pushed, name("1"));
  const auto file =
      fetch_blob_to(*session_, repository_, pushed.layers[0].descriptor, folder_->path() / "pulled");
  ASSERT_TRUE(file) << base::describe(file.error());
  EXPECT_TRUE(holds_blob(*file, pushed.layers[0].descriptor.digest, pushed.layers[0].descriptor.size));
}

TEST_P(RegistryScenario, DigestIsResolvedWithoutTheManifest) {
  const Image pushed = image();
  must_push(pushed, name("1"));
  EXPECT_EQ(resolve_digest(*session_, name("1")), pushed.descriptor.digest);
  EXPECT_EQ(resolve_digest(*session_, name("", pushed.descriptor.digest)), pushed.descriptor.digest);
}

TEST_P(RegistryScenario, PushWithoutTagIsFoundByDigest) {
  const Image pushed = image();
  must_push(pushed, name("", pushed.descriptor.digest));
  EXPECT_TRUE(fetch_manifest(*session_, name("", pushed.descriptor.digest)));
}

TEST_P(RegistryScenario, SecondTagNamesTheSameImage) {
  const Image pushed = image();
  must_push(pushed, name("1"));
  EXPECT_EQ(add_tag(*session_, name("1"), "latest"), pushed.descriptor.digest);
  EXPECT_EQ(resolve_digest(*session_, name("latest")), pushed.descriptor.digest);
}

TEST_P(RegistryScenario, IndexLeadsToThePlatform) {
  const Image pushed = image();
  must_push(pushed, name("", pushed.descriptor.digest));
  Index index;
  index.manifests = {pushed.descriptor};
  const std::string document = write_index(index);
  const auto digest = put_manifest(*session_, repository_, "multi", kIndexType, document);
  ASSERT_TRUE(digest) << base::describe(digest.error());
  const auto remote = fetch_image(*session_, name("multi"), {.architecture = "amd64"});
  ASSERT_TRUE(remote) << base::describe(remote.error());
  EXPECT_EQ(remote->digest, *digest);
  EXPECT_EQ(remote->manifest_digest, pushed.descriptor.digest);
  EXPECT_EQ(fetch_image(*session_, name("multi"), {.architecture = "arm64"}).error().id,
            "oci.platform_missing");
}

TEST_P(RegistryScenario, UnknownTagIsMissing) {
  must_push(image(), name("1"));
  const auto missing = fetch_manifest(*session_, name("2"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().id, "oci.manifest_missing");
  EXPECT_EQ(base::exit_status(missing.error().code), 3);
}

TEST_P(RegistryScenario, UnknownRepositoryIsMissing) {
  EXPECT_FALSE(fetch_manifest(*session_, name("1")));
}

TEST_P(RegistryScenario, ManifestWithoutItsBlobsIsRejected) {
  const Image pushed = image("never uploaded");
  const auto stored = put_manifest(*session_, repository_, "1", kManifestType, pushed.manifest);
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().id, "oci.manifest_rejected");
  EXPECT_NE(stored.error().message.find("MANIFEST_BLOB_UNKNOWN"), std::string::npos)
      << stored.error().message;
}

TEST_P(RegistryScenario, BlobWhichIsNotWhatItsDigestSaysIsRejected) {
  const BlobContent blob{.descriptor = {.digest = base::sha256_digest("other"), .size = 4}, .text = "what"};
  const auto pushed = push_blob(*session_, repository_, blob, {});
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().id, "oci.blob_rejected");
  EXPECT_EQ(has_blob(*session_, repository_, blob.descriptor.digest), false);
}

TEST_P(RegistryScenario, MissingBlobIsMissing) {
  must_push(image(), name("1"));
  const Descriptor blob{.digest = base::sha256_digest("nothing"), .size = 7};
  EXPECT_EQ(fetch_blob(*session_, repository_, blob, 100).error().id, "oci.blob_missing");
}

INSTANTIATE_TEST_SUITE_P(Registries, RegistryScenario, testing::ValuesIn(kinds()),
                         [](const auto& row) { return row.param == Kind::kFake ? "Fake" : "Real"; });

}  // namespace
}  // namespace wherry::oci
