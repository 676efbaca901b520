#include "oci/stored_image.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/text.h"
#include "oci/output.h"
#include "oci/testing/fake_registry.h"

namespace wherry::oci {
namespace {

using oci_testing::FakeRegistry;
using oci_testing::SteppingClock;

class StoredImageTest : public testing::Test {
 protected:
  std::filesystem::path place(std::string_view name) const { return folder_->path() / name; }
  Image image(std::string_view content = "content") const {
    auto layer = build_layer({text_entry("a", std::string(content))}, {}, place("store"));
    EXPECT_TRUE(layer);
    ImageSpec spec;
    spec.platform = {.architecture = "amd64"};
    return assemble_image(std::move(spec), {*layer});
  }
  Reference name(const std::string& registry, const std::string& repository,
                 const std::string& tag = "1") const {
    return {.registry = registry, .repository = repository, .tag = tag, .digest = {}};
  }
  Image write_layout(std::string_view content, const std::string& tag) const {
    Image written = image(content);
    EXPECT_TRUE(write_image(written, name("r", "a", tag), {OutputKind::kLayout, place("layout")}));
    return written;
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
  SteppingClock clock_;
  std::unique_ptr<CredentialStore> credentials_ = fixed_credentials({});
  FakeRegistry one_{"one.example.com"};
  FakeRegistry two_{"two.example.com"};
  RegistrySession from_{"one.example.com", RegistryServices{one_, clock_, *credentials_}, {}};
  RegistrySession to_{"two.example.com", RegistryServices{two_, clock_, *credentials_}, {}};
};

TEST_F(StoredImageTest, LayoutIsPushedByteByByte) {
  const Image written = write_layout("content", "1");
  const auto stored = read_layout(place("layout"), "1");
  ASSERT_TRUE(stored) << base::describe(stored.error());
  const auto pushed = push_stored(to_, *stored, name("two.example.com", "team/fraud"), {});
  ASSERT_TRUE(pushed) << base::describe(pushed.error());
  EXPECT_EQ(pushed->digest, written.descriptor.digest);
  EXPECT_EQ(two_.manifest("team/fraud", "1"), written.manifest);
}

TEST_F(StoredImageTest, LayoutWithSeveralImagesAsksForATag) {
  write_layout("content", "1");
  write_layout("other", "2");
  const auto stored = read_layout(place("layout"), "");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().id, "oci.manifest_missing");
  EXPECT_NE(stored.error().hint.find("'1, 2'"), std::string::npos) << stored.error().hint;
  EXPECT_EQ(read_layout(place("layout"), "2")->descriptor.digest, image("other").descriptor.digest);
}

TEST_F(StoredImageTest, OtherFolderIsNoLayout) {
  EXPECT_EQ(read_layout(place("absent"), "").error().id, "oci.layout_invalid");
}

TEST_F(StoredImageTest, DamagedManifestInALayoutIsNoticed) {
  const Image written = write_layout("content", "1");
  ASSERT_TRUE(base::real_files().write(blob_path(place("layout"), written.descriptor.digest), "{}"));
  EXPECT_EQ(read_layout(place("layout"), "1").error().id, "oci.digest_mismatch");
}

TEST_F(StoredImageTest, ImageMovesFromOneRegistryToAnother) {
  const Image pushed = image();
  ASSERT_TRUE(push_image(from_, pushed, name("one.example.com", "team/fraud"), {}));
  const auto stored = read_remote(from_, name("one.example.com", "team/fraud"), place("pulled"));
  ASSERT_TRUE(stored) << base::describe(stored.error());
  const auto moved = push_stored(to_, *stored, name("two.example.com", "prod/fraud", "2"), {});
  ASSERT_TRUE(moved) << base::describe(moved.error());
  EXPECT_EQ(moved->digest, pushed.descriptor.digest);
  EXPECT_EQ(two_.manifest("prod/fraud", "2"), pushed.manifest);
}

TEST_F(StoredImageTest, BlobsAreNotFetchedWhenTheTargetHasThem) {
  const Image pushed = image();
  ASSERT_TRUE(push_image(from_, pushed, name("one.example.com", "team/fraud"), {}));
  const auto stored = read_remote(from_, name("one.example.com", "team/fraud"), place("pulled"));
  ASSERT_TRUE(
      push_stored(from_, *stored, name("one.example.com", "prod/fraud"), {.mount_from = {"team/fraud"}}));
  EXPECT_EQ(one_.count("GET", "/blobs/"), 0);
  EXPECT_EQ(one_.manifest("prod/fraud", "1"), pushed.manifest);
}

TEST_F(StoredImageTest, IndexIsCopiedWithEveryPlatform) {
  Index index;
  for (const char* content : {"x86", "arm"}) {
    const Image one = image(content);
    ASSERT_TRUE(push_image(from_, one, {"one.example.com", "team/fraud", "", one.descriptor.digest}, {}));
    index.manifests.push_back(one.descriptor);
  }
  const std::string document = write_index(index);
  ASSERT_TRUE(put_manifest(from_, "team/fraud", "1", kIndexType, document));
  const auto stored = read_remote(from_, name("one.example.com", "team/fraud"), place("pulled"));
  ASSERT_TRUE(stored) << base::describe(stored.error());
  const auto moved = push_stored(to_, *stored, name("two.example.com", "team/fraud"), {});
  ASSERT_TRUE(moved) << base::describe(moved.error());
  EXPECT_EQ(two_.manifest("team/fraud", "1"), document);
  EXPECT_NE(two_.manifest("team/fraud", image("arm").descriptor.digest), "");
}

TEST_F(StoredImageTest, LongChainOfIndexesIsALimit) {
  std::string document = "{\"schemaVersion\":2,\"manifests\":[]}";
  for (int i = 0; i < 6; ++i) {
    one_.put_manifest("team/fraud", base::sha256_digest(document), document, std::string(kIndexType));
    Index index;
    index.manifests = {{.media_type = std::string(kIndexType),
                        .digest = base::sha256_digest(document),
                        .size = document.size()}};
    document = write_index(index);
  }
  one_.put_manifest("team/fraud", "1", document, std::string(kIndexType));
  EXPECT_EQ(read_remote(from_, name("one.example.com", "team/fraud"), place("pulled")).error().id,
            "oci.document_limit");
}

}  // namespace
}  // namespace wherry::oci
