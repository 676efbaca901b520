#include "import/torch/module_recipes.h"

#include <string>

namespace wherry::torch {
namespace {

constexpr std::string_view kFunctions =
#include "import/torch/module_functions.inc"
#include "import/torch/module_layers.inc"
    ;
constexpr std::string_view kVision =
#include "import/torch/module_vision.inc"
    ;

}  // namespace

std::string_view recipe_source(std::string_view name) {
  if (name == "wherry.nn") return kFunctions;
  if (name == "wherry.vision") return kVision;
  return {};
}

}  // namespace wherry::torch
