// The containers, and a model as a graph.
#include <algorithm>

#include "graph/builder.h"

#include "base/text.h"
#include "import/hdf5/hdf5.h"
#include "import/keras/keras.h"
#include "import/keras/layer.h"
#include "import/keras/lowering.h"
#include "import/keras/weights.h"
#include "import/zip/archive.h"

namespace wherry::keras {

using base::Bytes;
using base::cat;
using base::Code;
using base::Result;
using base::Status;

namespace {

constexpr std::string_view kConfig = "config.json", kWeights = "model.weights.h5", kAssets = "assets/";

struct File {
  Json config;
  std::string version;
  Layer model;  // points into `config`
};

Result<Json> parse(std::string_view document, std::string_view what) {
  return text::parse_json(document, what, {.bytes = 256 << 20, .depth = 400});
}

// ONNX Runtime has these in single precision only. To compute in it would not be what the model says.
Status check_doubles(const graph::Graph& graph, const graph::Block& block) {
  static constexpr std::string_view kSingleOnly[] = {"Acos",
                                                     "Acosh",
                                                     "Asin",
                                                     "Asinh",
                                                     "Atan",
                                                     "Atanh",
                                                     "AveragePool",
                                                     "Celu",
                                                     "Conv",
                                                     "ConvTranspose",
                                                     "Cosh",
                                                     "Elu",
                                                     "Erf",
                                                     "Gelu",
                                                     "GlobalAveragePool",
                                                     "GlobalMaxPool",
                                                     "HardSigmoid",
                                                     "HardSwish",
                                                     "InstanceNormalization",
                                                     "LeakyRelu",
                                                     "Mish",
                                                     "PRelu",
                                                     "RNN",
                                                     "Resize",
                                                     "Selu",
                                                     "Sinh",
                                                     "Softplus",
                                                     "Softsign",
                                                     "Tan",
                                                     "ThresholdedRelu"};
  for (const graph::Node& node : block.nodes) {
    for (const graph::Attribute& attribute : node.attributes)
      if (const auto* inner = std::get_if<std::shared_ptr<const graph::Block>>(&attribute.value))
        TRY(check_doubles(graph, **inner));
    if (node.inputs.empty() || graph.values[node.inputs[0]].type.dtype != DType::kFloat64) continue;
    if (std::ranges::find(kSingleOnly, std::string_view(node.op)) != std::end(kSingleOnly))
      return base::fail(
          Code::kUnsupported, "keras.unsupported_option",
          cat("layer ", base::quoted(node.source), ": ONNX Runtime has no ", node.op, " in float64"),
          "save the model in float32: keras.models.clone_model(model) under "
          "keras.config.set_dtype_policy('float32'), then set_weights");
  }
  return {};
}

int major_of(std::string_view version) {
  // Files of before Keras 2.12 may lack it.
  const auto major = base::parse_unsigned(base::split(version, '.').front());
  return major && *major < 100 ? static_cast<int>(*major) : 2;
}

int minor_of(std::string_view version) {
  const auto parts = base::split(version, '.');
  const auto minor = parts.size() > 1 ? base::parse_unsigned(parts[1]) : std::nullopt;
  return minor && *minor < 1000 ? static_cast<int>(*minor) : 0;
}

// HDF5 files do not say which module a class is of; functions of Keras 3 are told from layers of the same
// name by their configuration, which is only their arguments.
void mark_operations(Layer& layer) {
  for (Layer& part : layer.parts) {
    mark_operations(part);
    if (part.role != "layers" || !part.module.empty() || text::find(*part.config, "trainable") != nullptr)
      continue;
    if (find_operation(part.class_name, false)) part.module = "keras.src.ops";
  }
}

void collect_unsupported(const Layer& layer, std::vector<std::pair<std::string, std::string>>& missing) {
  for (const Layer& part : layer.parts) {
    const bool is_cell = part.role == "cell" || part.role == "cells" || part.role.ends_with("_dense");
    if (!part.is_model() && part.class_name != "InputLayer" && !is_cell && !find_row(part)) {
      const std::string kind = kind_of(part);
      const bool known = std::ranges::any_of(missing, [&](const auto& entry) { return entry.first == kind; });
      if (!known) missing.emplace_back(kind, part.name);
    }
    collect_unsupported(part, missing);
  }
}

Status check_supported(const Layer& model) {
  std::vector<std::pair<std::string, std::string>> missing;
  if (!model.is_model()) missing.emplace_back(model.class_name, model.name);
  collect_unsupported(model, missing);
  if (missing.empty()) return {};
  std::vector<std::string> list;
  for (const auto& [kind, name] : missing) {
    if (list.size() == 40) {
      list.push_back("…");
      break;
    }
    list.push_back(cat(base::quoted(kind), " (", base::quoted(name), ")"));
  }
  return base::fail(
      Code::kUnsupported, "keras.unsupported_layer",
      cat("no support for ", missing.size() == 1 ? "the layer " : "these layers: ", base::join(list, ", ")),
      "code of one's own is not in the file: export the model with model.export('folder') and give "
      "wherry the SavedModel");
}

Status load_assets(Layer& layer, const std::string& path, zip::Archive& archive) {
  const std::string folder = cat(kAssets, path);
  for (const std::string_view name : {"vocabulary.txt"}) {
    const std::string entry = cat(folder, path.empty() ? "" : "/", name);
    if (!archive.has(entry)) continue;
    TRY_ASSIGN(std::string content, archive.read(entry));
    layer.assets.emplace(name, std::move(content));
  }
  std::map<std::string, std::size_t, std::less<>> used;
  for (Layer& part : layer.parts) {
    if (part.role != "layers" || part.is_operation()) continue;
    const std::string name = snake_case(part.class_name);
    const std::size_t number = used[name]++;
    const std::string own = number == 0 ? name : cat(name, "_", number);
    TRY(load_assets(part, cat(path, path.empty() ? "" : "/", "layers/", own), archive));
  }
  return {};
}

// TensorFlow 2.12 and Keras 1 and 2: attributes of the root.
Result<File> read_hdf5(Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  TRY_ASSIGN(hdf5::File hdf5,
             hdf5::File::open(bytes, std::move(owner), {.decoded_bytes = limits.weight_bytes}));
  TRY_ASSIGN(const auto root, hdf5.find(""));
  TRY_ASSIGN(const auto config, hdf5.text(root, "model_config"));
  if (!config)
    return base::fail(Code::kInvalidInput, "keras.no_model", "the HDF5 file has no attribute model_config",
                      "it holds weights only: save the whole model with model.save('model.keras')");
  File file;
  TRY_ASSIGN(file.config, parse(*config, "model_config"));
  TRY_ASSIGN(const auto version, hdf5.text(root, "keras_version"));
  file.version = version.value_or("2");
  TRY_ASSIGN(file.model, parse_layers(file.config, limits));
  if (major_of(file.version) >= 3) mark_operations(file.model);
  TRY(check_supported(file.model));
  TRY(load_legacy_weights(file.model, hdf5));
  return file;
}

Result<File> read_archive(Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  TRY_ASSIGN(zip::Archive archive, zip::Archive::open(bytes, {.decompressed_bytes = limits.weight_bytes}));
  File file;
  TRY_ASSIGN(const std::string config, archive.read(kConfig));
  TRY_ASSIGN(file.config, parse(config, kConfig));
  if (archive.has("metadata.json")) {
    TRY_ASSIGN(const std::string metadata, archive.read("metadata.json"));
    TRY_ASSIGN(const Json json, parse(metadata, "metadata.json"));
    if (const std::string* version = text::find_string(json, "keras_version")) file.version = *version;
  }
  TRY_ASSIGN(file.model, parse_layers(file.config, limits));
  TRY(check_supported(file.model));
  if (!archive.has(kWeights))
    return base::fail(Code::kUnsupported, "keras.bad_weights", cat("the archive has no ", kWeights),
                      "save the model with model.save('model.keras')");
  TRY_ASSIGN(const auto stored, archive.borrow(kWeights));
  Bytes weights;
  if (stored) {
    weights = *stored;
  } else {
    TRY_ASSIGN(std::string content, archive.read(kWeights));
    auto held = std::make_shared<const std::string>(std::move(content));
    weights = base::as_bytes(*held);
    owner = std::move(held);
  }
  TRY_ASSIGN(hdf5::File hdf5,
             hdf5::File::open(weights, std::move(owner), {.decoded_bytes = limits.weight_bytes}));
  TRY(load_archive_weights(file.model, hdf5));
  TRY(load_assets(file.model, "", archive));
  return file;
}

std::vector<Value> make_inputs(Builder& b, const std::vector<ModelInput>& inputs) {
  std::vector<Value> values;
  for (const ModelInput& input : inputs) {
    graph::Dims dims;
    for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
      if (input.shape[axis] >= 0)
        dims.push_back({input.shape[axis]});
      else
        dims.push_back(b.symbol(axis == 0 ? "batch" : cat(input.name, "_", axis)));
    }
    values.push_back(Value::of(b.input(input.name, input.dtype, std::move(dims))));
  }
  return values;
}

}  // namespace

