#include "import/tensorflow/model.h"

#include <system_error>

#include "base/files.h"
#include "base/text.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;

constexpr std::uint64_t kMostAsset = std::uint64_t{1} << 30;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_model", std::move(message),
                    "the file is damaged; save the model again or copy the whole folder again");
}

}  // namespace

Result<std::unique_ptr<Model>> Model::open(const std::filesystem::path& folder) {
  TRY_ASSIGN(base::MappedFile file, base::MappedFile::open(folder / "saved_model.pb"));
  auto mapped = std::make_shared<const base::MappedFile>(std::move(file));
  std::unique_ptr<Model> model(new Model);
  model->folder_ = folder;
  model->owner_ = mapped;
  TRY_ASSIGN(model->graph_, read_saved_model(base::as_text(mapped->bytes())));
  std::error_code ignored;
  const std::filesystem::path variables = folder / "variables" / "variables";
  std::filesystem::path index = variables;
  index += ".index";
  if (std::filesystem::exists(index, ignored)) {
    TRY_ASSIGN(model->checkpoint_, Checkpoint::open(variables));
  }
  return model;
}

Result<std::unique_ptr<Model>> Model::read(std::string content) {
  auto kept = std::make_shared<const std::string>(std::move(content));
  std::unique_ptr<Model> model(new Model);
  model->owner_ = kept;
  TRY_ASSIGN(model->graph_, read_saved_model(*kept));
  return model;
}

Result<const FunctionDef*> Model::function(std::string_view name) {
  if (const auto known = functions_.find(name); known != functions_.end()) return known->second.get();
  const auto found = graph_.functions.find(name);
  if (found == graph_.functions.end()) return bad(cat("there is no function ", base::quoted(name)));
  TRY_ASSIGN(FunctionDef function, read_function(found->second));
  auto& kept = functions_[found->first];
  kept = std::make_unique<FunctionDef>(std::move(function));
  return kept.get();
}

Result<std::string> Model::asset(std::string_view node) const {
  const auto found = graph_.assets.find(node);
  if (found == graph_.assets.end()) return bad(cat("node ", base::quoted(node), " names no asset"));
  const std::filesystem::path name(found->second);
  for (const auto& part : name)
    if (name.is_absolute() || part == "..")
      return bad(cat("the asset ", base::quoted(found->second), " is outside the model's folder"));
  return base::real_files().read(folder_ / "assets" / name, kMostAsset);
}

}  // namespace wherry::tensorflow
