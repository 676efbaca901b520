#include "oci/manifest.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

Manifest example() {
  return {.config = {.media_type = std::string(kConfigType), .digest = kDigest, .size = 2},
          .layers = {{.media_type = std::string(kLayerType), .digest = kDigest, .size = 30}},
          .annotations = {{"a", "b"}}};
}

TEST(Manifest, IsWrittenInTheOrderOfTheSpecification) {
  EXPECT_EQ(
      write_manifest(example()),
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
      R"("application/vnd.oci.image.config.v1+json","digest":")" +
          kDigest +
          R"(","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")" +
          kDigest + R"(","size":30}],"annotations":{"a":"b"}})");
}

TEST(Manifest, ComesBackFromItsJson) {
  const auto manifest = parse_manifest(write_manifest(example()), "test");
  ASSERT_TRUE(manifest) << base::describe(manifest.error());
  EXPECT_EQ(manifest->config, example().config);
  EXPECT_EQ(manifest->layers, example().layers);
  EXPECT_EQ(manifest->annotations, example().annotations);
}

TEST(Manifest, ConfigComesBackFromItsJson) {
  const ImageConfig config{.platform = {.architecture = "arm64", .variant = "v8"},
                           .created = 1'700'000'000,
                           .user = "65532:65532",
                           .entrypoint = {"/wherry-server"},
                           .command = {"serve"},
                           .environment = {"A=b"},
                           .exposed_ports = {"8080/tcp"},
                           .working_directory = "/",
                           .stop_signal = "SIGTERM",
                           .labels = {{"k", "v"}},
                           .diff_ids = {kDigest},
                           .history = {{"wherry build", "c"}}};
  const auto again = parse_config(write_config(config), "test");
  ASSERT_TRUE(again) << base::describe(again.error());
  EXPECT_EQ(again->platform, config.platform);
  EXPECT_EQ(again->created, config.created);
  EXPECT_EQ(again->user, config.user);
  EXPECT_EQ(again->entrypoint, config.entrypoint);
  EXPECT_EQ(again->command, config.command);
  EXPECT_EQ(again->exposed_ports, config.exposed_ports);
  EXPECT_EQ(again->labels, config.labels);
  EXPECT_EQ(again->diff_ids, config.diff_ids);
  EXPECT_EQ(write_config(*again), write_config(config));
}

TEST(Manifest, TimesAreWrittenWithoutFractions) {
  EXPECT_EQ(format_created(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_created(1'700'000'000), "2023-11-14T22:13:20Z");
}

TEST(Manifest, EveryTruncationIsAnError) {
  const std::string whole = write_manifest(example());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_manifest(whole.substr(0, size), "test")) << size;
}

struct Damage {
  std::string from;
  std::string to;
  std::string id;
};

class DamagedManifest : public testing::TestWithParam<Damage> {};

TEST_P(DamagedManifest, IsRefused) {
  std::string document = write_manifest(example());
  const std::size_t at = document.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  document.replace(at, GetParam().from.size(), GetParam().to);
  const auto manifest = parse_manifest(document, "test");
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().id, GetParam().id) << manifest.error().message;
}

INSTANTIATE_TEST_SUITE_P(Ways, DamagedManifest,
                         testing::Values(Damage{"sha256:aa", "sha256:AA", "oci.document_invalid"},
                                         Damage{"sha256:aa", "sha512:aa", "oci.document_invalid"},
                                         Damage{"\"size\":2", "\"size\":-2", "oci.document_invalid"},
                                         Damage{"\"size\":2", "\"size\":\"2\"", "text.json_member"},
                                         Damage{"\"layers\":[", "\"other\":[", "oci.document_invalid"},
                                         Damage{"\"config\":{", "\"other\":{", "oci.document_invalid"},
                                         Damage{"\"layers\":[", "\"layers\":[3,", "oci.document_invalid"},
                                         Damage{"{\"a\":\"b\"}", "{\"a\":[]}", "oci.document_invalid"},
                                         Damage{"\"schemaVersion\":2", "\"schemaVersion\":1",
                                                "oci.document_unsupported"}));

TEST(Manifest, TooManyLayersAreALimit) {
  Manifest manifest = example();
  manifest.layers.resize(1025, manifest.layers.front());
  const auto parsed = parse_manifest(write_manifest(manifest), "test");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().id, "oci.document_limit");
}

TEST(Manifest, KindIsFoundFromHeaderMemberOrShape) {
  EXPECT_EQ(manifest_media_type("{}", "application/vnd.oci.image.index.v1+json; charset=utf-8", "t"),
            kIndexType);
  EXPECT_EQ(manifest_media_type(write_manifest(example()), "text/plain", "t"), kManifestType);
  EXPECT_EQ(manifest_media_type(R"({"manifests":[]})", "", "t"), kIndexType);
  EXPECT_EQ(manifest_media_type(R"({"mediaType":"application/x"})", "", "t").error().id,
            "oci.document_unsupported");
}

Index two_platforms() {
  Index index;
  for (const char* architecture : {"amd64", "arm64"})
    index.manifests.push_back({.media_type = std::string(kManifestType),
                               .digest = base::sha256_digest(architecture),
                               .size = 1,
                               .platform = Platform{.architecture = architecture}});
  return index;
}

TEST(Manifest, PlatformIsChosenFromAnIndex) {
  const auto index = parse_index(write_index(two_platforms()), "test");
  ASSERT_TRUE(index);
  EXPECT_EQ(choose_platform(*index, {.architecture = "arm64"}, "t")->digest, base::sha256_digest("arm64"));
}

TEST(Manifest, MissingPlatformListsWhatThereIs) {
  const auto chosen = choose_platform(two_platforms(), {.architecture = "s390x"}, "t");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().id, "oci.platform_missing");
  EXPECT_NE(chosen.error().hint.find("linux/amd64, linux/arm64"), std::string::npos);
}

TEST(FormatCreated, KnowsEveryYearOfRfc3339AndStaysWithinThem) {
  EXPECT_EQ(format_created(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_created(65'701'681'445), "4052-01-02T03:04:05Z");
  EXPECT_EQ(format_created(INT64_MAX), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_created(INT64_MIN), "0000-01-01T00:00:00Z");
}

}  // namespace
}  // namespace wherry::oci
