// The messages of a SavedModel (tensorflow/core/protobuf/{saved_model,meta_graph}.proto and
// core/framework/{graph,function,node_def,attr_value,op_def}.proto), as far as importing needs them. All text
// is borrowed from the file's bytes, which must outlive these values; attributes stay encoded until they are
// asked for.
//
// Thread-safety: values; reading is a pure function. Errors: "tensorflow.bad_model", "protobuf.malformed".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::tensorflow {

// A TensorShapeProto: no value where the rank is unknown, -1 where a size is.
using PartialShape = std::optional<std::vector<std::int64_t>>;
base::Result<PartialShape> read_shape(std::string_view message);

// The attributes of a node, function or NameAttrList: name → encoded AttrValue.
class Attributes {
 public:
  base::Status add(std::string_view map_entry);

  // Null when absent; a value of another kind counts as absent.
  std::optional<std::int64_t> integer(std::string_view name) const;  // also of a dtype
  std::optional<bool> boolean(std::string_view name) const;
  std::optional<float> real(std::string_view name) const;
  std::optional<std::string_view> text(std::string_view name) const;
  std::optional<std::string_view> function(std::string_view name) const;  // name of a NameAttrList
  std::optional<std::string_view> tensor(std::string_view name) const;    // encoded TensorProto
  std::optional<std::string_view> shape(std::string_view name) const;     // encoded TensorShapeProto
  // Lists; empty when absent.
  std::vector<std::int64_t> integers(std::string_view name) const;  // also of dtypes
  std::vector<float> reals(std::string_view name) const;
  std::vector<std::string_view> texts(std::string_view name) const;
  std::vector<std::string_view> shapes(std::string_view name) const;     // encoded
  std::vector<std::string_view> functions(std::string_view name) const;  // names

  bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  const std::string_view* find(std::string_view name) const;
  std::vector<std::pair<std::string_view, std::string_view>> entries_;
};

struct NodeDef {
  std::string_view name;
  std::string_view op;
  std::vector<std::string_view> inputs;  // "node", "node:1", "node:output:0", "^node"
  Attributes attributes;
};
base::Result<NodeDef> read_node(std::string_view message);

struct ArgDef {
  std::string_view name;
  std::int64_t type = 0;
};

struct FunctionDef {
  std::string_view name;
  std::vector<ArgDef> inputs, outputs;
  std::vector<NodeDef> nodes;
  std::unordered_map<std::string_view, std::size_t> node_index;   // by name
  std::unordered_map<std::string_view, std::size_t> input_index;  // by name
  std::vector<std::string_view> results;                          // beside `outputs`: "node:output:0"
  std::vector<std::string_view> control_results;                  // nodes run for their effects
  Attributes attributes;
};
base::Result<FunctionDef> read_function(std::string_view message);

struct TensorInfo {
  std::string_view name;  // "serving_default_x:0"
  std::int64_t type = 0;
  PartialShape shape;
  bool sparse = false;  // or ragged: not one tensor
};

struct SignatureDef {
  std::string_view method_name;                   // "tensorflow/serving/predict"
  std::map<std::string_view, TensorInfo> inputs;  // sorted by their keys
  std::map<std::string_view, TensorInfo> outputs;
};

struct MetaGraph {
  std::vector<std::string_view> tags;
  std::string_view tensorflow_version;
  std::vector<NodeDef> nodes;
  std::unordered_map<std::string_view, std::size_t> node_index;
  std::unordered_map<std::string_view, std::string_view> functions;  // name → encoded FunctionDef
  std::map<std::string_view, SignatureDef> signatures;
  std::map<std::string_view, std::string_view> assets;  // node name → file below assets/
  std::string_view restore_op;                          // node of the SaverDef
  std::string_view object_graph;                        // encoded SavedObjectGraph, empty for TF1
};

// The meta graph tagged "serve", or the only one there is. `content` is saved_model.pb.
base::Result<MetaGraph> read_saved_model(std::string_view content);

// Class names of a SavedObjectGraph's user objects ("_tf_keras_model": {"class_name": "Sequential"}) with how
// often each occurs.
base::Result<std::map<std::string, std::int64_t>> read_object_kinds(std::string_view object_graph);

}  // namespace wherry::tensorflow
