// Profiles of training data, and drift against them.
#include "telemetry/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::telemetry {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kNan = std::numeric_limits<double>::quiet_NaN();

tensor::Table table_of(std::size_t columns, const std::vector<tensor::CellValue>& cells,
                       std::vector<std::string>& texts) {
  tensor::Table table;
  table.reset(cells.size() / columns, columns);
  texts.reserve(texts.size() + cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (const auto* number = std::get_if<double>(&cells[i])) table.set_number(i, *number);
    if (std::holds_alternative<std::monostate>(cells[i])) table.set_missing(i);
    if (const auto* text = std::get_if<std::string>(&cells[i])) table.set_text(i, texts.emplace_back(*text));
  }
  return table;
}

TEST(ProfileMaker, MakesDecilesOfNumbers) {
  ProfileMaker maker({"x"});
  tensor::Table table;
  table.reset(1000, 1);
  for (std::size_t i = 0; i < 1000; ++i) table.set_number(i, static_cast<double>(i));
  maker.add(table);
  const Profile profile = std::move(maker).finish();
  EXPECT_THAT(profile.columns.at(0).edges, ElementsAre(99, 199, 299, 399, 499, 599, 699, 799, 899));
  for (const std::uint64_t count : profile.columns[0].counts) EXPECT_EQ(count, 100u);
}

TEST(ProfileMaker, GivesEachOfFewNumbersItsBin) {
  ProfileMaker maker({"flag"});
  tensor::Table table;
  table.reset(10, 1);
  for (std::size_t i = 0; i < 10; ++i) table.set_number(i, i < 3 ? 0 : 1);
  table.set_number(9, kNan);
  maker.add(table);
  const Profile profile = std::move(maker).finish();
  EXPECT_THAT(profile.columns.at(0).edges, ElementsAre(0));
  EXPECT_THAT(profile.columns[0].counts, ElementsAre(3u, 6u));
  EXPECT_EQ(profile.columns[0].missing, 1u);
}

TEST(ProfileMaker, KeepsFrequentTextsAndNamesNoRareOne) {
  ProfileMaker maker({"country"});
  std::vector<std::string> texts;
  std::vector<tensor::CellValue> cells(20, tensor::CellValue("DE"));
  for (int i = 0; i < 6; ++i) cells.emplace_back("FR");
  for (int i = 0; i < 4; ++i) cells.emplace_back("Ms. Jane Doe");
  cells.emplace_back(std::monostate());
  maker.add(table_of(1, cells, texts));
  const Profile profile = std::move(maker).finish();
  EXPECT_THAT(profile.columns.at(0).values, ElementsAre("DE", "FR"));
  EXPECT_THAT(profile.columns[0].counts, ElementsAre(20u, 6u, 4u));
  EXPECT_EQ(profile.columns[0].missing, 1u);
}

TEST(ProfileMaker, LeavesOutColumnsWithoutCells) {
  ProfileMaker maker({"empty"});
  tensor::Table table;
  table.reset(3, 1);
  maker.add(table);
  EXPECT_TRUE(std::move(maker).finish().columns.empty());
}

const char* const kProfile =
    R"({"format":"wherry-profile","version":1,"rows":100,"columns":[)"
    R"({"name":"amount","kind":"number","missing":10,"edges":[1.5,3],"counts":[30,30,30]},)"
    R"({"name":"country","kind":"category","missing":0,"values":["DE","FR"],"counts":[60,30,10]}]})";

TEST(Profile, SurvivesWritingAndReading) {
  const auto profile = read_profile(kProfile);
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(write_profile(*profile), write_profile(*read_profile(write_profile(*profile))));
  EXPECT_EQ(profile->columns[1].values[1], "FR");
}

TEST(Profile, WhichIsMalformedIsRefused) {
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"wherry-profile", "x"},
           {"\"version\":1", "\"version\":2"},
           {"[1.5,3]", "[3,1.5]"},
           {"[1.5,3]", "[3,3]"},
           {"[1.5,3]", "[1.5]"},
           {"[1.5,3]", "[1.5,\"NaN\"]"},
           {"[30,30,30]", "[30,-1,30]"},
           {"[30,30,30]", "[0,0,0]"},
           {"[30,30,30]", "[30,18446744073709551615,30]"},
           {"\"DE\",\"FR\"", "\"DE\",\"DE\""},
           {"\"kind\":\"number\"", "\"kind\":\"image\""},
           {"\"missing\":10", "\"missing\":-1"},
           {"\"missing\":10", "\"missing\":1.5"},
           {"\"name\":\"amount\"", "\"name\":\"country\""},
           {"\"rows\":100", "\"rows\":\"100\""}}) {
    std::string json = kProfile;
    json.replace(json.find(from), from.size(), to);
    const auto profile = read_profile(json);
    ASSERT_FALSE(profile) << to;
    EXPECT_EQ(profile.error().id, "telemetry.bad_profile");
  }
}

