// Every function that the evaluator has itself occurs in a fixture which is compared with PyTorch's answers
// (tests/fixtures/torch/constructs.py, tests/networks.py), or is listed here with the reason why not.
#include <algorithm>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "import/torch/module_recipes.h"
#include "import/torch/saved.h"
#include "import/torch/script_native.h"
#include "import/zip/archive.h"

namespace wherry::torch {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(WHERRY_SOURCE_DIR) / "tests/fixtures/torch";

std::string content(std::string_view name) {
  auto text = base::real_files().read(kFolder / name, 1 << 20);
  EXPECT_TRUE(text) << base::describe(text.error());
  return text ? *std::move(text) : std::string();
}

// The code of the fixtures, and the recipes.
std::string all_code() {
  std::string code = content("constructs.py");
  const std::string script = content("constructs-script.pt");
  auto archive = zip::Archive::open(base::as_bytes(script));
  EXPECT_TRUE(archive);
  for (const std::string_view name : archive->names()) {
    if (!name.ends_with(".py")) continue;
    const auto text = archive->read(name);
    if (text) code += *text;
  }
  return base::cat(code, recipe_source("wherry.nn"), recipe_source("wherry.vision"));
}

// How a call of it is spelled.
std::string spelling(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('.') + 1);
  if (path.starts_with("builtins.")) return base::cat(last, "(");
  if (path.starts_with("methods.") || path.starts_with("Tensor.")) return base::cat(".", last, "(");
  if (path.starts_with("torch.nn.")) return base::cat(path.substr(6), "(");
  if (path.starts_with("numpy.")) return base::cat("np.", last, "(");
  return base::cat(path, "(");
}

struct Left {
  std::string_view path;
  std::string_view reason;
};
constexpr Left kLeft[] = {
    {"Tensor.cuda", "needs a GPU where the answers are made"},
    {"Tensor.pin_memory", "needs a GPU where the answers are made"},
    {"torch.__getitem__", "TorchScript writes (x)[i]; the operator's name stands in code of other writers"},
    {"torch.Int", "written as int()"},
    {"torch.Float", "written as float()"},
    {"torch.Bool", "written as bool()"},
    {"torch.str", "written as str()"},
    {"torch.sorted", "written as sorted()"},
    {"torch.dict", "written as dict()"},
    {"torch.list_with_default", "of torch before 1.13"},
    {"torch.has_torch_function", "of torch before 1.13"},
    {"prim.Print", "written as print()"},
    {"prim.unchecked_unwrap_optional", "written as unchecked_cast()"},
    {"prim.unchecked_cast", "written as unchecked_cast()"},
    {"prim.shape", "of torch before 1.13; now torch.size()"},
    {"prim.ndim", "of torch before 1.13; now torch.dim()"},
    {"prim.T", "now torch.numpy_T()"},
    {"prim.mT", "now torch.mT()"},
    {"prim.rangelist", "of torch before 1.13"},
};

TEST(ScriptCoverage, EveryFunctionOfTheTablesOccursInAFixture) {
  const std::string code = all_code();
  std::vector<std::string> without;
  for (const Left& each : kLeft) EXPECT_TRUE(find_native(each.path)) << each.path;
  for (const auto rows : {builtin_rows(), method_rows(), torch_rows(), script_rows()}) {
    for (const NativeRow& row : rows) {
      const bool left = std::ranges::find(kLeft, row.path, &Left::path) != std::end(kLeft);
      const bool found = code.find(spelling(row.path)) != std::string::npos;
      if (left == found) without.push_back(base::cat(row.path, left ? " (listed, and there)" : ""));
    }
  }
  EXPECT_EQ(base::join(without, "\n"), "");
}

}  // namespace
}  // namespace wherry::torch
