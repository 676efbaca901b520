// The layers of a model as its configuration tells them. Private to module keras.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/keras/keras.h"
#include "tensor/tensor.h"
#include "text/json.h"

namespace wherry::keras {

using text::Json;

struct Layer {
  std::string class_name;
  std::string module;  // "keras.layers", "keras.src.ops.numpy"; empty in old files
  std::string name;
  std::string role;                   // what its parent calls it: "cell", "forward_layer", "layers"
  const Json* config = nullptr;       // of the document, or `owned`
  std::shared_ptr<const Json> owned;  // where the file leaves a part's configuration unsaid
  const Json* inbound = nullptr;      // "inbound_nodes" of functional models
  bool trainable = true;
  std::vector<Layer> parts;
  std::vector<tensor::Tensor> weights;                     // in Keras's own order: trainable ones first
  std::map<std::string, std::string, std::less<>> assets;  // files by name

  const Layer* part(std::string_view role) const;
  bool is_operation() const;  // of keras.ops, not a layer
  bool is_model() const;      // Sequential or Functional
  bool is_sequential() const { return class_name == "Sequential"; }
};

// The tree of `model`, an object with class_name and config. Errors: "keras.bad_model", "keras.limit".
base::Result<Layer> parse_layers(const Json& model, const Limits& limits);

// "LSTMCell" → "lstm_cell", as Keras names the groups of weights.
std::string snake_case(std::string_view class_name);

}  // namespace wherry::keras
