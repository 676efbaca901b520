#include <algorithm>
#include <memory>

#include "base/files.h"
#include "base/text.h"
#include "import/formats/readers.h"
#include "import/torch/torch.h"

namespace wherry::formats {
namespace {

constexpr std::size_t kMostShown = 200;

void describe(const std::vector<torch::WeightLine>& weights, program::Provenance& provenance) {
  if (weights.empty()) return;
  provenance.estimators.push_back({0, "", "weights", base::cat(weights.size(), " tensors")});
  for (std::size_t i = 0; i < std::min(kMostShown, weights.size()); ++i)
    provenance.estimators.push_back({1, weights[i].name, "tensor", weights[i].type});
}

}  // namespace

bool is_torch(const Subject& subject) {
  return !subject.is_folder && torch::recognise(subject.content) != torch::Container::kNone;
}

base::Result<Inspection> read_torch(const std::filesystem::path& path, const Options& options) {
  TRY_ASSIGN(base::MappedFile mapped, base::MappedFile::open(path));
  const auto owner = std::make_shared<const base::MappedFile>(std::move(mapped));
  program::Provenance provenance;
  provenance.framework = "PyTorch";
  provenance.format = torch::format_name(torch::recognise(base::as_text(owner->bytes())));
  describe(torch::list_weights(owner->bytes(), owner), provenance);
  std::vector<torch::InputHint> hints;
  for (const Options::InputShape& shape : options.shapes)
    hints.push_back({shape.name, shape.dtype, shape.lengths, true, true});
  auto model = torch::read_model(owner->bytes(), owner,
                                 {.source = options.source,
                                  .class_name = options.class_name,
                                  .arch = options.arch,
                                  .hints = std::move(hints)});
  if (!model) return deep_inspection(std::unexpected(std::move(model).error()), std::move(provenance));
  provenance.framework_version = model->torch_version;
  provenance.estimators.insert(provenance.estimators.begin(), {0, "", model->kind, ""});
  for (const auto& [key, value] : model->facts) provenance.notes.push_back(base::cat(key, ": ", value));
  return deep_inspection(std::move(model->graph), std::move(provenance));
}

}  // namespace wherry::formats
