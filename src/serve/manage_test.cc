// Permissions, log level, /debug, traces and drift as requests meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"

#include "base/text.h"
#include "http/test_exchange.h"
#include "serve/options.h"
#include "serve/service.h"
#include "serve/test_model.h"
#include "text/json.h"

namespace wherry::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ManageTest : public testing::Test {
 protected:
  ManageTest() : folder_(base::TemporaryFolder::make().value()) {
    write_test_bundle(folder_.path() / "bundle");
  }
  // Makes the handler; extras first.
  void open() {
    service_.set_extras(extras_);
    auto model = load_test_model(folder_.path() / "bundle");
    ASSERT_TRUE(model) << model.error().message;
    service_.set_model(std::move(*model));
    handler_ = make_handler(service_, 0);
  }
  void open_with_access(std::string_view lines) {
    ASSERT_TRUE(base::real_files().write(folder_.path() / "access", lines));
    authority_ = auth::Authority::open({.access_file = folder_.path() / "access"}, base::real_files(), {},
                                       [](std::string_view, std::string_view) {})
                     .value();
    extras_.authority = authority_.get();
    open();
  }
  const http::Response& send(std::string_view method, std::string_view path, std::string_view body = "",
                             std::vector<http::HeaderView> headers = {}) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.headers = headers;
    request.received = std::chrono::steady_clock::now();
    request.peer = &peer_;
    response_.clear();
    http::TestExchange exchange(request);
    handler_->handle(request, response_, exchange);
    return response_;
  }

  base::TemporaryFolder folder_;
  Service service_{1, false, 2};
  Extras extras_;
  std::unique_ptr<auth::Authority> authority_;
  std::unique_ptr<http::Handler> handler_;
  http::Peer peer_{.address = "192.0.2.1"};
  http::Response response_;
};

constexpr std::string_view kBody =
    R"({"dataframe_split":{"columns":["amount","country"],"data":[[9,"DE"]]}})";

TEST_F(ManageTest, OnlyHealthNeedsNoKey) {
  open_with_access("");
  for (const char* path :
       {"/v2/health/live", "/v2/health/ready", "/ping", "/health", "/v2/models/fraud/ready"})
    EXPECT_EQ(send("GET", path).status, 200) << path;
  for (const char* path :
       {"/page.json", "/v2", "/version", "/metrics", "/v2/models/fraud", "/v2/logging", "/debug"}) {
    EXPECT_EQ(send("GET", path).status, 401) << path;
    EXPECT_THAT(response_.header_lines(), HasSubstr("WWW-Authenticate: Bearer")) << path;
    EXPECT_THAT(response_.body, Not(HasSubstr("0.1"))) << path;
  }
}

TEST_F(ManageTest, AKeyMayPredictItsModelsOnly) {
  const auth::NewKey key = auth::make_key("ci").value();
  std::string line = key.line;
  open_with_access(line.replace(line.find("models=*"), 8, "models=other"));
  const std::vector<http::HeaderView> headers{{"X-API-Key", key.key}, {"Content-Type", "application/json"}};
  EXPECT_EQ(send("POST", "/invocations", kBody, headers).status, 403);
  EXPECT_EQ(send("POST", "/v2/models/fraud/infer", kBody, headers).status, 403);
  EXPECT_EQ(send("POST", "/v2/models/fr%61ud/infer", kBody, headers).status, 403);
  EXPECT_EQ(send("POST", "/v2/models/other/infer", kBody, headers).status, 404);
  EXPECT_THAT(service_.metrics().render({}),
              HasSubstr("wherry_rejected_requests_total{reason=\"forbidden\"} 3\n"));
}

TEST_F(ManageTest, AKeyWithThePermissionPredicts) {
  const auth::NewKey key = auth::make_key("ci").value();
  open_with_access(key.line);
  const std::string bearer = "Bearer " + key.key;
  EXPECT_EQ(
      send("POST", "/invocations", kBody, {{"Authorization", bearer}, {"Content-Type", "application/json"}})
          .status,
      200);
  EXPECT_EQ(send("GET", "/metrics", "", {{"Authorization", bearer}}).status, 403);
}

