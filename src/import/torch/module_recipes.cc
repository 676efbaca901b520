#include "import/torch/module_recipes.h"

#include <string>

namespace wherry::torch {
namespace {

constexpr std::string_view kFunctions =
#include "import/torch/module_functions.inc"
#include "import/torch/module_layers.inc"
    ;

}  // namespace

std::string_view recipe_source(std::string_view name) {
  if (name == "wherry.nn") return kFunctions;
  return {};
}

}  // namespace wherry::torch
