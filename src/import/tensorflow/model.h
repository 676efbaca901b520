// A SavedModel folder, opened: its graph, the functions as they are asked for, its variables and assets.
//
// Thread-safety: one thread at a time (functions are read lazily).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "import/tensorflow/checkpoint.h"
#include "import/tensorflow/messages.h"

namespace wherry::tensorflow {

class Model {
 public:
  // `folder` holds saved_model.pb and perhaps variables/ and assets/.
  static base::Result<std::unique_ptr<Model>> open(const std::filesystem::path& folder);
  // Of a saved_model.pb in memory, without variables and assets.
  static base::Result<std::unique_ptr<Model>> read(std::string content);

  const MetaGraph& graph() const { return graph_; }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  // What keeps the bytes alive which graph() borrows from.
  const std::shared_ptr<const void>& owner() const { return owner_; }

  bool has_function(std::string_view name) const { return graph_.functions.contains(name); }
  base::Result<const FunctionDef*> function(std::string_view name);

  // The content of the asset which a node of the main graph names. Errors: "tensorflow.bad_model" (no asset,
  // or a path that leaves the folder), "base.file_*".
  base::Result<std::string> asset(std::string_view node) const;

 private:
  Model() = default;

  std::filesystem::path folder_;
  std::shared_ptr<const void> owner_;
  MetaGraph graph_;
  Checkpoint checkpoint_;
  std::unordered_map<std::string_view, std::unique_ptr<FunctionDef>> functions_;
};

}  // namespace wherry::tensorflow
