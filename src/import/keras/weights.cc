#include "import/keras/weights.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>

#include "base/text.h"

namespace wherry::keras {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using hdf5::File;

namespace {

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(Code::kInvalidInput, "keras.bad_weights", std::move(message), "save the model again");
}

// How a part's weights are called below its parent's group; Keras 2 has private names for some.
struct FolderRow {
  std::string_view role;
  std::string_view folders[2];
};
constexpr FolderRow kFolders[] = {
    {"query_dense", {"query_dense", "_query_dense"}},
    {"key_dense", {"key_dense", "_key_dense"}},
    {"value_dense", {"value_dense", "_value_dense"}},
    {"output_dense", {"output_dense", "_output_dense"}},
    {"gate_dense", {"gate_dense", "_gate_dense"}},
    {"layers", {"layers", "_layer_checkpoint_dependencies"}},
};

Result<std::optional<hdf5::Object>> part_group(File& file, const hdf5::Object& group, const Layer& part,
                                               std::string_view suffix) {
  const auto row = std::ranges::find(kFolders, std::string_view(part.role), &FolderRow::role);
  if (row == std::end(kFolders)) return file.find_if(group, cat(part.role, suffix));
  for (const std::string_view folder : row->folders) {
    TRY_ASSIGN(auto found, file.find_if(group, cat(folder, suffix)));
    if (found) return found;
  }
  return std::nullopt;
}

Status load_variables(Layer& layer, File& file, const hdf5::Object& group) {
  TRY_ASSIGN(const auto variables, file.find_if(group, "vars"));
  if (!variables || variables->is_dataset()) return {};
  TRY_ASSIGN(const auto links, file.links(*variables));
  std::map<std::uint64_t, const hdf5::Link*> ordered;
  for (const auto& link : links)
    if (const auto number = base::parse_unsigned(link.name)) ordered.emplace(*number, &link);
  for (const auto& [number, link] : ordered) {
    TRY_ASSIGN(const hdf5::Object dataset, file.object(*link));
    TRY_ASSIGN(auto weight,
               file.read(dataset, cat("weight ", number, " of layer ", base::quoted(layer.name))));
    layer.weights.push_back(std::move(weight));
  }
  // Of lookups, whose only variable has a name.
  TRY_ASSIGN(const auto idf, file.find_if(*variables, "idf_weights"));
  if (idf && layer.weights.empty()) {
    TRY_ASSIGN(auto weight, file.read(*idf, cat("the idf_weights of layer ", base::quoted(layer.name))));
    layer.weights.push_back(std::move(weight));
  }
  return {};
}

// Parts in lists are numbered by class: dense, dense_1, lstm, dense_2. Input layers of a Sequential are not
// counted, and never have weights.
Status load_group(Layer& layer, File& file, const hdf5::Object& group) {
  TRY(load_variables(layer, file, group));
  std::map<std::string, std::size_t, std::less<>> used;
  for (Layer& part : layer.parts) {
    std::string suffix;
    if (part.role == "layers" || part.role == "cells") {
      if (part.is_operation()) continue;
      const std::string name = snake_case(part.class_name);
      const std::size_t number = used[name]++;
      suffix = number == 0 ? cat("/", name) : cat("/", name, "_", number);
    }
    TRY_ASSIGN(const auto found, part_group(file, group, part, suffix));
    if (found) TRY(load_group(part, file, *found));
  }
  return {};
}

// What a layer keeps as variables of its own: 't' for each trainable one, 'n' for each that is not.
std::string variables_of(const Layer& layer) {
  const Json& config = *layer.config;
  const auto flag = [&](std::string_view key, bool otherwise) {
    return text::find_bool(config, key).value_or(otherwise);
  };
  struct Row {
    std::string_view class_name, always;
    std::string_view flag;  // one more where it is set
    bool otherwise = true;
  };
  static constexpr Row kRows[] = {
      {"Dense", "t", "use_bias"},
      {"Conv1D", "t", "use_bias"},
      {"Conv2D", "t", "use_bias"},
      {"Conv3D", "t", "use_bias"},
      {"Convolution1D", "t", "use_bias"},
      {"Convolution2D", "t", "use_bias"},
      {"Convolution3D", "t", "use_bias"},
      {"Conv1DTranspose", "t", "use_bias"},
      {"Conv2DTranspose", "t", "use_bias"},
      {"Conv3DTranspose", "t", "use_bias"},
      {"DepthwiseConv1D", "t", "use_bias"},
      {"DepthwiseConv2D", "t", "use_bias"},
      {"SeparableConv1D", "tt", "use_bias"},
      {"SeparableConv2D", "tt", "use_bias"},
      {"LSTMCell", "tt", "use_bias"},
      {"GRUCell", "tt", "use_bias"},
      {"SimpleRNNCell", "tt", "use_bias"},
      {"ConvLSTMCell", "tt", "use_bias"},
      {"Embedding", "t", ""},
      {"ReversibleEmbedding", "t", ""},
      {"PReLU", "t", ""},
      {"LayerScale", "t", ""},
      {"RMSNormalization", "t", ""},
      {"AdditiveAttention", "", "use_scale", true},
      {"SpectralNormalization", "n", ""},
  };
  for (const Row& row : kRows)
    if (layer.class_name == row.class_name)
      return cat(row.always, !row.flag.empty() && flag(row.flag, row.otherwise) ? "t" : "");
  if (layer.class_name == "BatchNormalization")
    return cat(flag("scale", true) ? "t" : "", flag("center", true) ? "t" : "", "nn");
  if (layer.class_name == "LayerNormalization" || layer.class_name == "GroupNormalization")
    return cat(flag("scale", true) ? "t" : "", flag("center", true) ? "t" : "");
  if (layer.class_name == "Attention") {
    const std::string* mode = text::find_string(config, "score_mode");
    return cat(flag("use_scale", false) ? "t" : "", mode != nullptr && *mode == "concat" ? "t" : "");
  }
  if (layer.class_name == "EinsumDense") {
    const Json* axes = text::find(config, "bias_axes");
    // Those of attention layers have the layer's use_bias.
    const bool bias =
        layer.role.ends_with("_dense") ? flag("use_bias", true) : axes != nullptr && axes->is_string();
    return bias ? "tt" : "t";
  }
  if (layer.class_name == "Normalization") {
    const Json* mean = text::find(config, "mean");
    return mean == nullptr || mean->is_null() ? "nnn" : "";
  }
  return "";
}

struct Slot {
  Layer* layer = nullptr;
  std::size_t index = 0;
  bool trainable = true;
};

void collect(Layer& layer, bool trainable_above, std::vector<Slot>& slots) {
  const bool trainable = trainable_above && layer.trainable;
  const std::string variables = variables_of(layer);
  for (std::size_t i = 0; i < variables.size(); ++i)
    slots.push_back({&layer, i, trainable && variables[i] == 't'});
  for (Layer& part : layer.parts) collect(part, trainable, slots);
}

Result<std::vector<std::string>> long_list(File& file, const hdf5::Object& group, std::string_view name) {
  TRY_ASSIGN(auto whole, file.texts(group, name));
  if (whole) return *std::move(whole);
  // Lists of more than 64 KiB are split: weight_names0, weight_names1, ….
  std::vector<std::string> names;
  for (std::size_t i = 0;; ++i) {
    TRY_ASSIGN(auto part, file.texts(group, cat(name, i)));
    if (!part) return names;
    names.insert(names.end(), part->begin(), part->end());
  }
}

Status load_legacy_layer(Layer& layer, File& file, const hdf5::Object& group) {
  std::vector<Slot> slots;
  collect(layer, true, slots);
  std::ranges::stable_partition(slots, &Slot::trainable);
  TRY_ASSIGN(const auto names, long_list(file, group, "weight_names"));
  if (names.size() != slots.size()) {
    if (layer.parts.empty() && slots.empty()) return {};  // states that inference has no use for
    return bad(cat("layer ", base::quoted(layer.name), " has ", names.size(), " weights in the file but ",
                   slots.size(), " by its configuration"));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    TRY_ASSIGN(const auto dataset, file.find_if(group, names[i]));
    if (!dataset) return bad(cat("the weight ", base::quoted(names[i]), " is not in the file"));
    TRY_ASSIGN(auto weight, file.read(*dataset, cat("weight ", base::quoted(names[i]))));
    std::vector<tensor::Tensor>& weights = slots[i].layer->weights;
    if (weights.size() <= slots[i].index) weights.resize(slots[i].index + 1);
    weights[slots[i].index] = std::move(weight);
  }
  return {};
}

}  // namespace

Status load_archive_weights(Layer& model, File& file) {
  TRY_ASSIGN(const hdf5::Object root, file.find(""));
  return load_group(model, file, root);
}

Status load_legacy_weights(Layer& model, File& file) {
  TRY_ASSIGN(const hdf5::Object root, file.find(""));
  TRY_ASSIGN(const auto group, file.find_if(root, "model_weights"));
  if (!group) return bad("the file has no group model_weights");
  for (Layer& layer : model.parts) {
    if (layer.is_operation() || layer.class_name == "InputLayer") continue;
    TRY_ASSIGN(const auto found, file.find_if(*group, layer.name));
    if (!found) continue;
    TRY(load_legacy_layer(layer, file, *found));
  }
  return {};
}

std::uint64_t count_parameters(const Layer& layer) {
  std::uint64_t count = 0;
  for (const tensor::Tensor& weight : layer.weights) count += weight.size();
  for (const Layer& part : layer.parts) count += count_parameters(part);
  return count;
}

}  // namespace wherry::keras
