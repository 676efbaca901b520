// Counters, metric families and their two text formats.
#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::telemetry {
namespace {

using std::chrono::microseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const ModelLabels kFraud{"fraud", "scikit-learn", "1.9.1", "sha256:00", "1"};

class MetricsTest : public testing::Test {
 protected:
  std::string render(RenderOptions options = {}) { return metrics_.render(options); }
  Metrics metrics_{2, {"infer", "infer", "live"}};
};

TEST_F(MetricsTest, AddsUpThreadsAndRoutesOfOneName) {
  count_status(metrics_.of_thread(0).requests[0], 200);
  count_status(metrics_.of_thread(1).requests[1], 200);
  count_status(metrics_.of_thread(1).requests[2], 299);
  const std::string text = render();
  EXPECT_THAT(text, HasSubstr("wherry_http_requests_total{route=\"infer\",code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wherry_http_requests_total{route=\"live\",code=\"other\"} 1\n"));
}

TEST_F(MetricsTest, WritesCumulativeBucketsInSeconds) {
  const auto model = metrics_.model(kFraud);
  model->of_thread(0).observe_total(microseconds(30));
  model->of_thread(1).observe_total(microseconds(60));
  const std::string text = render();
  EXPECT_THAT(
      text,
      HasSubstr("wherry_request_duration_seconds_bucket{model=\"fraud\",version=\"1\",le=\"2.5e-05\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("le=\"5e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wherry_request_duration_seconds_sum{model=\"fraud\",version=\"1\"} 9e-05\n"));
}

TEST_F(MetricsTest, NamesThePhase) {
  metrics_.model(kFraud)->of_thread(0).observe(Phase::kQueue, microseconds(1));
  EXPECT_THAT(
      render(),
      HasSubstr("wherry_phase_duration_seconds_count{model=\"fraud\",version=\"1\",phase=\"queue\"} 1\n"));
}

TEST_F(MetricsTest, CountsInFlightOverThreads) {
  const auto model = metrics_.model(kFraud);
  model->of_thread(0).begun.add(3);
  model->of_thread(1).ended(true);
  EXPECT_THAT(render(), HasSubstr("wherry_requests_in_flight{model=\"fraud\",version=\"1\"} 2\n"));
}

TEST_F(MetricsTest, GoesOnCountingWhenTheSameVersionIsLoadedAgain) {
  metrics_.model(kFraud)->of_thread(0).rows.add(5);
  metrics_.model({"fraud", "scikit-learn", "1.9.1", "sha256:11", "1"})->of_thread(0).rows.add(1);
  const std::string text = render();
  EXPECT_THAT(text, HasSubstr("wherry_predicted_rows_total{model=\"fraud\",version=\"1\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("digest=\"sha256:11\""));
}

TEST_F(MetricsTest, ForgetsUnloadedVersionsOnceThereAreVeryMany) {
  const auto kept = metrics_.model(kFraud);
  kept->of_thread(0).rows.add(7);
  for (int i = 0; i < 600; ++i) metrics_.model({"other", "", "", "", std::to_string(i)});
  EXPECT_LT(metrics_.totals().size(), 300u);
  EXPECT_THAT(render(), HasSubstr("wherry_predicted_rows_total{model=\"fraud\",version=\"1\"} 7\n"));
}

TEST_F(MetricsTest, TellsWhyRequestsWereTurnedAway) {
  metrics_.of_thread(1).reject(Rejection::kRateLimited);
  EXPECT_THAT(render(), HasSubstr("wherry_rejected_requests_total{reason=\"rate_limited\"} 1\n"));
}

TEST_F(MetricsTest, HasTritonsNamesOnlyWhenAsked) {
  metrics_.model(kFraud)->of_thread(0).observe(Phase::kCompute, microseconds(1500));
  EXPECT_THAT(render(), Not(HasSubstr("nv_")));
  EXPECT_THAT(render({.triton_names = true}),
              HasSubstr("nv_inference_compute_infer_duration_us{model=\"fraud\",version=\"1\"} 1500\n"));
}

TEST_F(MetricsTest, EscapesLabels) {
  (void)metrics_.model({"a\"b\\c\nd", "", "", "", "1"});
  EXPECT_THAT(render(), HasSubstr("model=\"a\\\"b\\\\c\\nd\""));
}

TEST_F(MetricsTest, AsksCollectorsForMore) {
  metrics_.add_collector([](Exposition& out) {
    out.family("wherry_queue_depth", Type::kGauge, "Requests waiting.");
    out.sample({}, std::uint64_t{4});
  });
  EXPECT_THAT(render(), HasSubstr("# TYPE wherry_queue_depth gauge\nwherry_queue_depth 4\n"));
}

TEST_F(MetricsTest, TellsOfTheProcess) {
  const std::string text = render();
  for (const char* name : {"process_resident_memory_bytes ", "process_open_fds ",
                           "process_cpu_seconds_total ", "process_start_time_seconds ", "process_max_fds "})
    EXPECT_THAT(text, HasSubstr(name));
}

TEST_F(MetricsTest, WritesOpenMetricsWithExemplars) {
  TraceContext trace{.trace_high = 1, .trace_low = 2, .span = 3, .sampled = true};
  metrics_.model(kFraud)->of_thread(0).observe_total(microseconds(30), &trace);
  const std::string text = render({.format = Format::kOpenMetrics, .triton_names = true});
  EXPECT_THAT(text, HasSubstr("# TYPE wherry_http_requests counter\n"));
  EXPECT_THAT(text, HasSubstr("# UNIT wherry_request_duration_seconds seconds\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE nv_inference_count unknown\n"));
  EXPECT_THAT(
      text, HasSubstr("le=\"5e-05\"} 1 # "
                      "{trace_id=\"00000000000000010000000000000002\",span_id=\"0000000000000003\"} 3e-05 "));
  EXPECT_THAT(text, HasSubstr("le=\"1.0\"} 1\n"));
  EXPECT_THAT(text, EndsWith("# EOF\n"));
}

TEST_F(MetricsTest, KeepsNoExemplarOfATraceWhichIsNotSampled) {
  TraceContext trace{.trace_high = 1, .trace_low = 2, .span = 3, .sampled = false};
  metrics_.model(kFraud)->of_thread(0).observe_total(microseconds(30), &trace);
  EXPECT_THAT(render({.format = Format::kOpenMetrics}), Not(HasSubstr("trace_id")));
}

TEST(Format, IsWhatTheScraperPrefers) {
  for (const auto& [accept, format] : std::initializer_list<std::pair<const char*, Format>>{
           {"", Format::kText},
           {"*/*", Format::kText},
           {"text/plain;version=0.0.4", Format::kText},
           {"application/openmetrics-text; version=1.0.0", Format::kOpenMetrics},
           {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/"
            "plain;version=0.0.4;q=0.3,*/*;q=0.1",
            Format::kOpenMetrics},
           {"application/openmetrics-text;q=0.2,text/plain;q=0.3", Format::kText},
           {"application/openmetrics-text;q=0", Format::kText}})
    EXPECT_EQ(negotiate(accept), format) << accept;
}

}  // namespace
}  // namespace wherry::telemetry
