#include "oci/output.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;

class OutputTest : public testing::Test {
 protected:
  fs::path place(std::string_view name) const { return folder_->path() / name; }
  std::string read(const fs::path& path) const {
    const auto content = base::real_files().read(path, 64 << 20);
    EXPECT_TRUE(content) << base::describe(content.error());
    return content ? *content : std::string();
  }
  Image image(std::string_view content = "content") const {
    auto layer = build_layer({text_entry("a", std::string(content))}, {}, place("store"));
    EXPECT_TRUE(layer);
    ImageSpec spec;
    spec.platform = {.architecture = "amd64"};
    spec.entrypoint = {"/a"};
    return assemble_image(std::move(spec), {*layer});
  }
  Reference name(std::string_view tag = "1") const {
    return {.registry = "127.0.0.1:5000", .repository = "fraud", .tag = std::string(tag), .digest = {}};
  }
  Index index_of(const fs::path& layout) const {
    auto index = parse_index(read(layout / "index.json"), "index");
    EXPECT_TRUE(index);
    return *index;
  }
  void expect_complete(const fs::path& layout, const Descriptor& manifest) const {
    EXPECT_EQ(read(layout / "oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
    const std::string document = read(blob_path(layout, manifest.digest));
    EXPECT_EQ(base::sha256_digest(document), manifest.digest);
    const auto parsed = parse_manifest(document, "manifest");
    ASSERT_TRUE(parsed);
    for (const Descriptor& layer : parsed->layers)
      EXPECT_TRUE(holds_blob(blob_path(layout, layer.digest), layer.digest, layer.size));
    EXPECT_TRUE(
        holds_blob(blob_path(layout, parsed->config.digest), parsed->config.digest, parsed->config.size));
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
};

TEST(Output, FormsAreRecognised) {
  EXPECT_EQ(parse_output("oci:out")->kind, OutputKind::kLayout);
  EXPECT_EQ(parse_output("oci-archive:a.tar")->path, "a.tar");
  EXPECT_EQ(parse_output("docker-archive:/x:y.tar")->path, "/x:y.tar");
}

TEST(Output, OthersAreRefusedWithTheNearestForm) {
  const auto output = parse_output("docker-archiv:a.tar");
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().id, "oci.output_invalid");
  EXPECT_EQ(output.error().hint, "did you mean 'docker-archive:PATH'?");
  EXPECT_FALSE(parse_output("oci:"));
  EXPECT_FALSE(parse_output("image.tar"));
}

TEST_F(OutputTest, LayoutHoldsEveryBlobAndNamesTheTag) {
  const Image written = image();
  ASSERT_TRUE(write_image(written, name(), {OutputKind::kLayout, place("out")}));
  const Index index = index_of(place("out"));
  ASSERT_EQ(index.manifests.size(), 1);
  EXPECT_EQ(*find_annotation(index.manifests[0].annotations, "org.opencontainers.image.ref.name"), "1");
  EXPECT_EQ(index.manifests[0].digest, written.descriptor.digest);
  expect_complete(place("out"), index.manifests[0]);
}

TEST_F(OutputTest, ExistingLayoutKeepsItsOtherTags) {
  const Output output{OutputKind::kLayout, place("out")};
  ASSERT_TRUE(write_image(image("one"), name("1"), output));
  ASSERT_TRUE(write_image(image("two"), name("2"), output));
  ASSERT_TRUE(write_image(image("three"), name("1"), output));
  const Index index = index_of(place("out"));
  ASSERT_EQ(index.manifests.size(), 2);
  EXPECT_EQ(index.manifests[0].digest, image("two").descriptor.digest);
  EXPECT_EQ(index.manifests[1].digest, image("three").descriptor.digest);
}

TEST_F(OutputTest, FolderWithOtherThingsIsLeftAlone) {
  ASSERT_TRUE(base::real_files().write(place("out/notes.txt"), "mine"));
  const auto written = write_image(image(), name(), {OutputKind::kLayout, place("out")});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().id, "oci.output_exists");
  EXPECT_EQ(std::distance(fs::directory_iterator(place("out")), fs::directory_iterator()), 1);
}

TEST_F(OutputTest, FailureLeavesNoHalfWrittenLayout) {
  const Image broken = image();
  ASSERT_TRUE(base::real_files().write(broken.layers[0].file, "something else"));
  const auto written = write_image(broken, name(), {OutputKind::kLayout, place("new/out")});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().id, "oci.blob_corrupt");
  EXPECT_TRUE(fs::is_empty(place("new")));
}

TEST_F(OutputTest, FailureLeavesAnArchiveAsItWas) {
  const Image broken = image();
  ASSERT_TRUE(base::real_files().write(broken.layers[0].file, "something else"));
  ASSERT_TRUE(base::real_files().write(place("dir/image.tar"), "before"));
  for (const OutputKind kind : {OutputKind::kOciArchive, OutputKind::kDockerArchive})
    EXPECT_FALSE(write_image(broken, name(), {kind, place("dir/image.tar")}));
  EXPECT_EQ(read(place("dir/image.tar")), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(place("dir")), fs::directory_iterator()), 1);
}

TEST_F(OutputTest, FileAsParentFolderIsUnwritable) {
  ASSERT_TRUE(base::real_files().write(place("file"), ""));
  for (const OutputKind kind : {OutputKind::kLayout, OutputKind::kOciArchive, OutputKind::kDockerArchive})
    EXPECT_EQ(write_image(image(), name(), {kind, place("file/out")}).error().id, "base.file_unwritable");
}

TEST_F(OutputTest, ArchivesAreTheSameWhenWrittenTwice) {
  for (const OutputKind kind : {OutputKind::kOciArchive, OutputKind::kDockerArchive}) {
    ASSERT_TRUE(write_image(image(), name(), {kind, place("1.tar")}));
    ASSERT_TRUE(write_image(image(), name(), {kind, place("2.tar")}));
    EXPECT_EQ(read(place("1.tar")), read(place("2.tar")));
  }
}

TEST_F(OutputTest, OciArchiveIsALayoutWhenUnpacked) {
  ASSERT_TRUE(write_image(image(), name(), {OutputKind::kOciArchive, place("a.tar")}));
  fs::create_directories(place("unpacked"));
  const auto tar = base::real_processes().run(
      {.arguments = {"tar", "-xf", place("a.tar").string(), "-C", place("unpacked").string()}});
  ASSERT_EQ(tar->status, 0) << tar->err;
  expect_complete(place("unpacked"), index_of(place("unpacked")).manifests.at(0));
}

TEST_F(OutputTest, DockerArchiveNamesConfigTagsAndLayers) {
  const Image written = image();
  ASSERT_TRUE(write_image(written, name(), {OutputKind::kDockerArchive, place("a.tar")}));
  const auto tar =
      base::real_processes().run({.arguments = {"tar", "-xOf", place("a.tar").string(), "manifest.json"}});
  const auto json = text::parse_json(tar->out, "manifest.json");
  ASSERT_TRUE(json) << tar->err;
  const text::Json& entry = json->at(0);
  EXPECT_EQ(entry.at("Config"), written.config_descriptor.digest.substr(7) + ".json");
  EXPECT_EQ(entry.at("RepoTags"), text::Json::array({"127.0.0.1:5000/fraud:1"}));
  EXPECT_EQ(entry.at("Layers"),
            text::Json::array({written.layers[0].descriptor.digest.substr(7) + ".tar.gz"}));
}

}  // namespace
}  // namespace wherry::oci
