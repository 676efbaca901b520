#include "app/onnx_file.h"

#include "onnx/write.h"

#include "base/text.h"

namespace wherry::app {
namespace {

using base::cat;

// The graph, where the program is nothing else.
base::Result<const program::OnnxGraph*> only_graph(const program::Program& program) {
  const program::OnnxGraph* graph = nullptr;
  bool is_only = true;
  for (const program::Node& node : program.nodes()) {
    const auto* found = std::get_if<program::OnnxGraph>(&node.op);
    is_only = is_only && (found == nullptr || graph == nullptr);
    if (found != nullptr)
      graph = found;
    else if (!std::holds_alternative<program::TensorInput>(node.op) &&
             !std::holds_alternative<program::GraphOutput>(node.op))
      is_only = false;
  }
  if (graph == nullptr || !is_only)
    return base::fail(base::Code::kUnsupported, "app.no_network",
                      "the model is no neural network, and ONNX could not keep its exact predictions",
                      "wherry convert MODEL -o FOLDER makes a bundle of it");
  return graph;
}

}  // namespace

base::Status write_onnx(const program::Program& program, const std::filesystem::path& path,
                        base::FileSystem& files) {
  TRY_ASSIGN(const program::OnnxGraph* graph, only_graph(program));
  onnx::Model model{.proto = std::string(base::as_text(program.weight(graph->model).bytes())), .weights = {}};
  for (const program::GraphWeight& weight : graph->weights)
    model.weights.push_back({weight.name, program.weight(weight.tensor)});
  if (onnx::is_for_wherry_only(model.proto))
    return base::fail(base::Code::kUnsupported, "app.own_operators",
                      "the model works on texts with operators which ONNX does not have",
                      "wherry convert MODEL -o FOLDER makes a bundle, which wherry serves");
  auto whole = onnx::embed(model);
  if (whole) return files.write(path, *whole);
  if (whole.error().id != "onnx.too_large") return std::unexpected(std::move(whole.error()));
  const std::string beside = cat(path.filename().string(), ".data");
  TRY_ASSIGN(const onnx::TwoFiles two, onnx::split(model, beside));
  std::string data;
  for (const base::Bytes piece : two.data) data += base::as_text(piece);
  TRY(files.write(path.parent_path() / beside, data));
  return files.write(path, two.proto);
}

}  // namespace wherry::app
