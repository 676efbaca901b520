// Hostile and damaged files, every model of tests/fixtures/sklearn, and every prefix of good files.
#include <chrono>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "import/pickle/document.h"
#include "text/json.h"

namespace wherry::pickle {
namespace {

namespace fs = std::filesystem;
using text::Json;

fs::path fixtures() {
  return fs::path(WHERRY_SOURCE_DIR) / "tests/fixtures";
}

std::string content_of(const fs::path& path) {
  auto content = base::real_files().read(path, 1 << 30);
  EXPECT_TRUE(content) << path;
  return content ? *std::move(content) : std::string{};
}

Json parsed(std::string_view json) {
  auto value = text::parse_json(json, "expected", {.bytes = 1 << 30, .depth = 1000});
  EXPECT_TRUE(value) << (value ? "" : base::describe(value.error()));
  return value ? *std::move(value) : Json{};
}

// --- hostile files -----------------------------------------------------------------------------------------

TEST(HostileFiles, AreRecordedRefusedOrBoundedAsTheirListSays) {
  const fs::path folder = fixtures() / "pickle/hostile";
  const Json expected = parsed(content_of(folder / "expected.json"));
  EXPECT_GT(expected.size(), 100U);
  for (const auto& [file, row] : expected.items()) {
    SCOPED_TRACE(base::cat(file, ": ", row["about"].get<std::string>()));
    const auto start = std::chrono::steady_clock::now();
    const auto document = read_file(folder / file);
    const std::string expect = row["expect"];
    if (expect == "record") {
      ASSERT_TRUE(document) << base::describe(document.error());
      EXPECT_FALSE(document->imports().empty());
    } else if (expect == "error") {
      ASSERT_FALSE(document);
    }
    if (!document) {
      EXPECT_TRUE(document.error().id.starts_with("pickle.") || document.error().id.starts_with("base."));
      EXPECT_THAT(document.error().message, testing::Not(testing::HasSubstr("\n")));
      EXPECT_FALSE(document.error().hint.empty());
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  }
}

TEST(HostileFiles, AGlobalThatWasPoppedStaysInTheManifest) {
  for (const std::string file : {"popped_reduce.pkl", "pop_marked_reduce.pkl", "overwritten_memo.pkl"}) {
    const auto document = read_file(fixtures() / "pickle/hostile" / file);
    ASSERT_TRUE(document) << file;
    ASSERT_EQ(document->imports().size(), 1U) << file;
    EXPECT_TRUE(document->imports()[0].called) << file;
  }
}

TEST(HostileFiles, AGlobalInAnObjectArrayIsInTheManifest) {
  const auto document = read_file(fixtures() / "pickle/hostile/in_object_array.joblib");
  ASSERT_TRUE(document);
  std::vector<std::string> names;
  for (const GlobalUse& use : document->imports()) names.push_back(use.qualified());
  EXPECT_THAT(names, testing::Contains("posix.system"));
}

TEST(HostileFiles, ADictionaryOfFourGigabytesIsNotAllocated) {
  const auto document =
      read_string(std::string("\x5d\x00\xff\xff\xff", 5) + std::string(8, '\xff') + std::string(20, '\0'));
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().id, "pickle.limit_memory");
}

TEST(HostileFiles, TextIsCalledText) {
  const auto document = read_string("I am not a model, but a letter.\n");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().id, "pickle.not_pickle");
}

TEST(HostileFiles, GzipOfSeveralMembersIsOneFile) {
  const std::string none("\x1f\x8b\x08\0\0\0\0\0\x02\x03\xf3\x03\0\x1a\x83\x66\x43\x01\0\0\0",
                         21);  // gzip of "N"
  const std::string stop("\x1f\x8b\x08\0\0\0\0\0\x02\x03\xd3\x03\0\x42\xe2\xd4\x0e\x01\0\0\0", 21);  // of "."
  const auto document = read_string(none + stop);
  ASSERT_TRUE(document) << base::describe(document.error());
  EXPECT_EQ(document->stream_bytes(), 2U);
}

// --- models ------------------------------------------------------------------------------------------------

TEST(SklearnFixtures, EveryModelIsReadWithArraysAndVersion) {
  int models = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fixtures() / "sklearn")) {
    const std::string name = entry.path().filename().string();
    if (name != "model.joblib" && name != "model.pkl") continue;
    SCOPED_TRACE(entry.path().string());
    const auto document = read_file(entry.path());
    ASSERT_TRUE(document) << base::describe(document.error());
    EXPECT_THAT(document->view().class_name(), testing::StartsWith("sklearn."));
    EXPECT_TRUE(document->view().has("_sklearn_version"));
    EXPECT_EQ(document->trailing_bytes(), 0U);
    ++models;
  }
  EXPECT_GT(models, 50);
}

// --- every prefix of a file is refused
// -----------------------------------------------------------------------

void expect_every_prefix_refused(const fs::path& path) {
  SCOPED_TRACE(path.string());
  const std::string content = content_of(path);
  const auto whole = read_bytes(base::as_bytes(content));
  ASSERT_TRUE(whole) << base::describe(whole.error());
  const std::size_t end = content.size() - (whole->compression() == "none" ? whole->trailing_bytes() : 0);
  for (std::size_t size = 0; size < end; ++size) {
    // An allocation of its own, so that a sanitizer sees every read past the end.
    const std::vector<char> part(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size));
    const auto document = read_bytes(base::as_bytes({part.data(), part.size()}));
    ASSERT_FALSE(document) << "cut after " << size << " of " << content.size();
  }
}

TEST(Truncation, EveryPrefixOfAValueFileIsRefused) {
  for (const auto& entry : fs::directory_iterator(fixtures() / "pickle/values"))
    if (entry.path().extension() == ".pkl" && entry.file_size() < 4096)
      expect_every_prefix_refused(entry.path());
}

TEST(Truncation, EveryPrefixOfAnArrayFileIsRefused) {
  for (const auto& folder : fs::directory_iterator(fixtures() / "pickle")) {
    if (!folder.path().filename().string().starts_with("numpy-")) continue;
    for (const std::string file : {"scalars.p5.pkl", "sparse.joblib", "others.p2.pkl"})
      expect_every_prefix_refused(folder.path() / file);
  }
}

TEST(Truncation, EveryPrefixOfAJoblibFileIsRefused) {
  const fs::path folder = fixtures() / "pickle/numpy-2.5.5-joblib-1.6.0";
  for (const std::string file :
       {"arrays.joblib", "arrays.zlib.joblib", "arrays.gzip.joblib", "arrays.lz4.joblib"})
    expect_every_prefix_refused(folder / file);
}

}  // namespace
}  // namespace wherry::pickle
