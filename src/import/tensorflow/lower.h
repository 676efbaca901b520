// Lowering: nodes of TensorFlow as operators of ONNX. One table row per op (ops_*.cc); each function says
// what TensorFlow's op means with the Builder's verbs.
//
// Not thread-safe. Errors: "tensorflow.*", and those of the Builder, which are sticky.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/builder.h"
#include "graph/verbs.h"

#include "base/error.h"
#include "import/tensorflow/calls.h"
#include "import/tensorflow/model.h"
#include "import/tensorflow/resources.h"

namespace wherry::tensorflow {

using graph::Builder;
using graph::Ints;
using graph::kNone;
using graph::ValueId;
using tensor::DType;

// A TensorArray of TF2: TensorList* ops pass these by handle.
struct TensorList {
  DType dtype = DType::kFloat32;
  ValueId items = kNone;    // [n, item…]; kNone: reserved, nothing written yet
  ValueId length = kNone;   // int64 []: of a reserved list
  PartialShape shape;       // of one item, as far as it was said
  bool open = false;        // inside a loop whose rounds write one item each
  ValueId written = kNone;  // that item
};

struct Handle {  // of a variable or table
  NodePlace place;
};

// What an output of a node is; monostate: of a kind nothing can use.
using Item = std::variant<std::monostate, ValueId, Handle, std::shared_ptr<const TensorList>>;

class Lowering;

// One node being lowered.
class Op {
 public:
  Op(Lowering& lowering, const Flat::Node& node, std::span<const Item> inputs, std::vector<Item>& outputs);

  Lowering& lowering;
  Builder& b;
  const NodeDef& def;

  std::size_t count() const { return inputs_.size(); }
  ValueId in(std::size_t i);  // refuses the node when that is no tensor
  const Item& item(std::size_t i);
  ValueId index(std::size_t i);  // in(i) as int64
  void out(ValueId value, std::size_t i = 0) { item_out(value, i); }
  void item_out(Item item, std::size_t i = 0);

  std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const {
    return def.attributes.integer(attribute).value_or(otherwise);
  }
  float real(std::string_view attribute, float otherwise) const {
    return def.attributes.real(attribute).value_or(otherwise);
  }
  bool boolean(std::string_view attribute, bool otherwise) const {
    return def.attributes.boolean(attribute).value_or(otherwise);
  }
  std::string_view text(std::string_view attribute, std::string_view otherwise) const {
    return def.attributes.text(attribute).value_or(otherwise);
  }
  DType type(std::string_view attribute, DType otherwise);  // refuses those without counterpart

  // The elements of an integer constant input of any shape; refuses the node when it is computed at run time.
  Ints known(std::size_t i);
  std::optional<Ints> maybe_known(std::size_t i);
  // The rank of a value; refuses the node where it is unknown.
  int rank(ValueId value);

  void refuse(std::string_view reason);  // "tensorflow.unsupported_use"
  bool failed() const;

 private:
  std::span<const Item> inputs_;
  std::vector<Item>& outputs_;
};

// The items of a list as one tensor: zeros where nothing was written; refuses items of unknown shape.
ValueId dense_items(Op& op, const TensorList& list);

struct OpRow {
  std::string_view op;
  void (*lower)(Op&);
};

// The rows of each file.
std::span<const OpRow> control_rows();
std::span<const OpRow> convolution_rows();
std::span<const OpRow> elementwise_rows();
std::span<const OpRow> image_rows();
std::span<const OpRow> indexing_rows();
std::span<const OpRow> list_rows();
std::span<const OpRow> matrix_rows();
std::span<const OpRow> normalization_rows();
std::span<const OpRow> pooling_rows();
std::span<const OpRow> reduction_rows();
std::span<const OpRow> segment_rows();
std::span<const OpRow> shape_rows();
std::span<const OpRow> state_rows();
std::span<const OpRow> string_rows();
std::span<const OpRow> text_rows();

const OpRow* find_row(std::string_view op);

class Lowering {
 public:
  Lowering(Model& model, CallTree& tree, Builder& builder)
      : model_(model), resources_(model, tree), builder_(builder) {}

  Builder& builder() { return builder_; }
  Model& model() { return model_; }
  Resources& resources() { return resources_; }

  // The outputs of `flat` given its arguments. Errors are the Builder's sticky one.
  std::vector<Item> run(const Flat& flat, std::span<const Item> arguments);

  // A function as a flat graph with open arguments.
  base::Result<const Flat*> flat_function(std::string_view name);

  // A variable as a constant, read once.
  base::Result<ValueId> variable(NodePlace handle);

  // Kinds of ops without a row in `flat` and the bodies it runs, each with a node's name.
  base::Status check(const Flat& flat);
  base::Result<std::vector<std::string>> missing(const Flat& flat);  // the kinds alone

 private:
  base::Status collect(const Flat& flat, std::map<std::string, std::string>& missing,
                       std::set<std::string>& visited);

  struct Function {
    std::unique_ptr<CallTree> tree;
    Flat flat;
  };

  Model& model_;
  Resources resources_;
  Builder& builder_;
  std::map<NodePlace, ValueId> variables_;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions_;
  std::vector<std::string> running_;  // functions whose bodies are being lowered
};

}  // namespace wherry::tensorflow
