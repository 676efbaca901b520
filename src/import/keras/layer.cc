#include "import/keras/layer.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace wherry::keras {

using base::cat;
using base::Code;
using base::Result;
using base::Status;

namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

Result<Layer> parse(const Json& object, std::string_view role, std::size_t depth_left);

// Layers which are built around others: where the configuration of each part stands.
struct PartRow {
  std::string_view class_name, key, role;
};
constexpr PartRow kParts[] = {
    {"Bidirectional", "layer", "forward_layer"},
    {"Bidirectional", "backward_layer", "backward_layer"},
    {"TimeDistributed", "layer", "layer"},
    {"SpectralNormalization", "layer", "layer"},
    {"RNN", "cell", "cell"},
    {"StackedRNNCells", "cells", "cells"},
    {"Sequential", "layers", "layers"},
    {"Functional", "layers", "layers"},
    {"Model", "layers", "layers"},
};

// Layers with parts that only their code knows.
struct OwnPartRow {
  std::string_view class_name, part_class;
};
constexpr OwnPartRow kCells[] = {{"LSTM", "LSTMCell"},           {"GRU", "GRUCell"},
                                 {"SimpleRNN", "SimpleRNNCell"}, {"ConvLSTM1D", "ConvLSTMCell"},
                                 {"ConvLSTM2D", "ConvLSTMCell"}, {"ConvLSTM3D", "ConvLSTMCell"}};

void add_own_part(Layer& layer, std::string_view class_name, std::string_view role) {
  Layer part;
  part.class_name = class_name;
  part.name = cat(layer.name, "/", role);
  part.role = role;
  part.config = layer.config;
  part.trainable = layer.trainable;
  layer.parts.push_back(std::move(part));
}

void add_own_parts(Layer& layer) {
  for (const OwnPartRow& row : kCells)
    if (layer.class_name == row.class_name) add_own_part(layer, row.part_class, "cell");
  const bool grouped =
      layer.class_name == "GroupedQueryAttention" || layer.class_name == "GroupQueryAttention";
  if (layer.class_name != "MultiHeadAttention" && !grouped) return;
  for (const std::string_view role : {"query_dense", "key_dense", "value_dense"})
    add_own_part(layer, "EinsumDense", role);
  if (text::find_bool(*layer.config, "use_gate").value_or(false))
    add_own_part(layer, "EinsumDense", "gate_dense");
  add_own_part(layer, "EinsumDense", "output_dense");
}

// The backward layer of a Bidirectional is the forward one turned round where the file does not say.
void add_backward(Layer& layer) {
  if (layer.class_name != "Bidirectional" || layer.part("backward_layer") != nullptr) return;
  const Layer* forward = layer.part("forward_layer");
  if (forward == nullptr) return;
  Layer backward = *forward;
  Json config = *forward->config;
  config["go_backwards"] = !text::find_bool(config, "go_backwards").value_or(false);
  backward.owned = std::make_shared<const Json>(std::move(config));
  backward.config = backward.owned.get();
  backward.role = "backward_layer";
  for (Layer& part : backward.parts)
    if (part.config == forward->config) part.config = backward.config;
  layer.parts.push_back(std::move(backward));
}

Status parse_parts(Layer& layer, std::size_t depth_left) {
  const Json& config = *layer.config;
  for (const PartRow& row : kParts) {
    if (layer.class_name != row.class_name) continue;
    // Sequential models of Keras 1 are a bare list.
    const Json* part = config.is_array() && row.key == "layers" ? &config : text::find(config, row.key);
    if (part == nullptr || part->is_null()) continue;
    if (part->is_array()) {
      for (const Json& item : *part) {
        TRY_ASSIGN(Layer made, parse(item, row.role, depth_left));
        layer.parts.push_back(std::move(made));
      }
    } else {
      TRY_ASSIGN(Layer made, parse(*part, row.role, depth_left));
      layer.parts.push_back(std::move(made));
    }
  }
  return {};
}

Result<Layer> parse(const Json& object, std::string_view role, std::size_t depth_left) {
  if (depth_left == 0)
    return base::fail(Code::kLimit, "keras.limit", "layers in layers, deeper than the limit");
  const std::string* class_name = text::find_string(object, "class_name");
  const Json* config = text::find(object, "config");
  if (class_name == nullptr || config == nullptr ||
      (!config->is_object() && !(config->is_array() && *class_name == "Sequential")))
    return base::fail(Code::kInvalidInput, "keras.bad_model",
                      cat("something among the ", role.empty() ? "model" : role, " is not a layer"),
                      "save the model again");
  Layer layer;
  layer.class_name = *class_name;
  // Custom layers of Keras 2 are saved as "package>Name".
  if (const std::string* module = text::find_string(object, "module")) layer.module = *module;
  layer.role = role;
  layer.config = config;
  layer.inbound = text::find_array(object, "inbound_nodes");
  for (const Json* named : {&object, config})
    if (const std::string* name = text::find_string(*named, "name")) {
      layer.name = *name;
      break;
    }
  layer.trainable = text::find_bool(*config, "trainable").value_or(true);
  TRY(parse_parts(layer, depth_left - 1));
  add_own_parts(layer);
  add_backward(layer);
  return layer;
}

}  // namespace

const Layer* Layer::part(std::string_view wanted) const {
  const auto found = std::ranges::find(parts, wanted, &Layer::role);
  return found == parts.end() ? nullptr : &*found;
}

bool Layer::is_operation() const {
  return module.starts_with("keras.src.ops") || module.starts_with("keras.ops") || module.contains(".ops.");
}

bool Layer::is_model() const {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

Result<Layer> parse_layers(const Json& model, const Limits& limits) {
  return parse(model, "", limits.depth);
}

// keras/src/utils/naming.py: two substitutions, (.)([A-Z][a-z]+) and ([a-z])([A-Z]), to \1_\2.
std::string snake_case(std::string_view class_name) {
  // Exported under another name than its class has.
  if (class_name == "GroupQueryAttention") class_name = "GroupedQueryAttention";
  std::string first;
  for (std::size_t i = 0; i < class_name.size();) {
    const bool match =
        i + 2 < class_name.size() && is_upper(class_name[i + 1]) && is_lower(class_name[i + 2]);
    first += class_name[i++];
    if (!match) continue;
    first += '_';
    first += class_name[i++];
    while (i < class_name.size() && is_lower(class_name[i])) first += class_name[i++];
  }
  std::string second;
  for (std::size_t i = 0; i < first.size(); ++i) {
    second += first[i];
    if (i + 1 < first.size() && is_lower(first[i]) && is_upper(first[i + 1])) second += '_';
  }
  return base::to_lower(second);
}

}  // namespace wherry::keras
