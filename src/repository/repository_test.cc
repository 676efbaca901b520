#include "repository/repository.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "repository/background.h"
#include "repository/test_model.h"

#include "base/text.h"

namespace wherry::repository {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr std::string_view kWrongGolden =
    "{\"golden\": 1, \"framework\": \"scikit-learn\", \"version\": \"1.9.1\", \"source\": \"framework\"}\n"
    "{\"columns\": [\"amount\", \"country\"], \"row\": [9, \"DE\"], \"outputs\": {\"predict\": \"ok\"}}\n";

// Other content, as right as kGoodGolden.
constexpr std::string_view kOtherGolden =
    "{\"golden\": 1, \"framework\": \"scikit-learn\", \"version\": \"1.9.1\", \"source\": \"framework\"}\n"
    "{\"columns\": [\"amount\", \"country\"], \"row\": [8, \"DE\"], \"outputs\": {\"predict\": \"ok\"}}\n";

class Models : public testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryFolder::make();
    ASSERT_TRUE(made);
    folder_ = std::make_unique<base::TemporaryFolder>(std::move(*made));
  }
  fs::path path(std::string_view below) const { return folder_->path() / below; }
  void write(std::string_view below, std::string_view golden = kGoodGolden) {
    write_test_bundle(path(below), golden);
  }
  void settings(std::string_view below, std::string_view text) {
    ASSERT_TRUE(base::real_files().write(path(below) / "serving.json", text));
  }
  base::Status start(Control control, std::vector<std::string> load = {},
                     std::function<void(RepositoryOptions&)> change = {}) {
    RepositoryOptions options{.source = {.bundle = {}, .repository = folder_->path(), .models = {}},
                              .control = control,
                              .defaults = {},
                              .memory_limit = 0,
                              .threads = 1,
                              .load = std::move(load),
                              .attach = {},
                              .on_event = [this](const Event& event) { events_.push_back(event); }};
    if (change) change(options);
    repository_ = std::make_unique<Repository>(std::move(options), catalog_, base::real_files());
    return repository_->start();
  }
  std::vector<std::string> ready() {
    std::vector<std::string> names;
    const auto snapshot = catalog_.share();
    for (const ModelVersions& model : snapshot->models)
      for (const auto& version : model.versions)
        names.push_back(base::cat(model.name, " ", version->version));
    return names;
  }
  std::string index() {
    std::string all;
    const auto snapshot = catalog_.share();
    for (const VersionStatus& row : snapshot->index)
      all += base::cat(row.name, " ", row.version, " ", name(row.state), " ", row.reason, "\n");
    return all;
  }
  std::unique_ptr<base::TemporaryFolder> folder_;
  Catalog catalog_{1};
  std::vector<Event> events_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(Models, AreFoundInFoldersAndVersions) {
  write("a");
  write("b/1");
  write("b/12");
  write("b/012");
  write("b/x");
  write(".hidden/1");
  settings("b", R"({"version_policy":{"all":{}}})");
  ASSERT_TRUE(start(Control::kNone));
  EXPECT_THAT(ready(), ElementsAre("a 1", "b 1", "b 12"));
}

TEST_F(Models, AreServedInTheirNewestVersionByDefault) {
  write("b/2");
  write("b/10");
  ASSERT_TRUE(start(Control::kNone));
  EXPECT_THAT(ready(), ElementsAre("b 10"));
  EXPECT_THAT(index(), HasSubstr("b 2 UNAVAILABLE not chosen by the version policy"));
}

TEST_F(Models, OfASingleBundleHaveItsName) {
  write("bundle");
  ASSERT_TRUE(start(Control::kNone, {}, [this](RepositoryOptions& options) {
    options.source = {.bundle = path("bundle"), .repository = {}, .models = {}};
  }));
  EXPECT_THAT(ready(), ElementsAre("fraud 1"));
}

TEST_F(Models, OfAListHaveTheNamesGiven) {
  write("x");
  write("y/3");
  ASSERT_TRUE(start(Control::kNone, {}, [this](RepositoryOptions& options) {
    options.source = {
        .bundle = {}, .repository = {}, .models = {{"first", path("x")}, {"second", path("y")}}};
  }));
  EXPECT_THAT(ready(), ElementsAre("first 1", "second 3"));
}

