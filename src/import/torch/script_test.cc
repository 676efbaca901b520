#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "import/torch/module_saved.h"
#include "import/torch/script_archive.h"

namespace wherry::torch {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// forward() of the class Net in `source`, built by its __init__ and evaluated.
base::Result<Model> evaluate(const std::string& source, const std::vector<InputHint>& hints = {}) {
  SourceSet sources(
      SourceKind::kUser, [&](std::string_view module) -> base::Result<std::optional<SourceSet::Text>> {
        if (module != "__main__") return std::optional<SourceSet::Text>();
        return std::optional<SourceSet::Text>(
            {base::cat("import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n",
                       source),
             "net.py"});
      });
  return evaluate_forward(
      sources,
      [&](Interpreter& in) -> base::Result<Value> {
        TRY_ASSIGN(const auto type, in.class_by_path("__main__.Net"));
        in.frame().source = type->source;
        TRY_ASSIGN(const Value made, in.construct(type, {}, {}));
        const Object& net = *made.get<Object>();
        net->changed.clear();
        for (const auto& [name, value] : net->attributes) net->saved.insert(name);
        return made;
      },
      hints);
}

// The body of a forward(self, x) over a 2×3 input.
base::Result<Model> evaluate_body(const std::string& body) {
  std::string text = "class Net(nn.Module):\n    def forward(self, x):\n";
  for (const std::string_view line : base::split(body, '\n')) text += base::cat("        ", line, "\n");
  return evaluate(text, {{"x", tensor::DType::kFloat32, {2, 3}, true, true}});
}

std::vector<std::string> operators(const graph::Block& block) {
  std::vector<std::string> names;
  for (const graph::Node& node : block.nodes) names.push_back(node.op);
  return names;
}
std::vector<std::string> operators(const base::Result<Model>& model) {
  EXPECT_TRUE(model) << base::describe(model.error());
  return model ? operators(model->graph.body) : std::vector<std::string>{};
}
std::string message(const base::Result<Model>& model) {
  return model ? "" : model.error().message;
}
std::vector<std::string> names(const std::vector<graph::NamedValue>& values) {
  std::vector<std::string> all;
  for (const graph::NamedValue& each : values) all.push_back(each.name);
  return all;
}

TEST(TorchPython, DecidesWhatIsKnownWhileImporting) {
  const auto ops =
      operators(evaluate_body("n = 0\n"
                              "for i in range(2):\n"
                              "    n += len([a for a in (1, 2, 3) if a > i])\n"
                              "assert n == 5 and x.shape[1] == 3 and x.dim() == 2\n"
                              "if self.training:\n"
                              "    raise ValueError('not reached')\n"
                              "return torch.relu(x) if x is not None else x.exp()"));
  EXPECT_THAT(ops, ElementsAre("Relu"));
}

TEST(TorchPython, ABranchOnDataBecomesIf) {
  const auto ops =
      operators(evaluate_body("if x.sum() > 0:\n    y = x + 1\nelse:\n    y = torch.exp(x)\nreturn y"));
  EXPECT_THAT(ops, Contains("If"));
  EXPECT_THAT(operators(evaluate_body("if x.sum() > 0:\n    return x + 1\nreturn torch.exp(x)")),
              Contains("If"));
}

TEST(TorchPython, ABranchThatOnlyRaisesIsACheck) {
  const auto ops =
      operators(evaluate_body("if x.sum() > 0:\n    raise ValueError('no')\nreturn torch.exp(x)"));
  EXPECT_THAT(ops, Not(Contains("If")));
  EXPECT_THAT(message(evaluate_body("raise ValueError('never')")),
              HasSubstr("net.py:7: the model raises: never"));
}

TEST(TorchPython, ALoopOnDataBecomesLoop) {
  const auto ops =
      operators(evaluate_body("n = 0\nwhile x.sum() < 10:\n    x = x * 2\n    n += 1\nreturn x, n"));
  EXPECT_THAT(ops, Contains("Loop"));
}

TEST(TorchPython, NamesWhatItCannotEvaluate) {
  EXPECT_THAT(message(evaluate_body("y = x\ntry:\n    y = x\nfinally:\n    pass\nreturn y")),
              HasSubstr("net.py:8: `try` is not supported, in `try:`"));
  EXPECT_THAT(message(evaluate_body("return F.no_such_function(x)")),
              HasSubstr("torch.nn.functional.no_such_function() is not supported (net.py:7, in `return "
                        "F.no_such_function(x)`)"));
  EXPECT_THAT(message(evaluate_body("y = []\nif x.sum() > 0:\n    y.append(x)\nelse:\n    pass\nreturn x")),
              HasSubstr("a list made outside is changed inside"));
  EXPECT_THAT(message(evaluate_body("return open('/etc/passwd').read()")),
              HasSubstr("'open' has no value here"));
}

TEST(TorchPython, ListsAllOperatorsThatAreMissing) {
  const auto model = evaluate_body("y = torch.no_such(x)\nreturn F.nor_such(y.relu()) + torch.no_such(y)");
  EXPECT_THAT(message(model), HasSubstr("2 operators are not supported: torch.no_such() (net.py:7"));
  EXPECT_THAT(message(model), HasSubstr("torch.nn.functional.nor_such() (net.py:8"));
}

TEST(TorchPython, ChangesInPlaceInABranchReachTheTensorOutside) {
  const auto model =
      evaluate_body("y = x * 2\nrow = y[0]\nif x.sum() > 0:\n    row += 1\nelse:\n    y[1] = 0\nreturn y");
  EXPECT_THAT(operators(model), Contains("If"));
  EXPECT_THAT(operators(evaluate_body("y = torch.zeros(2, 3)\ni = 0\nwhile x.sum() * i < 10:\n    y[:, i] = "
                                      "x[:, i]\n    i += 1\nreturn y")),
              Contains("Loop"));
}

// --- state

TEST(TorchPython, StateBecomesInputsAndOutputs) {
  const std::string net =
      "class Net(nn.Module):\n"
      "    def __init__(self):\n"
      "        self.h = torch.zeros(1, 3)\n"
      "        self.count = 0\n"
      "    def forward(self, x):\n"
      "        self.count += 1\n"
      "        if x.sum() > 0:\n"
      "            self.h = self.h + x\n"
      "        return self.h * self.count\n";
  const auto model = evaluate(net, {{"x", tensor::DType::kFloat32, {1, 3}, true, true}});
  EXPECT_THAT(operators(model), Contains("If"));
  ASSERT_TRUE(model);
  EXPECT_THAT(names(model->graph.inputs), ElementsAre("x", "count", "h"));
  EXPECT_THAT(names(model->graph.outputs), ElementsAre("output", "count_out", "h_out"));
  ASSERT_EQ(model->facts.size(), 2U);
  EXPECT_THAT(model->facts[1].second, HasSubstr("the file starts it as zeros, [1, 3]"));
}

TEST(TorchPython, ABufferChangedInPlaceIsState) {
  const auto model = evaluate(
      "class Net(nn.Module):\n"
      "    def __init__(self):\n"
      "        self.register_buffer('total', torch.ones(3))\n"
      "    def forward(self, x):\n"
      "        self.total.add_(x.sum(0))\n"
      "        return x / self.total\n",
      {{"x", tensor::DType::kFloat32, {2, 3}, true, true}});
  ASSERT_TRUE(model) << base::describe(model.error());
  EXPECT_THAT(names(model->graph.inputs), ElementsAre("x", "total"));
  EXPECT_THAT(names(model->graph.outputs), ElementsAre("output", "total_out"));
}

TEST(TorchPython, WhatIsSetBeforeItIsReadIsNoState) {
  const auto model = evaluate(
      "class Net(nn.Module):\n"
      "    def __init__(self):\n"
      "        self.last = torch.zeros(1)\n"
      "    def forward(self, x):\n"
      "        self.last = x * 2\n"
      "        self.last = self.last + 1\n"
      "        return self.last\n",
      {{"x", tensor::DType::kFloat32, {2, 3}, true, true}});
  ASSERT_TRUE(model) << base::describe(model.error());
  EXPECT_THAT(names(model->graph.inputs), ElementsAre("x"));
}

TEST(TorchPython, BoundsStepsAndDepth) {
  EXPECT_EQ(evaluate("class Net(nn.Module):\n    def forward(self, x):\n        return self.forward(x)\n")
                .error()
                .id,
            "torch.limit_python");
  EXPECT_EQ(evaluate_body("while True:\n    pass").error().id, "torch.limit_python");
  EXPECT_EQ(evaluate_body("for i in range(10 ** 12):\n    pass").error().id, "torch.limit_python");
}

TEST(TorchPython, NamesOutputsAsForwardDoes) {
  const auto one = evaluate_body("return {'logits': x + 1, 'hidden': (x, x * 2)}");
  ASSERT_TRUE(one) << base::describe(one.error());
  EXPECT_THAT(names(one->graph.outputs), ElementsAre("logits", "hidden_0", "hidden_1"));
  const auto two = evaluate_body("return x + 1, x * 2");
  ASSERT_TRUE(two) << base::describe(two.error());
  EXPECT_THAT(names(two->graph.outputs), ElementsAre("output_0", "output_1"));
}

// --- files
// ---------------------------------------------------------------------------------------------------

const std::filesystem::path kFolder = std::filesystem::path(WHERRY_SOURCE_DIR) / "tests/fixtures/torch_code";

std::shared_ptr<const std::string> content(const std::string& name) {
  auto text = base::real_files().read(kFolder / name, 1 << 20);
  EXPECT_TRUE(text) << base::describe(text.error());
  return std::make_shared<const std::string>(text ? *std::move(text) : std::string());
}

TEST(TorchScript, ReadsTracedAndScriptedModels) {
  for (const auto& [file, op] : {std::pair("convbn.trace.pt", "Conv"), std::pair("branchy.script.pt", "If"),
                                 std::pair("loopscan.script.pt", "Loop")}) {
    const auto text = content(file);
    const auto model = read_torchscript(base::as_bytes(*text), text);
    EXPECT_THAT(operators(model), Contains(op)) << file;
    ASSERT_TRUE(model);
    EXPECT_THAT(names(model->graph.inputs), ElementsAre("x"));
    EXPECT_EQ(model->kind, "TorchScript");
  }
}

TEST(TorchModules, ReadsPickledModulesWithTheirSource) {
  const auto text = content("resnetish.module.pt");
  const auto model = read_module(base::as_bytes(*text), text, {.source = kFolder / "models.py"});
  EXPECT_THAT(operators(model), Contains("Conv"));
  ASSERT_TRUE(model);
  EXPECT_THAT(names(model->graph.outputs), ElementsAre("logits", "features"));
  const auto without = read_module(base::as_bytes(*text), text);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().id, "torch.unknown_class");
  EXPECT_THAT(without.error().hint, HasSubstr("import ResNetish"));
}

TEST(TorchModules, BuildsTheModuleOfAStateDict) {
  const auto text = content("transformer.Transformer.dict.pt");
  const std::filesystem::path source = kFolder / "models.py";
  EXPECT_THAT(
      operators(read_module(base::as_bytes(*text), text, {.source = source, .class_name = "Transformer"})),
      Contains("Softmax"));
  EXPECT_EQ(read_module(base::as_bytes(*text), text, {.source = source, .class_name = "ConvBN"}).error().id,
            "torch.weights_do_not_fit");
  EXPECT_EQ(read_module(base::as_bytes(*text), text).error().id, "torch.state_dict");
}

TEST(TorchScript, SurvivesDamage) {
  const auto whole = content("branchy.script.pt");
  for (std::size_t length = 0; length < whole->size(); length += 97) {
    const auto cut = std::make_shared<const std::string>(whole->substr(0, length));
    const auto model = read_torchscript(base::as_bytes(*cut), cut);
    EXPECT_TRUE(model || !model.error().id.empty());
  }
}

}  // namespace
}  // namespace wherry::torch
