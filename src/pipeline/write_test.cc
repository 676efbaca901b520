#include "pipeline/write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::pipeline {
namespace {

using testing::HasSubstr;

const std::vector<File> kFiles = {{.path = "a.yml", .content = "one\n"},
                                  {.path = "ci/b.sh", .content = "two\n", .executable = true}};

// The real disk, which refuses to write one file.
class FullDisk final : public base::FileSystem {
 public:
  explicit FullDisk(std::string refused) : refused_(std::move(refused)) {}
  base::Result<std::string> read(const std::filesystem::path& path, std::uint64_t most) override {
    return base::real_files().read(path, most);
  }
  base::Status write(const std::filesystem::path& path, std::string_view content, bool executable) override {
    if (path.filename() == refused_)
      return base::fail(base::Code::kUnavailable, "base.file_unwritable", "no space left", "make room");
    return base::real_files().write(path, content, executable);
  }
  bool exists(const std::filesystem::path& path) override { return base::real_files().exists(path); }
  base::Status remove_all(const std::filesystem::path& path) override {
    return base::real_files().remove_all(path);
  }

 private:
  std::string refused_;
};

class Writing : public testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryFolder::make();
    ASSERT_TRUE(made);
    folder_.emplace(std::move(*made));
  }
  base::Result<std::vector<Written>> write(bool replace, base::FileSystem& disk = base::real_files()) {
    return write_files(kFiles, folder_->path(), replace, disk);
  }
  void put(std::string_view name, std::string_view content) {
    ASSERT_TRUE(base::real_files().write(folder_->path() / name, content));
  }
  std::string content(std::string_view name) {
    return base::real_files().read(folder_->path() / name, 100).value_or("(none)");
  }
  std::optional<base::TemporaryFolder> folder_;
};

TEST_F(Writing, CreatesAllFiles) {
  const auto written = write(false);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->at(0).change, Change::kCreated);
  EXPECT_EQ(content("a.yml"), "one\n");
  EXPECT_EQ(content("ci/b.sh"), "two\n");
  EXPECT_EQ(
      std::filesystem::status(folder_->path() / "ci/b.sh").permissions() & std::filesystem::perms::owner_exec,
      std::filesystem::perms::owner_exec);
}

TEST_F(Writing, AgainChangesNothing) {
  ASSERT_TRUE(write(false));
  const auto again = write(false);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->at(0).change, Change::kUnchanged);
  EXPECT_EQ(again->at(1).change, Change::kUnchanged);
}

TEST_F(Writing, RefusesToReplaceAnEditedFileAndSaysHowToCompare) {
  put("ci/b.sh", "edited\n");
  const auto written = write(false);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().id, "pipeline.file_differs");
  EXPECT_THAT(written.error().message, HasSubstr("ci/b.sh"));
  EXPECT_THAT(written.error().hint, HasSubstr("diff -u ci/b.sh"));
  EXPECT_EQ(content("a.yml"), "(none)");
  EXPECT_EQ(content("ci/b.sh"), "edited\n");
}

TEST_F(Writing, ReplacesWhenAsked) {
  put("ci/b.sh", "edited\n");
  const auto written = write(true);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->at(1).change, Change::kReplaced);
  EXPECT_EQ(content("ci/b.sh"), "two\n");
}

TEST_F(Writing, PutsBackWhatWasThereWhenTheDiskFails) {
  FullDisk disk("b.sh");
  const auto created = write(false, disk);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().id, "base.file_unwritable");
  EXPECT_EQ(content("a.yml"), "(none)");

  put("a.yml", "edited\n");
  ASSERT_FALSE(write(true, disk));
  EXPECT_EQ(content("a.yml"), "edited\n");
}

}  // namespace
}  // namespace wherry::pipeline