TEST_F(Models, WithNamesThatLeaveTheFolderAreRefused) {
  write("x");
  const auto started = start(Control::kNone, {}, [this](RepositoryOptions& options) {
    options.source = {.bundle = {}, .repository = {}, .models = {{"../x", path("x")}}};
  });
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().id, "repository.bad_name");
}

TEST_F(Models, ThatCannotBeLoadedEndTheStartWithoutControl) {
  write("a", kWrongGolden);
  const auto started = start(Control::kNone);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("1 of 1 golden prediction"));
}

TEST_F(Models, ThatCannotBeLoadedLeaveTheOthersServingWithPolling) {
  write("a", kWrongGolden);
  write("b");
  ASSERT_TRUE(start(Control::kPoll));
  EXPECT_THAT(ready(), ElementsAre("b 1"));
  EXPECT_THAT(index(), HasSubstr("a 1 UNAVAILABLE 1 of 1 golden prediction"));
}

TEST_F(Models, AreMeasuredWhenLoaded) {
  write("a");
  ASSERT_TRUE(start(Control::kNone));
  const auto& model = catalog_.share()->models.front().newest();
  EXPECT_GT(model->target.cost.first.count(), 0);
  EXPECT_LT(model->target.cost.further, model->target.cost.first);
}

TEST_F(Models, HaveTheSettingsBesideThem) {
  write("a/1");
  settings("a", R"({"max_batch_size": 7})");
  ASSERT_TRUE(start(Control::kNone));
  EXPECT_EQ(catalog_.share()->models.front().newest()->settings.batching.max_batch_size, 7U);
}

using Polling = Models;

TEST_F(Polling, ReplacesTheOldVersionWhenANewerOneIsReady) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  write("m/2");
  repository_->poll();
  EXPECT_THAT(ready(), ElementsAre("m 2"));
}

TEST_F(Polling, KeepsTheOldVersionWhenTheNewerOneIsBad) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  write("m/2", kWrongGolden);
  repository_->poll();
  EXPECT_THAT(ready(), ElementsAre("m 1"));
  EXPECT_THAT(index(), HasSubstr("m 2 UNAVAILABLE 1 of 1"));
}

TEST_F(Polling, LoadsChangedContentAgain) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  const std::string before = catalog_.share()->models.front().newest()->labels.digest;
  write("m/1", kOtherGolden);
  repository_->poll();
  EXPECT_NE(catalog_.share()->models.front().newest()->labels.digest, before);
}

TEST_F(Polling, LeavesContentAloneThatWasOnlyTouched) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  const auto before = catalog_.share()->models.front().newest();
  write("m/1");
  repository_->poll();
  EXPECT_EQ(catalog_.share()->models.front().newest(), before);
}

TEST_F(Polling, KeepsTheOldContentServingWhenTheNewIsBadAndSaysSo) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  write("m/1", kWrongGolden);
  repository_->poll();
  EXPECT_THAT(ready(), ElementsAre("m 1"));
  EXPECT_THAT(index(), HasSubstr("m 1 READY newer content could not be loaded"));
  EXPECT_EQ(events_.back().kind, Event::Kind::kFailed);
}

TEST_F(Polling, DoesNotTryTheSameBadContentTwice) {
  write("m/1", kWrongGolden);
  ASSERT_TRUE(start(Control::kPoll));
  const std::size_t told = events_.size();
  repository_->poll();
  EXPECT_EQ(events_.size(), told);
}

TEST_F(Polling, TakesContentThatWasRepaired) {
  write("m/1", kWrongGolden);
  ASSERT_TRUE(start(Control::kPoll));
  write("m/1");
  repository_->poll();
  EXPECT_THAT(ready(), ElementsAre("m 1"));
}

TEST_F(Polling, GoesBackToTheContentItServesWithoutLoadingIt) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  write("m/1", kWrongGolden);
  repository_->poll();
  write("m/1");
  repository_->poll();
  EXPECT_THAT(index(), HasSubstr("m 1 READY \n"));
}

