#include <algorithm>

#include "base/text.h"
#include "import/formats/readers.h"
#include "import/tensorflow/tensorflow.h"

namespace wherry::formats {
namespace {

using base::cat;

// The signatures, the one that is served first; what the objects are, how large the variables are, the kinds
// of operations of the signature.
void describe(const tensorflow::Description& described, std::string_view wanted,
              program::Provenance& provenance) {
  provenance.framework_version = described.version;
  std::vector<std::string> signatures = described.signatures;
  const std::string first = cat(wanted.empty() ? "serving_default" : wanted, "(");
  std::ranges::stable_partition(signatures, [&](std::string_view each) { return each.starts_with(first); });
  for (const std::string& signature : signatures)
    provenance.estimators.push_back({0, "signature", signature, ""});
  for (const auto& [name, count] : described.objects)
    if (!name.starts_with("_"))
      provenance.estimators.push_back({0, "object", name, count > 1 ? cat(count) : ""});
  if (described.variables > 0)
    provenance.estimators.push_back({0, "variables", cat(described.variables),
                                     base::human_size(static_cast<std::uint64_t>(described.variable_bytes))});
  for (const auto& [name, count] : described.ops)
    provenance.manifest.push_back({name, count, program::GlobalUse::kUnderstood});
  for (program::ManifestEntry& entry : provenance.manifest)
    for (const std::string& missing : described.missing)
      if (entry.name == missing) entry.use = program::GlobalUse::kRefused;
}

}  // namespace

base::Result<Inspection> read_saved_model(const std::filesystem::path& path, const Options& options) {
  TRY_ASSIGN(const std::unique_ptr<tensorflow::Model> model, tensorflow::Model::open(path));
  const tensorflow::Options chosen{options.signature};
  program::Provenance provenance;
  provenance.format = "savedmodel";
  provenance.framework = "TensorFlow";
  TRY_ASSIGN(const tensorflow::Description described, tensorflow::describe(*model, chosen));
  describe(described, options.signature, provenance);
  return deep_inspection(tensorflow::import(*model, chosen), std::move(provenance));
}

}  // namespace wherry::formats