bool recognise(std::string_view content) {
  if (hdf5::recognise(content)) return true;
  if (!content.starts_with("PK\x03\x04")) return false;
  auto archive = zip::Archive::open(base::as_bytes(content));
  return archive && archive->has(kConfig) && (archive->has(kWeights) || archive->has("model.weights.npz"));
}

Result<Model> read(Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  const bool is_hdf5 = hdf5::recognise(base::as_text(bytes));
  TRY_ASSIGN(const File file, is_hdf5 ? read_hdf5(bytes, std::move(owner), limits)
                                      : read_archive(bytes, std::move(owner), limits));
  TRY_ASSIGN(const auto inputs, inputs_of(file.model));
  Builder builder;
  Lowering lowering(builder, major_of(file.version), minor_of(file.version), limits);
  Call call;
  std::vector<Value> values = make_inputs(builder, inputs);
  call.args.push_back(values.size() == 1 ? values.front() : Value::list(values));
  const Value result = lowering.call(file.model, std::move(call));
  TRY(builder.status());
  const auto tensors = tensors_of(result);
  const auto names = output_names(file.model, result);
  if (tensors.empty() || names.size() != tensors.size())
    return base::fail(Code::kInvalidInput, "keras.bad_model", "the model has no outputs");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    // An input may be an output too, under its layer's name.
    std::string name = names[i];
    const bool taken =
        std::ranges::any_of(inputs, [&](const ModelInput& input) { return input.name == name; });
    builder.output(taken ? cat(name, "_output") : name, builder.add("Identity", {tensors[i].tensor}));
  }
  Model model;
  model.name = file.model.name;
  if (const std::string* name = text::find_string(*file.model.config, "name")) model.name = *name;
  model.version = file.version;
  for (const Layer& layer : file.model.parts)
    model.layers.push_back(
        {layer.class_name, layer.name, lowering.shape_of(layer.name), count_parameters(layer)});
  model.parameters = count_parameters(file.model);
  TRY_ASSIGN(model.graph, std::move(builder).build());
  TRY(check_doubles(model.graph, model.graph.body));
  return model;
}

}  // namespace wherry::keras
