#include "import/torch/source_set.h"

#include "base/text.h"
#include "import/python/parser.h"
#include "import/torch/module_recipes.h"

namespace wherry::torch {

base::Result<const Source*> SourceSet::source(std::string_view module) {
  const auto known = sources_.find(module);
  if (known != sources_.end()) return known->second.get();
  std::optional<Text> text;
  SourceKind kind = kind_;
  if (const std::string_view recipes = recipe_source(module); !recipes.empty()) {
    text = Text{std::string(recipes), base::cat(module, ".py")};
    kind = SourceKind::kRecipes;
  } else {
    TRY_ASSIGN(text, find_(module));
  }
  std::unique_ptr<Source> made;
  if (text) {
    TRY_ASSIGN(python::Module parsed, python::parse(std::move(text->text), std::move(text->file)));
    made = std::make_unique<Source>(std::move(parsed), kind, std::string(module));
  }
  return sources_.emplace(std::string(module), std::move(made)).first->second.get();
}

std::optional<Value> SourceSet::constant(std::string_view name) {
  const auto index = name.starts_with("c") ? base::parse_unsigned(name.substr(1)) : std::nullopt;
  if (!index || *index >= constants_.size()) return std::nullopt;
  return constants_[*index];
}

void SourceSet::begin() {
  constants_.clear();
  for (const auto& [name, source] : sources_) {
    if (!source) continue;
    source->globals.clear();
    source->evaluating.clear();
  }
}

}  // namespace wherry::torch
