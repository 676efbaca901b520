// What wherry expects of the Kubernetes API, as scenarios which run against the fake always, and against a
// real kube-apiserver when these name one:
//   WHERRY_TEST_KUBECONFIG     a kubeconfig with all rights
//   WHERRY_TEST_NAMESPACE      an existing namespace which warns about Pod Security "restricted"
//   WHERRY_TEST_LIMITED_TOKEN  a token which may get, list, watch, create and patch Deployments there, no
//   more
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "kube/apply.h"
#include "kube/client.h"
#include "kube/fake_api.h"
#include "kube/json_path.h"
#include "kube/test_support.h"

namespace wherry::kube {
namespace {

using ::testing::HasSubstr;
using text::Json;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

class FixedToken final : public CredentialSource {
 public:
  explicit FixedToken(const std::string& token) { credential_.authorization = "Bearer " + token; }
  base::Result<Credential> current() override { return credential_; }
  bool forget() override { return false; }

 private:
  Credential credential_;
};

class ApiScenario : public ::testing::TestWithParam<const char*> {
 protected:
  bool real() const { return std::string_view(GetParam()) == "Real"; }

  void SetUp() override {
    if (!real()) return;
    const std::string config = variable("WHERRY_TEST_KUBECONFIG");
    if (config.empty())
      GTEST_SKIP() << "WHERRY_TEST_KUBECONFIG names no cluster; tests/e2e/kube_fake_nodes.sh does";
    space = variable("WHERRY_TEST_NAMESPACE");
    auto found = find_access({{config, "", ""}, "", "", ""},
                             {base::real_files(), base::real_processes(), base::system_clock()});
    ASSERT_TRUE(found.has_value()) << found.error().message;
    access = *found;
  }
  void TearDown() override {
    if (real() && !access.server.empty()) (void)client().remove({&kinds::kDeployment, space, name});
  }

  ClientOptions options() {
    if (real()) return {};
    return testing::options_with(
        [this](const http_client::Request& request) -> base::Result<http_client::Response> {
          TRY_ASSIGN(http_client::Response response, api.handle(request));
          return testing::deliver(request, std::move(response));
        });
  }
  Client client() {
    return Client(real() ? access : testing::fake_access(), base::system_clock(), options());
  }
  Client client_with(const std::string& token) {
    Access other = real() ? access : testing::fake_access();
    other.credentials = std::make_shared<FixedToken>(token);
    return Client(other, base::system_clock(), options());
  }

  Json deployment(int replicas = 0) const {
    return {{"apiVersion", "apps/v1"},
            {"kind", "Deployment"},
            {"metadata", {{"name", name}, {"namespace", space}, {"labels", {{"scenario", name}}}}},
            {"spec",
             {{"replicas", replicas},
              {"selector", {{"matchLabels", {{"scenario", name}}}}},
              {"template",
               {{"metadata", {{"labels", {{"scenario", name}}}}},
                {"spec",
                 {{"containers", Json::array({{{"name", "c"}, {"image", "registry.example/x:1"}}})}}}}}}}};
  }
  Json only_replicas(int replicas) const {
    Json object = deployment(replicas);
    object["metadata"].erase("labels");
    object["spec"] = {{"replicas", replicas}};
    return object;
  }

  testing::FakeApi api;
  Access access;
  std::string space = "default";
  std::string name = base::cat("scenario-", static_cast<int>(::getpid()), "-", counter++);
  static inline int counter = 0;
};

INSTANTIATE_TEST_SUITE_P(Api, ApiScenario, ::testing::Values("Fake", "Real"),
                         [](const auto& row) { return std::string(row.param); });

TEST_P(ApiScenario, ApplyCreates) {
  Client kube = client();
  const auto applied = kube.apply(deployment());
  ASSERT_TRUE(applied.has_value()) << applied.error().message;
  EXPECT_TRUE(applied->created);
  EXPECT_FALSE(string_at(applied->object, {"metadata", "resourceVersion"}).empty());
}

TEST_P(ApiScenario, ApplyingTheSameAgainChangesNothing) {
  Client kube = client();
  ASSERT_TRUE(apply_all(kube, {deployment()}).has_value());
  const auto again = apply_all(kube, {deployment()});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->front().result, ApplyResult::kUnchanged);
}

TEST_P(ApiScenario, ApplyingSomethingElseChangesIt) {
  Client kube = client();
  ASSERT_TRUE(kube.apply(deployment()).has_value());
  Json next = deployment();
  next["metadata"]["labels"]["colour"] = "green";
  EXPECT_EQ(apply_all(kube, {next})->front().result, ApplyResult::kChanged);
}

TEST_P(ApiScenario, AFieldOfAnotherManagerIsAConflictWhichNamesBoth) {
  Client kube = client();
  ASSERT_TRUE(kube.apply(deployment(0)).has_value());
  const auto other = kube.apply(only_replicas(1), {.manager = "other"});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().id, "kube.conflict");
  EXPECT_THAT(other.error().message, HasSubstr("spec.replicas (wherry)"));
}

