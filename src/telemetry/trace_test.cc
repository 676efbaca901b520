// Trace context, sampling, spans and their export.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "telemetry/exporter.h"

#include "base/text.h"

namespace wherry::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, IsReadAndWritten) {
  const auto parent = parse_traceparent(kParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_high, 0x4bf92f3577b34da6u);
  EXPECT_EQ(parent->parent, 0x00f067aa0ba902b7u);
  EXPECT_TRUE(parent->sampled);
  std::string text;
  append_traceparent(text, {parent->trace_high, parent->trace_low, parent->parent, 0, true, {}});
  EXPECT_EQ(text, kParent);
}

TEST(Traceparent, OfALaterVersionIsReadAsFarAsItIsKnown) {
  EXPECT_TRUE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"));
  EXPECT_FALSE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what"));
}

TEST(Traceparent, WhichIsMalformedIsNone) {
  for (const char* text : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    EXPECT_FALSE(parse_traceparent(text)) << text;
}

TEST(Trace, GoesOnWhereTheCallerBeganIt) {
  Ids ids(1);
  const TraceContext context = begin_trace(kParent, "a=1", Sampler{}, ids);
  EXPECT_EQ(context.trace_low, 0xa3ce929d0e0e4736u);
  EXPECT_EQ(context.parent, 0x00f067aa0ba902b7u);
  EXPECT_NE(context.span, 0u);
  EXPECT_EQ(context.state, "a=1");
  EXPECT_TRUE(context.sampled);
}

TEST(Trace, BeginsAnewWithoutACaller) {
  Ids ids(1);
  const TraceContext a = begin_trace("", "a=1", Sampler{}, ids), b = begin_trace("", "", Sampler{}, ids);
  EXPECT_NE(a.trace_low, b.trace_low);
  EXPECT_EQ(a.parent, 0u);
  EXPECT_EQ(a.state, "");
}

TEST(Sampler, FollowsTheCallerAndTheRatio) {
  const Traceparent yes{1, 2, 3, true}, no{1, 2, 3, false};
  const auto never = find_sampler("parentbased_always_off", "");
  ASSERT_TRUE(never);
  EXPECT_TRUE(never->samples(1, &yes));
  EXPECT_FALSE(never->samples(1, nullptr));
  const auto always = find_sampler("always_on", "");
  EXPECT_TRUE(always->samples(1, &no));
  const auto some = find_sampler("traceidratio", "0.25");
  ASSERT_TRUE(some);
  Ids ids(7);
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) sampled += some->samples(ids.next(), nullptr) ? 1 : 0;
  EXPECT_NEAR(sampled, 2500, 150);
}

TEST(Sampler, WithAnUnknownNameOrRatioIsNone) {
  EXPECT_FALSE(find_sampler("jaeger_remote", ""));
  for (const char* ratio : {"2", "-1", "x", "nan", "0.5x"})
    EXPECT_FALSE(find_sampler("traceidratio", ratio)) << ratio;
}

TEST(TraceOptions, AreOffWithoutAnEndpoint) {
  EXPECT_FALSE(read_trace_options([](std::string_view) { return std::nullopt; }, "1").enabled);
}

