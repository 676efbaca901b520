#include "base/files.h"
#include "base/text.h"
#include "import/formats/readers.h"
#include "import/keras/keras.h"

namespace wherry::formats {

base::Result<Inspection> read_keras(const std::filesystem::path& path, const Options&) {
  TRY_ASSIGN(base::MappedFile mapped, base::MappedFile::open(path));
  const auto owner = std::make_shared<const base::MappedFile>(std::move(mapped));
  program::Provenance provenance;
  provenance.framework = "Keras";
  provenance.format = "keras";
  auto model = keras::read(owner->bytes(), owner);
  if (!model) return deep_inspection(std::unexpected(std::move(model.error())), std::move(provenance));
  provenance.framework_version = model->version;
  provenance.estimators.push_back({0, "", "Keras model",
                                   base::cat(base::quoted(model->name), ", ", model->layers.size(),
                                             " layers, ", model->parameters, " parameters")});
  for (const keras::LayerLine& layer : model->layers)
    provenance.estimators.push_back(
        {1, layer.name, layer.class_name,
         base::cat(layer.output_shape,
                   layer.parameters == 0 ? "" : base::cat(", ", layer.parameters, " parameters"))});
  return deep_inspection(std::move(model->graph), std::move(provenance));
}

}  // namespace wherry::formats
