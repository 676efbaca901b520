#include "oci/layer.h"

#include <array>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <locale>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "oci/gzip.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;

class LayerTest : public testing::Test {
 protected:
  fs::path place(std::string_view name) const { return folder_->path() / name; }
  fs::path write(std::string_view name, std::string_view content) const {
    EXPECT_TRUE(base::real_files().write(place(name), content));
    return place(name);
  }
  Layer must_build(std::vector<LayerEntry> entries, std::string_view store = "store") const {
    auto layer = build_layer(std::move(entries), {}, place(store));
    EXPECT_TRUE(layer) << base::describe(layer.error());
    return layer ? *layer : Layer{};
  }
  // What GNU tar lists, in its own words.
  std::string listing(const Layer& layer) const {
    const auto output = base::real_processes().run(
        {.arguments = {"tar", "--utc", "--full-time", "--numeric-owner", "-tvzf", layer.file.string()},
         .environment = {{"LC_ALL", "C"}}});
    EXPECT_TRUE(output) << base::describe(output.error());
    EXPECT_EQ(output->status, 0) << output->err;
    return output->out;
  }
  std::string plain(const Layer& layer) const {
    const auto file = base::real_files().read(layer.file, 64 << 20);
    const auto content = gunzip(base::as_bytes(*file), 64 << 20);
    EXPECT_TRUE(content);
    return *content;
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
};

TEST_F(LayerTest, IsListedByTarInOrderWithParentsOwnersAndModes) {
  const Layer layer =
      must_build({text_entry("wherry-server", "program", 0755), folder_entry("tmp", 01777),
                  text_entry("etc/passwd", "root\n"), text_entry("a-b", "x"), text_entry("a/b", "y")});
  EXPECT_EQ(listing(layer),
            "drwxr-xr-x 0/0               0 1970-01-01 00:00:00 a/\n"
            "-rw-r--r-- 0/0               1 1970-01-01 00:00:00 a-b\n"
            "-rw-r--r-- 0/0               1 1970-01-01 00:00:00 a/b\n"
            "drwxr-xr-x 0/0               0 1970-01-01 00:00:00 etc/\n"
            "-rw-r--r-- 0/0               5 1970-01-01 00:00:00 etc/passwd\n"
            "drwxrwxrwt 0/0               0 1970-01-01 00:00:00 tmp/\n"
            "-rwxr-xr-x 0/0               7 1970-01-01 00:00:00 wherry-server\n");
}

TEST_F(LayerTest, LongAndForeignNamesAreReadByTar) {
  const std::string middle = std::string(90, 'd') + "/" + std::string(90, 'f');  // fits prefix and name
  const std::string longest = std::string(120, 'n');                             // needs pax
  const Layer layer = must_build({text_entry(middle, "1"), text_entry(longest, "2"),
                                  text_entry("gr\xc3\xb6\xc3\x9f"
                                             "e",
                                             "3")});
  const std::string list = listing(layer);
  EXPECT_NE(list.find(" " + middle + "\n"), std::string::npos) << list;
  EXPECT_NE(list.find(" " + longest + "\n"), std::string::npos) << list;
  EXPECT_NE(list.find("gr\\303\\266\\303\\237e\n"), std::string::npos) << list;
}

TEST_F(LayerTest, ContentsSurviveTar) {
  const std::string large(1'234'567, 'w');
  const Layer layer = must_build({file_entry("model/weights.bin", write("weights.bin", large))});
  const auto output =
      base::real_processes().run({.arguments = {"tar", "-xzOf", layer.file.string(), "model/weights.bin"}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, large);
}

TEST_F(LayerTest, DigestsAreThoseOfTheCompressedAndThePlainBytes) {
  const Layer layer = must_build({text_entry("a", "content")});
  const auto file = base::real_files().read(layer.file, 1 << 20);
  EXPECT_EQ(layer.descriptor.digest, base::sha256_digest(*file));
  EXPECT_EQ(layer.descriptor.size, file->size());
  EXPECT_EQ(layer.diff_id, base::sha256_digest(plain(layer)));
}

TEST_F(LayerTest, GzipHeaderCarriesNoTimeAndNoSystem) {
  const Layer layer = must_build({text_entry("a", "content")});
  const auto file = base::real_files().read(layer.file, 1 << 20);
  const std::array<unsigned char, 10> wanted{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  EXPECT_EQ(base::as_text(std::as_bytes(std::span(wanted))), file->substr(0, 10));
}

TEST_F(LayerTest, OrderUmaskTimeAndLocaleDoNotChangeTheDigest) {
  write("one/b", "bb");
  write("one/a/c", "cc");
  write("two/a/c", "cc");
  const mode_t before = ::umask(077);
  write("two/b", "bb");
  const Layer first = must_build(*entries_of_folder(place("one"), "model"), "store-1");
  const std::locale previous = std::locale::global(std::locale("C"));
  std::vector<LayerEntry> entries = *entries_of_folder(place("two"), "model");
  std::reverse(entries.begin(), entries.end());
  const Layer second = must_build(std::move(entries), "store-2");
  std::locale::global(previous);
  ::umask(before);
  EXPECT_EQ(first.descriptor, second.descriptor);
  EXPECT_EQ(first.diff_id, second.diff_id);
}

TEST_F(LayerTest, BytesStayTheSameFromReleaseToRelease) {
  const Layer layer = must_build({text_entry("etc/passwd", "root:x:0:0\n"), folder_entry("tmp", 01777)});
  EXPECT_EQ(layer.diff_id, "sha256:f18d8b1e9cb1edff6c9e8a1e5d0a02a9859752550e307935e67e4d83af015ebc");
}

TEST_F(LayerTest, IsReusedFromTheStore) {
  const Layer first = must_build({text_entry("a", "content")});
  const Layer second = must_build({text_entry("a", "content")});
  EXPECT_FALSE(first.reused);
  EXPECT_TRUE(second.reused);
  EXPECT_EQ(first.descriptor, second.descriptor);
}

TEST_F(LayerTest, ChangedModeOrContentIsAnotherLayer) {
  const Layer first = must_build({text_entry("a", "content")});
  EXPECT_NE(must_build({text_entry("a", "contenT")}).descriptor.digest, first.descriptor.digest);
  EXPECT_NE(must_build({text_entry("a", "content", 0755)}).descriptor.digest, first.descriptor.digest);
}

TEST_F(LayerTest, DamagedBlobInTheStoreIsMadeAgain) {
  const Layer first = must_build({text_entry("a", "content")});
  std::string content = *base::real_files().read(first.file, 1 << 20);
  content.back() = static_cast<char>(content.back() ^ 1);
  ASSERT_TRUE(base::real_files().write(first.file, content));
  const Layer second = must_build({text_entry("a", "content")});
  EXPECT_FALSE(second.reused);
  EXPECT_TRUE(holds_blob(second.file, first.descriptor.digest, first.descriptor.size));
}

TEST_F(LayerTest, NonsenseInTheStoreIsIgnored) {
  const Layer first = must_build({text_entry("a", "content")});
  for (const auto& record : fs::directory_iterator(place("store") / "layers"))
    ASSERT_TRUE(base::real_files().write(record.path(), "{\"digest\":7"));
  EXPECT_FALSE(must_build({text_entry("a", "content")}).reused);
}

class BadLayerPath : public LayerTest, public testing::WithParamInterface<std::string> {};

TEST_P(BadLayerPath, IsRefused) {
  const auto layer = build_layer({text_entry(GetParam(), "x")}, {}, place("store"));
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().id, "oci.layer_path");
  EXPECT_FALSE(fs::exists(place("store") / "layers"));
}

INSTANTIATE_TEST_SUITE_P(Forms, BadLayerPath,
                         testing::Values("", "/etc/passwd", "a/../b", "./a", "a//b", "a/", "a/.wh.b",
                                         ".wh..wh..opq", std::string("a\0b", 3)));

TEST_F(LayerTest, RepeatedPathIsRefused) {
  EXPECT_EQ(build_layer({text_entry("a", "1"), text_entry("a", "2")}, {}, place("store")).error().id,
            "oci.layer_path");
}

TEST_F(LayerTest, FileUnderAFileIsRefused) {
  EXPECT_EQ(build_layer({text_entry("a", "1"), text_entry("a/b", "2")}, {}, place("store")).error().id,
            "oci.layer_path");
}

TEST_F(LayerTest, SymlinkInABundleIsRefused) {
  write("bundle/a", "x");
  fs::create_symlink("/etc/shadow", place("bundle/b"));
  EXPECT_EQ(entries_of_folder(place("bundle"), "model").error().id, "oci.layer_path");
}

TEST_F(LayerTest, MissingSourceLeavesNothingBehind) {
  const auto layer = build_layer({file_entry("a", place("absent"))}, {}, place("store"));
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().id, "base.file_not_found");
  EXPECT_FALSE(fs::exists(place("store") / "blobs"));
}

TEST_F(LayerTest, FileWhichShrinksIsNoticed) {
  TarWriter tar([](base::Bytes) { return base::Status{}; });
  ASSERT_TRUE(tar.add_header({.path = "a", .size = 10}));
  ASSERT_TRUE(tar.add_content(base::as_bytes("12345")));
  EXPECT_EQ(tar.end_content().error().id, "oci.source_changed");
}

TEST_F(LayerTest, FileWhichGrowsIsNoticed) {
  TarWriter tar([](base::Bytes) { return base::Status{}; });
  ASSERT_TRUE(tar.add_header({.path = "a", .size = 3}));
  EXPECT_EQ(tar.add_content(base::as_bytes("12345")).error().id, "oci.source_changed");
}

TEST_F(LayerTest, SizesOverEightGibibytesAreWrittenAsPaxRecords) {
  std::string written;
  TarWriter tar([&](base::Bytes bytes) {
    written += base::as_text(bytes);
    return base::Status{};
  });
  ASSERT_TRUE(tar.add_header({.path = "weights", .size = 9'000'000'000}));
  EXPECT_NE(written.find("19 size=9000000000\n"), std::string::npos);
}

TEST_F(LayerTest, LargeFilesNeedLittleMemory) {
  const fs::path file = place("zeros");
  std::ofstream(file).close();
  fs::resize_file(file, 100 << 20);
  struct rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const Layer layer = must_build({file_entry("model/weights.safetensors", file)});
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 20 << 10);  // kilobytes
  EXPECT_GT(layer.descriptor.size, 0);
}

TEST_F(LayerTest, StoreIsTrimmedOldestFirst) {
  const Layer old = must_build({text_entry("a", "old")});
  const Layer fresh = must_build({text_entry("a", "fresh")});
  fs::last_write_time(old.file, fs::file_time_type::clock::now() - std::chrono::hours(48));
  trim_store(place("store"), 1);
  EXPECT_FALSE(fs::exists(old.file));
  EXPECT_TRUE(fs::exists(fresh.file));
}

TEST(Gzip, DamagedStreamsAreErrors) {
  std::string compressed;
  GzipWriter writer(6, [&](base::Bytes bytes) {
    compressed += base::as_text(bytes);
    return base::Status{};
  });
  ASSERT_TRUE(writer.write(base::as_bytes(std::string(5000, 'x'))));
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(gunzip(base::as_bytes(compressed), 5000)->size(), 5000);
  EXPECT_EQ(gunzip(base::as_bytes(compressed), 4999).error().id, "oci.blob_corrupt");
  EXPECT_EQ(gunzip(base::as_bytes(compressed + "x"), 5000).error().id, "oci.blob_corrupt");
  for (std::size_t size = 0; size < compressed.size(); ++size)
    EXPECT_FALSE(gunzip(base::as_bytes(compressed).first(size), 5000)) << size;
}

}  // namespace
}  // namespace wherry::oci
