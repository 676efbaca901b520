#include "protocol/v1_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kPredict = 0u, kProba = 1u;  // outputs of test_schema.h

Schema text_schema() {
  return test_schema({{"text", program::ColumnType::kText}}, false);
}
Schema named_schema() {
  return test_schema({{"amount", program::ColumnType::kNumber}, {"country", program::ColumnType::kText}},
                     true);
}

class V1Predict : public testing::Test {
 protected:
  base::Status read(std::string_view body, const Schema& schema) {
    return read_v1_predict(body, schema, {}, request_, form_);
  }
  std::string error(std::string_view body, const Schema& schema) {
    const auto read_body = read(body, schema);
    return read_body ? "it was read" : read_body.error().message;
  }
  Request request_;
  V1Form form_;
};

TEST_F(V1Predict, ReadsInstancesAsLists) {
  ASSERT_TRUE(read(R"({"instances":[[1,2],[3,4.5]]})", matrix_schema(2)));
  EXPECT_EQ(form_.layout, V1Layout::kRows);
  EXPECT_THAT(request_.table.numbers, ElementsAre(1, 2, 3, 4.5));
}

TEST_F(V1Predict, ReadsInstancesAsObjectsWhoseValuesMayBeVectorsOfOne) {
  ASSERT_TRUE(
      read(R"({"instances":[{"country":["DE"],"amount":[9]},{"amount":1,"country":"FR"}]})", named_schema()));
  EXPECT_EQ(request_.table.numbers[0], 9);
  EXPECT_EQ(request_.table.texts[1], "DE");
  EXPECT_EQ(request_.table.texts[3], "FR");
}

TEST_F(V1Predict, ReadsScalarInstancesOfAModelWithOneColumn) {
  ASSERT_TRUE(read(R"({"instances":["a b","c"]})", text_schema()));
  EXPECT_THAT(request_.table.texts, ElementsAre("a b", "c"));
}

TEST_F(V1Predict, ReadsBase64ObjectsAsText) {
  ASSERT_TRUE(read(R"({"instances":[{"b64":"aGVsbG8="},"x",[{ "b64" : "w6Q\u003d" }]]})", text_schema()));
  EXPECT_THAT(request_.table.texts, ElementsAre("hello", "x", "ä"));
}

TEST_F(V1Predict, RefusesBase64WhichIsNoneOrNoText) {
  EXPECT_THAT(error(R"({"instances":[{"b64":"*"}]})", text_schema()), HasSubstr("not base64"));
  EXPECT_THAT(error(R"({"instances":[{"b64":"/w=="}]})", text_schema()), HasSubstr("not UTF-8"));
  EXPECT_THAT(error(R"({"instances":[{"b64":7}]})", text_schema()), HasSubstr("not text"));
  EXPECT_THAT(error(R"({"instances":[{"b64":"YQ==","x":1}]})", text_schema()), HasSubstr("another member"));
  EXPECT_THAT(error(R"({"instances":[[{"b64":"YQ=="}]]})", matrix_schema(1)), HasSubstr("an object"));
}

TEST_F(V1Predict, ReadsInputsAsColumns) {
  ASSERT_TRUE(read(R"({"inputs":{"country":["DE","FR"],"amount":[[9],[1]]}})", named_schema()));
  EXPECT_EQ(form_.layout, V1Layout::kColumns);
  EXPECT_EQ(request_.table.rows, 2u);
  EXPECT_EQ(request_.table.numbers[2], 1);
}

TEST_F(V1Predict, ReadsInputsAsRows) {
  ASSERT_TRUE(read(R"({"inputs":[[1,2]]})", matrix_schema(2)));
  EXPECT_EQ(form_.layout, V1Layout::kLists);
}

TEST_F(V1Predict, ReadsTheWholeMatrixUnderTheNameWhichTheMetadataAnnounces) {
  ASSERT_TRUE(read(R"({"instances":[{"input":[1,2]},{"input":[3,4]}]})", matrix_schema(2)));
  EXPECT_THAT(request_.table.numbers, ElementsAre(1, 2, 3, 4));
  ASSERT_TRUE(read(R"({"inputs":{"input":[[5,6]]}})", matrix_schema(2)));
  EXPECT_EQ(form_.layout, V1Layout::kColumns);
  EXPECT_THAT(request_.table.numbers, ElementsAre(5, 6));
  EXPECT_THAT(error(R"({"instances":[{"input":[1,2]},[3,4]]})", matrix_schema(2)), HasSubstr("row 1"));
  EXPECT_THAT(error(R"({"instances":[{"input":[1,2],"x":1}]})", matrix_schema(2)), HasSubstr("'x'"));
}

TEST_F(V1Predict, TakesTheDefaultOutputUnlessOneIsNamed) {
  ASSERT_TRUE(read(R"({"instances":[[1]],"signature_name":"serving_default"})", matrix_schema(1)));
  EXPECT_THAT(form_.outputs, ElementsAre(kPredict));
  ASSERT_TRUE(read(R"({"signature_name":"predict_proba","instances":[[1]]})", matrix_schema(1)));
  EXPECT_THAT(form_.outputs, ElementsAre(kProba));
  ASSERT_TRUE(
      read(R"({"instances":[[1]],"parameters":{"predict_method":"predict_proba"}})", matrix_schema(1)));
  EXPECT_THAT(form_.outputs, ElementsAre(kProba));
  ASSERT_TRUE(
      read(R"({"instances":[[1]],"params":{"method":["predict_proba","predict"]}})", matrix_schema(1)));
  EXPECT_THAT(form_.outputs, ElementsAre(kProba, kPredict));
}

