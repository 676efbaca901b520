#include "protocol/response.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "protocol/json_writer.h"
#include "protocol/metadata.h"
#include "protocol/request.h"
#include "protocol/test_schema.h"
#include "text/json.h"

namespace wherry::protocol {
namespace {

using tensor::DType;
using tensor::NamedResult;
using tensor::ResultView;

ResultView doubles(const std::vector<double>& values, std::vector<std::int64_t> shape) {
  ResultView view{
      .dtype = DType::kFloat64, .axes = static_cast<std::uint8_t>(shape.size()), .data = values.data()};
  std::copy(shape.begin(), shape.end(), view.lengths.begin());
  return view;
}

std::string number(double value, NonFinite non_finite = NonFinite::kPythonTokens) {
  std::string out;
  append_double(value, non_finite, out);
  return out;
}

TEST(Numbers, AreShortAndReadBackAsTheSameDouble) {
  EXPECT_EQ(number(1), "1.0");
  EXPECT_EQ(number(-0.0), "-0.0");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number(1e300), "1e+300");
  EXPECT_EQ(number(123456789012345680.0), "123456789012345680.0");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(999999999999999.0), "999999999999999.0");
  for (const double value : {1e15, 1.5e15, 2.0 / 3, 1e-7, std::numeric_limits<double>::max()})
    EXPECT_EQ(std::strtod(number(value).c_str(), nullptr), value);
}

TEST(Numbers, NanAndInfinityAreNullOrPythonsTokens) {
  EXPECT_EQ(number(NAN), "NaN");
  EXPECT_EQ(number(-HUGE_VAL), "-Infinity");
  EXPECT_EQ(number(HUGE_VAL, NonFinite::kNull), "null");
}

TEST(Strings, AreEscapedAndRepaired) {
  std::string out;
  append_string(std::string_view("a\"\\\n\t\0\x1fé€", 12), out);
  EXPECT_EQ(out, "\"a\\\"\\\\\\n\\t\\u0000\\u001fé€\"");
  EXPECT_EQ(error_json("\xff\xc3"), "{\"error\":\"\xef\xbf\xbd\xef\xbf\xbd\"}");
}

// predict [2] of int64, predict_proba [2, 2], multi: two arrays.
struct Answers {
  std::vector<std::int64_t> labels{3, -4};
  std::vector<double> probabilities{0.25, 0.75, NAN, 1};
  std::vector<double> first{1.5, 2};
  std::vector<std::string> names{"no", "yes"};
  ResultView predict{.dtype = DType::kInt64, .axes = 1, .lengths = {2}, .data = labels.data()};
  ResultView proba = doubles(probabilities, {2, 2});
  ResultView multi[2] = {doubles(probabilities, {2, 2}), doubles(first, {2, 1})};
  NamedResult results[3] = {
      {"predict", {&predict, 1}, {}}, {"predict_proba", {&proba, 1}, names}, {"multi", multi, {}}};
};

TEST(V2Response, HoldsTheTensorsAskedForInThatOrder) {
  const Answers answers;
  std::string out;
  const std::uint32_t tensors[] = {1, 0};
  write_v2({"fraud", "3", "a\"b"}, matrix_schema(2), tensors, answers.results, out);
  EXPECT_EQ(out, R"({"model_name":"fraud","model_version":"3","id":"a\"b","outputs":[)"
                 R"({"name":"predict_proba","datatype":"FP64","shape":[2,2],"data":[0.25,0.75,null,1.0]},)"
                 R"({"name":"predict","datatype":"INT64","shape":[2],"data":[3,-4]}]})");
}

TEST(V2Response, SeveralValuesAreSeveralTensors) {
  const Answers answers;
  std::string out;
  write_v2({"m", "", std::nullopt}, matrix_schema(2), {}, answers.results, out);
  const auto document = text::parse_json(out, "response");
  ASSERT_TRUE(document);
  ASSERT_EQ((*document)["outputs"].size(), 4U);
  EXPECT_EQ((*document)["outputs"][3]["name"], "multi_1");
  EXPECT_EQ((*document)["outputs"][3]["shape"], text::Json::parse("[2,1]"));
  EXPECT_FALSE(document->contains("id"));
  EXPECT_FALSE(document->contains("model_version"));
}

