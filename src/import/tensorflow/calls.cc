#include "import/tensorflow/calls.h"

#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/merges.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;

constexpr std::uint32_t kDeepest = 100;
constexpr std::size_t kMostFrames = 200'000;
constexpr std::size_t kMostNodes = 2'000'000;
constexpr std::uint64_t kMostSteps = 200'000'000;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_model", std::move(message),
                    "the file is damaged; save the model again or copy the whole folder again");
}

// Ops which give their first input (`all`: each output its input) unchanged at inference.
struct Passing {
  std::string_view op;
  bool all;
};
constexpr Passing kPassing[] = {
    {"Identity", false},        {"IdentityN", true},
    {"StopGradient", false},    {"Snapshot", false},
    {"PreventGradient", false}, {"CheckNumerics", false},
    {"RefIdentity", false},     {"PlaceholderWithDefault", false},
    {"DebugIdentity", false},   {"CheckNumericsV2", false},
};

const Passing* passing(std::string_view op) {
  for (const Passing& row : kPassing)
    if (row.op == op) return &row;
  return nullptr;
}

constexpr std::string_view kCalls[] = {"PartitionedCall", "StatefulPartitionedCall"};

// Ops with several output lists, in order. A list of unknown length has the attribute which tells its length
// (a number or a list of dtypes) behind a colon.
struct Outputs {
  std::string_view op;
  std::vector<std::string_view> lists;
};
const Outputs kOutputs[] = {
    {"TopKV2", {"values", "indices"}},
    {"TopK", {"values", "indices"}},
    {"FusedBatchNorm", {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"}},
    {"FusedBatchNormV2", {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"}},
    {"FusedBatchNormV3",
     {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3"}},
    {"Unique", {"y", "idx"}},
    {"UniqueV2", {"y", "idx"}},
    {"UniqueWithCounts", {"y", "idx", "count"}},
    {"UniqueWithCountsV2", {"y", "idx", "count"}},
    {"ListDiff", {"out", "idx"}},
    {"Switch", {"output_false", "output_true"}},
    {"RefSwitch", {"output_false", "output_true"}},
    {"Merge", {"output", "value_index"}},
    {"RefMerge", {"output", "value_index"}},
    {"MaxPoolWithArgmax", {"output", "argmax"}},
    {"NonMaxSuppressionV4", {"selected_indices", "valid_outputs"}},
    {"NonMaxSuppressionV5", {"selected_indices", "selected_scores", "valid_outputs"}},
    {"CombinedNonMaxSuppression", {"nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"}},
    {"SoftmaxCrossEntropyWithLogits", {"loss", "backprop"}},
    {"SparseSoftmaxCrossEntropyWithLogits", {"loss", "backprop"}},
    {"StringSplit", {"indices", "values", "shape"}},
    {"StringSplitV2", {"indices", "values", "shape"}},
    {"StringNGrams", {"ngrams", "ngrams_splits"}},
    {"UnicodeDecode", {"row_splits", "char_values"}},
    {"UnicodeDecodeWithOffsets", {"row_splits", "char_values", "char_to_byte_starts"}},
    {"SparseReorder", {"output_indices", "output_values"}},
    {"SparseReshape", {"output_indices", "output_shape"}},
    {"SparseFillEmptyRows", {"output_indices", "output_values", "empty_row_indicator", "reverse_index_map"}},
    {"SparseSlice", {"output_indices", "output_values", "output_shape"}},
    {"SparseConcat", {"output_indices", "output_values", "output_shape"}},
    {"SparseCross", {"output_indices", "output_values", "output_shape"}},
    {"LookupTableExportV2", {"keys", "values"}},
    {"TensorListPopBack", {"output_handle", "tensor"}},
    {"TensorListConcat", {"tensor", "lengths"}},
    {"TensorListConcatV2", {"tensor", "lengths"}},
    {"RaggedRange", {"rt_nested_splits", "rt_dense_values"}},
    {"RaggedGather", {"output_nested_splits:OUTPUT_RAGGED_RANK", "output_dense_values"}},
    {"RaggedTensorToSparse", {"sparse_indices", "sparse_values", "sparse_dense_shape"}},
    {"RaggedTensorFromVariant", {"output_nested_splits:output_ragged_rank", "output_dense_values"}},
    {"ParseExample",
     {"sparse_indices:Nsparse", "sparse_values:sparse_types", "sparse_shapes:Nsparse",
      "dense_values:Tdense"}},
    {"ParseExampleV2",
     {"sparse_indices:num_sparse", "sparse_values:sparse_types", "sparse_shapes:num_sparse",
      "dense_values:Tdense", "ragged_values:ragged_value_types", "ragged_row_splits:ragged_split_types"}},
    {"BroadcastGradientArgs", {"r0", "r1"}},
    {"Svd", {"s", "u", "v"}},
    {"Qr", {"q", "r"}},
    {"LSTMBlockCell", {"i", "cs", "f", "o", "ci", "co", "h"}},
    {"BlockLSTM", {"i", "cs", "f", "o", "ci", "co", "h"}},
    {"BlockLSTMV2", {"i", "cs", "f", "o", "ci", "co", "h"}},
    {"GRUBlockCell", {"r", "u", "c", "h"}},
    {"CudnnRNN", {"output", "output_h", "output_c", "reserve_space"}},
    {"CudnnRNNV3", {"output", "output_h", "output_c", "reserve_space", "host_reserved"}},
    {"RGBToHSV", {"output"}},
    {"LogMatrixDeterminant", {"sign", "log_abs_determinant"}},
    {"QuantizeV2", {"output", "output_min", "output_max"}},
    {"SampleDistortedBoundingBoxV2", {"begin", "size", "bboxes"}},
    {"DynamicPartition", {"outputs"}},
    {"StatelessRandomGetKeyCounter", {"key", "counter"}},
};

std::uint32_t list_length(const NodeDef& node, std::string_view attribute) {
  if (const auto number = node.attributes.integer(attribute))
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(*number, 0, 1 << 20));
  return static_cast<std::uint32_t>(node.attributes.integers(attribute).size());
}

}  // namespace

Result<std::uint32_t> output_number(const NodeDef& node, std::string_view list, std::uint32_t number) {
  const auto row = std::ranges::find(kOutputs, node.op, &Outputs::op);
  if (row == std::end(kOutputs)) return number;
  std::uint32_t before = 0;
  for (const std::string_view each : row->lists) {
    const std::size_t colon = each.find(':');
    if (each.substr(0, colon) == list) return before + number;
    before += colon == each.npos ? 1 : list_length(node, each.substr(colon + 1));
  }
  return bad(cat("node ", base::quoted(node.name), " (", base::quoted(node.op), ") has no output ",
                 base::quoted(list)));
}

CallTree::CallTree(Model& model) : model_(model) {
  frames_.emplace_back();
}

CallTree::CallTree(Model& model, const FunctionDef& function) : model_(model) {
  frames_.emplace_back();
  frames_.back().function = &function;
}

CallTree::Scope CallTree::scope(std::uint32_t frame) const {
  const FunctionDef* function = frames_[frame].function;
  if (function == nullptr) return {model_.graph().nodes, &model_.graph().node_index};
  return {function->nodes, &function->node_index};
}

Result<CallTree::Named> CallTree::find(std::uint32_t frame, std::string_view input) const {
  const FunctionDef* function = frames_[frame].function;
  const Scope in = scope(frame);
  const std::size_t colon = input.find(':');
  const std::string_view name = input.substr(0, colon);
  if (function != nullptr)
    if (const auto argument = function->input_index.find(name); argument != function->input_index.end())
      return Named{true, static_cast<std::uint32_t>(argument->second), 0};
  const auto found = in.index->find(name);
  if (found == in.index->end())
    return bad(cat("there is no node ", base::quoted(name),
                   function == nullptr ? std::string() : cat(" in function ", base::quoted(function->name))));
  Named named{false, static_cast<std::uint32_t>(found->second), 0};
  if (colon == input.npos) return named;
  std::string_view rest = input.substr(colon + 1);
  std::string_view list;
  if (const std::size_t second = rest.find(':'); second != rest.npos) {
    list = rest.substr(0, second);
    rest = rest.substr(second + 1);
  }
  const auto number = base::parse_unsigned(rest);
  if (!number || *number > kMostNodes) return bad(cat(base::quoted(input), " is no input of a node"));
  named.output = static_cast<std::uint32_t>(*number);
  if (list.empty()) return named;
  const NodeDef& node = in.nodes[found->second];
  if (const std::string_view called = callee(node); !called.empty() && called == node.op) {
    // A call by the function's own name: its lists are the function's results.
    TRY_ASSIGN(const FunctionDef* own, model_.function(called));
    for (std::size_t i = 0; i < own->outputs.size(); ++i)
      if (own->outputs[i].name == list) named.output = static_cast<std::uint32_t>(i);
    return named;
  }
  TRY_ASSIGN(named.output, output_number(node, list, named.output));
  return named;
}

std::string_view CallTree::callee(const NodeDef& node) const {
  if (std::ranges::find(kCalls, node.op) != std::end(kCalls))
    return node.attributes.function("f").value_or("");
  return model_.has_function(node.op) ? node.op : std::string_view();
}

Result<std::uint32_t> CallTree::enter(std::uint32_t frame, std::uint32_t node) {
  if (const auto known = frames_[frame].children.find(node); known != frames_[frame].children.end())
    return known->second;
  const NodeDef& call = scope(frame).nodes[node];
  TRY_ASSIGN(const FunctionDef* function, model_.function(callee(call)));
  if (frames_[frame].depth == kDeepest)
    return base::fail(base::Code::kInvalidInput, "tensorflow.recursive",
                      cat("function ", base::quoted(function->name), " is called at depth ", kDeepest),
                      "recursive functions cannot be served");
  if (frames_.size() == kMostFrames)
    return base::fail(base::Code::kLimit, "tensorflow.too_large",
                      cat("the model makes more than ", kMostFrames, " function calls"),
                      "wherry takes models of fewer calls only");
  const auto made = static_cast<std::uint32_t>(frames_.size());
  frames_.push_back({function, frame, node, frames_[frame].depth + 1, {}});
  frames_[frame].children.emplace(node, made);
  return made;
}

Status CallTree::feed(std::string_view tensor_name, std::uint32_t index) {
  TRY_ASSIGN(const Named named, find(0, tensor_name));
  feeds_[{named.index, named.output}] = index;
  return {};
}

Result<Place> CallTree::resolve(std::uint32_t frame, std::string_view input) {
  for (;;) {
    if (++steps_ > kMostSteps)
      return base::fail(base::Code::kInvalidInput, "tensorflow.cyclic",
                        cat("following ", base::quoted(input), " does not end"), "the file is damaged");
    TRY_ASSIGN(const Named named, find(frame, input));
    if (named.argument) {
      if (frames_[frame].parent == frame) return Place{0, 0, named.index, true};
      const std::uint32_t call = frames_[frame].call;
      frame = frames_[frame].parent;
      const NodeDef& node = scope(frame).nodes[call];
      if (named.index >= node.inputs.size() || node.inputs[named.index].starts_with('^'))
        return bad(cat("the call ", base::quoted(node.name), " has too few arguments"));
      input = node.inputs[named.index];
      continue;
    }
    if (frame == 0 && !feeds_.empty())
      if (const auto fed = feeds_.find({named.index, named.output}); fed != feeds_.end())
        return Place{0, 0, fed->second, true};
    const NodeDef& node = scope(frame).nodes[named.index];
    if (const Passing* row = passing(node.op)) {
      const std::uint32_t which = row->all ? named.output : 0;
      if (which >= node.inputs.size() || node.inputs[which].starts_with('^'))
        return bad(cat("node ", base::quoted(node.name), " has too few inputs"));
      input = node.inputs[which];
      continue;
    }
    if (callee(node).empty()) return Place{frame, named.index, named.output, false};
    TRY_ASSIGN(frame, enter(frame, named.index));
    const FunctionDef& function = *frames_[frame].function;
    if (named.output >= function.results.size())
      return bad(cat("function ", base::quoted(function.name), " has no result ", named.output));
    input = function.results[named.output];
  }
}

namespace {

// Depth first, without recursion: hostile graphs are deep.
class Flattening {
 public:
  explicit Flattening(CallTree& tree) : tree_(tree) {}

  Result<Flat::Ref> add(std::uint32_t frame, std::string_view input) {
    TRY_ASSIGN(const Place place, tree_.resolve(frame, input));
    if (place.argument) return Flat::Ref{-1, place.output};
    TRY(visit(place));
    return Flat::Ref{known_[key(place)], place.output};
  }

  Flat finish() && { return std::move(flat_); }

 private:
  struct Open {
    Place place;
    std::size_t next = 0;
    std::vector<Flat::Ref> inputs;
  };
  static constexpr std::int32_t kInProgress = -2;

  static std::uint64_t key(const Place& place) { return std::uint64_t{place.frame} << 32 | place.node; }

  Status visit(const Place& start) {
    if (known_.contains(key(start))) return {};
    open(start);
    while (!stack_.empty()) {
      Open& top = stack_.back();
      const NodeDef& node = tree_.node(top.place);
      if (top.next == node.inputs.size() ||
          node.inputs[top.next].starts_with('^')) {  // control edges are last
        TRY(close());
        continue;
      }
      TRY_ASSIGN(const Place place, tree_.resolve(top.place.frame, node.inputs[top.next]));
      if (place.argument) {
        top.inputs.push_back({-1, place.output});
        ++top.next;
        continue;
      }
      const auto seen = known_.find(key(place));
      if (seen == known_.end()) {
        open(place);
        continue;
      }
      if (seen->second == kInProgress)
        return base::fail(
            base::Code::kUnsupported, "tensorflow.cyclic",
            cat("node ", base::quoted(node.name), " depends on itself"),
            "loops of TensorFlow 1 (Enter, Exit, NextIteration) cannot be served; save the model "
            "with TensorFlow 2's control flow");
      top.inputs.push_back({seen->second, place.output});
      ++top.next;
    }
    return {};
  }

  void open(const Place& place) {
    known_[key(place)] = kInProgress;
    stack_.push_back({place, 0, {}});
  }

  Status close() {
    if (flat_.nodes.size() == kMostNodes)
      return base::fail(base::Code::kLimit, "tensorflow.too_large",
                        cat("the model has more than ", kMostNodes, " nodes"),
                        "wherry takes smaller models only");
    Open& top = stack_.back();
    known_[key(top.place)] = static_cast<std::int32_t>(flat_.nodes.size());
    const FunctionDef* function = tree_.function(top.place.frame);
    flat_.nodes.push_back({&tree_.node(top.place), std::move(top.inputs), top.place,
                           function == nullptr ? std::string_view() : function->name});
    stack_.pop_back();
    return {};
  }

  CallTree& tree_;
  Flat flat_;
  std::vector<Open> stack_;
  std::unordered_map<std::uint64_t, std::int32_t> known_;
};

}  // namespace

Result<Flat> CallTree::flatten(const std::vector<std::string_view>& outputs) {
  Flattening flattening(*this);
  std::vector<Flat::Ref> refs;
  for (const std::string_view output : outputs) {
    TRY_ASSIGN(const Flat::Ref ref, flattening.add(0, output));
    refs.push_back(ref);
  }
  Flat flat = std::move(flattening).finish();
  flat.outputs = std::move(refs);
  const FunctionDef* function = frames_.front().function;
  flat.arguments = function == nullptr ? feeds_.size() : function->inputs.size();
  add_conditions(flat);
  return flat;
}

Result<Flat> CallTree::flatten() {
  return flatten(frames_.front().function->results);
}

}  // namespace wherry::tensorflow