TEST_F(V1Predict, IgnoresMembersOfOtherServers) {
  EXPECT_TRUE(read(R"({"instances":[[1]],"id":{"a":[1]}})", matrix_schema(1)));
}

struct Wrong {
  const char* name;
  std::string_view body, message;
};
class WrongV1Predict : public testing::TestWithParam<Wrong> {};

TEST_P(WrongV1Predict, IsRefused) {
  Request request;
  V1Form form;
  const auto read = read_v1_predict(GetParam().body, matrix_schema(2), {}, request, form);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Protocol, WrongV1Predict,
    testing::Values(
        Wrong{"NoRows", R"({"signature_name":""})", "neither"},
        Wrong{"BothForms", R"({"instances":[],"inputs":[]})", "both"},
        Wrong{"RowsTwice", R"({"instances":[],"instances":[]})", "twice"},
        Wrong{"NoObject", "[[1,2]]", "not a JSON object"}, Wrong{"Nothing", "", "not valid JSON"},
        Wrong{"UnknownSignature", R"({"signature_name":"x","instances":[]})", "no signature 'x'"},
        Wrong{"NumberAsSignature", R"({"signature_name":1,"instances":[]})", "not text"},
        Wrong{"UnknownMethod", R"({"parameters":{"method":"x"},"instances":[]})", "no output 'x'"},
        Wrong{"MethodTwice", R"({"parameters":{"method":["predict","predict"]},"instances":[]})", "twice"},
        Wrong{"TwoWishes", R"({"signature_name":"predict","params":{"method":"multi"},"instances":[]})",
              "different outputs"},
        Wrong{"NarrowRow", R"({"instances":[[1]]})", "row 0 has 1 value"},
        Wrong{"VectorOfTwo", R"({"instances":[[[1,2],3]]})", "more than one value"},
        Wrong{"EmptyVector", R"({"instances":[[[],3]]})", "an empty list"},
        Wrong{"VectorOfVectors", R"({"instances":[[[[1]],3]]})", "a list of lists"},
        Wrong{"TextForANumber", R"({"instances":[["a",3]]})", "the text 'a'"},
        Wrong{"CutOff", R"({"instances":[[1,2)", "where it ends"}),
    [](const auto& row) { return row.param.name; });

class V1Examples : public V1Predict {
 protected:
  base::Status read(std::string_view body, const Schema& schema) {
    return read_v1_examples(body, schema, {}, request_);
  }
  std::string error(std::string_view body, const Schema& schema) {
    const auto read_body = read(body, schema);
    return read_body ? "it was read" : read_body.error().message;
  }
};

TEST_F(V1Examples, TakeTheContextForWhatTheyLack) {
  ASSERT_TRUE(read(R"({"examples":[{"amount":9},{"amount":[1],"country":"FR"}],"context":{"country":"DE"}})",
                   named_schema()));
  EXPECT_EQ(request_.table.rows, 2u);
  EXPECT_EQ(request_.table.numbers[0], 9);
  EXPECT_EQ(request_.table.texts[1], "DE");
  EXPECT_EQ(request_.table.texts[3], "FR");
}

TEST_F(V1Examples, GoByTheNamesGivenToUnnamedColumns) {
  ASSERT_TRUE(read(R"({"examples":[{"x1":2,"x0":1}]})", matrix_schema(2)));
  EXPECT_THAT(request_.table.numbers, ElementsAre(1, 2));
}

TEST_F(V1Examples, AreRefusedWhereTheyAreIncompleteOrUnknown) {
  EXPECT_THAT(error(R"({"examples":[{"amount":9}]})", named_schema()),
              HasSubstr("example 0: column 'country'"));
  EXPECT_THAT(error(R"({"examples":[{"amont":9}]})", named_schema()), HasSubstr("no column 'amont'"));
  EXPECT_THAT(error(R"({"examples":[{"amount":9,"amount":9}]})", named_schema()), HasSubstr("twice"));
  EXPECT_THAT(error(R"({"examples":[7]})", named_schema()), HasSubstr("example 0 is not an object"));
  EXPECT_THAT(error(R"({"examples":{}})", named_schema()), HasSubstr("not a list"));
  EXPECT_THAT(error(R"({"context":{}})", named_schema()), HasSubstr("\"examples\" is missing"));
  EXPECT_THAT(error(R"({"context":[],"examples":[]})", named_schema()), HasSubstr("\"context\""));
}

TEST(V1Outputs, AreClassesForClassifiersAndNumbersForOthers) {
  EXPECT_EQ(classify_output(matrix_schema(2)), kProba);
  EXPECT_EQ(regress_output(matrix_schema(2)), std::nullopt);
  program::ProgramBuilder builder({{{"x0"}}, false, false});
  const auto matrix = builder.add(program::ToMatrix{}, {program::ProgramBuilder::kInput});
  const auto vector = builder.add(program::Flatten{}, {*matrix});
  ASSERT_TRUE(builder.output({"predict", {*vector}, {}}));
  const auto program = std::move(builder).build();
  ASSERT_TRUE(program);
  EXPECT_EQ(classify_output(Schema(*program)), std::nullopt);
  EXPECT_EQ(regress_output(Schema(*program)), 0u);
}

}  // namespace
}  // namespace wherry::protocol
