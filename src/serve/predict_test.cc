// Where predictions are computed, how long they may take, and what management requests do.
#include "serve/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "base/text.h"
#include "http/test_exchange.h"
#include "serve/call.h"
#include "serve/deadline.h"
#include "serve/service.h"
#include "serve/test_model.h"

namespace wherry::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using ::testing::HasSubstr;

constexpr std::string_view kBody = R"({"inputs":[{"name":"amount","datatype":"FP64","shape":[1],"data":[9]},)"
                                   R"({"name":"country","datatype":"BYTES","shape":[1],"data":["DE"]}]})";

// A server of one model which is never cheap enough for the I/O thread.
class Scheduled : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    write_test_bundle(folder->path() / "bundle");
    repository::Settings settings;
    settings.inline_limit = std::chrono::microseconds(0);
    auto model = load_test_model(folder->path() / "bundle", settings);
    ASSERT_TRUE(model) << model.error().message;
    model_ = *model;
    service_.set_model(std::move(*model));
    service_.set_pool(&pool_);
  }
  struct Sent {
    Sent(http::Handler& handler, std::string_view path, std::string_view body,
         std::vector<http::HeaderView> given)
        : headers(std::move(given)) {
      headers.push_back({"content-type", "application/json"});
      request.method = "POST";
      request.path = path;
      request.body = body;
      request.headers = headers;
      request.received = std::chrono::steady_clock::now();
      exchange.emplace(request, &handler);
      handler.handle(request, response, *exchange);
    }
    const http::Response& wait() {
      if (!exchange->deferred()) return response;
      while (!exchange->answer()) std::this_thread::yield();
      return *exchange->answer();
    }
    std::vector<http::HeaderView> headers;
    http::Request request;
    http::Response response;
    std::optional<http::TestExchange> exchange;
  };
  std::unique_ptr<Sent> send(std::string_view path, std::string_view body = kBody,
                             std::vector<http::HeaderView> headers = {}) {
    return std::make_unique<Sent>(*handler_, path, body, std::move(headers));
  }

  Service service_{1, false, 2, 2};
  schedule::Pool pool_{{.workers = 2}};
  std::unique_ptr<http::Handler> handler_ = make_handler(service_, 0);
  std::shared_ptr<const Model> model_;
};

TEST_F(Scheduled, PredictionsComeLaterAndAreTheSame) {
  const auto sent = send("/v2/models/fraud/infer");
  ASSERT_TRUE(sent->exchange->deferred());
  EXPECT_EQ(sent->wait().status, 200);
  EXPECT_THAT(sent->wait().body, HasSubstr(R"("data":["fraud"])"));
}

TEST_F(Scheduled, PredictionsHaveTheHeadersOfAllAnswers) {
  EXPECT_THAT(send("/v2/models/fraud/infer")->wait().header_lines(), HasSubstr("X-Request-Id: "));
}

TEST_F(Scheduled, MistakesAreAnsweredAtOnce) {
  const auto sent = send("/v2/models/fraud/infer", "{");
  EXPECT_FALSE(sent->exchange->deferred());
  EXPECT_EQ(sent->response.status, 400);
}

TEST_F(Scheduled, RowsWhichTheModelRefusesAreTheClientsMistake) {
  constexpr std::string_view kMissing =
      R"({"inputs":[{"name":"amount","datatype":"FP64","shape":[1],"data":[null]},)"
      R"({"name":"country","datatype":"BYTES","shape":[1],"data":["DE"]}]})";
  const auto sent = send("/v2/models/fraud/infer", kMissing);
  EXPECT_EQ(sent->wait().status, 400);
  EXPECT_EQ(model_->statistics->sum().of(repository::Step::kFail).count, 1U);
}

TEST_F(Scheduled, PredictionsAreCounted) {
  for (int i = 0; i < 3; ++i) send("/v2/models/fraud/infer")->wait();
  const auto sum = model_->statistics->sum();
  EXPECT_EQ(sum.inference_count, 3U);
  EXPECT_EQ(sum.of(repository::Step::kSuccess).count, 3U);
  EXPECT_GT(sum.of(repository::Step::kQueue).nanoseconds, 0U);
}

