// Reads Keras models as tensor graphs: .keras archives of Keras 2.12 to 3.x (config.json, model.weights.h5,
// assets/), and HDF5 files of any Keras 2 or 3 (attributes model_config and keras_version, group
// model_weights), whatever they are called. Layers get the definitions of the Keras which wrote the file.
//
// Nothing in the file is executed: Lambda layers and custom classes are refused by name.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::keras {

struct Limits {
  std::size_t depth = 32;                               // of models in models
  std::uint64_t calls = 1'000'000;                      // of layers, those of nested models at every call
  std::uint64_t weight_bytes = std::uint64_t{8} << 30;  // decompressed
};

// A layer of the outermost model, for people.
struct LayerLine {
  std::string class_name;    // "Conv2D"
  std::string name;          // "conv2d_3"
  std::string output_shape;  // "float32[?, 14, 14, 32]"
  std::uint64_t parameters = 0;
};

struct Model {
  graph::Graph graph;   // inputs and outputs under the names the model's users know
  std::string name;     // the model's own
  std::string version;  // of Keras: "3.15.1"
  std::vector<LayerLine> layers;
  std::uint64_t parameters = 0;
};

// Whether the content of a file is a Keras model in either container: an HDF5 file, or a zip archive with a
// config.json and model.weights.h5.
bool recognise(std::string_view content);

// `owner` keeps `bytes` alive for as long as weights are borrowed from them. Errors: keras.*, "zip.*",
// "hdf5.*", "text.json_*", "graph.*".
base::Result<Model> read(base::Bytes bytes, std::shared_ptr<const void> owner, const Limits& limits = {});

}  // namespace wherry::keras
