// What the architectures are built with. Internal to module torch.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "import/torch/aten.h"
#include "import/torch/safetensors.h"

namespace wherry::torch {

// Layers by the names of their weights. Errors are sticky, as the Builder's.
class Net {
 public:
  Net(graph::Builder& builder, const NamedTensors& weights);

  struct Window {
    std::int64_t stride = 1;
    std::int64_t padding = 0;
    std::int64_t groups = 1;
  };

  bool has(const std::string& name) const { return weights_.contains(name); }
  std::int64_t size(const std::string& name, std::size_t axis) const;  // 0 when there is none
  Argument weight(const std::string& name);
  Argument weight_or_none(const std::string& name);

  Argument conv(const Argument& x, const std::string& name, Window window);
  // "Same" padding for odd kernels; groups are found in the weight's shape, given the channels of x.
  Argument conv_same(const Argument& x, const std::string& name, std::int64_t stride, std::int64_t channels);
  Argument batch_norm(const Argument& x, const std::string& name, double eps = 1e-5);
  Argument linear(const Argument& x, const std::string& name);
  Argument call(std::string_view op, std::vector<Argument> arguments);
  Argument relu(const Argument& x) { return call("aten::relu", {x}); }
  Argument add(const Argument& x, const Argument& y) { return call("aten::add", {x, y}); }
  Argument max_pool(const Argument& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                    bool ceil = false);
  Argument average(const Argument& x);  // over the image, flattened

  void fail(std::string what);  // "torch.weights_do_not_fit"
  // The names which nothing used.
  std::vector<std::string> unused() const;
  graph::Builder& builder() { return b_; }

 private:
  graph::Builder& b_;
  Aten aten_;
  std::map<std::string, const tensor::Tensor*, std::less<>> weights_;
  std::set<std::string, std::less<>> used_;
};

struct Architecture {
  std::string_view name;
  Argument (*build)(Net& net, const Argument& image, const Architecture& self);
  std::span<const int> numbers;  // what its family needs
  bool fixed_size = false;       // images of 224 × 224 only
};

std::span<const Architecture> resnet_architectures();
std::span<const Architecture> mobile_architectures();
std::span<const Architecture> plain_architectures();  // VGG, AlexNet, SqueezeNet, DenseNet, ViT

}  // namespace wherry::torch
