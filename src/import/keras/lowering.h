// Layers as operators of a tensor graph. Private to module keras.
//
// Each layer class is a row of a table: a function which is given the layer and what it is called on. Masks
// travel with tensors as in Keras; a row says what becomes of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/builder.h"
#include "graph/verbs.h"

#include "import/keras/layer.h"

namespace wherry::keras {

using graph::Builder;
using graph::Ints;
using graph::kNone;
using graph::ValueId;
using tensor::DType;

// An argument or a result of a call: what Python has there.
struct Value {
  enum class Kind : std::uint8_t { kMissing, kTensor, kList, kDict, kLiteral };
  Kind kind = Kind::kMissing;
  ValueId tensor = graph::kNone;
  ValueId mask = graph::kNone;    // bool [batch, time, …]; Keras's _keras_mask
  std::vector<Value> items;       // of kList and kDict
  std::vector<std::string> keys;  // of kDict
  Json literal;                   // number, bool, text

  static Value of(ValueId tensor, ValueId mask = graph::kNone) {
    return {Kind::kTensor, tensor, mask, {}, {}, {}};
  }
  static Value list(std::vector<Value> items) {
    return {Kind::kList, graph::kNone, graph::kNone, std::move(items), {}, {}};
  }
  bool is_tensor() const { return kind == Kind::kTensor; }
  bool is_none() const { return kind == Kind::kMissing; }
};

struct Call {
  std::vector<Value> args;
  std::map<std::string, Value, std::less<>> kwargs;

  // The argument at a position or of a name; a Value of kNone where it was not given.
  const Value& arg(std::size_t position, std::string_view name) const;
};

struct LayerRow;

// Everything that lowering needs besides the layer. Errors are sticky in the builder.
class Lowering {
 public:
  Lowering(Builder& builder, int keras_major, int keras_minor, const Limits& limits)
      : b(builder), keras(keras_major), minor(keras_minor), calls_left_(limits.calls) {}

  Builder& b;
  const int keras;  // major version of the Keras which wrote the file
  const int minor;

  // Configuration, with Keras's default where the file has none. A value of another type is an error.
  std::int64_t integer(const Layer& layer, std::string_view key, std::int64_t otherwise);
  double number(const Layer& layer, std::string_view key, double otherwise);
  bool flag(const Layer& layer, std::string_view key, bool otherwise);
  std::string text(const Layer& layer, std::string_view key, std::string_view otherwise);
  Ints integers(const Layer& layer, std::string_view key);  // of a list or a single number; empty when absent
  // n numbers, of a list of n or of one number for all.
  Ints spread(const Layer& layer, std::string_view key, std::size_t n, std::int64_t otherwise);
  bool channels_last(const Layer& layer) {
    return text(layer, "data_format", "channels_last") != "channels_first";
  }

  // A variable of the layer as a constant of the dtype it computes in; an error when it has no such one.
  ValueId weight(const Layer& layer, std::size_t index);

  // "keras.unsupported_option" naming the layer.
  void refuse(const Layer& layer, std::string what);
  void bad(const Layer& layer, std::string what);  // "keras.bad_model"

  // The dtype to compute in: float64 where the policy says so, float32 for all others.
  DType dtype() const { return policy_.compute == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32; }
  ValueId floating(ValueId x);  // cast to dtype() unless it is a float32 or float64 already
  ValueId rounded(ValueId x);   // to the policy's 16 bits where it has any; x stays of its dtype
  std::int64_t axis(ValueId x, std::int64_t axis) { return graph::positive_axis(b, x, axis); }

  // Convolutional networks hop between channels-last tensors, which Keras means, and channels-first ones,
  // which ONNX computes on. Each remembers the other, so that a chain of layers stays channels-first.
  ValueId first(ValueId channels_last);
  ValueId last(ValueId channels_first);
  ValueId cast(ValueId x, DType dtype);  // both ways its channels lie
  bool has_first(ValueId channels_last) const { return first_.contains(channels_last); }
  // `op` on x, whichever way its channels lie: for what works element by element.
  template <class Function>
  ValueId elementwise(ValueId x, Function&& op) {
    return has_first(x) ? last(op(first(x))) : op(x);
  }

  // The layer's result, and the masks of it.
  Value call(const Layer& layer, Call call);
  // What the layer of this name gave when it was last called: "float32[?, 3]"; empty if it was not.
  std::string shape_of(std::string_view layer) const;

 private:
  // How a layer computes (keras/src/dtype_policies). ONNX Runtime has next to no kernels for 16-bit floats on
  // CPUs: layers of such a policy compute in float32 on inputs and weights rounded to 16 bits, and their
  // results are rounded again. That is what the framework gives but for the rounding inside of a layer, which
  // is finer here.
  struct Policy {
    DType compute = DType::kFloat32;
    bool casts_inputs = true, casts_weights = true;
  };
  std::optional<Policy> policy_for(const Layer& layer);
  void enter(Value& value);
  void leave(Value& value);
  Value lower_layer(const Layer& layer, const LayerRow& row, Call& call);
  Value lower_operation(const Layer& layer, const LayerRow& row, Call& call);
  tensor::Tensor converted(const tensor::Tensor& weight) const;

