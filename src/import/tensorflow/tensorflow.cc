#include "import/tensorflow/tensorflow.h"

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/types.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;

constexpr std::string_view kDefault = "serving_default";
// Signatures of TensorFlow's own, which run for their effects.
constexpr std::string_view kInternal[] = {"__saved_model_init_op", "__saved_model_train_op"};

std::string names_of(const MetaGraph& graph) {
  std::string names;
  for (const auto& [name, signature] : graph.signatures) {
    if (std::ranges::find(kInternal, name) != std::end(kInternal)) continue;
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

Result<std::string_view> choose_signature(const MetaGraph& graph, std::string_view wanted) {
  const std::string names = names_of(graph);
  if (names.empty())
    return base::fail(base::Code::kUnsupported, "tensorflow.no_signature", "the SavedModel has no signature",
                      "save it with signatures: tf.saved_model.save(model, folder, signatures=model.call."
                      "get_concrete_function(tf.TensorSpec(shape, dtype)))");
  const std::string_view looked_for = wanted.empty() ? kDefault : wanted;
  if (const auto found = graph.signatures.find(looked_for); found != graph.signatures.end())
    return found->first;
  if (wanted.empty() && names.find(", ") == names.npos) return graph.signatures.find(names)->first;
  return base::fail(base::Code::kUsage, "tensorflow.no_signature",
                    cat("the SavedModel has no signature ", base::quoted(looked_for), "; it has: ", names),
                    "choose one with --signature");
}

std::string describe_tensor(const TensorInfo& info) {
  const auto dtype = to_dtype(info.type);
  std::string text = dtype ? std::string(tensor::info(*dtype).numpy_name) : type_name(info.type);
  if (!info.shape) return text + "[…]";
  text += '[';
  for (std::size_t i = 0; i < info.shape->size(); ++i) {
    if (i > 0) text += ", ";
    text += (*info.shape)[i] < 0 ? "?" : cat((*info.shape)[i]);
  }
  return text + ']';
}

std::string describe_side(const std::map<std::string_view, TensorInfo>& tensors) {
  std::string text = "(";
  for (const auto& [name, info] : tensors) {
    if (text.size() > 1) text += ", ";
    text += cat(name, ": ", describe_tensor(info));
  }
  return text + ")";
}

// The signature's nodes, with its inputs as arguments in order.
Result<Flat> flatten(CallTree& tree, const SignatureDef& signature) {
  std::uint32_t index = 0;
  for (const auto& [name, info] : signature.inputs) {
    if (info.sparse)
      return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                        cat("the signature's input ", base::quoted(name), " is sparse or ragged"),
                        "save a signature which takes dense tensors");
    TRY(tree.feed(info.name, index++));
  }
  std::vector<std::string_view> outputs;
  for (const auto& [name, info] : signature.outputs) {
    if (info.sparse)
      return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                        cat("the signature's output ", base::quoted(name), " is sparse or ragged"),
                        "save a signature which gives dense tensors");
    outputs.push_back(info.name);
  }
  return tree.flatten(outputs);
}

// An unknown first length is the batch if all inputs have one: a signature says no more about it.
Result<std::vector<Item>> add_inputs(Builder& builder, const SignatureDef& signature) {
  const bool batched = std::ranges::all_of(signature.inputs, [](const auto& input) {
    const PartialShape& shape = input.second.shape;
    return shape && !shape->empty() && shape->front() < 0;
  });
  std::vector<Item> arguments;
  for (const auto& [name, info] : signature.inputs) {
    const auto dtype = to_dtype(info.type);
    if (!dtype)
      return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                        cat("the signature's input ", base::quoted(name), " is of ", type_name(info.type)),
                        "wherry serves numbers, booleans and strings only");
    if (!info.shape) {
      arguments.emplace_back(builder.input(std::string(name), *dtype));
      continue;
    }
    graph::Dims dims;
    for (std::size_t i = 0; i < info.shape->size(); ++i) {
      const std::int64_t size = (*info.shape)[i];
      dims.push_back(size >= 0           ? graph::Dim{size}
                     : i == 0 && batched ? builder.symbol("batch")
                                         : builder.symbol(cat(name, "_", i)));
    }
    arguments.emplace_back(builder.input(std::string(name), *dtype, std::move(dims)));
  }
  return arguments;
}