// python3: sum((x - y) * math.log(x / y) for x, y in zip(a, e)) of shares which are at least 1e-4.
TEST(Psi, IsWhatNumpyComputes) {
  const std::vector<std::uint64_t> actual{200, 50, 10, 40}, expected{100, 100, 80, 20};
  EXPECT_NEAR(population_stability(actual, expected), 0.8779864287092639, 1e-12);
  const std::vector<std::uint64_t> empty{0, 300}, even{150, 150};
  EXPECT_NEAR(population_stability(empty, even), 4.60431846666895, 1e-12);
  EXPECT_EQ(population_stability(expected, expected), 0);
}

class DriftTest : public testing::Test {
 protected:
  DriftTest() : profile_(read_profile(kProfile).value()), drift_(profile_, columns_, 2, seconds(120)) {}
  void send(double amount, const char* country, std::size_t times, unsigned thread = 0) {
    std::vector<tensor::CellValue> cells;
    for (std::size_t i = 0; i < times; ++i) {
      cells.emplace_back(0.0);
      cells.emplace_back(std::string(country));
      cells.emplace_back(amount);
    }
    std::vector<std::string> texts;
    drift_.count(thread, table_of(3, cells, texts));
  }
  std::vector<std::string> columns_{"not profiled", "country", "amount"};
  Profile profile_;
  Drift drift_;
  std::chrono::steady_clock::time_point now_{seconds(1000)};
};

TEST_F(DriftTest, AddsUpThreadsAndFindsBins) {
  send(1.5, "DE", 50);
  send(99, "ES", 50, 1);
  const auto columns = drift_.measure();
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].name, "amount");
  EXPECT_EQ(columns[0].cells, 100u);
  const std::vector<std::uint64_t> amount{50, 0, 50}, country{50, 0, 50};
  EXPECT_DOUBLE_EQ(*columns[0].psi, population_stability(amount, profile_.columns[0].counts));
  EXPECT_DOUBLE_EQ(*columns[1].psi, population_stability(country, profile_.columns[1].counts));
  EXPECT_DOUBLE_EQ(columns[0].expected_missing, 0.1);
}

TEST_F(DriftTest, CountsMissingCellsApart) {
  send(kNan, "DE", 25);
  send(1, "DE", 75);
  const auto columns = drift_.measure();
  EXPECT_DOUBLE_EQ(columns[0].missing, 0.25);
  EXPECT_FALSE(columns[0].psi) << "75 cells say too little";
  EXPECT_TRUE(columns[1].psi);
}

TEST_F(DriftTest, ForgetsWhatIsOlderThanTheWindow) {
  drift_.advance(now_);
  send(1, "DE", 100);
  for (int i = 0; i < 11; ++i) drift_.advance(now_ += seconds(10));
  EXPECT_EQ(drift_.measure()[0].cells, 100u);
  drift_.advance(now_ += seconds(20));
  EXPECT_EQ(drift_.measure()[0].cells, 0u);
}

TEST_F(DriftTest, ForgetsEverythingAfterALongPause) {
  drift_.advance(now_);
  send(1, "DE", 100);
  drift_.advance(now_ += seconds(100'000));
  EXPECT_EQ(drift_.measure()[0].cells, 0u);
}

TEST_F(DriftTest, IsToldAsMetrics) {
  send(1, "DE", 100);
  Exposition out(Format::kText);
  const DriftRow row{"fraud", "1", &drift_};
  write_drift(out, {&row, 1});
  const std::string text = out.finish();
  EXPECT_THAT(text, HasSubstr("wherry_input_psi{model=\"fraud\",version=\"1\",column=\"amount\"} "));
  EXPECT_THAT(text,
              HasSubstr("wherry_input_missing_ratio{model=\"fraud\",version=\"1\",column=\"amount\"} 0\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "wherry_input_training_missing_ratio{model=\"fraud\",version=\"1\",column=\"amount\"} 0.1\n"));
}

}  // namespace
}  // namespace wherry::telemetry