TEST_F(ManageTest, AnyoneMayBeAllowedMetadataButIsNotToldTheVersion) {
  open_with_access("anyone permissions=metadata\n");
  EXPECT_EQ(send("GET", "/version").body, "");
  EXPECT_EQ(send("GET", "/v2").status, 200);
  EXPECT_THAT(response_.body, HasSubstr(R"("version":"")"));
}

TEST_F(ManageTest, TheLogLevelIsChangedFromThisMachineOnlyWithoutAccess) {
  open();
  EXPECT_EQ(send("POST", "/v2/logging", R"({"log_verbose_level":1})").status, 403);
  peer_.address = "127.0.0.1";
  EXPECT_EQ(send("POST", "/v2/logging", R"({"log_verbose_level":1})").status, 200);
  EXPECT_EQ(service_.logger().level(), telemetry::Level::kDebug);
  EXPECT_THAT(response_.body, HasSubstr(R"("log_verbose_level":1)"));
  send("PUT", "/v2/logging", R"({"log_verbose_level":0,"log_info":false})");
  EXPECT_EQ(service_.logger().level(), telemetry::Level::kWarning);
  send("PUT", "/v2/logging", R"({"log_level":"error"})");
  EXPECT_EQ(service_.logger().level(), telemetry::Level::kError);
}

TEST_F(ManageTest, ALogSettingWhichIsNotUnderstoodIsRefused) {
  open();
  peer_.address = "unix";
  for (const char* body : {"", "[]", "7", R"({"log_file":"/tmp/x"})", R"({"log_info":1})",
                           R"({"log_error":false})", R"({"log_level":"loud"})", R"({"x":1})"})
    EXPECT_EQ(send("POST", "/v2/logging", body).status, 400) << body;
}

TEST_F(ManageTest, DebugIsOffUnlessSwitchedOn) {
  peer_.address = "127.0.0.1";
  open();
  EXPECT_EQ(send("GET", "/debug").status, 404);
  extras_.debug = true;
  service_.set_extras(extras_);
  const auto document = text::parse_json(send("GET", "/debug").body, "answer");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->at("models")[0]["name"], "fraud");
}

TEST_F(ManageTest, TracesGoOnWhereTheCallerBeganThemAndNameModelAndRoute) {
  std::string posted;
  telemetry::TraceOptions options;
  options.enabled = true;
  telemetry::Exporter exporter(options, [&](const telemetry::PostRequest& request) -> base::Result<int> {
    posted = request.body;
    return 200;
  });
  extras_.exporter = &exporter;
  open();
  send("POST", "/v2/models/fraud/infer", "{",
       {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}});
  exporter.step(std::chrono::system_clock::now(), std::chrono::steady_clock::now());
  EXPECT_EQ(posted, "") << "the caller does not sample";
  send("POST", "/v2/models/fraud/infer", "{",
       {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  exporter.step(std::chrono::system_clock::now(), std::chrono::steady_clock::now());
  EXPECT_THAT(posted, HasSubstr("\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6"));
  EXPECT_THAT(posted, HasSubstr("POST /v2/models/{model}/infer"));
  EXPECT_THAT(posted, HasSubstr("wherry.model.name"));
}

TEST_F(ManageTest, ASampleOfPredictionsIsLogged) {
  telemetry::PredictionLogOptions options{
      .file = folder_.path() / "predictions", .sample = 1, .columns = {"amount"}};
  const auto log = telemetry::PredictionLog::open(options, 1).value();
  extras_.predictions = log.get();
  open();
  send("POST", "/invocations", kBody, {{"Content-Type", "application/json"}});
  log->step();
  const std::string lines = base::real_files().read(options.file, 1 << 20).value();
  EXPECT_THAT(lines, HasSubstr(R"("model":"fraud","version":"1")"));
  EXPECT_THAT(lines, HasSubstr(R"("inputs":{"amount":9},"outputs":{"predict":"fraud"}})"));
}

TEST(Options, RefuseTokensWithoutAnAccessFile) {
  const std::string_view arguments[] = {"--token-keys", "https://x"};
  EXPECT_FALSE(parse_options(arguments, [](std::string_view) { return std::nullopt; }));
}

}  // namespace
}  // namespace wherry::serve
