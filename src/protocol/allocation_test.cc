#include <gtest/gtest.h>

#include "base/counted_allocations.h"
#include "protocol/request.h"
#include "protocol/response.h"
#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using base::allocations;

using Reader = base::Status (*)(std::string_view, const Schema&, const RequestLimits&, Request&);

struct Warm {
  std::string_view name;
  Reader read;
  std::string_view body;
};

class WarmRequests : public testing::TestWithParam<Warm> {};

TEST_P(WarmRequests, AllocateNothing) {
  const Schema schema = mixed_schema();
  Request request;
  ASSERT_TRUE(GetParam().read(GetParam().body, schema, {}, request));
  const std::size_t before = allocations;
  const bool read = GetParam().read(GetParam().body, schema, {}, request).has_value();
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_TRUE(read);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, WarmRequests,
    testing::Values(
        Warm{
            "v2", read_v2,
            R"({"id":"caf\u00e9","inputs":[{"name":"amount","shape":[2],"datatype":"FP64","data":[1.25,0.30000000000000004]},
               {"name":"country","shape":[2,1],"datatype":"BYTES","data":["D\u00c9 with a long text behind it",null]},
               {"data":[true,false],"name":"known","shape":[2],"datatype":"BOOL"},{"name":"age","shape":[2],"datatype":"INT64","data":[1,2]},
               {"name":"code","shape":[2],"datatype":"BYTES","data":["x","y"]}],"outputs":[{"name":"predict"}]})"},
        Warm{
            "split", read_invocations,
            R"({"dataframe_split":{"columns":["code","amount","country","known","age"],"data":[["a\tb",1,"DE",true,3],["c",null,"FR",false,4]]}})"},
        Warm{
            "records", read_invocations,
            R"({"dataframe_records":[{"age":1,"code":"x","amount":2.5,"country":"DE","known":true},{"amount":2.5,"country":"DE","known":true,"age":1,"code":"x"}]})"},
        Warm{"csv", read_csv,
             "amount,country,known,age,code\n1.5,\"a \"\"long\"\" quoted text\",True,3,x\n,,,,\n"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(WarmResponses, AllocateNothing) {
  const Schema schema = matrix_schema(2);
  const double values[] = {0.25, 0.1 + 0.2, 1e300, 3};
  const std::string_view labels[] = {"a long label, beyond the small strings", "b\n"};
  const tensor::ResultView proba{.axes = 2, .lengths = {2, 2}, .data = values};
  const tensor::ResultView predict{
      .dtype = tensor::DType::kString, .axes = 1, .lengths = {2}, .texts = labels};
  const tensor::NamedResult results[] = {{"predict", {&predict, 1}, {}}, {"predict_proba", {&proba, 1}, {}}};
  std::string out;
  const auto write = [&] {
    out.clear();
    write_v2({"model", "1", "id"}, schema, {}, results, out);
    write_predictions(results[0], out);
    write_outputs(results, NonFinite::kNull, out);
  };
  write();
  const std::size_t before = allocations;
  write();
  EXPECT_EQ(allocations - before, 0U);
}

}  // namespace
}  // namespace wherry::protocol
