#include "onnx/testing_operators.h"

namespace wherry::onnx::testing {
namespace {

using tensor::DType;

void add_shapes(std::vector<Case>& cases) {
  const Tensor x = floats({2, 3, 4});
  cases.push_back({"Reshape", {x, list({0, -1})}});
  cases.push_back({"Reshape", {x, list({4, 3, 2, 1})}});
  cases.push_back({"Reshape", {texts({"a", "b"}), list({2, 1})}});
  cases.push_back({"Reshape", {floats({0, 3}), list({3, 0})}, 1, {{"allowzero", std::int64_t{1}}}});
  cases.push_back({"Transpose", {x}, 1, {{"perm", Ints{2, 0, 1}}}});
  cases.push_back({"Transpose", {x}});
  cases.push_back({"Flatten", {x}, 1, {{"axis", std::int64_t{2}}}});
  cases.push_back({"Flatten", {x}, 1, {{"axis", std::int64_t{-1}}}});
  cases.push_back({"Flatten", {x}, 1, {{"axis", std::int64_t{0}}}});
  cases.push_back({"Squeeze", {floats({1, 3, 1}), list({-1})}});
  cases.push_back({"Squeeze", {floats({1, 3, 1})}, 1, {}, 1, true});
  cases.push_back({"Unsqueeze", {floats({2, 3}), list({0, -1})}});
  cases.push_back({"Concat", {floats({2, 3}), positive({2, 1})}, 2, {{"axis", std::int64_t{-1}}}});
  cases.push_back({"Concat", {list({1}), list({2, 3}), list({4})}, 1, {{"axis", std::int64_t{0}}}});
  cases.push_back({"Split", {floats({2, 5}), list({2, 3})}, 1, {{"axis", std::int64_t{1}}}, 2});
  cases.push_back(
      {"Split", {floats({2, 5})}, 1, {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}}, 2});
  cases.push_back({"Slice", {x, list({1, -3}), list({INT64_MAX, -1}), list({2, 1})}});
  cases.push_back({"Slice", {x, list({-1, 3}), list({INT64_MIN, 0}), list({0, 2}), list({-1, -2})}});
  cases.push_back({"Slice", {x, list({5, 0}), list({9, 2})}});
  cases.push_back({"Expand", {floats({3, 1}), list({2, 1, 4})}});
  cases.push_back({"Tile", {floats({2, 3}), list({2, 1})}});
  cases.push_back({"Shape", {x}});
  cases.push_back({"Shape", {x}, 1, {{"start", std::int64_t{-2}}, {"end", std::int64_t{2}}}});
  cases.push_back({"Size", {x}});
  for (const char* mode : {"constant", "edge", "reflect", "wrap"})
    cases.push_back({"Pad", {x, list({0, 1, 0, 0, 0, 2})}, 1, {{"mode", std::string(mode)}}});
  cases.push_back({"Pad", {x, list({1, -1}), number(7), list({1})}});
}

void add_parts(std::vector<Case>& cases) {
  const Tensor x = floats({3, 4});
  const Tensor pairs = of<std::int64_t>({2, 2}, {0, -1, 2, 1});
  cases.push_back({"Gather", {x, list({2, -1, 0})}, 2});
  cases.push_back({"Gather", {x, pairs}, 2, {{"axis", std::int64_t{1}}}});
  cases.push_back({"Gather", {list({5, 6, 7}), integer(1)}, 0});
  cases.push_back({"GatherElements", {x, of<std::int64_t>({2, 4}, {0, 1, 2, -1, 0, 0, 1, 1})}, 2});
  cases.push_back({"GatherND", {x, pairs}, 2});
  cases.push_back({"GatherND",
                   {floats({2, 3, 4}), of<std::int64_t>({2, 1}, {1, 2})},
                   2,
                   {{"batch_dims", std::int64_t{1}}}});
  cases.push_back({"ScatterElements", {x, of<std::int64_t>({1, 2}, {1, 2}), floats({1, 2})}, 3});
  cases.push_back({"ScatterND", {x, of<std::int64_t>({2, 1}, {0, 2}), positive({2, 4})}, 3});
  cases.push_back({"TopK", {x, list({2})}, 1, {{"axis", std::int64_t{1}}}, 2});
  cases.push_back({"OneHot", {list({1, 0, -1}), integer(4), of<float>({2}, {0, 1})}});
  cases.push_back(
      {"OneHot", {list({1, 0}), integer(3), of<float>({2}, {0, 1})}, 1, {{"axis", std::int64_t{0}}}});
  cases.push_back({"NonZero", {x}, 1, {}, 1, true});
  cases.push_back({"Compress", {x, Tensor::of_bools({2}, {0, 1})}, 2, {{"axis", std::int64_t{1}}}, 1, true});
  cases.push_back({"Compress", {x, Tensor::of_bools({3}, {1, 0, 1})}, 2, {}, 1, true});
  cases.push_back({"Unique", {list({2, 1, 2})}, 1, {}, 4, true});
  cases.push_back({"Unique", {x}, 1, {{"axis", std::int64_t{0}}}, 4, true});
  cases.push_back({"DepthToSpace", {floats({1, 8, 2, 3})}, 1, {{"blocksize", std::int64_t{2}}}});
  cases.push_back({"SpaceToDepth", {floats({1, 2, 4, 6})}, 1, {{"blocksize", std::int64_t{2}}}});
  const Tensor boxes = of<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0, 0.9F, 1, 3, 3, 4, 4});
  cases.push_back(
      {"NonMaxSuppression", {boxes, positive({1, 1, 3}), integer(2), number(0.5F)}, 2, {}, 1, true});
}

