#include "import/torch/schema.h"

#include <gtest/gtest.h>

#include "import/torch/aten.h"

namespace wherry::torch {
namespace {

using List = Argument::List;

Schema schema(std::string_view text) {
  auto parsed = parse_schema(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Schema{};
}

TEST(Schema, IsReadFromTheTextThatPyTorchPrints) {
  const Schema read = schema(
      "aten::conv2d.padding(Tensor input, Tensor? bias=None, SymInt[2] stride=1, str padding=\"valid\", *, "
      "float "
      "eps=1e-05, Tensor?[] parts, Tensor(a!) out) -> (Tensor, Tensor[])");
  EXPECT_EQ(read.qualified(), "aten::conv2d.padding");
  ASSERT_EQ(read.parameters.size(), 7U);
  EXPECT_TRUE(read.parameters[1].optional);
  EXPECT_TRUE(read.parameters[2].list);
  EXPECT_EQ(read.parameters[2].list_size, 2U);
  EXPECT_EQ(*read.parameters[3].otherwise->get<std::string>(), "valid");
  EXPECT_DOUBLE_EQ(*read.parameters[4].otherwise->get<double>(), 1e-5);
  EXPECT_TRUE(read.parameters[4].keyword_only);
  EXPECT_TRUE(read.parameters[5].optional_items);
  EXPECT_TRUE(read.parameters[6].written);
  EXPECT_EQ(read.returns, 2U);
}

TEST(Schema, OfViewsSaysSo) {
  EXPECT_TRUE(schema("aten::t(Tensor(a) self) -> Tensor(a)").returns_view);
  EXPECT_TRUE(schema("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]").returns_view);
  EXPECT_FALSE(schema("aten::add(Tensor self) -> Tensor").returns_view);
}

TEST(Schema, ThatMakesNoSenseIsAnError) {
  for (const std::string_view text :
       {"", "add", "aten::add(", "aten::add(Tensor self", "aten::add(Tensor self)",
        "aten::add(Tensor self=what) -> Tensor", "aten::add(int[2] x=[1) -> Tensor"})
    EXPECT_FALSE(parse_schema(text)) << text;
}

TEST(Bind, FillsDefaultsAndConverts) {
  const Schema read = schema("aten::f(float x, int[2] size=1, ScalarType? dtype=None) -> Tensor");
  const auto bound = bind(read, {Argument(3)}, {{"dtype", Argument(6)}});
  ASSERT_TRUE(bound);
  EXPECT_DOUBLE_EQ(*(*bound)[0].get<double>(), 3);
  ASSERT_NE((*bound)[1].get<List>(), nullptr);
  EXPECT_EQ((*bound)[1].get<List>()->size(), 2U);
  EXPECT_EQ(*(*bound)[2].get<tensor::DType>(), tensor::DType::kFloat32);
}

TEST(Bind, RefusesWhatDoesNotFit) {
  const Schema read = schema("aten::f(float x, int y=1) -> Tensor");
  EXPECT_FALSE(bind(read, {}, {}));
  EXPECT_FALSE(bind(read, {Argument("text")}, {}));
  EXPECT_FALSE(bind(read, {Argument(1.5), Argument(2), Argument(3)}, {}));
  EXPECT_FALSE(bind(read, {Argument(1.5)}, {{"x", Argument(2.5)}}));
  EXPECT_FALSE(bind(read, {Argument(1.5)}, {{"z", Argument(2)}}));
}

TEST(Table, EveryRowIsReadAndInPlaceNamesAreKnown) {
  EXPECT_GT(Aten::names().size(), 350U);
  EXPECT_TRUE(Aten::knows("aten::conv2d", "default"));
  EXPECT_TRUE(Aten::knows("aten::add_", "Tensor"));
  EXPECT_TRUE(Aten::knows("aten::__and__", "Tensor"));
  EXPECT_FALSE(Aten::knows("aten::conv2d", "nonsense"));
  EXPECT_FALSE(Aten::knows("mine::conv2d", ""));
}

}  // namespace
}  // namespace wherry::torch
