// The log of events and requests, and the prediction log.
#include "telemetry/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "telemetry/prediction_log.h"

#include "base/files.h"
#include "base/text.h"
#include "text/json.h"

namespace wherry::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'800'000'000)};

class LogTest : public testing::Test {
 protected:
  LogTest() : folder_(base::TemporaryFolder::make().value()), path_(folder_.path() / "log") {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  ~LogTest() override { ::close(file_); }
  std::string written(const std::filesystem::path& path) {
    return base::real_files().read(path, 1 << 24).value_or("");
  }
  std::string written() { return written(path_); }

  base::TemporaryFolder folder_;
  std::filesystem::path path_;
  int file_ = -1;
};

TEST_F(LogTest, WritesEventsUpToItsLevelWhichCanChange) {
  Logger logger(file_, Level::kWarning);
  logger.event(Level::kInfo, "quiet");
  logger.event(Level::kError, "loud", json_member("why", "a\"b"));
  logger.set_level(Level::kDebug);
  logger.event(Level::kDebug, "talkative");
  EXPECT_THAT(written(), HasSubstr(R"("level":"error","event":"loud","why":"a\"b"})"));
  EXPECT_THAT(written(), HasSubstr("talkative"));
  EXPECT_THAT(written(), Not(HasSubstr("quiet")));
}

TEST_F(LogTest, WritesRequestsAsJsonWithTheirTrace) {
  const Logger logger(file_, Level::kInfo);
  {
    AccessLog log(logger, true);
    log.write({.request_id = "r\n",
               .method = "GET",
               .path = "/x",
               .status = 200,
               .bytes = 7,
               .duration = std::chrono::microseconds(5),
               .trace_high = 1,
               .trace_low = 2,
               .identity = "ci"},
              kNow);
  }
  const auto line = text::parse_json(base::trim(written()), "line");
  ASSERT_TRUE(line) << written();
  EXPECT_EQ(line->at("time"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(line->at("request_id"), "r\n");
  EXPECT_EQ(line->at("trace_id"), "00000000000000010000000000000002");
  EXPECT_EQ(line->at("identity"), "ci");
}

TEST_F(LogTest, WritesNoRequestsBelowInfo) {
  Logger logger(file_, Level::kWarning);
  AccessLog log(logger, true);
  log.write({.method = "GET"}, kNow);
  log.flush();
  EXPECT_THAT(written(), IsEmpty());
}

TEST(Level, HasAName) {
  EXPECT_EQ(find_level("debug"), Level::kDebug);
  EXPECT_FALSE(find_level("loud"));
}

class PredictionLogTest : public LogTest {
 protected:
  void SetUp() override {
    options_.file = folder_.path() / "predictions";
    options_.sample = 1;
    options_.columns = {"amount"};
    options_.hashed = {"customer"};
    options_.key = "0123456789abcdef";
    table_.reset(2, 3);
    table_.set_number(0, 12.5);
    table_.set_text(1, "Jane");
    table_.set_text(2, "secret");
    table_.set_missing(3);
    table_.set_number(4, 7);
    table_.set_text(5, "secret");
  }
  PredictionLog& log() {
    if (log_ == nullptr) log_ = PredictionLog::open(options_, 1).value();
    return *log_;
  }
  void write() {
    const double probabilities[] = {0.25, 0.75, 1, 0};
    const std::string_view labels[] = {"ok", "fraud"};
    tensor::ResultView label{.dtype = tensor::DType::kString, .axes = 1, .lengths = {2}, .texts = labels};
    tensor::ResultView probability{
        .dtype = tensor::DType::kFloat64, .axes = 2, .lengths = {2, 2}, .data = probabilities};
    const tensor::NamedResult results[] = {{"predict", {&label, 1}, {}},
                                           {"predict_proba", {&probability, 1}, {}}};
    const std::vector<std::string> columns{"amount", "customer", "note"};
    log().write(0, log().plan(columns),
                {.model = "fraud",
                 .version = "1",
                 .request_id = "r",
                 .trace = nullptr,
                 .table = &table_,
                 .results = results},
                kNow);
  }
  PredictionLogOptions options_;
  tensor::Table table_;
  std::unique_ptr<PredictionLog> log_;
};

TEST_F(PredictionLogTest, WritesTheColumnsNamedAndNoOthers) {
  write();
  log().step();
  const std::string lines = written(options_.file);
  // python3: hmac.new(b"0123456789abcdef", b"Jane", "sha256").hexdigest()
  EXPECT_THAT(
      lines,
      HasSubstr(
          R"("row":0,"inputs":{"amount":12.5,"customer":"hmac-sha256:4571604332fcf8cb9ecf4c2d9f1b308963a727b10f7af6884687abf3928a4a91"},"outputs":{"predict":"ok","predict_proba":[0.25,0.75]}})"));
  EXPECT_THAT(lines, HasSubstr(R"("row":1,"inputs":{"amount":null,"customer":"hmac-sha256:)"));
  EXPECT_THAT(lines, Not(HasSubstr("secret")));
  EXPECT_THAT(lines, Not(HasSubstr("Jane")));
  EXPECT_EQ(log().written(), 2u);
}

TEST_F(PredictionLogTest, WritesTheOutputsNamed) {
  options_.outputs = {"predict"};
  write();
  log().step();
  EXPECT_THAT(written(options_.file), HasSubstr(R"("outputs":{"predict":"fraud"}})"));
}

TEST_F(PredictionLogTest, IsReadableByItsOwnerOnly) {
  log();
  struct stat status{};
  ASSERT_EQ(::stat(options_.file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(PredictionLogTest, BeginsANewFileWhenOneIsFullAndKeepsSome) {
  options_.most_bytes = 600;
  options_.files = 2;
  for (int i = 0; i < 5; ++i) {
    write();
    log().step();
  }
  for (const char* end : {"", ".1", ".2"})
    EXPECT_THAT(written(options_.file.string() + end), Not(IsEmpty())) << end;
  EXPECT_FALSE(std::filesystem::exists(options_.file.string() + ".3"));
}

TEST_F(PredictionLogTest, DropsAndCountsWhatFindsNoRoom) {
  const std::string big(300'000, 'x');
  options_.columns = {"amount", "note"};
  table_.set_text(2, big);
  for (int i = 0; i < 5; ++i) write();
  EXPECT_EQ(log().dropped(), 4u);
}

TEST_F(PredictionLogTest, TakesASampleOfItsShare) {
  options_.sample = 0.1;
  Ids ids(3);
  int wanted = 0;
  for (int i = 0; i < 10'000; ++i) wanted += log().wants(ids) ? 1 : 0;
  EXPECT_NEAR(wanted, 1000, 120);
}

TEST_F(PredictionLogTest, NamesColumnsWhichTheModelDoesNotHave) {
  const std::vector<std::string> columns{"customer"};
  EXPECT_THAT(log().unknown_columns(log().plan(columns)), ElementsAre("amount"));
}

TEST_F(PredictionLogTest, IsRefusedWithoutAKeyToHashWith) {
  options_.key = "short";
  EXPECT_EQ(PredictionLog::open(options_, 1).error().id, "telemetry.bad_log_option");
}

TEST_F(PredictionLogTest, IsRefusedWhereItsFileCannotBeWritten) {
  options_.file = folder_.path() / "no" / "such";
  EXPECT_EQ(PredictionLog::open(options_, 1).error().id, "telemetry.log_unwritable");
}

}  // namespace
}  // namespace wherry::telemetry