TEST_F(Polling, FollowsALinkTurnedToAnotherGeneration) {
  write("..one/m");
  write("..two/m", kOtherGolden);
  fs::create_directory_symlink("..one", path("..data"));
  fs::create_directory_symlink("..data/m", path("m"));
  ASSERT_TRUE(start(Control::kPoll));
  const std::string before = catalog_.share()->models.front().newest()->labels.digest;
  fs::create_directory_symlink("..two", path("..new"));
  fs::rename(path("..new"), path("..data"));
  repository_->poll();
  EXPECT_NE(catalog_.share()->models.front().newest()->labels.digest, before);
}

TEST_F(Polling, EndsAModelWhoseFolderIsGone) {
  write("a");
  write("b");
  ASSERT_TRUE(start(Control::kPoll));
  fs::remove_all(path("a"));
  repository_->poll();
  repository_->clean_up();
  EXPECT_THAT(ready(), ElementsAre("b 1"));
  EXPECT_EQ(index(), "b 1 READY \n");
}

TEST_F(Polling, WaitsForABundleThatIsStillBeingCopied) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  write("m/2");
  const fs::path weights = path("m/2/weights.safetensors");
  fs::resize_file(weights, fs::file_size(weights) - 1);
  repository_->poll();
  EXPECT_THAT(ready(), ElementsAre("m 1"));
  write("m/2");
  repository_->poll();
  EXPECT_THAT(ready(), ElementsAre("m 2"));
}

TEST_F(Polling, TakesNoHarmFromWeightsCutOffWhileTheyAreServed) {
  write("m/1");
  ASSERT_TRUE(start(Control::kPoll));
  fs::resize_file(path("m/1/weights.safetensors"), 0);
  repository_->poll();
  const auto model = catalog_.share()->models.front().newest();
  tensor::Table table;
  table.reset(1, 2);
  table.set_number(0, 9);
  table.set_text(1, "DE");
  engine::Workspace workspace;
  EXPECT_TRUE(model->plan().run(table, model->plan().all_outputs(), workspace));
}

using Explicit = Models;

TEST_F(Explicit, LoadsNothingUntilAsked) {
  write("a");
  ASSERT_TRUE(start(Control::kExplicit));
  EXPECT_THAT(ready(), IsEmpty());
  EXPECT_EQ(index(), "a 1 UNAVAILABLE not loaded\n");
}

TEST_F(Explicit, LoadsWhatIsNamedAtTheStart) {
  write("a");
  write("b");
  ASSERT_TRUE(start(Control::kExplicit, {"b"}));
  EXPECT_THAT(ready(), ElementsAre("b 1"));
}

TEST_F(Explicit, LoadsAndUnloads) {
  write("a");
  ASSERT_TRUE(start(Control::kExplicit));
  ASSERT_TRUE(repository_->load("a"));
  EXPECT_THAT(ready(), ElementsAre("a 1"));
  ASSERT_TRUE(repository_->unload("a"));
  EXPECT_THAT(ready(), IsEmpty());
  repository_->clean_up();
  EXPECT_EQ(index(), "a 1 UNAVAILABLE unloaded\n");
}

TEST_F(Explicit, TriesAgainWhatFailed) {
  write("a", kWrongGolden);
  ASSERT_TRUE(start(Control::kExplicit));
  EXPECT_FALSE(repository_->load("a"));
  write("a");
  EXPECT_TRUE(repository_->load("a"));
}

TEST_F(Explicit, SaysThatAModelIsNotThere) {
  ASSERT_TRUE(start(Control::kExplicit));
  const auto loaded = repository_->load("../../etc");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, base::Code::kNotFound);
}

TEST_F(Explicit, IsNeededForLoading) {
  write("a");
  ASSERT_TRUE(start(Control::kPoll));
  EXPECT_EQ(repository_->load("a").error().id, "repository.not_explicit");
}

TEST_F(Explicit, RefusesALoadWhichWouldPassTheMemoryLimitAndSaysTheFigures) {
  write("a");
  ASSERT_TRUE(start(Control::kExplicit, {}, [](RepositoryOptions& options) { options.memory_limit = 100; }));
  const auto loaded = repository_->load("a");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("needs about 1 MiB, 0 MiB are in use"));
}

