#include "onnx/testing_operators.h"

namespace wherry::onnx::testing {
namespace {

using std::nullopt;
using std::string;

void add_products(std::vector<Case>& cases) {
  cases.push_back({"MatMul", {floats({2, 3}), floats({3, 4})}, 2});
  cases.push_back({"MatMul", {floats({5, 2, 3}), floats({3, 4})}, 2});
  cases.push_back({"MatMul", {floats({4, 2, 3}), floats({3})}, 2});
  cases.push_back({"MatMul", {floats({3}), floats({2, 3, 4})}, 2});
  cases.push_back({"MatMul", {floats({3}), floats({3})}, 2});
  cases.push_back({"Gemm", {floats({2, 3}), floats({3, 4}), floats({4})}});
  cases.push_back({"Gemm",
                   {floats({3, 2}), floats({4, 3})},
                   1,
                   {{"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}, {"alpha", 0.5F}}});
  cases.push_back(
      {"Einsum", {floats({2, 3, 4}), floats({2, 4, 5})}, 2, {{"equation", string("bij, bjk -> bik")}}});
  cases.push_back({"Einsum", {floats({3, 3})}, 1, {{"equation", string("ii->")}}});
}

void add_convolutions(std::vector<Case>& cases) {
  const Tensor x = floats({1, 4, 7, 6}), w = floats({6, 4, 3, 2});
  cases.push_back({"Conv", {x, w, floats({6})}});
  cases.push_back(
      {"Conv", {x, w}, 1, {{"pads", Ints{1, 0, 2, 1}}, {"strides", Ints{2, 1}}, {"dilations", Ints{1, 2}}}});
  cases.push_back({"Conv", {x, floats({8, 1, 3, 3})}, 1, {{"group", std::int64_t{4}}}});
  for (const char* automatic : {"SAME_UPPER", "SAME_LOWER", "VALID"})
    cases.push_back({"Conv", {x, w}, 1, {{"auto_pad", string(automatic)}, {"strides", Ints{2, 2}}}});
  cases.push_back({"Conv", {floats({2, 3, 9}), floats({2, 3, 4})}});
  cases.push_back({"Conv", {floats({1, 2, 3, 4, 5}), floats({3, 2, 2, 2, 2})}});
  const Tensor turned = floats({4, 3, 3, 2});
  cases.push_back({"ConvTranspose", {x, turned}});
  cases.push_back({"ConvTranspose",
                   {x, turned},
                   1,
                   {{"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 1, 1}}, {"output_padding", Ints{1, 0}}}});
  cases.push_back(
      {"ConvTranspose", {x, turned}, 1, {{"strides", Ints{2, 2}}, {"output_shape", Ints{14, 12}}}});
  cases.push_back(
      {"ConvTranspose", {x, turned}, 1, {{"strides", Ints{2, 2}}, {"auto_pad", string("SAME_UPPER")}}});
  cases.push_back({"ConvTranspose", {x, floats({4, 2, 2, 2})}, 1, {{"group", std::int64_t{2}}}});
}

void add_pools(std::vector<Case>& cases) {
  const Tensor x = floats({1, 2, 7, 6});
  for (const std::string_view op : {"MaxPool", "AveragePool", "LpPool"}) {
    cases.push_back({op, {x}, 1, {{"kernel_shape", Ints{3, 2}}}});
    cases.push_back(
        {op, {x}, 1, {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 1, 1}}}});
    cases.push_back(
        {op,
         {x},
         1,
         {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}});
    cases.push_back(
        {op,
         {x},
         1,
         {{"kernel_shape", Ints{2, 2}}, {"auto_pad", string("SAME_UPPER")}, {"strides", Ints{2, 2}}}});
  }
  cases.push_back({"MaxPool",
                   {floats({1, 1, 2, 2})},
                   1,
                   {{"kernel_shape", Ints{1, 1}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}});
  cases.push_back({"MaxPool", {x}, 1, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 2}}}, 2});
  for (const std::string_view op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    cases.push_back({op, {x}});
}

void add_normalizations(std::vector<Case>& cases) {
  const Tensor x = floats({2, 3, 4});
  cases.push_back({"BatchNormalization", {x, floats({3}), floats({3}), floats({3}), positive({3})}});
  cases.push_back({"InstanceNormalization", {x, floats({3}), floats({3})}});
  cases.push_back({"LayerNormalization", {x, floats({4}), floats({4})}});
}

// Sequences of 5, batch of 2, 3 numbers each, 4 hidden.
void add_recurrences(std::vector<Case>& cases) {
  const Tensor x = floats({5, 2, 3});
  const Attributes hidden{{"hidden_size", std::int64_t{4}}};
  const Attributes both{{"hidden_size", std::int64_t{4}}, {"direction", string("bidirectional")}};
  for (const auto& [op, gates, outputs] : std::initializer_list<std::tuple<std::string_view, int, int>>{
           {"LSTM", 4, 3}, {"GRU", 3, 2}, {"RNN", 1, 2}})
    for (const int directions : {1, 2})
      cases.push_back({op,
                       {x, small({directions, gates * 4, 3}), small({directions, gates * 4, 4}),
                        small({directions, gates * 8})},
                       1,
                       directions == 1 ? hidden : both,
                       static_cast<std::size_t>(outputs)});
}

void add_images(std::vector<Case>& cases) {
  const Tensor x = floats({1, 2, 4, 5});
  cases.push_back({"Resize", {x, nullopt, of<float>({4}, {1, 1, 2, 1.5F})}, 1, {{"mode", string("linear")}}});
  cases.push_back({"Resize", {x, nullopt, nullopt, list({1, 2, 3, 7})}});
  cases.push_back(
      {"Resize", {x, nullopt, nullopt, list({8, 3})}, 1, {{"axes", Ints{2, 3}}, {"mode", string("cubic")}}});
  cases.push_back({"GridSample", {x, small({1, 3, 2, 2})}, 2});
  cases.push_back({"AffineGrid", {small({1, 2, 3}), list({1, 2, 3, 4})}, 1, {}, 1, true});
  cases.push_back({"Col2Im", {floats({1, 4, 4}), list({3, 3}), list({2, 2})}, 1, {}, 1, true});
  const Tensor rois = of<float>({1, 4}, {0, 0, 2, 3});
  cases.push_back({"RoiAlign", {x, rois, list({0})}, 1, {{"output_height", std::int64_t{2}}}, 1, true});
  cases.push_back({"DFT", {floats({1, 4, 1}), integer(4), integer(1)}, 1, {}, 1, true});
  cases.push_back({"STFT", {floats({1, 8, 1}), integer(2), nullopt, integer(4)}, 1, {}, 1, true});
}

}  // namespace

std::vector<Case> layer_cases() {
  std::vector<Case> cases;
  add_products(cases);
  add_convolutions(cases);
  add_pools(cases);
  add_normalizations(cases);
  add_recurrences(cases);
  add_images(cases);
  return cases;
}

std::vector<Case> text_cases() {
  const Tensor words = texts({"One two", "b", ""});
  std::vector<Case> cases{{"RegexFullMatch", {words}, 1, {{"pattern", string("[a-c]")}}},
                          {"StringNormalizer",
                           {words},
                           1,
                           {{"case_change_action", string("UPPER")}, {"locale", string("C.UTF-8")}}},
                          {"StringNormalizer",
                           {words},
                           1,
                           {{"stopwords", std::vector<string>{"b"}}, {"locale", string("C.UTF-8")}},
                           1,
                           true},
                          {"StringSplit", {words}, 1, {{"delimiter", string(" ")}}, 2, true},
                          {"LabelEncoder",
                           {words},
                           1,
                           {{"keys_strings", std::vector<string>{"b"}},
                            {"values_int64s", Ints{7}},
                            {"default_int64", std::int64_t{-1}}},
                           1,
                           false,
                           graph::kMlDomain},
                          {"LabelEncoder",
                           {counted<std::int64_t>({3}, 1)},
                           1,
                           {{"keys_int64s", Ints{2}}, {"values_strings", std::vector<string>{"two"}}},
                           1,
                           false,
                           graph::kMlDomain},
                          {"LabelEncoder",
                           {counted<std::int64_t>({3}, 1)},
                           1,
                           {{"keys_int64s", Ints{2}}, {"values_floats", std::vector<float>{2.5F}}},
                           1,
                           false,
                           graph::kMlDomain}};
  for (const std::string_view op : {"TextLower", "TextUpper", "TextStrip"})
    cases.push_back({op, {words}, 1, {}, 1, false, graph::kOwnDomain});
  cases.push_back({"TextReplace",
                   {words},
                   1,
                   {{"pattern", string("o")}, {"rewrite", string("0")}, {"all", std::int64_t{1}}},
                   1,
                   false,
                   graph::kOwnDomain});
  cases.push_back({"TextHash64", {words}, 1, {{"buckets", std::int64_t{100}}}, 1, false, graph::kOwnDomain});
  cases.push_back({"TextFingerprint64", {words}, 1, {}, 1, false, graph::kOwnDomain});
  cases.push_back({"TextHashStrong",
                   {words},
                   1,
                   {{"buckets", std::int64_t{100}}, {"key_0", std::int64_t{3}}, {"key_1", std::int64_t{4}}},
                   1,
                   false,
                   graph::kOwnDomain});
  for (const std::string_view op : {"TextToInt64", "TextToFloat32"})
    cases.push_back({op, {texts({"1", "-20"})}, 1, {}, 1, false, graph::kOwnDomain});
  return cases;
}

}  // namespace wherry::onnx::testing
