#include "protocol/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "protocol/request.h"
#include "protocol/test_schema.h"
#include "protocol/v1_request.h"

namespace wherry::protocol {
namespace {

using text::Json;

constexpr ApiRoute kRoutes[] = {
    {"infer", "/v2/models/{model}/infer", "POST"},
    {"infer", "/v2/models/{model}/versions/{version}/infer", "POST"},
    {"invocations", "/invocations", "POST"},
    {"v1_predict", "/v1/models/{model}:predict", "POST"},
    {"v1_classify", "/v1/models/{model}:classify", "POST"},
    {"v1_regress", "/v1/models/{model}:regress", "POST"},
    {"live", "/v2/health/live", "GET", false},
    {"live", "/livez", "GET", false},
    {"something_new", "/v9/new", "GET"},
};

class OpenApi : public testing::Test {
 protected:
  OpenApi() {
    card_.columns.resize(schema_.columns().size());
    card_.columns[0].may_be_missing = false;
    card_.columns[0].low = 1;
    card_.columns[0].high = 9;
    card_.columns[1].categories = {std::string("DE"), std::string("FR")};
    card_.columns[1].refuses_others = true;
    card_.rows = {{9.5, std::string("DE"), 1.0, 3.0, std::string("x"), std::string("n")}};
  }
  Json make(const ApiOptions& options = {}) {
    const ApiModel models[] = {{"fraud", {"1", "2"}, &schema_, &card_}};
    return openapi(models, kRoutes, options);
  }
  const Schema schema_ = mixed_schema();
  ModelCard card_;
};

TEST_F(OpenApi, HasAPathPerAddressWithTheModelsNameFilledIn) {
  const Json api = make();
  EXPECT_EQ(api["openapi"], "3.1.0");
  for (const char* path : {"/v2/models/fraud/infer", "/v2/models/fraud/versions/{version}/infer",
                           "/v1/models/fraud:predict", "/invocations", "/v2/health/live", "/v9/new"})
    EXPECT_TRUE(api["paths"].contains(path)) << path;
  EXPECT_EQ(
      api["paths"]["/v2/models/fraud/versions/{version}/infer"]["post"]["parameters"][0]["schema"]["enum"],
      Json::parse(R"(["1","2"])"));
}

TEST_F(OpenApi, DescribesColumnsByNameTypeAndCategory) {
  const Json row = make()["components"]["schemas"]["fraud.Row"];
  EXPECT_EQ(row["properties"]["amount"]["type"], "number");
  EXPECT_EQ(row["properties"]["country"]["enum"], Json::parse(R"(["DE","FR",null])"));
  EXPECT_EQ(row["properties"]["age"]["type"], Json::parse(R"(["integer","null"])"));
  EXPECT_THAT(row["properties"]["amount"]["description"].get<std::string>(), testing::HasSubstr("1 to 9"));
  EXPECT_EQ(row["required"], Json::parse(R"(["amount","country","known","age","code"])"));
  EXPECT_EQ(row["additionalProperties"], false);
}

TEST_F(OpenApi, HasExamplesWhichAreRequests) {
  const Json api = make();
  Request request;
  V1Form form;
  const auto example = [&](const char* path) {
    return api["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"].dump();
  };
  const std::string infer = example("/v2/models/fraud/infer");
  EXPECT_TRUE(read_v2(infer, schema_, {}, request)) << infer;
  const std::string split = example("/invocations");
  EXPECT_TRUE(read_invocations(split, schema_, {}, request)) << split;
  const std::string v1 = example("/v1/models/fraud:predict");
  EXPECT_TRUE(read_v1_predict(v1, schema_, {}, request, form)) << v1;
  const std::string examples = example("/v1/models/fraud:classify");
  EXPECT_TRUE(read_v1_examples(examples, schema_, {}, request)) << examples;
  const Json csv = api["paths"]["/invocations"]["post"]["requestBody"]["content"]["text/csv"]["example"];
  const auto text = csv.get<std::string>();
  EXPECT_TRUE(read_csv(text, schema_, {}, request)) << text;
}

TEST_F(OpenApi, LeavesOutAddressesWhichTheModelCannotAnswer) {
  EXPECT_FALSE(make()["paths"].contains("/v1/models/fraud:regress"));
  EXPECT_TRUE(make()["paths"].contains("/v1/models/fraud:classify"));
}

TEST_F(OpenApi, NamesSecurityOnlyWhereItIsOn) {
  EXPECT_FALSE(make().contains("security"));
  const Json api = make({.api_key = true, .bearer = true});
  EXPECT_EQ(api["security"].size(), 2u);
  EXPECT_TRUE(api["paths"]["/invocations"]["post"]["responses"].contains("401"));
  EXPECT_EQ(api["paths"]["/v2/health/live"]["get"]["security"], Json::array());
}

TEST_F(OpenApi, RefersOnlyToSchemasItHas) {
  const Json api = make();
  std::vector<const Json*> rest{&api};
  while (!rest.empty()) {
    const Json& value = *rest.back();
    rest.pop_back();
    for (const Json& child : value)
      if (child.is_structured()) rest.push_back(&child);
    if (!value.is_object() || !value.contains("$ref")) continue;
    const auto name = value["$ref"].get<std::string>().substr(std::string("#/components/schemas/").size());
    EXPECT_TRUE(api["components"]["schemas"].contains(name)) << name;
  }
}

TEST_F(OpenApi, GivesEveryOperationAnIdOfItsOwn) {
  std::set<std::string> ids;
  for (const Json& path : make()["paths"])
    for (const Json& method : path)
      EXPECT_TRUE(ids.insert(method["operationId"]).second) << method["operationId"];
}

TEST_F(OpenApi, DescribesTheServerBeforeAModelIsLoaded) {
  const Json api = openapi({}, kRoutes, {});
  EXPECT_TRUE(api["paths"].contains("/invocations"));
  EXPECT_FALSE(api["paths"].contains("/v2/models/{model}/infer"));
}

TEST_F(OpenApi, DescribesAMatrixWithoutNames) {
  const Schema schema = matrix_schema(2);
  ModelCard card;
  card.columns.resize(2);
  card.rows = {{1.0, 2.0}};
  const ApiModel models[] = {{"iris", {"1"}, &schema, &card}};
  const Json api = openapi(models, kRoutes, {});
  const Json& inputs = api["components"]["schemas"]["iris.InferRequest"]["properties"]["inputs"]["items"];
  EXPECT_EQ(inputs["properties"]["name"]["const"], "input");
  const Json& predict = api["paths"]["/v1/models/iris:predict"]["post"];
  EXPECT_EQ(predict["requestBody"]["content"]["application/json"]["example"].dump(),
            R"({"instances":[[1.0,2.0]]})");
}

}  // namespace
}  // namespace wherry::protocol
