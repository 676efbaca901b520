#include <algorithm>
#include <optional>

#include "runtime/session.h"

#include "base/text.h"
#include "engine/kernels.h"

namespace wherry::engine {

// What a tuple keeps between runs.
struct GraphRun {
  std::vector<tensor::ResultView> inputs;
  runtime::Answers answers;
};

namespace {

using base::cat;

std::vector<program::ValueType> types_of(const Wiring& wiring) {
  std::vector<program::ValueType> types;
  for (const program::ValueId input : wiring.node.inputs) types.push_back(wiring.skeleton.types[input]);
  return types;
}

// Whether an operation takes the value, relying on its type.
bool is_read(const Skeleton& skeleton, program::ValueId value) {
  return std::ranges::any_of(skeleton.nodes, [&](const program::Node& node) {
    return std::ranges::find(node.inputs, value) != node.inputs.end();
  });
}

// A graph may answer other than its model file says; files often declare lengths which only held for the
// example they were exported with, so these matter only where `lengths_matter`.
base::Status check_answer(const tensor::ResultView& view, const program::ValueType& type, bool lengths_matter,
                          std::optional<std::size_t> rows) {
  const bool has_axes = program::is_any_shape(type.shape) || view.axes == type.shape.size();
  const bool fits = lengths_matter ? program::admits(type.shape, view.shape()) : has_axes;
  const tensor::Shape shape(view.shape().begin(), view.shape().end());
  if (view.dtype != type.dtype || !fits)
    return base::fail(base::Code::kInvalidInput, "engine.graph_answer",
                      cat("the model answers ", tensor::info(view.dtype).numpy_name, " ",
                          tensor::to_string(shape), ", but its file says ", program::to_string(type)),
                      "export the model with the lengths which requests have marked as dynamic");
  if (rows && (view.axes == 0 || static_cast<std::size_t>(view.lengths[0]) != *rows))
    return base::fail(base::Code::kInvalidInput, "engine.tensor_batch",
                      view.axes == 0 ? cat("the model answers a single value to ", *rows, " rows")
                                     : cat("the model answers ", view.lengths[0], " rows to ", *rows),
                      "send inputs of one batch size; if they are, the model's file names its axes wrongly");
  return {};
}

}  // namespace

MadeKernel make_kernel(const program::TensorInput& op, const Wiring& wiring) {
  const auto index = static_cast<std::size_t>(op.index);
  return Kernel{[index, out = wiring.output()](const Frame& frame) -> base::Status {
    const tensor::TensorCells& cells = frame.input().tensors[index];
    tensor::ResultView view;
    view.dtype = cells.dtype;
    view.axes = static_cast<std::uint8_t>(cells.shape.size());
    for (std::size_t axis = 0; axis < cells.shape.size(); ++axis) view.lengths[axis] = cells.shape[axis];
    view.data = cells.bytes.data();
    view.texts = cells.texts;
    frame.borrow(out, view);
    return {};
  }};
}

MadeKernel make_kernel(const program::OnnxGraph& op, const Wiring& wiring) {
  const tensor::Tensor& proto = wiring.program.weight(op.model);
  runtime::Model model{.proto = proto.bytes(),
                       .inputs = op.input_names,
                       .outputs = {},
                       .weights = {},
                       .owner = std::make_shared<tensor::Tensor>(proto)};
  for (const program::GraphResult& result : op.results) model.outputs.push_back(result.name);
  for (const program::GraphWeight& weight : op.weights)
    model.weights.emplace_back(weight.name, wiring.program.weight(weight.tensor));
  TRY_ASSIGN(std::shared_ptr<const runtime::Session> session, runtime::Session::create(std::move(model)));
  return Kernel{[session = std::move(session), types = types_of(wiring), inputs = wiring.node.inputs,
                 out = wiring.output()](const Frame& frame) -> base::Status {
    std::shared_ptr<GraphRun>& run = frame.graph(out);
    if (run == nullptr) run = std::make_shared<GraphRun>();
    run->inputs.clear();
    for (std::size_t i = 0; i < inputs.size(); ++i) run->inputs.push_back(frame.tensor(inputs[i], types[i]));
    return session->run(run->inputs, frame.wanted(out), run->answers);
  }};
}

MadeKernel make_kernel(const program::GraphOutput& op, const Wiring& wiring) {
  const auto index = static_cast<std::size_t>(op.index);
  const bool batched = wiring.skeleton.signature.batched && wiring.skeleton.signature.takes_tensors();
  const bool lengths_matter = is_read(wiring.skeleton, wiring.output());
  return Kernel{[index, batched, lengths_matter, type = wiring.skeleton.types[wiring.output()],
                 in = wiring.input(), out = wiring.output()](const Frame& frame) -> base::Status {
    const tensor::ResultView& view = frame.graph(in)->answers.views()[index];
    TRY(check_answer(view, type, lengths_matter, batched ? std::optional(frame.rows()) : std::nullopt));
    frame.borrow(out, view);
    return {};
  }};
}

}  // namespace wherry::engine