// Variables which the signature's own functions assign while it also reads them: it would answer
// differently each time.
Status check_state(CallTree& tree, const Flat& flat) {
  std::set<NodePlace> read;
  for (const Flat::Node& node : flat.nodes)
    if (node.def->op == "VarHandleOp" || node.def->op.starts_with("Variable"))
      read.emplace(node.place.frame, node.place.node);
  const std::size_t frames = tree.frames();
  for (std::uint32_t frame = 1; frame < frames; ++frame)
    for (const NodeDef& node : tree.nodes(frame)) {
      const bool assigns = node.op.starts_with("Assign") || node.op.starts_with("ResourceScatter") ||
                           node.op.starts_with("ResourceApply");
      if (!assigns || node.inputs.empty()) continue;
      TRY_ASSIGN(const Place place, tree.resolve(frame, node.inputs[0]));
      if (place.argument || !read.contains({place.frame, place.node})) continue;
      return base::fail(
          base::Code::kUnsupported, "tensorflow.unsupported_use",
          cat("node ", base::quoted(node.name), " (", node.op, ") changes a variable at each prediction"),
          "save a signature without state, for example an RNN with stateful=False");
    }
  return {};
}

}  // namespace

bool recognise(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / "saved_model.pb", ignored);
}

Result<graph::Graph> import(Model& model, const Options& options) {
  TRY_ASSIGN(const std::string_view name, choose_signature(model.graph(), options.signature));
  const SignatureDef& signature = model.graph().signatures.at(name);
  CallTree tree(model);
  TRY_ASSIGN(const Flat flat, flatten(tree, signature));
  TRY(check_state(tree, flat));
  Builder builder;
  Lowering lowering(model, tree, builder);
  TRY(lowering.check(flat));
  TRY_ASSIGN(const std::vector<Item> arguments, add_inputs(builder, signature));
  const std::vector<Item> results = lowering.run(flat, arguments);
  TRY(builder.status());
  std::size_t i = 0;
  for (const auto& [key, info] : signature.outputs) {
    const ValueId* value = std::get_if<ValueId>(&results[i++]);
    if (value == nullptr)
      return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                        cat("the signature's output ", base::quoted(key), " is no tensor"),
                        "save a signature which gives tensors");
    if (info.shape) {
      graph::Dims dims;
      for (const std::int64_t each : *info.shape)
        dims.push_back(each < 0 ? builder.fresh() : graph::Dim{each});
      builder.refine(*value, dims);
    }
    builder.output(std::string(key), *value);
  }
  return std::move(builder).build();
}

Result<graph::Graph> read_folder(const std::filesystem::path& folder, const Options& options) {
  TRY_ASSIGN(const std::unique_ptr<Model> model, Model::open(folder));
  return import(*model, options);
}

Result<Description> describe(Model& model, const Options& options) {
  Description described;
  const MetaGraph& graph = model.graph();
  described.version = graph.tensorflow_version;
  for (const auto& [name, signature] : graph.signatures)
    if (std::ranges::find(kInternal, name) == std::end(kInternal))
      described.signatures.push_back(
          cat(name, describe_side(signature.inputs), " -> ", describe_side(signature.outputs)));
  TRY_ASSIGN(const auto objects, read_object_kinds(graph.object_graph));
  for (const auto& [name, count] : objects) described.objects.push_back({name, count});
  for (const auto& [name, entry] : model.checkpoint().entries()) {
    if (!to_dtype(entry.type) || entry.type == kString) continue;
    ++described.variables;
    described.variable_bytes += static_cast<std::int64_t>(entry.size);
  }
  const auto name = choose_signature(graph, options.signature);
  if (!name) return described;
  CallTree tree(model);
  TRY_ASSIGN(const Flat flat, flatten(tree, graph.signatures.at(*name)));
  std::map<std::string, std::int64_t> counts;
  for (const Flat::Node& node : flat.nodes) ++counts[std::string(node.def->op)];
  for (const auto& [op, count] : counts) described.ops.push_back({op, count});
  Builder builder;
  Lowering lowering(model, tree, builder);
  TRY_ASSIGN(described.missing, lowering.missing(flat));
  return described;
}

}  // namespace wherry::tensorflow