  Policy policy_;
  std::map<std::pair<const void*, DType>, ValueId> weights_;  // converted ones, by the tensor they are of
  std::map<ValueId, ValueId> first_;
  std::map<std::string, ValueId, std::less<>> results_;  // by layer
  std::uint64_t calls_left_;
};

enum class Mask : std::uint8_t {
  kDrop,  // the layer does not know masks
  kPass,  // the mask of its first input goes on
  kOwn,   // the function sets it
};

struct LayerRow {
  std::string_view class_name;
  Value (*lower)(Lowering&, const Layer&, const Call&);
  Mask mask = Mask::kDrop;
};

// The tables, one per subject.
std::span<const LayerRow> core_layers();
std::span<const LayerRow> activation_layers();
std::span<const LayerRow> convolution_layers();
std::span<const LayerRow> pooling_layers();
std::span<const LayerRow> normalization_layers();
std::span<const LayerRow> merging_layers();
std::span<const LayerRow> reshaping_layers();
std::span<const LayerRow> recurrent_layers();
std::span<const LayerRow> attention_layers();
std::span<const LayerRow> preprocessing_layers();
std::span<const LayerRow> lookup_layers();
std::span<const LayerRow> text_layers();
std::span<const LayerRow> image_layers();

// All tables of layers.
std::vector<std::span<const LayerRow>> layer_tables();

// The name of the layer's dtype policy: "float32", "mixed_float16"; `otherwise` where the file says none.
std::string policy_of(const Layer& layer, std::string_view otherwise = "float32");

// The row of a layer's class, or of a function's; nullopt when there is none. Models are not in the tables.
std::optional<LayerRow> find_row(const Layer& layer);
// operations.cc: of a class of keras.ops (Keras 3), or of a function in TFOpLambda and SlicingOpLambda
// (Keras 2).
std::optional<LayerRow> find_operation(std::string_view name, bool tensorflow);
// What an unsupported layer is called in the refusal: "MyLayer", "tf.linalg.svd".
std::string kind_of(const Layer& layer);

// network.cc: a Sequential or Functional model called on inputs.
Value call_model(Lowering& l, const Layer& model, const Call& call);
struct ModelInput {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;  // -1: not known
};
base::Result<std::vector<ModelInput>> inputs_of(const Layer& model);
// The outputs' names, as many as `count`.
std::vector<std::string> output_names(const Layer& model, const Value& outputs);

// activations.cc: a function by its name, or as Keras serialises functions and layers.
ValueId activate(Lowering& l, const Layer& layer, std::string_view key, ValueId x,
                 std::string_view otherwise = "linear");
ValueId activate(Lowering& l, const Layer& layer, std::string_view name, ValueId x, std::nullptr_t);
bool is_linear(const Layer& layer, std::string_view key);
// The name of a plain activation; empty for anything else.
std::string activation_name(const Layer& layer, std::string_view key, std::string_view otherwise);

// convolution.cc, for ConvLSTM too: kernel [spatial…, in / groups, out]; x and the result channels-first.
struct Convolution {
  Ints strides, dilations;
  std::string padding = "valid";  // or "same", "causal"
  std::int64_t groups = 1;
};
ValueId convolve(Lowering& l, const Layer& layer, ValueId x, ValueId kernel, ValueId bias,
                 const Convolution& how);

// convolution.cc: 1, 2 or 3 by the class's name ("Conv2D", "MaxPooling1D"); 0 where it says none.
std::size_t spatial_axes(const Layer& layer);

// core.cc, for attention too.
ValueId einsum_dense(Lowering& l, const Layer& layer, ValueId x, std::string_view equation);

// Arguments.
ValueId tensor_of(Lowering& l, const Layer& layer, const Value& value);  // an error when it is not one
// A tensor or a literal: of `like`'s dtype where Python has a plain number.
ValueId operand(Lowering& l, const Layer& layer, const Value& value, ValueId like);
std::vector<Value> tensors_of(const Value& value);  // flattened, in order
std::optional<DType> dtype_named(std::string_view name);
bool is_float(DType dtype);
// operations.cc: the dtype of both together, as Keras 3 promotes.
DType wider(DType a, DType b);
// What Keras 3 writes around a tuple or an array of numpy's, {"config": {"items" or "value": …}}, taken off.
// Null for null, and where there is nothing in it.
const Json* unwrapped(const Json* json);
// A constant from nested lists of numbers.
std::optional<tensor::Tensor> literal_tensor(const Json& json, DType dtype);

}  // namespace wherry::keras