TEST(V2Response, TextsBoolsAndTables) {
  const std::string_view texts[] = {"a", "b"};
  const std::uint8_t bools[] = {1, 0};
  tensor::Table table;
  table.reset(1, 3);
  table.set_text(0, "x");
  table.set_number(1, 2.5);
  table.set_missing(2);
  const ResultView views[] = {{.dtype = DType::kString, .axes = 1, .lengths = {2}, .texts = texts},
                              {.dtype = DType::kBool, .axes = 1, .lengths = {2}, .data = bools},
                              {.axes = 2, .lengths = {1, 3}, .table = &table}};
  const auto written = [&](const ResultView& view) {
    const NamedResult result{"predict", {&view, 1}, {}};
    const std::uint32_t tensors[] = {0};
    std::string out;
    write_v2({"m", "", {}}, matrix_schema(1), tensors, {&result, 1}, out);
    return out.substr(out.find("\"datatype\""));
  };
  EXPECT_EQ(written(views[0]), R"("datatype":"BYTES","shape":[2],"data":["a","b"]}]})");
  EXPECT_EQ(written(views[1]), R"("datatype":"BOOL","shape":[2],"data":[true,false]}]})");
  EXPECT_EQ(written(views[2]), R"("datatype":"BYTES","shape":[1,3],"data":["x","2.5",null]}]})");
}

TEST(Predictions, AreOneElementPerRow) {
  const Answers answers;
  std::string out;
  write_predictions(answers.results[0], out);
  write_predictions(answers.results[1], out);
  write_predictions(answers.results[2], out);
  EXPECT_EQ(
      out,
      R"({"predictions":[3,-4]}{"predictions":[[0.25,0.75],[null,1.0]]}{"predictions":[[[0.25,0.75],[null,1.0]],[[1.5],[2.0]]]})");
}

TEST(Outputs, UsePythonsTokensOnTheCommandLine) {
  const Answers answers;
  std::string out;
  write_outputs(std::span(answers.results).first(2), NonFinite::kPythonTokens, out);
  EXPECT_EQ(out, R"({"outputs":{"predict":[3,-4],"predict_proba":[[0.25,0.75],[NaN,1.0]]}})");
}

TEST(Outputs, CsvHasOneColumnPerOutputColumn) {
  const Answers answers;
  std::string out;
  write_csv(answers.results, out);
  EXPECT_EQ(out,
            "predict,predict_proba_no,predict_proba_yes,multi_0_0,multi_0_1,multi_1_0\n"
            "3,0.25,0.75,0.25,0.75,1.5\n"
            "-4,NaN,1.0,NaN,1.0,2.0\n");
}

TEST(Outputs, CsvFieldsAreQuotedWhereNeeded) {
  const std::string_view texts[] = {"a,\"b\"", "c\nd"};
  const ResultView view{.dtype = DType::kString, .axes = 1, .lengths = {2}, .texts = texts};
  const NamedResult result{"predict", {&view, 1}, {}};
  std::string out;
  write_csv({&result, 1}, out);
  EXPECT_EQ(out, "predict\n\"a,\"\"b\"\"\"\n\"c\nd\"\n");
}

TEST(Outputs, TheTextTableIsAligned) {
  const Answers answers;
  std::string out;
  write_text_table(std::span(answers.results).first(2), out);
  EXPECT_EQ(out,
            "predict  predict_proba_no  predict_proba_yes\n"
            "      3              0.25               0.75\n"
            "     -4               nan                  1\n");
}

TEST(Metadata, AModelWithNamesHasOneInputPerColumn) {
  const std::string versions[] = {"1"};
  const auto document =
      text::parse_json(model_metadata(mixed_schema(), "fraud", versions, "scikit-learn"), "metadata");
  ASSERT_TRUE(document);
  EXPECT_EQ((*document)["platform"], "wherry_scikit-learn");
  EXPECT_EQ((*document)["versions"], text::Json::parse(R"(["1"])"));
  ASSERT_EQ((*document)["inputs"].size(), 6U);
  EXPECT_EQ((*document)["inputs"][1],
            text::Json::parse(R"({"name":"country","datatype":"BYTES","shape":[-1]})"));
  EXPECT_EQ((*document)["inputs"][3]["datatype"], "INT64");
  EXPECT_EQ((*document)["outputs"][1],
            text::Json::parse(R"({"name":"predict_proba","datatype":"FP64","shape":[-1,6]})"));
}