TEST_P(ApiScenario, ForceTakesTheFieldOver) {
  Client kube = client();
  ASSERT_TRUE(kube.apply(deployment(0)).has_value());
  ASSERT_TRUE(kube.apply(only_replicas(1), {.force = true, .manager = "other"}).has_value());
  EXPECT_THAT(kube.apply(deployment(0)).error().message, HasSubstr("spec.replicas (other)"));
}

TEST_P(ApiScenario, ADryRunAnswersAndStoresNothing) {
  Client kube = client();
  const auto applied = kube.apply(deployment(), {.dry_run = true});
  ASSERT_TRUE(applied.has_value()) << applied.error().message;
  EXPECT_EQ(string_at(applied->object, {"metadata", "name"}), name);
  EXPECT_EQ(kube.get({&kinds::kDeployment, space, name}).error().id, "kube.object_missing");
}

TEST_P(ApiScenario, AnUnknownFieldIsRefusedByName) {
  Client kube = client();
  Json object = deployment();
  object["spec"]["replicaz"] = 1;
  const auto applied = kube.apply(object);
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().id, "kube.object_invalid");
  EXPECT_THAT(applied.error().message, HasSubstr("replicaz"));
}

TEST_P(ApiScenario, AnImpossibleValueIsRefusedByField) {
  Client kube = client();
  const auto applied = kube.apply(deployment(-1));
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().id, "kube.object_invalid");
  EXPECT_THAT(applied.error().message, HasSubstr("spec.replicas: Invalid value: -1"));
}

TEST_P(ApiScenario, OneRefusedObjectLeavesTheOthersUnapplied) {
  Client kube = client();
  Json bad = deployment(-1);
  bad["metadata"]["name"] = name + "-bad";
  EXPECT_FALSE(apply_all(kube, {deployment(), bad}).has_value());
  EXPECT_EQ(kube.get({&kinds::kDeployment, space, name}).error().id, "kube.object_missing");
}

TEST_P(ApiScenario, AMissingNamespaceIsNamed) {
  Client kube = client();
  Json object = deployment();
  object["metadata"]["namespace"] = "no-such-namespace";
  EXPECT_EQ(kube.apply(object).error().id, "kube.namespace_missing");
}

TEST_P(ApiScenario, AMissingObjectIsMissing) {
  Client kube = client();
  const auto object = kube.get({&kinds::kDeployment, space, name});
  EXPECT_EQ(object.error().id, "kube.object_missing");
  EXPECT_EQ(base::exit_status(object.error().code), 3);
}

TEST_P(ApiScenario, AWrongTokenMeansExpiredCredentials) {
  Client kube = client_with("wrong");
  EXPECT_EQ(kube.get({&kinds::kDeployment, space, name}).error().id, "kube.credentials_expired");
}

TEST_P(ApiScenario, MissingRightsNameTheRule) {
  Client kube = client_with(real() ? variable("WHERRY_TEST_LIMITED_TOKEN") : "limited");
  const auto secrets = kube.list(kinds::kSecret, space);
  ASSERT_FALSE(secrets.has_value());
  EXPECT_EQ(secrets.error().id, "kube.forbidden");
  EXPECT_THAT(secrets.error().hint, HasSubstr(R"(resources: ["secrets"], verbs: ["list"])"));
}

