// TensorFlow SavedModels: folders with saved_model.pb, variables/ and assets/ as tf.saved_model.save, Keras'
// export(), Estimators and TensorFlow 1's builder write them. One signature becomes a tensor graph: functions
// inlined, variables and tables read, nothing executed.
//
// Thread-safety: pure functions. Errors: "tensorflow.*", "graph.*", "protobuf.malformed", "base.file_*".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

#include "base/error.h"
#include "import/tensorflow/model.h"

namespace wherry::tensorflow {

// Whether a folder holds a SavedModel.
bool recognise(const std::filesystem::path& folder);

struct Options {
  std::string signature;  // empty: serving_default, or the only one there is
};

// The inputs and outputs are the signature's, in the order of their names (TensorFlow keeps none).
base::Result<graph::Graph> import(Model& model, const Options& options = {});
base::Result<graph::Graph> read_folder(const std::filesystem::path& folder, const Options& options = {});

// What `inspect` shows, also of models that are refused.
struct Description {
  std::string version;                  // of TensorFlow
  std::vector<std::string> signatures;  // "serving_default(x: float32[?, 28]) -> (output_0: float32[?, 10])"
  struct Count {
    std::string name;
    std::int64_t count = 0;
  };
  std::vector<Count> objects;        // classes the object graph names
  std::vector<Count> ops;            // kinds of nodes of the chosen signature, functions inlined
  std::vector<std::string> missing;  // of these, those wherry does not translate
  std::int64_t variables = 0, variable_bytes = 0;
};
base::Result<Description> describe(Model& model, const Options& options = {});

}  // namespace wherry::tensorflow
