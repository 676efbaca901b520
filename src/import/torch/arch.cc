#include "import/torch/arch.h"

#include <algorithm>

#include "base/text.h"
#include "import/torch/arch_net.h"

namespace wherry::torch {
namespace {

using base::cat;

std::vector<const Architecture*> all() {
  std::vector<const Architecture*> out;
  for (const auto rows : {resnet_architectures(), mobile_architectures(), plain_architectures()})
    for (const Architecture& row : rows) out.push_back(&row);
  return out;
}

}  // namespace

Net::Net(graph::Builder& builder, const NamedTensors& weights) : b_(builder), aten_(builder) {
  for (const auto& [name, tensor] : weights) weights_[name] = &tensor;
}

std::int64_t Net::size(const std::string& name, std::size_t axis) const {
  const auto found = weights_.find(name);
  return found != weights_.end() && axis < found->second->shape().size() ? found->second->shape()[axis] : 0;
}

void Net::fail(std::string what) {
  b_.fail(base::Error{base::Code::kInvalidInput,
                      "torch.weights_do_not_fit",
                      std::move(what),
                      "give the architecture which the weights were made for, with its own number of classes",
                      {}});
}

Argument Net::weight(const std::string& name) {
  const auto found = weights_.find(name);
  if (found == weights_.end()) {
    fail(cat("the weights have no ", base::quoted(name)));
    return Argument(Tensor{});
  }
  used_.insert(name);
  return Argument(Tensor{b_.constant(*found->second)});
}

Argument Net::weight_or_none(const std::string& name) {
  return has(name) ? weight(name) : Argument();
}

Argument Net::call(std::string_view op, std::vector<Argument> arguments) {
  if (!b_.status()) return Argument(Tensor{});
  auto results = aten_.call(op, "", std::move(arguments));
  if (!results) {
    b_.fail(std::move(results).error());
    return Argument(Tensor{});
  }
  return results->empty() ? Argument() : results->front();
}

Argument Net::conv(const Argument& x, const std::string& name, Window window) {
  b_.source(name);
  const auto pair = [](std::int64_t number) { return Argument(Argument::List{number, number}); };
  return call("aten::conv2d", {x, weight(cat(name, ".weight")), weight_or_none(cat(name, ".bias")),
                               pair(window.stride), pair(window.padding), pair(1), Argument(window.groups)});
}

Argument Net::conv_same(const Argument& x, const std::string& name, std::int64_t stride,
                        std::int64_t channels) {
  const std::string kernel = cat(name, ".weight");
  const std::int64_t per_group = std::max<std::int64_t>(size(kernel, 1), 1);
  return conv(x, name, {stride, (size(kernel, 2) - 1) / 2, std::max<std::int64_t>(channels / per_group, 1)});
}

Argument Net::batch_norm(const Argument& x, const std::string& name, double eps) {
  b_.source(name);
  used_.insert(cat(name, ".num_batches_tracked"));
  return call("aten::batch_norm", {x, weight(cat(name, ".weight")), weight(cat(name, ".bias")),
                                   weight(cat(name, ".running_mean")), weight(cat(name, ".running_var")),
                                   Argument(false), Argument(0.1), Argument(eps), Argument(false)});
}

Argument Net::linear(const Argument& x, const std::string& name) {
  b_.source(name);
  return call("aten::linear", {x, weight(cat(name, ".weight")), weight_or_none(cat(name, ".bias"))});
}

Argument Net::max_pool(const Argument& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                       bool ceil) {
  const auto pair = [](std::int64_t number) { return Argument(Argument::List{number, number}); };
  return call("aten::max_pool2d", {x, pair(kernel), pair(stride), pair(padding), pair(1), Argument(ceil)});
}

Argument Net::average(const Argument& x) {
  return call("aten::mean", {x, Argument(Argument::List{std::int64_t{2}, std::int64_t{3}})});
}

std::vector<std::string> Net::unused() const {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : weights_)
    if (!used_.contains(name)) out.push_back(name);
  return out;
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> out;
  for (const Architecture* row : all()) out.emplace_back(row->name);
  std::ranges::sort(out);
  return out;
}

base::Result<graph::Graph> build_architecture(std::string_view name, const NamedTensors& weights) {
  const auto rows = all();
  const auto row = std::ranges::find(rows, name, [](const Architecture* each) { return each->name; });
  if (row == rows.end())
    return base::fail(base::Code::kUsage, "torch.unknown_architecture",
                      cat("no architecture ", base::quoted(name)),
                      cat("there are ", base::join(architecture_names(), ", ")));
  graph::Builder b;
  Net net(b, weights);
  constexpr std::int64_t kSide = 224;
  const graph::Dim height = (*row)->fixed_size ? graph::Dim{kSide} : b.symbol("height");
  const graph::Dim width = (*row)->fixed_size ? graph::Dim{kSide} : b.symbol("width");
  const graph::ValueId image =
      b.input("input", tensor::DType::kFloat32, {b.symbol("batch"), {3}, height, width});
  const Argument result = (*row)->build(net, Argument(Tensor{image}), **row);
  TRY(b.status());
  if (const std::vector<std::string> unused = net.unused(); !unused.empty())
    return base::fail(base::Code::kInvalidInput, "torch.weights_do_not_fit",
                      cat(name, " has no place for ", unused.size(), " of the tensors, e.g. ",
                          base::quoted(unused.front())),
                      "give the architecture which the weights were made for");
  if (const auto* const tensor = result.get<Tensor>()) b.output("output", tensor->value);
  return std::move(b).build();
}

}  // namespace wherry::torch
