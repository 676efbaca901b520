#include "kube/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "kube/api_status.h"
#include "kube/fake_api.h"
#include "kube/test_support.h"

namespace wherry::kube {
namespace {

using http_client::Request;
using http_client::Response;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class ClientFaults : public ::testing::Test {
 protected:
  testing::FakeApi api;
  testing::FakeClock clock;
  Client client{testing::fake_access(), clock,
                testing::options_with([this](const Request& request) -> base::Result<Response> {
                  TRY_ASSIGN(Response response, api.handle(request));
                  return testing::deliver(request, std::move(response));
                })};
  const ObjectName space{&kinds::kNamespace, "", "default"};

  static Response status(int code, http_client::Headers headers = {}, std::string body = {}) {
    Response response;
    response.status = code;
    response.headers = std::move(headers);
    response.body = std::move(body);
    return response;
  }
};

TEST_F(ClientFaults, AnOverloadedServerIsAskedAgainAfterItsOwnTime) {
  api.faults = {status(429, {{"Retry-After", "7"}}), status(503)};
  EXPECT_TRUE(client.get(space).has_value());
  EXPECT_THAT(clock.slept, ::testing::ElementsAre(milliseconds(7000), milliseconds(1000)));
}

TEST_F(ClientFaults, ARidiculousRetryAfterIsCapped) {
  api.faults = {status(429, {{"Retry-After", "99999999"}})};
  EXPECT_TRUE(client.get(space).has_value());
  EXPECT_EQ(clock.slept.front(), milliseconds(20'000));
}

TEST_F(ClientFaults, A500IsFinalUnlessTheServerAsksForARetry) {
  api.faults = {status(500, {}, R"({"kind":"Status","message":"etcd is gone","code":500})")};
  const auto answer = client.get(space);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().id, "kube.server_failed");
  EXPECT_THAT(answer.error().message, HasSubstr("etcd is gone"));
  EXPECT_TRUE(clock.slept.empty());
}

TEST_F(ClientFaults, AfterFourFailuresTheServersWordsAreShown) {
  api.faults.assign(
      4, status(503, {}, R"({"kind":"Status","reason":"ServiceUnavailable","message":"no quorum"})"));
  const auto answer = client.get(space);
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("no quorum"));
  EXPECT_EQ(clock.slept.size(), 3u);
}

TEST_F(ClientFaults, AnUnreachableServerIsNamedWithItsContext) {
  api.faults.assign(4, base::fail(base::Code::kUnavailable, "http_client.refused", "connection refused"));
  const auto answer = client.get(space);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().id, "kube.unreachable");
  EXPECT_THAT(answer.error().message, HasSubstr("https://fake: connection refused (context 'fake')"));
  EXPECT_EQ(base::exit_status(answer.error().code), 3);
}

TEST_F(ClientFaults, AnUntrustedCertificateIsNotTriedAgain) {
  api.faults = {base::fail(base::Code::kDenied, "http_client.tls_untrusted", "self-signed")};
  EXPECT_EQ(client.get(space).error().id, "kube.tls");
  EXPECT_TRUE(clock.slept.empty());
}

TEST_F(ClientFaults, APageOfAProxyIsNotTakenForAnAnswer) {
  api.faults = {status(200, {}, "<html>please log in</html>")};
  EXPECT_EQ(client.get(space).error().id, "kube.answer_malformed");
}

TEST_F(ClientFaults, AProxysRefusalIsNotTakenForTheServers) {
  api.faults = {status(403, {}, "<html>blocked</html>")};
  EXPECT_EQ(client.get(space).error().id, "kube.answer_malformed");
}

TEST_F(ClientFaults, ARedirectIsNotFollowed) {
  api.faults = {status(302, {{"Location", "https://login"}})};
  EXPECT_EQ(client.get(space).error().id, "kube.answer_malformed");
}

TEST_F(ClientFaults, AListOfSeveralPagesIsReadToItsEnd) {
  const auto page = [&](const char* item, const char* next) {
    return status(200, {},
                  base::cat(R"({"metadata":{"resourceVersion":"9","continue":")", next,
                            R"("},"items":[{"a":")", item, "\"}]}"));
  };
  api.faults = {page("1", "more/+"), page("2", "")};
  const auto listed = client.list(kinds::kPod, "default", {"a=b", ""});
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(listed->items.size(), 2u);
  EXPECT_EQ(api.requests.back(),
            "GET /api/v1/namespaces/default/pods?limit=500&labelSelector=a%3Db&continue=more%2F%2B");
}

TEST_F(ClientFaults, AListWhichRepeatsItselfEnds) {
  const Response page = status(200, {}, R"({"metadata":{"continue":"x"},"items":[]})");
  api.faults = {page, page};
  EXPECT_EQ(client.list(kinds::kPod, "default").error().id, "kube.answer_malformed");
}

TEST_F(ClientFaults, AWatchOfForgottenHistorySaysSo) {
  api.oldest_version = 1000;
  const auto end = client.watch(kinds::kPod, "default", {}, "5", std::chrono::seconds(1),
                                [](const WatchEvent&) -> base::Result<bool> { return true; });
  ASSERT_TRUE(end.has_value()) << end.error().message;
  EXPECT_EQ(*end, WatchEnd::kGone);
}

TEST_F(ClientFaults, AWatchAnsweredWithGoneSaysSoToo) {
  api.faults = {status(410, {}, R"({"kind":"Status","reason":"Expired","code":410})")};
  const auto end = client.watch(kinds::kPod, "default", {}, "5", std::chrono::seconds(1),
                                [](const WatchEvent&) -> base::Result<bool> { return true; });
  EXPECT_EQ(end.value(), WatchEnd::kGone);
}

TEST_F(ClientFaults, AWatchLineWhichIsNoEventIsAnError) {
  api.faults = {status(200, {}, "{\"type\":\"ADDED\"}\n")};
  const auto end = client.watch(kinds::kPod, "default", {}, "5", std::chrono::seconds(1),
                                [](const WatchEvent&) -> base::Result<bool> { return true; });
  EXPECT_EQ(end.error().id, "kube.answer_malformed");
}

TEST_F(ClientFaults, AnObjectOfAnUnknownKindIsNotSent) {
  const auto applied = client.apply({{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", "x"}}}});
  EXPECT_EQ(applied.error().id, "kube.kind_unsupported");
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(ClientFaults, LogLinesComeWithoutEmptyOnes) {
  api.faults = {status(200, {}, "one\n\ntwo\r\n")};
  const auto lines = log_tail(client, {&kinds::kPod, "ns", "p"}, "server", true, 10);
  EXPECT_THAT(*lines, ::testing::ElementsAre("one", "two"));
  EXPECT_EQ(
      api.requests.back(),
      "GET /api/v1/namespaces/ns/pods/p/log?container=server&tailLines=10&limitBytes=65536&previous=true");
}

TEST_F(ClientFaults, AVersionWithAPlusIsRead) {
  api.faults = {status(200, {}, R"({"major":"1","minor":"29+"})")};
  EXPECT_EQ(server_minor_version(client).value(), 29);
}

// A source whose second credential is the good one.
class Renewing final : public CredentialSource {
 public:
  base::Result<Credential> current() override {
    Credential credential;
    credential.authorization = renewed ? "Bearer admin" : "Bearer old";
    return credential;
  }
  bool forget() override { return std::exchange(renewed, true) || true; }
  bool renewed = false;
};

TEST_F(ClientFaults, CredentialsAreRenewedOnceAfterA401) {
  Access access = testing::fake_access();
  access.credentials = std::make_shared<Renewing>();
  Client renewing(access, clock,
                  testing::options_with([this](const Request& request) { return api.handle(request); }));
  EXPECT_TRUE(renewing.get(space).has_value());
  EXPECT_EQ(api.requests.size(), 2u);
}

TEST(ApiStatus, ForbiddenNamesTheRuleToAdd) {
  const ApiStatus status = parse_status(
      403,
      R"({"kind":"Status","reason":"Forbidden","code":403,"message":"deployments.apps \"web\" is forbidden: User )"
      R"(\"system:serviceaccount:ns:ci\" cannot patch resource \"deployments\" in API group \"apps\" in the )"
      R"(namespace \"ns\""})");
  const base::Error error = error_of(status, {"patch", {&kinds::kDeployment, "ns", "web"}, "context 'x'"});
  EXPECT_EQ(error.message,
            "system:serviceaccount:ns:ci may not patch deployments in namespace ns (context 'x')");
  EXPECT_EQ(
      error.hint,
      R"(grant it a Role with the rule {apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "create", "patch"]})");
}

TEST(ApiStatus, AdmissionIsNotMistakenForMissingRights) {
  const ApiStatus status = parse_status(
      403, R"({"kind":"Status","reason":"Forbidden","code":403,"message":"pods \"x\" is forbidden: exceeded )"
           R"(quota: small, requested: pods=1, used: pods=2, limited: pods=2"})");
  const base::Error error = error_of(status, {"patch", {&kinds::kPod, "ns", "x"}, "context 'x'"});
  EXPECT_EQ(error.id, "kube.admission_refused");
  EXPECT_THAT(error.hint, HasSubstr("ResourceQuota"));
}

TEST(ApiStatus, ConflictNamesFieldsAndManagers) {
  const ApiStatus status = parse_status(
      409,
      R"({"kind":"Status","reason":"Conflict","code":409,"message":"Apply failed with 2 conflicts","details":{"causes":[)"
      R"({"reason":"FieldManagerConflict","message":"conflict with \"hpa\" using apps/v1","field":".spec.replicas"},)"
      R"({"reason":"FieldManagerConflict","message":"conflict with \"kubectl\"","field":".spec.paused"}]}})");
  EXPECT_THAT(conflicting_fields(status),
              ::testing::ElementsAre("spec.replicas (hpa)", "spec.paused (kubectl)"));
}

