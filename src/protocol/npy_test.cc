#include "protocol/npy.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using tensor::DType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As numpy.save pads it: elements begin at a multiple of 64.
std::string npy(std::string_view descr, std::string_view shape, std::string_view elements,
                std::string_view order = "False") {
  std::string header =
      base::cat("{'descr': '", descr, "', 'fortran_order': ", order, ", 'shape': ", shape, ", }");
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  std::string out = "\x93NUMPY\x01";
  out += '\0';
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  return out + header + std::string(elements);
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string refused(const std::string& file, const Schema& schema = vector_schema(),
                    std::string_view name = "x") {
  const NamedArray array{name, file};
  Request request;
  const auto status = read_arrays({&array, 1}, schema, request);
  EXPECT_FALSE(status);
  return status ? "" : status.error().message;
}

TEST(Npy, IsAnInput) {
  const std::string file = npy("<f4", "(2, 3)", floats({1, 2, 3, 4, 5, 6}));
  for (const char* name : {"x", "", "arr_0"}) {
    const NamedArray array{name, file};
    Request request;
    const auto status = read_arrays({&array, 1}, vector_schema(), request);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_THAT(request.table.tensors[0].shape, ElementsAre(2, 3));
    float last = 0;
    std::memcpy(&last, request.table.tensors[0].bytes.data() + 20, sizeof last);
    EXPECT_EQ(last, 6);
  }
}

TEST(Npy, HoldsTexts) {
  const Schema schema = tensor_schema({{"x", DType::kString, {-1}, {}}});
  const std::u32string wide = {U'é', 0, 0, U'日', U'本', 0};
  Request request;
  const std::string file = npy("<U3", "(2,)", {reinterpret_cast<const char*>(wide.data()), 24});
  const NamedArray array{"x", file};
  const auto status = read_arrays({&array, 1}, schema, request);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_THAT(request.table.tensors[0].texts, ElementsAre("é", "日本"));
  const std::string narrow = npy("|S2", "(2,)", std::string("ab\0\0", 4));
  const NamedArray bytes{"x", narrow};
  ASSERT_TRUE(read_arrays({&bytes, 1}, schema, request));
  EXPECT_THAT(request.table.tensors[0].texts, ElementsAre("ab", ""));
}

TEST(Npy, IsRefusedWhereItIsNoSuchTensor) {
  EXPECT_THAT(refused("PK"), HasSubstr("not an array"));
  EXPECT_THAT(refused(npy("<f8", "(1, 3)", std::string(24, '\0'))),
              HasSubstr("float64; the model takes float32"));
  EXPECT_THAT(refused(npy("<f4", "(1, 3)", std::string(8, '\0'))), HasSubstr("needs 3 times 4"));
  EXPECT_THAT(refused(npy("<f4", "(1, 2)", std::string(8, '\0'))), HasSubstr("takes [batch, 3]"));
  EXPECT_THAT(refused(npy(">f4", "(1, 3)", std::string(12, '\0'))), HasSubstr("big-endian"));
  EXPECT_THAT(refused(npy("<f4", "(1, 3)", std::string(12, '\0'), "True")), HasSubstr("column by column"));
  EXPECT_THAT(refused(npy("|O", "(1, 3)", "")), HasSubstr("dtype '|O'"));
  EXPECT_THAT(refused(npy("<f4", "(99999999999999, 3)", "")), HasSubstr("too large"));
  EXPECT_THAT(refused(npy("<f4", "(1, 3)", std::string(12, '\0')).substr(0, 20)), HasSubstr("cut off"));
  EXPECT_THAT(refused(npy("<f4", "(1, 3)", floats({1, 2, 3})), vector_schema(), "y"),
              HasSubstr("no input 'y'"));
  EXPECT_THAT(refused(npy("<f4", "(1, 3)", floats({1, 2, 3})), several_schema(), ""), HasSubstr("3 inputs"));
  EXPECT_THAT(refused(npy("<f4", "(1, 3)", floats({1, 2, 3})), matrix_schema(3)),
              HasSubstr("rows of columns"));
}

}  // namespace
}  // namespace wherry::protocol
