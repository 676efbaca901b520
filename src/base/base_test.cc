#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/percent.h"
#include "base/process.h"
#include "base/text.h"

namespace wherry::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::kInvalidInput, "test.odd", "odd", "give an even number");
  return number / 2;
}

Result<int> quarter(int number) {
  TRY_ASSIGN(const int once, half(number));
  return half(once);
}

TEST(Try, PassesTheErrorOfAnInnerCallOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().id, "test.odd");
}

TEST(Error, DescribesItsCircumstancesInOrder) {
  auto error = with_context(half(1).error(), "while halving").error();
  EXPECT_EQ(describe(error), "odd (while halving)");
}

TEST(Error, CodesMapToExitAndHttpStatus) {
  EXPECT_EQ(exit_status(Code::kUsage), 2);
  EXPECT_EQ(exit_status(Code::kUnavailable), 3);
  EXPECT_EQ(http_status(Code::kLimit), 413);
}

TEST(Cat, WritesNumbersInTheirShortestForm) {
  EXPECT_EQ(cat("x=", 0.1, ' ', 3, ' ', true), "x=0.1 3 true");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
}

TEST(Nearest, FindsASpellingMistakeButNoOtherWord) {
  const std::string_view words[] = {"inspect", "predict", "verify"};
  EXPECT_EQ(nearest("inspct", words), "inspect");
  EXPECT_EQ(nearest("deploy", words), std::nullopt);
}

TEST(Quoted, EscapesControlCharactersAndInvalidUtf8) {
  EXPECT_EQ(quoted("a\nb"), "'a\\x0ab'");
  EXPECT_EQ(quoted("\xff"), "'\\xff'");
  EXPECT_EQ(quoted("Müller"), "'Müller'");
}

TEST(Quoted, CutsLongTextInTheMiddle) {
  EXPECT_LT(base::quoted(std::string(1000, 'x')).size(), 100U);
}

TEST(Base64, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64, RefusesOtherCharacters) {
  EXPECT_FALSE(base64_decode("ab!c"));
  EXPECT_FALSE(base64_decode("a"));
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndCutSequences) {
  EXPECT_TRUE(is_valid_utf8("a\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xc0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xf0\x9f\x98"));
}

TEST(HumanSize, UsesDecimalUnits) {
  EXPECT_EQ(human_size(812), "812 B");
  EXPECT_EQ(human_size(7'400), "7.4 kB");
  EXPECT_EQ(human_size(3'100'000'000), "3.1 GB");
}

TEST(ByteReader, RefusesToReadPastTheEndAndStaysWhereItWas) {
  ByteReader reader(as_bytes("abcde"));
  EXPECT_EQ(*reader.little<std::uint16_t>(), 0x6261);
  EXPECT_EQ(reader.take(4).error().id, "base.truncated");
  EXPECT_EQ(reader.position(), 2U);
  EXPECT_EQ(*reader.big<std::uint16_t>(), 0x6364);
}

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(is_sha256_digest(sha256_digest("")));
  EXPECT_FALSE(is_sha256_digest("sha256:xyz"));
}

TEST(FormatTime, IsRfc3339InUtc) {
  EXPECT_EQ(format_time(std::chrono::system_clock::time_point{}), "1970-01-01T00:00:00.000Z");
}

TEST(Files, WriteReplacesTheWholeContentAndLeavesNoTemporary) {
  const auto folder = TemporaryFolder::make();
  const auto path = folder->path() / "sub" / "file";
  ASSERT_TRUE(real_files().write(path, "first"));
  ASSERT_TRUE(real_files().write(path, "2"));
  EXPECT_EQ(*real_files().read(path, 100), "2");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path() / "sub"), {}), 1);
}

TEST(Files, LargerThanTheLimitAreRefused) {
  const auto folder = TemporaryFolder::make();
  ASSERT_TRUE(real_files().write(folder->path() / "file", "12345"));
  EXPECT_EQ(real_files().read(folder->path() / "file", 4).error().id, "base.file_too_large");
}

TEST(Files, MissingAreAUsageErrorNamingThePath) {
  const auto read = real_files().read("/nonexistent/model.joblib", 10);
  EXPECT_EQ(read.error().id, "base.file_not_found");
  EXPECT_THAT(read.error().message, HasSubstr("/nonexistent/model.joblib"));
}

TEST(MappedFile, OfAFolderIsRefused) {
  EXPECT_FALSE(MappedFile::open("/tmp"));
}

TEST(Processes, PassInputAndEnvironmentAndCollectBothStreams) {
  const auto output = real_processes().run({.arguments = {"sh", "-c", "cat; echo $COLOUR >&2; exit 3"},
                                            .input = "hello",
                                            .environment = {{"COLOUR", "red"}}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "hello");
  EXPECT_EQ(output->err, "red\n");
  EXPECT_EQ(output->status, 3);
}

TEST(Processes, TakeMoreInputThanAPipeHolds) {
  const auto output = real_processes().run({.arguments = {"wc", "-c"}, .input = std::string(1 << 20, 'x')});
  ASSERT_TRUE(output);
  EXPECT_EQ(trim(output->out), "1048576");
}

TEST(Processes, AreKilledWhenTheirTimeIsOver) {
  const auto output =
      real_processes().run({.arguments = {"sleep", "60"}, .timeout = std::chrono::milliseconds(50)});
  EXPECT_EQ(output.error().id, "base.command_failed");
}

TEST(Processes, ThatDoNotExistAreNamed) {
  const auto output = real_processes().run({.arguments = {"no-such-program-here"}});
  EXPECT_EQ(output.error().id, "base.command_not_found");
}

TEST(Child, GivesItsExitStatus) {
  auto child = Child::start({"sh", "-c", "exit 7"});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(), 7);
}

TEST(Child, ReceivesTheSignalsWeGetWhileWaiting) {
  sigset_t interrupt,
      before;  // blocked here, so that it waits for us however slowly we come to wait for the child
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &before);
  auto child = Child::start({"sh", "-c", "trap 'exit 9' INT; kill -INT $PPID; while :; do sleep 0.01; done"});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(), 9);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(Child, ReceivesTheSignalsWeGetBetweenKeepingThemAndWaiting) {
  auto child = Child::start({"sleep", "60"});
  ASSERT_TRUE(child);
  child->keep_signals();
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(child->wait(), 128 + SIGTERM);
}

TEST(Child, ThatCannotBeStartedIsAnError) {
  EXPECT_EQ(Child::start({"no-such-program-here"}).error().id, "base.command_not_found");
}

TEST(PercentEncode, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("a b/c:~-._é"), "a%20b%2Fc%3A~-._%C3%A9");
}

}  // namespace
}  // namespace wherry::base
