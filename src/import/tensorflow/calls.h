// Looking through function calls: which node computes a value, wherever it is passed along.
//
// A TF2 signature is a call of a function which calls others; arguments, results, Identity nodes and control
// edges only say who computes what. A CallTree makes one frame per call that is looked into, and only those.
//
// Not thread-safe. Errors: "tensorflow.bad_model", "tensorflow.recursive", "tensorflow.cyclic",
// "tensorflow.too_large".
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "import/tensorflow/messages.h"
#include "import/tensorflow/model.h"

namespace wherry::tensorflow {

// Output `output` of a node of a frame; or, where `argument`, argument number `output` of the tree itself.
struct Place {
  std::uint32_t frame = 0, node = 0, output = 0;
  bool argument = false;
};

// Nodes of a tree as one graph in execution order, all calls replaced by what they call.
struct Flat {
  struct Ref {
    std::int32_t node = -1;  // index into `nodes`; -1: argument `output`
    std::uint32_t output = 0;
  };
  struct Node {
    const NodeDef* def = nullptr;
    std::vector<Ref> inputs;  // without control edges
    Place place;
    std::string_view function;  // which the node stands in; empty in the main graph
  };
  std::vector<Node> nodes;
  std::vector<Ref> outputs;
  std::size_t arguments = 0;
};

class CallTree {
 public:
  // Of the main graph; of a function (the body of a loop), whose arguments stay open.
  explicit CallTree(Model& model);
  CallTree(Model& model, const FunctionDef& function);

  // Makes an output of a node of the main graph argument `index` of the tree.
  base::Status feed(std::string_view tensor_name, std::uint32_t index);

  // Who computes what `input` ("node:1", "node:output:0", "argument") names in `frame`.
  base::Result<Place> resolve(std::uint32_t frame, std::string_view input);
  // Everything needed for `outputs`.
  base::Result<Flat> flatten(const std::vector<std::string_view>& outputs);
  base::Result<Flat> flatten();  // the results of the function

  const NodeDef& node(const Place& place) const { return scope(place.frame).nodes[place.node]; }
  std::span<const NodeDef> nodes(std::uint32_t frame) const { return scope(frame).nodes; }
  const FunctionDef* function(std::uint32_t frame) const { return frames_[frame].function; }
  std::size_t frames() const { return frames_.size(); }

  // The function which a node calls; empty when it is no call.
  std::string_view callee(const NodeDef& node) const;
  // The frame of the call at a node.
  base::Result<std::uint32_t> enter(std::uint32_t frame, std::uint32_t node);

 private:
  struct Scope {
    std::span<const NodeDef> nodes;
    const std::unordered_map<std::string_view, std::size_t>* index;
  };
  struct Frame {
    const FunctionDef* function = nullptr;  // null: the main graph
    std::uint32_t parent = 0, call = 0;     // node of the parent which calls
    std::uint32_t depth = 0;
    std::unordered_map<std::uint32_t, std::uint32_t> children;  // node → frame
  };
  struct Named {
    bool argument = false;
    std::uint32_t index = 0, output = 0;
  };

  Scope scope(std::uint32_t frame) const;
  base::Result<Named> find(std::uint32_t frame, std::string_view input) const;

  Model& model_;
  std::deque<Frame> frames_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> feeds_;  // node, output → argument
  std::uint64_t steps_ = 0;
};

// The place of an output among all outputs of an op, from the name of the list it belongs to:
// "TopKV2", "indices", 0 → 1. Ops with one list: the number itself.
base::Result<std::uint32_t> output_number(const NodeDef& node, std::string_view list, std::uint32_t number);

}  // namespace wherry::tensorflow