TEST_F(Scheduled, ARequestWhoseTimeIsOverIsNotComputed) {
  const auto sent = send("/v2/models/fraud/infer", kBody, {{"x-request-timeout", "0.000001ms"}});
  EXPECT_EQ(sent->wait().status, 504);
  EXPECT_EQ(model_->statistics->sum().execution_count, 0U);
}

TEST_F(Scheduled, AFullQueueIs429WithRetryAfter) {
  EXPECT_TRUE(pool_.stop(milliseconds(1000)));
  EXPECT_EQ(send("/v2/models/fraud/infer")->wait().status, 503);
  http::Response response;
  set_error(response, {base::Code::kUnavailable, "schedule.queue_full", "full", "", {}});
  EXPECT_EQ(response.status, 429);
}

TEST_F(Scheduled, CheapPredictionsAreComputedAtOnce) {
  auto folder = base::TemporaryFolder::make();
  write_test_bundle(folder->path() / "bundle");
  repository::Settings settings;
  settings.inline_limit = std::chrono::seconds(10);
  service_.set_model(*load_test_model(folder->path() / "bundle", settings));
  const auto sent = send("/v2/models/fraud/infer");
  EXPECT_FALSE(sent->exchange->deferred());
  EXPECT_EQ(sent->response.status, 200);
}

TEST_F(Scheduled, AModelThatIsReplacedAnswersWhatItWasAsked) {
  std::vector<std::unique_ptr<Sent>> all;
  for (int i = 0; i < 50; ++i) all.push_back(send("/v2/models/fraud/infer"));
  std::weak_ptr<const Model> old = model_;
  model_.reset();
  auto folder = base::TemporaryFolder::make();
  write_test_bundle(folder->path() / "bundle");
  service_.set_model(*load_test_model(folder->path() / "bundle"));
  for (const auto& sent : all) EXPECT_EQ(sent->wait().status, 200);
  all.clear();
  while (pool_.load().running > 0) std::this_thread::yield();
  EXPECT_TRUE(old.expired());
}

TEST_F(Scheduled, ManagementIsRefusedWhereModelsAreNotLoadedOnRequest) {
  EXPECT_EQ(send("/v2/repository/models/fraud/load", "")->wait().status, 400);
}

TEST_F(Scheduled, TheIndexSaysWhatIsServed) {
  EXPECT_EQ(send("/v2/repository/index", "")->wait().body,
            R"([{"name":"fraud","version":"1","state":"READY","reason":""}])");
}

class Managed : public Scheduled {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    folder_ = std::make_unique<base::TemporaryFolder>(std::move(*folder));
    for (const char* version : {"a/1", "a/2", "b/1"}) write_test_bundle(folder_->path() / version);
    auto models = std::make_unique<repository::Repository>(
        repository::RepositoryOptions{.source = {.bundle = {}, .repository = folder_->path(), .models = {}},
                                      .control = repository::Control::kExplicit,
                                      .defaults = {.versions = {repository::VersionPolicy::Kind::kAll}},
                                      .threads = 3,
                                      .load = {"a"},
                                      .attach = [this](const Model& model) { return service_.attach(model); },
                                      .on_event = {}},
        service_.catalog(), base::real_files());
    ASSERT_TRUE(models->start());
    background_ = std::make_unique<repository::Background>(std::move(models), milliseconds(0));
    service_.set_background(background_.get());
    service_.set_loaded();
    service_.set_pool(&pool_);
  }
  std::unique_ptr<base::TemporaryFolder> folder_;
  std::unique_ptr<repository::Background> background_;
};

TEST_F(Managed, VersionsAreAnsweredByTheirNumberAndTheNewestWithoutOne) {
  EXPECT_THAT(send("/v2/models/a/versions/1/infer")->wait().body, HasSubstr(R"("model_version":"1")"));
  EXPECT_THAT(send("/v2/models/a/infer")->wait().body, HasSubstr(R"("model_version":"2")"));
}