TraceOptions options_of(const std::map<std::string, std::string, std::less<>>& variables) {
  return read_trace_options(
      [&](std::string_view name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      "1.2");
}

TEST(TraceOptions, FollowTheSpecification) {
  const TraceOptions options =
      options_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
                  {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=y"},
                  {"OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment=prod"},
                  {"OTEL_SERVICE_NAME", "fraud"},
                  {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                  {"OTEL_TRACES_SAMPLER_ARG", "0.5"},
                  {"OTEL_BSP_SCHEDULE_DELAY", "100"}});
  EXPECT_TRUE(options.enabled);
  EXPECT_THAT(options.warnings, IsEmpty());
  EXPECT_EQ(options.endpoint, "http://collector:4318/v1/traces");
  EXPECT_THAT(options.headers, Contains(Pair("api-key", "a b")));
  EXPECT_THAT(options.resource, Contains(Pair("service.name", "fraud")));
  EXPECT_THAT(options.resource, Contains(Pair("deployment.environment", "prod")));
  EXPECT_THAT(options.resource, Contains(Pair("telemetry.sdk.version", "1.2")));
  EXPECT_EQ(options.sampler.ratio, 0.5);
  EXPECT_EQ(options.delay, milliseconds(100));
}

TEST(TraceOptions, TakeTheTracesOwnEndpointAsItIs) {
  EXPECT_EQ(options_of({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c/x"}}).endpoint, "https://c/x");
}

TEST(TraceOptions, WarnOfWhatTheyDoNotUnderstandWithoutTellingHeaders) {
  const TraceOptions options = options_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"},
                                           {"OTEL_EXPORTER_OTLP_HEADERS", "secret"},
                                           {"OTEL_TRACES_SAMPLER", "maybe"},
                                           {"OTEL_BSP_MAX_QUEUE_SIZE", "many"},
                                           {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}});
  EXPECT_THAT(options.warnings, SizeIs(4));
  for (const std::string& warning : options.warnings) EXPECT_EQ(warning.find("secret"), std::string::npos);
}

TEST(TraceOptions, AreOffWhenTheSdkIsDisabled) {
  EXPECT_FALSE(
      options_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_SDK_DISABLED", "true"}}).enabled);
  EXPECT_FALSE(
      options_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_TRACES_EXPORTER", "none"}}).enabled);
}

RequestSpan request_span() {
  RequestSpan span{.trace_high = 1, .trace_low = 2, .id = 3, .parent = 4, .state = "a=1", .method = "POST"};
  span.path = "/v2/models/fraud/infer";
  span.route = "/v2/models/{model}/infer";
  span.model = "fraud";
  span.version = "1";
  span.rows = 5;
  span.begin = SteadyTime(seconds(10));
  span.end = SteadyTime(seconds(11));
  span.phases[0] = {SteadyTime(seconds(10)), SteadyTime(milliseconds(10'200))};
  span.phases[2] = {SteadyTime(milliseconds(10'200)), SteadyTime(milliseconds(10'900))};
  return span;
}

class ExporterTest : public testing::Test {
 protected:
  ExporterTest() {
    options_.endpoint = "http://collector/v1/traces";
    options_.most_queued = 4;
    options_.most_batch = 2;
  }
  Exporter& exporter() {
    if (!exporter_)
      exporter_.emplace(options_, [this](const PostRequest& request) -> base::Result<int> {
        posted_.push_back(request);
        if (status_ == 0) return base::fail(base::Code::kUnavailable, "test", "no connection");
        return status_;
      });
    return *exporter_;
  }
  milliseconds step() {
    return exporter().step(std::chrono::system_clock::time_point(seconds(1000)), SteadyTime(seconds(10)));
  }

  TraceOptions options_;
  int status_ = 200;
  std::vector<PostRequest> posted_;
  std::optional<Exporter> exporter_;
};

TEST_F(ExporterTest, SendsBatchesUntilNothingWaits) {
  for (int i = 0; i < 3; ++i) exporter().add(request_span());
  EXPECT_EQ(step(), options_.delay);
  EXPECT_EQ(exporter().exported(), 2u);
  step();
  EXPECT_EQ(exporter().exported(), 3u);
  EXPECT_EQ(posted_.size(), 2u);
  EXPECT_THAT(posted_[0].headers, Contains(Pair("Content-Type", "application/x-protobuf")));
  EXPECT_THAT(posted_[0].body, HasSubstr("POST /v2/models/{model}/infer"));
}

TEST_F(ExporterTest, DropsAndCountsWhatFindsNoRoom) {
  for (int i = 0; i < 6; ++i) exporter().add(request_span());
  EXPECT_EQ(exporter().dropped(), 2u);
}

TEST_F(ExporterTest, TriesAgainMoreAndMoreSlowlyAndThenGivesUp) {
  status_ = 503;
  exporter().add(request_span());
  EXPECT_EQ(step(), seconds(1));
  EXPECT_EQ(step(), seconds(2));
  status_ = 0;
  EXPECT_EQ(step(), seconds(4));
  EXPECT_EQ(step(), seconds(8));
  EXPECT_EQ(step(), seconds(16));
  EXPECT_EQ(exporter().dropped(), 0u);
  step();
  EXPECT_EQ(exporter().dropped(), 1u);
}

TEST_F(ExporterTest, DoesNotTryAgainWhatTheCollectorWillNeverTake) {
  status_ = 400;
  exporter().add(request_span());
  step();
  EXPECT_EQ(exporter().dropped(), 1u);
}

TEST_F(ExporterTest, SendsWhatWaitsWhenItIsStopped) {
  exporter().start();
  exporter().add(request_span());
  exporter().stop();
  EXPECT_EQ(exporter().exported(), 1u);
}

// What opentelemetry-proto reads of this is checked by tests/e2e/observe.py; here the bytes must stay the
// same.
TEST(Span, IsEncodedAsOneServerSpanAndOnePerPhase) {
  Ids ids(1);
  const RequestSpan span = request_span();
  const std::string bytes =
      encode_spans({&span, 1}, {{"service.name", "fraud"}},
                   std::chrono::system_clock::time_point(seconds(1000)), SteadyTime(seconds(10)), ids);
  EXPECT_THAT(bytes, HasSubstr("http.response.status_code"));
  EXPECT_THAT(bytes, HasSubstr("decode"));
  EXPECT_THAT(bytes, HasSubstr("compute"));
  EXPECT_EQ(bytes.find("encode"), std::string::npos);
  const std::string trace_id =
      std::string("\x0a\x10") + std::string(7, '\0') + "\1" + std::string(7, '\0') + "\2";
  EXPECT_THAT(bytes, HasSubstr(trace_id));
}

}  // namespace
}  // namespace wherry::telemetry
