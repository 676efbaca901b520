#include "import/formats/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "base/files.h"

namespace wherry::formats {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

base::Result<Inspection> inspect_bytes(const std::string& content) {
  const auto folder = base::TemporaryFolder::make();
  const auto path = folder->path() / "model.bin";
  EXPECT_TRUE(base::real_files().write(path, content));
  return inspect_file(path);
}

TEST(InspectFile, RefusesAnEmptyFileNamingIt) {
  const auto inspection = inspect_bytes("");
  ASSERT_FALSE(inspection);
  EXPECT_EQ(inspection.error().id, "formats.unknown");
  EXPECT_THAT(inspection.error().message, HasSubstr("model.bin: the file is empty"));
}

TEST(InspectFile, SaysWhichOtherFormatAFileIs) {
  const auto inspection = inspect_bytes(std::string("\x1c\0\0\0TFL3", 8));
  ASSERT_FALSE(inspection);
  EXPECT_EQ(inspection.error().id, "formats.not_served");
  EXPECT_THAT(inspection.error().message, HasSubstr("TensorFlow Lite"));
}

TEST(InspectFile, TakesAPickleOfProtocol0ForOneAndListsWhatItWouldCall) {
  const auto inspection = inspect_bytes("cposix\nsystem\n(S'true'\ntR.");
  ASSERT_TRUE(inspection) << describe(inspection.error());
  ASSERT_TRUE(inspection->refusal);
  ASSERT_EQ(inspection->provenance.manifest.size(), 1U);
  EXPECT_EQ(inspection->provenance.manifest[0].name, "posix.system");
  EXPECT_EQ(inspection->provenance.manifest[0].use, program::GlobalUse::kRefused);
}

TEST(InspectFile, NamesTheFileInAReadersError) {
  const auto inspection = inspect_bytes("\x80\x04\x95"s);
  ASSERT_FALSE(inspection);
  EXPECT_THAT(inspection.error().message, HasSubstr("model.bin: "));
}

TEST(InspectFile, OverALimitSaysWhichOneToRaise) {
  Options options;
  ASSERT_TRUE(pickle::set_limit(options.limits.pickle, "objects", "10"));
  const auto inspection = inspect_file(WHERRY_SOURCE_DIR "/examples/fraud/model.joblib", options);
  ASSERT_FALSE(inspection);
  EXPECT_EQ(inspection.error().id, "pickle.limit_objects");
  EXPECT_THAT(inspection.error().hint, HasSubstr("--limit objects="));
}

TEST(InspectFile, OfAScikitLearnModelKnowsWhereItComesFrom) {
  const auto inspection = inspect_file(WHERRY_SOURCE_DIR "/examples/fraud/model.joblib");
  ASSERT_TRUE(inspection);
  EXPECT_TRUE(inspection->program);
  EXPECT_EQ(inspection->provenance.framework, "scikit-learn");
  EXPECT_EQ(inspection->provenance.format, "joblib");
  EXPECT_THAT(inspection->provenance.source_digest, HasSubstr("sha256:"));
}

}  // namespace
}  // namespace wherry::formats
