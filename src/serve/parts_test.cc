// The small parts: options, routes, processors, log, metrics.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>

#include "telemetry/log.h"

#include "base/cpus.h"
#include "base/files.h"
#include "serve/answers.h"
#include "serve/options.h"
#include "serve/routes.h"
#include "text/json.h"

namespace wherry::serve {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

base::Result<Options> parse(std::vector<std::string_view> arguments,
                            std::map<std::string, std::string, std::less<>> environment = {}) {
  return parse_options(arguments, [environment](std::string_view name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(Options, AreTheImagesWithoutArguments) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->bundle, "/model");
  EXPECT_EQ(options->host, "0.0.0.0");
  EXPECT_EQ(options->port, 8080);
}

TEST(Options, ListenOnLoopbackWhenABundleIsNamed) {
  const auto options = parse({"dir", "--port=0", "--drain-delay", "1500ms", "--grace=2m", "--max-body", "2M",
                              "--socket", "/run/w", "--socket-mode=600"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->bundle, "dir");
  EXPECT_EQ(options->host, "127.0.0.1");
  EXPECT_EQ(options->port, 0);
  EXPECT_EQ(options->drain_delay, milliseconds(1500));
  EXPECT_EQ(options->grace, milliseconds(120'000));
  EXPECT_EQ(options->most_body, 2u << 20);
  EXPECT_EQ(options->socket, "/run/w");
  EXPECT_EQ(options->socket_mode, 0600u);
}

TEST(Options, TakeServeAsSageMakerGivesIt) {
  const auto options = parse({"serve"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->bundle, "/model");
}

TEST(Options, PreferFlagsToTheEnvironmentAndOurVariableToOthers) {
  EXPECT_EQ(parse({}, {{"PORT", "9000"}})->port, 9000);
  EXPECT_EQ(parse({}, {{"PORT", "9000"}, {"WHERRY_PORT", "9001"}})->port, 9001);
  EXPECT_EQ(parse({"--port", "9002"}, {{"WHERRY_PORT", "9001"}})->port, 9002);
}

TEST(Options, NameTheNearestFlag) {
  const auto options = parse({"--prot", "1"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code, base::Code::kUsage);
  EXPECT_THAT(options.error().hint, HasSubstr("--port"));
}

TEST(Options, RefuseValuesWhichCannotBe) {
  using Arguments = std::vector<std::string_view>;
  for (const Arguments& arguments : {Arguments{"--port", "65536"},
                                     {"--port"},
                                     {"--grace", "5h"},
                                     {"--max-body", "0"},
                                     {"--socket-mode", "999"},
                                     {"--access-log", "yes"},
                                     {"--threads", "-1"},
                                     {"a", "b"},
                                     {"--grace", "99999999999999999999s"}})
    EXPECT_FALSE(parse(arguments)) << arguments[0];
  EXPECT_FALSE(parse({}, {{"PORT", "tcp://10.0.0.1:80"}}));
}

TEST(Options, HelpNamesEveryFlagAndVariable) {
  for (const char* word : {"--host", "--drain-delay", "WHERRY_PORT", "AIP_HTTP_PORT", "/invocations"})
    EXPECT_THAT(help_text(), HasSubstr(word));
}

std::string_view route(std::string_view path, std::string_view method) {
  static const Routes routes = all_routes();
  const Match match = routes.find(path, method);
  return match.row ? routes.rows()[*match.row].name : "none";
}

TEST(Routes, AreFoundByWholePaths) {
  EXPECT_EQ(route("/", "GET"), "page");
  EXPECT_EQ(route("/v2", "GET"), "server_metadata");
  EXPECT_EQ(route("/v2/", "GET"), "server_metadata");
  EXPECT_EQ(route("/v2/models/a/infer", "POST"), "infer");
  for (const char* path : {"", "*", "/v2x", "/v2/models//infer", "/v2/models/a/b", "/v2/models/a/versions",
                           "/v2/models/a/versions//ready", "/v2/models/a/infer/b", "//", "/v2//"})
    EXPECT_EQ(route(path, "GET"), "none") << path;
}

void nothing(Call&) {}
constexpr RouteRow kTestRows[] = {
    {"stats", "/models/stats", "GET", Permission::kMetadata, nothing},
    {"model", "/models/{model}", "GET", Permission::kMetadata, nothing},
    {"unload", "/models/{model}", "DELETE", Permission::kManage, nothing},
    {"metadata", "/models/{model}/versions/{version}/metadata", "GET", Permission::kMetadata, nothing},
    {"predict", "/models/{model}:predict", "POST", Permission::kPredict, nothing},
};

class TestRoutes : public testing::Test {
 protected:
  TestRoutes() { routes_.add(kTestRows); }
  std::string_view name(std::string_view path, std::string_view method) {
    match_ = routes_.find(path, method);
    return match_.row ? routes_.rows()[*match_.row].name : "none";
  }
  Routes routes_;
  Match match_;
};

TEST_F(TestRoutes, SayWhichPartsOfThePathAreNames) {
  EXPECT_EQ(name("/models/a/versions/3/metadata", "GET"), "metadata");
  EXPECT_EQ(match_.model(), "a");
  EXPECT_EQ(match_.version(), "3");
}

TEST_F(TestRoutes, PreferWordsToNamesButTryBoth) {
  EXPECT_EQ(name("/models/stats", "GET"), "stats");
  EXPECT_EQ(name("/models/stats/versions/1/metadata", "GET"), "metadata");
  EXPECT_EQ(match_.model(), "stats");
}

TEST_F(TestRoutes, TakeANameBeforeALiteralEnd) {
  EXPECT_EQ(name("/models/a:predict", "POST"), "predict");
  EXPECT_EQ(match_.model(), "a");
  EXPECT_EQ(name("/models/:predict", "POST"), "none");
}

TEST_F(TestRoutes, AreChosenByMethodAndSayWhichThereAre) {
  EXPECT_EQ(name("/models/a", "HEAD"), "model");
  EXPECT_EQ(name("/models/a", "DELETE"), "unload");
  EXPECT_EQ(name("/models/a", "PUT"), "none");
  EXPECT_EQ(match_.allowed, "GET, HEAD, DELETE");
}

class Cpus : public testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryFolder::make();
    ASSERT_TRUE(made);
    folder_ = std::make_unique<base::TemporaryFolder>(std::move(*made));
  }
  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(base::real_files().write(folder_->path() / path, text));
  }
  unsigned count() { return base::available_cpus(folder_->path()); }
  std::unique_ptr<base::TemporaryFolder> folder_;
};

TEST_F(Cpus, AreThoseOfTheMachineWithoutAQuota) {
  const unsigned machine = count();
  EXPECT_GE(machine, 1u);
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(count(), machine);
}

TEST_F(Cpus, RoundAQuotaUp) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(count(), 1u);
}

TEST_F(Cpus, TakeTheLeastQuotaOfTheGroupsAbove) {
  write("proc/self/cgroup", "0::/pods/a\n");
  write("sys/fs/cgroup/pods/cpu.max", "100000 100000\n");
  write("sys/fs/cgroup/pods/a/cpu.max", "max 100000\n");
  EXPECT_EQ(count(), 1u);
}

TEST_F(Cpus, ReadVersionOneGroups) {
  write("proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/docker/abc\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "70000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(count(), 1u);
}

TEST(RequestIds, NeverRepeat) {
  telemetry::RequestIds ids;
  std::vector<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.emplace_back(ids.next());
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

}  // namespace
}  // namespace wherry::serve