void add_made(std::vector<Case>& cases) {
  cases.push_back({"ConstantOfShape", {list({2, 3})}, 0});
  cases.push_back({"ConstantOfShape", {list({2})}, 0, {{"value", list({7})}}});
  cases.push_back({"ConstantOfShape", {list({2, 3})}, 1, {}, 1, true});
  cases.push_back({"Range", {integer(2), integer(11), integer(3)}, 0});
  cases.push_back({"Range", {integer(5), integer(-2), integer(-2)}, 0});
  cases.push_back({"Range", {number(0), number(2), number(0.5F)}, 0, {}, 1, true});
  cases.push_back({"EyeLike", {floats({3, 4})}});
  cases.push_back({"EyeLike", {floats({3, 4})}, 1, {{"dtype", graph::onnx_dtype(DType::kInt64)}}});
}

void add_reductions(std::vector<Case>& cases) {
  for (const std::string_view op :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
        "ReduceProd", "ReduceSum", "ReduceSumSquare"}) {
    cases.push_back({op, {positive({2, 3, 4}), list({1, -1})}});
    cases.push_back({op, {positive({2, 3, 4}), list({0})}, 1, {{"keepdims", std::int64_t{0}}}});
    cases.push_back({op, {positive({2, 3})}});
    cases.push_back({op, {positive({2, 3}), list({})}, 1, {{"noop_with_empty_axes", std::int64_t{1}}}});
  }
  for (const std::string_view op : {"ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum"}) {
    cases.push_back({op, {counted<std::int64_t>({2, 3}, 2)}, 1, {{"keepdims", std::int64_t{0}}}});
    cases.push_back({op, {counted<std::int32_t>({4}), list({0})}});
  }
  for (const std::string_view op : {"ArgMax", "ArgMin"}) {
    cases.push_back({op, {floats({3, 4})}, 1, {{"axis", std::int64_t{-1}}}});
    cases.push_back({op, {floats({3, 4})}, 1, {{"axis", std::int64_t{0}}, {"keepdims", std::int64_t{0}}}});
  }
}

}  // namespace

std::vector<Case> shape_cases() {
  std::vector<Case> cases;
  add_shapes(cases);
  add_parts(cases);
  add_made(cases);
  add_reductions(cases);
  return cases;
}

}  // namespace wherry::onnx::testing