TEST_F(Explicit, FreesAModelWhenItsLastRequestEnds) {
  write("a");
  ASSERT_TRUE(start(Control::kExplicit, {"a"}));
  std::weak_ptr<const Model> model = catalog_.share()->models.front().newest();
  {
    const auto pin = catalog_.pin(0);
    ASSERT_TRUE(repository_->unload("a"));
    EXPECT_TRUE(repository_->clean_up());
    EXPECT_FALSE(model.expired());
    EXPECT_THAT(index(), HasSubstr("a 1 UNLOADING"));
  }
  EXPECT_FALSE(repository_->clean_up());
  EXPECT_TRUE(model.expired());
}

TEST_F(Explicit, FreesNothingThatAWaitingRequestHolds) {
  write("a");
  ASSERT_TRUE(start(Control::kExplicit, {"a"}));
  std::shared_ptr<const schedule::Target> held = target_of(*catalog_.share()->models.front().newest());
  std::weak_ptr<const Model> model = catalog_.share()->models.front().newest();
  ASSERT_TRUE(repository_->unload("a"));
  EXPECT_TRUE(repository_->clean_up());
  held.reset();
  EXPECT_FALSE(repository_->clean_up());
  EXPECT_TRUE(model.expired());
}

TEST_F(Explicit, AnswersOrdersOnTheBackgroundThread) {
  write("a");
  ASSERT_TRUE(start(Control::kExplicit));
  std::atomic<int> done = 0;
  std::atomic<bool> good = false;
  {
    Background background(std::move(repository_), std::chrono::milliseconds(0));
    background.load("a", [&](const base::Status& status) { good = status.has_value(), ++done; });
    while (done == 0) std::this_thread::yield();
  }
  EXPECT_TRUE(good);
  EXPECT_THAT(ready(), ElementsAre("a 1"));
}

TEST(Catalogs, ShowEveryReaderWholeSnapshotsWhileTheyAreReplaced) {
  Catalog catalog(2);
  std::atomic<bool> ended = false;
  std::atomic<std::size_t> wrong = 0;
  std::vector<std::thread> readers;
  for (unsigned reader = 0; reader < 2; ++reader)
    readers.emplace_back([&, reader] {
      while (!ended) {
        const auto pin = catalog.pin(reader);
        for (const VersionStatus& row : pin->index) wrong += row.name == row.version ? 0 : 1;
      }
    });
  for (int i = 0; i < 2000; ++i) {
    auto snapshot = std::make_shared<Snapshot>();
    const std::string text = base::cat("a text too long to stand in the string itself ", i);
    snapshot->index.assign(3, {text, text, State::kReady, ""});
    catalog.publish(std::move(snapshot));
  }
  ended = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(catalog.reclaim(), 0U);
}

TEST(ServingSettings, HaveTritonsNames) {
  const auto settings = read_settings(
      R"({"version_policy":{"specific":{"versions":[1,3]}},"max_batch_size":64,"instance_group":[{"count":2}],
          "dynamic_batching":{"preferred_batch_size":[32,16],"max_queue_delay_microseconds":500,
            "preserve_ordering":true,"priority_levels":2,"default_priority_level":2,
            "default_queue_policy":{"timeout_action":"DELAY","default_timeout_microseconds":9,
              "allow_timeout_override":true,"max_queue_size":4},
            "priority_queue_policy":{"1":{"max_queue_size":10}}},
          "inline_microseconds":0,"max_queue_wait_seconds":3})",
      "serving.json", {});
  ASSERT_TRUE(settings) << settings.error().message;
  const schedule::Policy& policy = settings->batching;
  EXPECT_THAT(settings->versions.choose({1, 2, 3}), ElementsAre(1, 3));
  EXPECT_EQ(policy.instances, 2U);
  EXPECT_THAT(policy.preferred_batch_sizes, ElementsAre(16, 32));
  EXPECT_EQ(policy.max_queue_delay.count(), 500);
  EXPECT_TRUE(policy.preserve_ordering);
  EXPECT_EQ(policy.default_queue_policy.timeout_action, schedule::TimeoutAction::kDelay);
  EXPECT_EQ(policy.default_queue_policy.max_queue_size, 4U);
  EXPECT_EQ(policy.priority_queue_policy.at(1).max_queue_size, 10U);
  EXPECT_EQ(settings->inline_limit.count(), 0);
  EXPECT_EQ(policy.most_wait, std::chrono::seconds(3));
}