TEST(Metadata, AModelWithoutNamesHasOneMatrix) {
  const auto document =
      text::parse_json(model_metadata(matrix_schema(3), "m", {}, "scikit-learn"), "metadata");
  ASSERT_TRUE(document);
  EXPECT_EQ((*document)["inputs"],
            text::Json::parse(R"([{"name":"input","datatype":"FP64","shape":[-1,3]}])"));
  EXPECT_EQ(
      server_metadata("wherry", "0.1.0"),
      R"({"name":"wherry","version":"0.1.0","extensions":["binary_tensor_data","classification","model_configuration","model_repository","parameters","schedule_policy","statistics"]})");
}

bool same_tables(const tensor::Table& a, const tensor::Table& b) {
  if (a.rows != b.rows || a.columns != b.columns) return false;
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    const bool both_nan = std::isnan(a.numbers[i]) && std::isnan(b.numbers[i]);
    if (a.kind(i) != b.kind(i) || (a.numbers[i] != b.numbers[i] && !both_nan)) return false;
    if (a.kind(i) == tensor::CellKind::kText && a.texts[i] != b.texts[i]) return false;
  }
  return true;
}

TEST(Samples, AreReadBackAsTheSameRows) {
  const Schema schema = mixed_schema();
  const std::vector<std::vector<tensor::CellValue>> cells{
      {2.5, std::string("D\"E"), 1.0, 42.0, std::string("x"), std::string("")},
      {{}, {}, 0.0, {}, std::string("y,z"), {}}};
  Request rows, again;
  ASSERT_TRUE(read_cells({}, cells, schema, rows));
  const std::string outputs[] = {"predict"};
  ASSERT_TRUE(read_v2(sample_v2(schema, rows.table, outputs), schema, {}, again))
      << sample_v2(schema, rows.table, outputs);
  EXPECT_TRUE(same_tables(rows.table, again.table));
  EXPECT_EQ(again.tensors, (std::vector<std::uint32_t>{0}));
  ASSERT_TRUE(read_invocations(sample_invocations(schema, rows.table), schema, {}, again));
  EXPECT_TRUE(same_tables(rows.table, again.table));
  ASSERT_TRUE(read_rows(sample_rows(schema, rows.table), schema, {}, again));
  EXPECT_TRUE(same_tables(rows.table, again.table));
  ASSERT_TRUE(read_csv(sample_csv(schema, rows.table), schema, {}, again));
  EXPECT_TRUE(same_tables(rows.table, again.table));
}

TEST(Samples, OfAModelWithoutNamesAreMatrices) {
  const Schema schema = matrix_schema(2);
  Request rows, again;
  const std::vector<std::vector<tensor::CellValue>> cells{{1.5, -2.0}};
  ASSERT_TRUE(read_cells({}, cells, schema, rows));
  EXPECT_EQ(sample_v2(schema, rows.table),
            R"({"inputs":[{"name":"input","shape":[1,2],"datatype":"FP64","data":[1.5,-2.0]}]})");
  EXPECT_EQ(sample_invocations(schema, rows.table),
            R"({"dataframe_split":{"columns":null,"data":[[1.5,-2.0]]}})");
  ASSERT_TRUE(read_invocations(sample_invocations(schema, rows.table), schema, {}, again));
  EXPECT_TRUE(same_tables(rows.table, again.table));
}

TEST(Schemas, ThePredictionIsTheDefaultOutput) {
  const Schema schema = matrix_schema(2);
  EXPECT_EQ(schema.outputs()[schema.default_output()].name, "predict");
  EXPECT_EQ(schema.tensors().size(), 4U);
  EXPECT_EQ(schema.tensor("multi_1"), 3U);
  EXPECT_EQ(schema.tensor("multi"), std::nullopt);
  EXPECT_EQ(schema.column("x1"), 1U);
}

}  // namespace
}  // namespace wherry::protocol