TEST_P(ApiScenario, ALimitedTokenMayDoWhatItsRoleSays) {
  Client kube = client_with(real() ? variable("WHERRY_TEST_LIMITED_TOKEN") : "limited");
  EXPECT_TRUE(kube.apply(deployment()).has_value());
}

TEST_P(ApiScenario, APathTheServerDoesNotKnowIsAnUnsupportedKind) {
  Client kube = client();
  EXPECT_EQ(kube.raw("/apis/example.com/v1/things", {&kinds::kHttpRoute, space, name}).error().id,
            "kube.kind_unsupported");
}

TEST_P(ApiScenario, ListSelectsByLabel) {
  Client kube = client();
  ASSERT_TRUE(kube.apply(deployment()).has_value());
  const auto listed = kube.list(kinds::kDeployment, space, {base::cat("scenario=", name), ""});
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(listed->items.size(), 1u);
  EXPECT_FALSE(listed->resource_version.empty());
}

TEST_P(ApiScenario, WatchShowsWhatHappensAfterTheList) {
  Client kube = client();
  const Selector selector{"", base::cat("metadata.name=", name)};
  const auto listed = kube.list(kinds::kDeployment, space, selector);
  ASSERT_TRUE(listed.has_value());
  ASSERT_TRUE(kube.apply(deployment()).has_value());
  std::vector<std::string> types;
  const auto end = kube.watch(kinds::kDeployment, space, selector, listed->resource_version,
                              std::chrono::seconds(10), [&](const WatchEvent& event) -> base::Result<bool> {
                                types.push_back(event.type);
                                return false;
                              });
  ASSERT_TRUE(end.has_value()) << end.error().message;
  EXPECT_EQ(*end, WatchEnd::kStopped);
  EXPECT_THAT(types, ::testing::ElementsAre("ADDED"));
}

TEST_P(ApiScenario, WatchEndsAfterTheTimeAskedFor) {
  Client kube = client();
  const Selector selector{"", base::cat("metadata.name=", name)};
  const auto listed = kube.list(kinds::kDeployment, space, selector);
  ASSERT_TRUE(listed.has_value());
  const auto end =
      kube.watch(kinds::kDeployment, space, selector, listed->resource_version, std::chrono::seconds(1),
                 [](const WatchEvent&) -> base::Result<bool> { return true; });
  ASSERT_TRUE(end.has_value()) << end.error().message;
  EXPECT_EQ(*end, WatchEnd::kEnded);
}

TEST_P(ApiScenario, PodSecurityWarningsAreHandedOn) {
  Client kube = client();
  const auto applied = kube.apply(deployment());
  ASSERT_TRUE(applied.has_value());
  ASSERT_EQ(applied->warnings.size(), 1u);
  EXPECT_THAT(applied->warnings.front(), HasSubstr("would violate PodSecurity \"restricted"));
}

TEST_P(ApiScenario, DiffShowsTheFieldsWhichWouldChange) {
  Client kube = client();
  ASSERT_TRUE(kube.apply(deployment()).has_value());
  Json next = deployment();
  next["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/x:2";
  const auto differences = diff_all(kube, {next});
  ASSERT_TRUE(differences.has_value()) << differences.error().message;
  ASSERT_EQ(differences->front().changes.size(), 1u);
  EXPECT_EQ(describe(differences->front().changes.front()),
            "spec.template.spec.containers[c].image: \"registry.example/x:1\" -> \"registry.example/x:2\"");
}

TEST_P(ApiScenario, RemoveRemoves) {
  Client kube = client();
  ASSERT_TRUE(kube.apply(deployment()).has_value());
  ASSERT_TRUE(kube.remove({&kinds::kDeployment, space, name}).has_value());
  EXPECT_EQ(kube.remove({&kinds::kDeployment, space, name}).error().id, "kube.object_missing");
}

TEST_P(ApiScenario, TheServersVersionIsRead) {
  Client kube = client();
  const auto minor = server_minor_version(kube);
  ASSERT_TRUE(minor.has_value());
  EXPECT_GE(*minor, 27);
}

}  // namespace
}  // namespace wherry::kube