TEST_F(Managed, VersionsWhichAreNotThereAre404) {
  for (const char* version : {"3", "x", "01", "%2e%2e", "99999999999999999999"})
    EXPECT_EQ(send(base::cat("/v2/models/a/versions/", version, "/infer"))->wait().status, 404) << version;
}

TEST_F(Managed, ModelsNotLoadedYetAre503) {
  const auto sent = send("/v2/models/b/infer");
  EXPECT_EQ(sent->wait().status, 503);
  EXPECT_THAT(sent->wait().body, HasSubstr("not loaded"));
}

TEST_F(Managed, ModelsAreLoadedAndUnloadedOnRequest) {
  EXPECT_EQ(send("/v2/repository/models/b/load", "{}")->wait().status, 200);
  EXPECT_EQ(send("/v2/models/b/infer")->wait().status, 200);
  EXPECT_EQ(send("/v2/repository/models/b/unload", "")->wait().status, 200);
  EXPECT_EQ(send("/v2/models/b/infer")->wait().status, 503);
}

TEST_F(Managed, UnknownModelsCannotBeLoaded) {
  for (const char* name : {"zz", "..%2f..%2fetc", "%00", ".hidden"})
    EXPECT_EQ(send(base::cat("/v2/repository/models/", name, "/load"), "")->wait().status, 404) << name;
}

TEST_F(Managed, FilesAreNotTakenFromRequests) {
  const auto sent = send("/v2/repository/models/b/load", R"({"parameters":{"file:1/x":"QQ=="}})");
  EXPECT_EQ(sent->wait().status, 400);
  EXPECT_THAT(sent->wait().body, HasSubstr("file:1/x"));
}

TEST_F(Managed, RequestsThatNameNoModelAreToldToNameOne) {
  ASSERT_EQ(send("/v2/repository/models/b/load", "")->wait().status, 200);
  const auto sent = send("/invocations", R"({"dataframe_records":[{"amount":9,"country":"DE"}]})");
  EXPECT_EQ(sent->wait().status, 404);
  EXPECT_THAT(sent->wait().body, HasSubstr("there are 2 models here"));
}

TEST(Timeouts, AreReadWithTheirUnits) {
  EXPECT_EQ(parse_timeout("1.5"), milliseconds(1500));
  EXPECT_EQ(parse_timeout("250ms"), milliseconds(250));
  EXPECT_EQ(parse_timeout("2m"), std::chrono::minutes(2));
  for (const std::string_view bad : {"", "0", "-1", "nan", "inf", "1e3", "5h", "ms", "1 s"})
    EXPECT_FALSE(parse_timeout(bad)) << bad;
  EXPECT_EQ(rpc::parse_timeout("100m"), milliseconds(100));
  EXPECT_EQ(rpc::parse_timeout("99999999H"), std::chrono::hours(24 * 365));
  for (const std::string_view bad : {"", "5", "m", "123456789m", "-1m", "1x"})
    EXPECT_FALSE(rpc::parse_timeout(bad)) << bad;
}

TEST(Timeouts, TheShortestCounts) {
  http::Request request;
  request.received = std::chrono::steady_clock::now();
  const http::HeaderView headers[] = {
      {"X-Request-Timeout", "2"}, {"grpc-timeout", "300m"}, {"x-envoy-expected-rq-timeout-ms", "900"}};
  request.headers = headers;
  EXPECT_EQ(*deadline_of(request), request.received + milliseconds(300));
}

TEST(Timeouts, WhichAreNoTimesAreRefused) {
  http::Request request;
  const http::HeaderView headers[] = {{"X-Request-Timeout", "soon"}};
  request.headers = headers;
  EXPECT_EQ(deadline_of(request).error().id, "serve.bad_timeout");
}

}  // namespace
}  // namespace wherry::serve