struct BadSettings {
  std::string_view name, document, message;
};
class ServingSettingsRefuse : public testing::TestWithParam<BadSettings> {};

TEST_P(ServingSettingsRefuse, AndSayWhy) {
  const auto settings = read_settings(GetParam().document, "serving.json", {});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().id, "repository.bad_settings");
  EXPECT_THAT(settings.error().message, HasSubstr(std::string(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Documents, ServingSettingsRefuse,
    testing::Values(BadSettings{"NotJson", "{", "serving.json"},
                    BadSettings{"NotAnObject", "[]", "not an object"},
                    BadSettings{"UnknownMember", R"({"max_batchsize":1})", "did you mean 'max_batch_size'"},
                    BadSettings{"UnknownInner", R"({"dynamic_batching":{"x":1}})", "'dynamic_batching.x'"},
                    BadSettings{"WrongType", R"({"max_batch_size":"8"})", "max_batch_size is not an integer"},
                    BadSettings{"TooLarge", R"({"max_batch_size":18446744073709551615})", "more than"},
                    BadSettings{"Negative", R"({"inline_microseconds":-1})", "not an integer from 0"},
                    BadSettings{"NoDefaultLevel", R"({"dynamic_batching":{"priority_levels":2}})",
                                "default_priority_level"},
                    BadSettings{"Action",
                                R"({"dynamic_batching":{"default_queue_policy":{"timeout_action":"WAIT"}}})",
                                "REJECT"},
                    BadSettings{"TwoPolicies", R"({"version_policy":{"all":{},"latest":{}}})", "exactly one"},
                    BadSettings{"PreferredAboveMost",
                                R"({"max_batch_size":4,"dynamic_batching":{"preferred_batch_size":[8]}})",
                                "more than max_batch_size"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(VersionPolicies, AreReadFromTheCommandLine) {
  EXPECT_THAT(parse_version_policy("latest:2")->choose({1, 2, 3}), ElementsAre(2, 3));
  EXPECT_THAT(parse_version_policy("all")->choose({1, 2}), ElementsAre(1, 2));
  EXPECT_THAT(parse_version_policy("2,7")->choose({1, 2, 3}), ElementsAre(2));
  for (const std::string_view bad : {"", "latest:0", "latest", "1,", "x"})
    EXPECT_FALSE(parse_version_policy(bad)) << bad;
}

TEST(StatisticsOfThreads, AddUp) {
  using std::chrono::nanoseconds;
  Statistics statistics(2);
  const Answered request{.rows = 2,
                         .batch_rows = 5,
                         .first_of_batch = true,
                         .total = nanoseconds(10),
                         .queue = nanoseconds(1),
                         .input = nanoseconds(2),
                         .infer = nanoseconds(3),
                         .output = nanoseconds(4)};
  Answered joined = request;
  joined.rows = 3;
  joined.first_of_batch = false;
  const auto now = std::chrono::system_clock::time_point(std::chrono::milliseconds(1234));
  statistics.answered(0, request, now);
  statistics.answered(1, joined, now);
  statistics.failed(nanoseconds(7));
  const StatisticsSum sum = statistics.sum();
  EXPECT_EQ(sum.inference_count, 5U);
  EXPECT_EQ(sum.execution_count, 1U);
  EXPECT_EQ(sum.last_inference_ms, 1234U);
  EXPECT_EQ(sum.of(Step::kSuccess).count, 2U);
  EXPECT_EQ(sum.of(Step::kSuccess).nanoseconds, 20U);
  EXPECT_EQ(sum.of(Step::kFail).nanoseconds, 7U);
  ASSERT_EQ(sum.batches.size(), 1U);
  EXPECT_EQ(sum.batches.front().batch_size, 5U);
  EXPECT_EQ(sum.batches.front().infer.nanoseconds, 3U);
}

}  // namespace
}  // namespace wherry::repository
