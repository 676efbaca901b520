// Requests to tensor models in every form, and the answers.
#include <cmath>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protobuf/wire.h"

#include "base/counted_allocations.h"
#include "base/text.h"
#include "protocol/metadata.h"
#include "protocol/response.h"
#include "protocol/service_facts.h"
#include "protocol/tensor_inputs.h"
#include "protocol/test_schema.h"
#include "protocol/v1_request.h"
#include "protocol/v1_response.h"
#include "protocol/v2_grpc.h"

namespace wherry::protocol {
namespace {

using base::cat;
using tensor::DType;
using tensor::TensorCells;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
std::vector<T> elements(const TensorCells& cells) {
  std::vector<T> values(cells.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), cells.bytes.data(), cells.bytes.size());
  return values;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string v2_input(std::string_view name, std::string_view shape, std::string_view datatype,
                     std::string_view data) {
  return cat(R"({"name":")", name, R"(","shape":)", shape, R"(,"datatype":")", datatype, R"(","data":)", data,
             "}");
}

std::string v2(std::string_view inputs) {
  return cat(R"({"inputs":[)", inputs, "]}");
}

// The request keeps the body it borrows from.
struct Read {
  std::string body;
  Request request;
  base::Status status;
  const TensorCells& cells(std::size_t i = 0) const { return request.table.tensors[i]; }
  std::string message() const { return status ? "" : status.error().message + " | " + status.error().hint; }
};

using Reader = base::Status (*)(std::string_view, const Schema&, const RequestLimits&, Request&);
base::Status read_v1(std::string_view body, const Schema& schema, const RequestLimits& limits,
                     Request& request) {
  V1Form form;
  return read_v1_predict(body, schema, limits, request, form);
}

std::unique_ptr<Read> read(Reader reader, std::string body, const Schema& schema,
                           const RequestLimits& limits = {}) {
  auto made = std::make_unique<Read>();
  made->body = std::move(body);
  made->status = reader(made->body, schema, limits, made->request);
  EXPECT_TRUE(!made->status || is_whole(made->request.table, schema)) << made->body;
  return made;
}

template <class T>
std::vector<T> taken(DType dtype, std::string_view datatype, std::string_view data,
                     std::string_view shape = "[1,3]") {
  const auto made = read(read_v2, v2(v2_input("x", shape, datatype, data)), vector_schema(dtype));
  EXPECT_EQ(made->message(), "");
  return made->status ? elements<T>(made->cells()) : std::vector<T>();
}

std::string refused(DType dtype, std::string_view datatype, std::string_view data,
                    std::string_view shape = "[1,3]") {
  const auto made = read(read_v2, v2(v2_input("x", shape, datatype, data)), vector_schema(dtype));
  EXPECT_FALSE(made->status) << data;
  return made->message();
}

TEST(TensorV2, EveryDatatypeIsReadFromJson) {
  EXPECT_THAT(taken<float>(DType::kFloat32, "FP32", "[0.1,-2,3e2]"), ElementsAre(0.1F, -2, 300));
  EXPECT_THAT(taken<double>(DType::kFloat64, "FP64", "[[0.1,-2,3]]"), ElementsAre(0.1, -2, 3));
  EXPECT_THAT(taken<std::int8_t>(DType::kInt8, "INT8", "[-128,0,127]"), ElementsAre(-128, 0, 127));
  EXPECT_THAT(taken<std::uint8_t>(DType::kUint8, "UINT8", "[255,0,-0]"), ElementsAre(255, 0, 0));
  EXPECT_THAT(taken<std::int16_t>(DType::kInt16, "INT16", "[-32768,0,1]"), ElementsAre(-32768, 0, 1));
  EXPECT_THAT(taken<std::uint16_t>(DType::kUint16, "UINT16", "[65535,0,1]"), ElementsAre(65535, 0, 1));
  EXPECT_THAT(taken<std::int32_t>(DType::kInt32, "INT32", "[-2147483648,0,1]"),
              ElementsAre(-2147483648, 0, 1));
  EXPECT_THAT(taken<std::uint32_t>(DType::kUint32, "UINT32", "[4294967295,0,1]"),
              ElementsAre(4294967295, 0, 1));
  EXPECT_THAT(taken<std::int64_t>(DType::kInt64, "INT64", "[-9223372036854775808,9007199254740993,1]"),
              ElementsAre(INT64_MIN, 9007199254740993, 1));
  EXPECT_THAT(taken<std::uint64_t>(DType::kUint64, "UINT64", "[18446744073709551615,0,1]"),
              ElementsAre(UINT64_MAX, 0, 1));
  EXPECT_THAT(taken<std::uint8_t>(DType::kBool, "BOOL", "[true,false,true]"), ElementsAre(1, 0, 1));
  EXPECT_THAT(taken<std::uint16_t>(DType::kFloat16, "FP16", "[1,-0.5,65504]"),
              ElementsAre(0x3c00, 0xb800, 0x7bff));
  EXPECT_THAT(taken<std::uint16_t>(DType::kFloat16, "FP16", "[5.9604644775390625e-8,6.103515625e-05,0]"),
              ElementsAre(1, 0x0400, 0));
}

TEST(TensorV2, HalfNumbersInJsonMustBeExact) {
  EXPECT_THAT(taken<std::uint16_t>(DType::kBfloat16, "BF16", "[1,-0.5,256]"),
              ElementsAre(0x3f80, 0xbf00, 0x4380));
  EXPECT_THAT(refused(DType::kFloat16, "FP16", "[0.1,1,1]"), HasSubstr("no number of FP16"));
  EXPECT_THAT(refused(DType::kFloat16, "FP16", "[65520,1,1]"), HasSubstr("no number of FP16"));
  EXPECT_THAT(refused(DType::kBfloat16, "BF16", "[257,1,1]"), HasSubstr("no number of BF16"));
}

TEST(TensorV2, RefusesWhatIsNotOfTheDatatypeAndSaysWhere) {
  EXPECT_THAT(refused(DType::kInt8, "INT8", "[0,128,0]"), HasSubstr("input 'x', element [1]: 128 is beyond"));
  EXPECT_THAT(refused(DType::kUint8, "UINT8", "[[0,1,-1]]"), HasSubstr("input 'x', element [0, 2]"));
  EXPECT_THAT(refused(DType::kInt64, "INT64", "[9223372036854775808,0,0]"),
              HasSubstr("beyond the range of INT64"));
  EXPECT_THAT(refused(DType::kInt64, "INT64", "[1.0,0,0]"), HasSubstr("not an integer"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[1e39,0,0]"), HasSubstr("beyond the range of FP32"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[null,0,0]"), HasSubstr("no missing values"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", R"(["1",0,0])"), HasSubstr("text stands where datatype FP32"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[NaN,0,0]"), HasSubstr("line 1"));
  EXPECT_THAT(refused(DType::kBool, "BOOL", "[1,0,0]"), HasSubstr("true or false"));
  EXPECT_THAT(refused(DType::kString, "BYTES", "[1,2,3]"), HasSubstr("needs text"));
}

TEST(TensorV2, ChecksShapesAgainstTheModel) {
  EXPECT_THAT(refused(DType::kFloat32, "FP64", "[1,2,3]"), HasSubstr("datatype FP64; the model takes FP32"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[1,2]", "[1,2]"), HasSubstr("takes [batch, 3]"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[1,2,3]", "[3]"), HasSubstr("takes [batch, 3]"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[1,2]", "[1,3]"), HasSubstr("fewer elements"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[1,2,3,4]", "[1,3]"), HasSubstr("more elements"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[[1,2],[3,4]]", "[2,3]"),
              HasSubstr("list [0] has fewer than 3"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[[1,2,3]]", "[1,-3]"), HasSubstr("not a length"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[[[1,2,3]]]"), HasSubstr("a list stands where"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "[]", "[1000000000,3]"), HasSubstr("fewer elements"));
  EXPECT_THAT(refused(DType::kFloat32, "FP32", "7"), HasSubstr("not a list"));
}

TEST(TensorV2, ANanTokenIsTakenWhereItIsAllowed) {
  const auto made = read(read_v2, v2(v2_input("x", "[1,3]", "FP32", "[NaN,Infinity,-Infinity]")),
                         vector_schema(), {.nan_tokens = true});
  ASSERT_TRUE(made->status) << made->message();
  EXPECT_TRUE(std::isnan(elements<float>(made->cells())[0]));
  EXPECT_TRUE(std::isinf(elements<float>(made->cells())[2]));
}

TEST(TensorV2, TakesSeveralInputsInAnyOrder) {
  const auto made = read(
      read_v2,
      v2(cat(
          v2_input("scale", "[2]", "FP32", "[1,2]"), ",",
          R"({"data":[[true,false,true],[false,false,false]],"datatype":"BOOL","shape":[2,3],"name":"mask"},)",
          v2_input("ids", "[2,3]", "INT64", "[1,2,3,4,5,6]"))),
      several_schema());
  ASSERT_TRUE(made->status) << made->message();
  EXPECT_EQ(made->request.table.rows, 2U);
  EXPECT_THAT(elements<std::int64_t>(made->cells(0)), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(elements<std::uint8_t>(made->cells(1)), ElementsAre(1, 0, 1, 0, 0, 0));
}

TEST(TensorV2, LengthsOfOneNameAreEqual) {
  const auto with = [](std::string_view mask, std::string_view scale) {
    return read(read_v2, v2(cat(v2_input("ids", "[1,2]", "INT64", "[1,2]"), ",", mask, ",", scale)),
                several_schema())
        ->message();
  };
  const std::string scale = v2_input("scale", "[1]", "FP32", "[1]");
  const std::string mask = v2_input("mask", "[1,2]", "BOOL", "[true,true]");
  EXPECT_THAT(with(v2_input("mask", "[1,3]", "BOOL", "[true,true,true]"), scale),
              HasSubstr("input 'mask' has length 3 along axis 1, 'length'; input 'ids' has 2"));
  EXPECT_THAT(with(mask, v2_input("scale", "[2]", "FP32", "[1,2]")), HasSubstr("same number of rows"));
  EXPECT_THAT(with(mask, mask), HasSubstr("given twice"));
  EXPECT_THAT(with(mask, v2_input("scales", "[1]", "FP32", "[1]")), HasSubstr("did you mean 'scale'?"));
  EXPECT_THAT(read(read_v2, v2(mask), several_schema())->message(), HasSubstr("input 'ids' is missing"));
}

TEST(TensorV2, TensorsWithoutElementsAreBounded) {
  const Schema schema = tensor_schema({{"x", DType::kFloat32, {-1, -1}, {}}});
  EXPECT_TRUE(read(read_v2, v2(v2_input("x", "[0,5]", "FP32", "[]")), schema)->status);
  EXPECT_THAT(read(read_v2, v2(v2_input("x", "[4000000000,0]", "FP32", "[]")), schema)->message(),
              HasSubstr("too large for a tensor without elements"));
  EXPECT_THAT(read(read_v2, v2(v2_input("x", "[18446744073709551615,0]", "FP32", "[]")), schema)->message(),
              HasSubstr("not a length"));
}

struct Binary {
  alignas(16) std::string body;
  std::size_t json = 0;
};
Binary with_binary(std::string json, std::string_view bytes, std::size_t alignment = 0) {
  Binary made;
  while (alignment != 0 && json.size() % 16 != alignment % 16) json += ' ';
  made.json = json.size();
  made.body = json + std::string(bytes);
  return made;
}
std::string binary_input(std::string_view name, std::string_view shape, std::string_view datatype,
                         std::size_t size) {
  return cat(R"({"name":")", name, R"(","shape":)", shape, R"(,"datatype":")", datatype,
             R"(","parameters":{"binary_data_size":)", size, "}}");
}

TEST(TensorV2, BinaryElementsStayInTheBodyWhereTheyAreAligned) {
  const Schema schema = vector_schema();
  for (const std::size_t alignment : {16, 1}) {
    const Binary sent =
        with_binary(v2(binary_input("x", "[1,3]", "FP32", 12)), raw<float>({1, 2, 3}), alignment);
    Request request;
    ASSERT_TRUE(read_v2_binary(sent.body, sent.json, schema, {}, request));
    const TensorCells& cells = request.table.tensors[0];
    EXPECT_THAT(elements<float>(cells), ElementsAre(1, 2, 3));
    const auto* begin = reinterpret_cast<const std::byte*>(sent.body.data());
    const bool borrowed = cells.bytes.data() >= begin && cells.bytes.data() < begin + sent.body.size();
    EXPECT_EQ(borrowed, alignment == 16);
    EXPECT_TRUE(is_whole(request.table, schema));
  }
}

TEST(TensorV2, JsonAndBinaryInputsMix) {
  const std::string json =
      v2(cat(v2_input("scale", "[1]", "FP32", "[0.5]"), ",", binary_input("mask", "[1,2]", "BOOL", 2), ",",
             binary_input("ids", "[1,2]", "INT64", 16)));
  const Binary sent = with_binary(json, std::string("\1\0", 2) + raw<std::int64_t>({-7, 9}));
  Request request;
  const Schema schema = several_schema();
  const auto status = read_v2_binary(sent.body, sent.json, schema, {}, request);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_THAT(elements<std::int64_t>(request.table.tensors[0]), ElementsAre(-7, 9));
  EXPECT_THAT(elements<std::uint8_t>(request.table.tensors[1]), ElementsAre(1, 0));
  EXPECT_THAT(elements<float>(request.table.tensors[2]), ElementsAre(0.5F));
}

TEST(TensorV2, BinaryIsCheckedToTheByte) {
  const auto refuse = [](DType dtype, std::string_view input, std::string_view bytes) {
    const Binary sent = with_binary(v2(input), bytes);
    Request request;
    const auto status = read_v2_binary(sent.body, sent.json, vector_schema(dtype), {}, request);
    EXPECT_FALSE(status);
    return status ? "" : status.error().message;
  };
  const std::string twelve(12, '\1');
  EXPECT_THAT(refuse(DType::kFloat32, binary_input("x", "[2,3]", "FP32", 12), twelve), HasSubstr("needs 24"));
  EXPECT_THAT(refuse(DType::kFloat64, binary_input("x", "[1,3]", "FP32", 12), twelve),
              HasSubstr("takes FP64"));
  EXPECT_THAT(refuse(DType::kBool, binary_input("x", "[1,3]", "BOOL", 3), "\1\2\1"), HasSubstr("no BOOL"));
  EXPECT_THAT(refuse(DType::kString, binary_input("x", "[1,3]", "BYTES", 12), std::string(12, '\0') + "x"),
              HasSubstr("1 bytes follow"));
  EXPECT_THAT(refuse(DType::kString, binary_input("x", "[1,3]", "BYTES", 13),
                     std::string("\1\0\0\0\xff", 5) + std::string(8, '\0')),
              HasSubstr("not valid UTF-8"));
}

TEST(TensorV2, ABodyOfNothingButBytesIsTheOnlyInput) {
  Request request;
  const std::string body = raw<float>({1, 2, 3, 4, 5, 6});
  const Schema schema = vector_schema();
  ASSERT_TRUE(read_v2_binary(body, 0, schema, {}, request));
  EXPECT_THAT(request.table.tensors[0].shape, ElementsAre(2, 3));
  EXPECT_TRUE(request.binary_outputs);
  EXPECT_FALSE(read_v2_binary(body.substr(0, 5), 0, schema, {}, request));
  EXPECT_FALSE(read_v2_binary(body, 0, several_schema(), {}, request));
  const Schema free = tensor_schema({{"x", DType::kFloat32, {-1, -1}, {}}});
  const auto two = read_v2_binary(body, 0, free, {}, request);
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message, HasSubstr("does not say the lengths"));
  const Schema text = tensor_schema({{"x", DType::kString, {-1}, {}}});
  ASSERT_TRUE(read_v2_binary("hello", 0, text, {}, request));
  EXPECT_THAT(request.table.tensors[0].texts, ElementsAre("hello"));
}

TEST(TensorV1, InstancesAreRows) {
  const auto one = read(read_v1, R"({"instances":[[1,2,3],[4,5,6]]})", vector_schema());
  ASSERT_TRUE(one->status) << one->message();
  EXPECT_THAT(elements<float>(one->cells()), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(one->cells().shape, ElementsAre(2, 3));
  const auto named = read(read_v1, R"({"instances":[{"x":[1,2,3]}]})", vector_schema());
  ASSERT_TRUE(named->status) << named->message();
  const auto several = read(
      read_v1,
      R"({"instances":[{"ids":[1,2],"mask":[true,false],"scale":0.5},{"scale":1,"mask":[true,true],"ids":[3,4]}]})",
      several_schema());
  ASSERT_TRUE(several->status) << several->message();
  EXPECT_THAT(elements<std::int64_t>(several->cells(0)), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(elements<float>(several->cells(2)), ElementsAre(0.5F, 1));
  EXPECT_EQ(several->request.table.rows, 2U);
}

TEST(TensorV1, InputsAreWholeTensors) {
  const auto one = read(read_v1, R"({"inputs":[[1,2,3]]})", vector_schema());
  ASSERT_TRUE(one->status) << one->message();
  const auto named = read(read_v1, R"({"inputs":{"x":[[1,2,3]]}})", vector_schema());
  ASSERT_TRUE(named->status) << named->message();
  const auto scalar =
      read(read_v1, R"({"inputs":{"x":7}})", tensor_schema({{"x", DType::kInt32, {}, {}}}, false));
  ASSERT_TRUE(scalar->status) << scalar->message();
  EXPECT_THAT(elements<std::int32_t>(scalar->cells()), ElementsAre(7));
}

TEST(TensorV1, TextsMayBeBase64Objects) {
  const Schema schema = tensor_schema({{"text", DType::kString, {-1}, {}}});
  const auto made = read(read_v1, R"({"instances":[{"b64":"aGVsbG8="},"w\u00f6rld"]})", schema);
  ASSERT_TRUE(made->status) << made->message();
  EXPECT_THAT(made->cells().texts, ElementsAre("hello", "wörld"));
  EXPECT_THAT(read(read_v1, R"({"instances":[{"b64":"/w=="}]})", schema)->message(),
              HasSubstr("not valid UTF-8"));
}

TEST(TensorV1, EmptyListsAreNoRows) {
  const auto none = read(read_v1, R"({"instances":[]})", vector_schema());
  ASSERT_TRUE(none->status) << none->message();
  EXPECT_THAT(none->cells().shape, ElementsAre(0, 3));
  const auto several = read(read_v1, R"({"instances":[]})", several_schema());
  ASSERT_TRUE(several->status) << several->message();
  EXPECT_EQ(several->request.table.rows, 0U);
}

TEST(TensorV1, RefusesWhatIsNoTensor) {
  const auto message = [](std::string body, const Schema& schema = vector_schema()) {
    return read(read_v1, std::move(body), schema)->message();
  };
  EXPECT_THAT(message(R"({"instances":[[1,2,3],[1,2]]})"), HasSubstr("list [1] has fewer than 3"));
  EXPECT_THAT(message(R"({"instances":[[1,2,3],[1,2,3,4]]})"), HasSubstr("list [1] has more than 3"));
  EXPECT_THAT(message(R"({"instances":[[1,2]]})"), HasSubstr("shape [1, 2]; the model takes [batch, 3]"));
  EXPECT_THAT(message(R"({"instances":[1,2,3]})"), HasSubstr("a number stands where a list is expected"));
  EXPECT_THAT(message(R"({"instances":[[[1],[2],[3]]]})"), HasSubstr("a list stands where an element"));
  EXPECT_THAT(message(R"({"instances":[{"x":[1,2,3]},[1,2,3]]})"), HasSubstr("instance 1 is not an object"));
  EXPECT_THAT(message(R"({"instances":[{"y":[1,2,3]}]})"), HasSubstr("no input 'y'"));
  EXPECT_THAT(message(R"({"instances":[{"x":[1,2,3],"x":[1,2,3]}]})"), HasSubstr("twice"));
  EXPECT_THAT(message(R"({"instances":[{"x":[1,2,3]},{"x":[1,2,3],"x":[1,2,3]}]})"), HasSubstr("twice"));
  EXPECT_THAT(message(R"({"instances":[[1,2]]})", several_schema()), HasSubstr("not an object"));
  EXPECT_THAT(message(R"({"inputs":[[1,2]]})", several_schema()),
              HasSubstr("3 inputs, which go by their names"));
  EXPECT_THAT(message(R"({"instances":[{"ids":[1],"mask":[true]}]})", several_schema()),
              HasSubstr("instance 0: input 'scale' is missing"));
  EXPECT_THAT(message(R"({"instances":[5]})", tensor_schema({{"x", DType::kInt32, {}, {}}}, false)),
              HasSubstr("no tensor of rows"));
  Request request;
  EXPECT_FALSE(read_v1_examples(R"({"examples":[{}]})", vector_schema(), {}, request));
}

TEST(TensorInvocations, TakeInstancesAndInputsAndRefuseDataFrames) {
  EXPECT_EQ(read(read_invocations, R"({"instances":[[1,2,3]]})", vector_schema())->message(), "");
  EXPECT_EQ(read(read_invocations, R"({"inputs":{"x":[[1,2,3]]},"params":{"predict_method":"x_out"}})",
                 vector_schema())
                ->message(),
            "");
  for (const char* body :
       {R"({"dataframe_split":{"columns":["a"],"data":[[1]]}})", R"({"dataframe_records":[]})"})
    EXPECT_THAT(read(read_invocations, body, vector_schema())->message(),
                HasSubstr("the model takes tensors"));
  EXPECT_THAT(read(read_csv, "a,b,c\n1,2,3\n", vector_schema())->message(),
              HasSubstr("CSV holds rows of columns"));
}

TEST(TensorRows, TakeEveryFormByItsLook) {
  const Schema schema = vector_schema();
  for (const std::string& body :
       {std::string("[[1,2,3]]"), std::string(R"({"x":[[1,2,3]]})"),
        std::string(R"({"inputs":{"x":[[1,2,3]]}})"), std::string(R"({"instances":[[1,2,3]]})"),
        v2(v2_input("x", "[1,3]", "FP32", "[1,2,3]"))}) {
    const auto made = read(read_rows, body, schema);
    EXPECT_EQ(made->message(), "") << body;
    EXPECT_THAT(elements<float>(made->cells()), ElementsAre(1, 2, 3)) << body;
  }
  EXPECT_THAT(read(read_rows, R"({"rows":[[1]]})", schema)->message(), HasSubstr("the model takes tensors"));
  EXPECT_THAT(read(read_rows, R"({"inputs":[[1,2,3]],"instances":[]})", schema)->message(),
              HasSubstr("both"));
  EXPECT_THAT(read(read_rows, "7", schema)->message(), HasSubstr("a list is expected"));
  const Schema unlucky =
      tensor_schema({{"inputs", DType::kInt32, {-1}, {}}, {"mask", DType::kInt32, {-1}, {}}});
  EXPECT_EQ(read(read_rows, R"({"inputs":[1],"mask":[2]})", unlucky)->message(), "");
}

TEST(TensorGrpc, TakesContentsAndRawContents) {
  using protobuf::Writer;
  const auto message = [](std::string_view datatype, std::uint32_t field, std::string_view packed,
                          std::string_view raws) {
    std::string out;
    Writer writer(out);
    writer.bytes(1, "m");
    const std::size_t input = writer.begin(5);
    writer.bytes(1, "x");
    writer.bytes(2, datatype);
    const std::size_t shape = writer.begin(3);
    writer.raw_varint(1);
    writer.raw_varint(3);
    writer.end(shape);
    if (field != 0) {
      const std::size_t contents = writer.begin(5);
      writer.bytes(field, packed);
      writer.end(contents);
    }
    writer.end(input);
    if (!raws.empty()) writer.bytes(7, raws);
    return out;
  };
  Request request;
  const std::string floats = message("FP32", 6, raw<float>({1, 2, 3}), "");
  ASSERT_TRUE(read_infer_request(floats, vector_schema(), {}, request));
  EXPECT_THAT(elements<float>(request.table.tensors[0]), ElementsAre(1, 2, 3));
  const std::string bytes =
      message("INT8", 2, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2\3", 12), "");
  const auto small = read_infer_request(bytes, vector_schema(DType::kInt8), {}, request);
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_THAT(elements<std::int8_t>(request.table.tensors[0]), ElementsAre(-1, 2, 3));
  const std::string large = message("UINT8", 4, std::string("\x80\2\1\1", 4), "");
  const auto range = read_infer_request(large, vector_schema(DType::kUint8), {}, request);
  ASSERT_FALSE(range);
  EXPECT_THAT(range.error().message, HasSubstr("element 0: 256 is beyond the range of UINT8"));
  const std::string raw_half = message("FP16", 0, "", raw<std::uint16_t>({0x3c00, 1, 2}));
  ASSERT_TRUE(read_infer_request(raw_half, vector_schema(DType::kFloat16), {}, request));
  EXPECT_THAT(elements<std::uint16_t>(request.table.tensors[0]), ElementsAre(0x3c00, 1, 2));
  EXPECT_FALSE(read_infer_request(raw_half, vector_schema(), {}, request));
  const std::string few = message("FP32", 6, raw<float>({1, 2}), "");
  EXPECT_FALSE(read_infer_request(few, vector_schema(), {}, request));
}

tensor::ResultView floats(const std::vector<float>& values, std::initializer_list<std::int64_t> shape) {
  tensor::ResultView view{
      .dtype = DType::kFloat32, .axes = static_cast<std::uint8_t>(shape.size()), .data = values.data()};
  std::copy(shape.begin(), shape.end(), view.lengths.begin());
  return view;
}

TEST(TensorAnswers, AreNestedOrObjectsOfTensors) {
  const std::vector<float> values = {1, 2, 3, 4};
  const Schema schema =
      tensor_schema({{"a", DType::kFloat32, {-1, 2}, {}}, {"b", DType::kFloat32, {-1}, {}}});
  const tensor::ResultView a = floats(values, {2, 2}), b = floats(values, {2});
  const tensor::NamedResult results[] = {{"a_out", {&a, 1}, {}}, {"b_out", {&b, 1}, {}}};
  std::string out;
  write_v1_predictions(schema, {V1Layout::kRows, {0, 1}}, results, out);
  EXPECT_EQ(out, R"({"predictions":[{"a_out":[1.0,2.0],"b_out":1.0},{"a_out":[3.0,4.0],"b_out":2.0}]})");
  out.clear();
  write_v1_predictions(schema, {V1Layout::kColumns, {0, 1}}, results, out);
  EXPECT_EQ(out, R"({"outputs":{"a_out":[[1.0,2.0],[3.0,4.0]],"b_out":[1.0,2.0]}})");
  out.clear();
  write_predictions(results, out);
  EXPECT_EQ(out, R"({"predictions":{"a_out":[[1.0,2.0],[3.0,4.0]],"b_out":[1.0,2.0]}})");
  const tensor::ResultView scalar = floats(values, {});
  const tensor::NamedResult odd[] = {{"a_out", {&a, 1}, {}}, {"b_out", {&scalar, 1}, {}}};
  out.clear();
  write_v1_predictions(schema, {V1Layout::kRows, {0, 1}}, odd, out);
  EXPECT_EQ(out, R"({"predictions":{"a_out":[[1.0,2.0],[3.0,4.0]],"b_out":1.0}})");
}

TEST(TensorAnswers, WriteHalfNumbersAndClassesOfWhatIsNotBatched) {
  const std::vector<std::uint16_t> halves = {0x3c00, 0xc000, 0x7c00};
  tensor::ResultView view{.dtype = DType::kFloat16, .axes = 1, .lengths = {3}, .data = halves.data()};
  const Schema schema = tensor_schema({{"x", DType::kFloat16, {3}, {}}}, false);
  const tensor::NamedResult results[] = {{"x_out", {&view, 1}, {}}};
  Request request;
  std::string out;
  EXPECT_EQ(write_v2_answer({"m", "", {}}, schema, request, results, out), 0U);
  EXPECT_THAT(out, HasSubstr(R"("datatype":"FP16","shape":[3],"data":[1.0,-2.0,null])"));
  request.tensors = {0};
  request.forms = {{.classes = 2}};
  out.clear();
  write_v2_answer({"m", "", {}}, schema, request, results, out);
  EXPECT_THAT(out, HasSubstr(R"("shape":[2],"data":["Infinity:2","1.0:0"])"));
}

TEST(TensorMetadata, ShowsTheModelsOwnInputs) {
  const std::vector<std::string> versions = {"1"};
  const std::string json = model_metadata(several_schema(), "m", versions, "onnx");
  EXPECT_THAT(json, HasSubstr(R"({"name":"ids","datatype":"INT64","shape":[-1,-1]})"));
  EXPECT_THAT(json, HasSubstr(R"({"name":"scale_out","datatype":"FP32","shape":[-1]})"));
  EXPECT_THAT(v1_metadata(several_schema(), "m", "1"), HasSubstr(R"("ids":{"dtype":"DT_INT64")"));
  EXPECT_THAT(config_inputs(several_schema())[0].dims, ElementsAre(-1));
  EXPECT_THAT(config_inputs(tensor_schema({{"x", DType::kInt32, {1, 3}, {}}}, false))[0].dims,
              ElementsAre(1, 3));
}

TEST(TensorSamples, AreTakenBack) {
  for (const Schema& schema :
       {several_schema(), vector_schema(DType::kString), vector_schema(DType::kBfloat16)}) {
    std::string first, texts = "text";
    tensor::Table table;
    table.reset_tensors(2, schema.inputs().size());
    for (std::size_t i = 0; i < schema.inputs().size(); ++i) {
      TensorCells& cells = table.tensors[i];
      cells.dtype = schema.inputs()[i].dtype;
      cells.shape = schema.inputs()[i].shape;
      for (std::int64_t& length : cells.shape) length = length < 0 ? 2 : length;
      const std::size_t count = *tensor::element_count(cells.shape);
      if (cells.dtype == DType::kString) cells.texts.assign(count, texts);
      const auto bytes = cells.own(count * tensor::info(cells.dtype).size);
      std::fill(bytes.begin(), bytes.end(), std::byte{0});
    }
    EXPECT_EQ(read(read_v2, sample_v2(schema, table), schema)->message(), "");
    EXPECT_EQ(read(read_invocations, sample_invocations(schema, table), schema)->message(), "");
    EXPECT_EQ(read(read_rows, sample_rows(schema, table), schema)->message(), "");
  }
}

TEST(TensorRequests, AllocateNothingWhenWarm) {
  const Schema schema = several_schema();
  const std::string body = v2(cat(v2_input("ids", "[1,2]", "INT64", "[1,2]"), ",",
                                  v2_input("mask", "[1,2]", "BOOL", "[[true,true]]"), ",",
                                  v2_input("scale", "[1]", "FP32", "[0.5]")));
  Request request;
  ASSERT_TRUE(read_v2(body, schema, {}, request));
  const std::size_t before = base::allocations;
  const bool again = read_v2(body, schema, {}, request).has_value();
  EXPECT_EQ(base::allocations - before, 0U);
  EXPECT_TRUE(again);
}

// An input of which nobody knows the number of axes.
Schema any_schema() {
  return tensor_schema({{"x", DType::kFloat32, {program::kAnyAxes}, {}}}, false);
}

TEST(AnyShape, HasAsManyAxesAsListsStandInEachOther) {
  const Schema schema = any_schema();
  const auto matrix = read(read_v1, R"({"inputs": [[1, 2, 3], [4, 5, 6]]})", schema);
  EXPECT_EQ(matrix->message(), "");
  EXPECT_THAT(matrix->cells().shape, ElementsAre(2, 3));
  EXPECT_THAT(elements<float>(matrix->cells()), ElementsAre(1, 2, 3, 4, 5, 6));
  const auto scalar = read(read_invocations, R"({"inputs": {"x": 7.5}})", schema);
  EXPECT_EQ(scalar->message(), "");
  EXPECT_TRUE(scalar->cells().shape.empty());
  EXPECT_THAT(read(read_v1, R"({"inputs": [[]]})", schema)->cells().shape, ElementsAre(1, 0));
}

TEST(AnyShape, IsTheShapeWhichAV2RequestSays) {
  const auto cube = read(read_v2, v2(v2_input("x", "[1,2,2]", "FP32", "[1,2,3,4]")), any_schema());
  EXPECT_EQ(cube->message(), "");
  EXPECT_THAT(cube->cells().shape, ElementsAre(1, 2, 2));
}

TEST(AnyShape, IsHeldToListsOfOneLengthAndToTheMostAxes) {
  EXPECT_THAT(read(read_v1, R"({"inputs": [[1, 2], [3]]})", any_schema())->message(),
              HasSubstr("fewer than 2"));
  EXPECT_THAT(read(read_v1, R"({"inputs": [[1], 2]})", any_schema())->message(),
              HasSubstr("a number stands"));
  EXPECT_THAT(read(read_v1, R"({"inputs": [1, [2]]})", any_schema())->message(), HasSubstr("a list stands"));
  EXPECT_THAT(read(read_v1, R"({"inputs": [[[[[[[[[1]]]]]]]]]})", any_schema())->message(),
              HasSubstr("more than 8 axes"));
  EXPECT_THAT(read(read_v1, R"({"instances": [[1], [2]]})", any_schema())->message(),
              HasSubstr("no tensor of rows"));
}

// V2 has no way to say it, TensorFlow Serving has one.
TEST(AnyShape, IsSaidByMetadata) {
  const std::vector<std::string> versions{"1"};
  EXPECT_THAT(model_metadata(any_schema(), "m", versions, "onnx"),
              HasSubstr(R"("shape":[-1],"parameters":{"unknown_rank":true}})"));
  EXPECT_EQ(shape_text(any_schema().inputs()[0]), "[…]");
}

}  // namespace
}  // namespace wherry::protocol