TEST(ApiStatus, TheServersWordsStayOnOneLine) {
  const ApiStatus status =
      parse_status(500, "{\"kind\":\"Status\",\"message\":\"a\\nb\\u001b[31m\\n\\nc.\"}");
  const base::Error error = error_of(status, {"get", {&kinds::kPod, "ns", "x"}, "context 'x'"});
  EXPECT_THAT(error.message, HasSubstr("a b [31m c"));
}

TEST(Warnings, AreUnquotedAndNotRepeated) {
  EXPECT_THAT(
      warnings_of({{"warning", R"(299 - "say \"hi\"")"}, {"Warning", R"(299 - "say \"hi\"")"}, {"Age", "1"}}),
      ::testing::ElementsAre("say \"hi\""));
}

TEST(Kinds, PathsFollowTheApiConventions) {
  EXPECT_EQ(path_of({&kinds::kDeployment, "ns", "web"}), "/apis/apps/v1/namespaces/ns/deployments/web");
  EXPECT_EQ(path_of({&kinds::kNamespace, "ignored", "ns"}), "/api/v1/namespaces/ns");
  EXPECT_EQ(path_of({&kinds::kPod, "", ""}), "/api/v1/pods");
  EXPECT_EQ(path_of({&kinds::kPod, "a/b", "?"}), "/api/v1/namespaces/a%2Fb/pods/%3F");
}

}  // namespace
}  // namespace wherry::kube
