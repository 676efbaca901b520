// ResNet, ResNeXt, Wide ResNet (torchvision/models/resnet.py).
#include <array>

#include "base/text.h"
#include "import/torch/arch_net.h"

namespace wherry::torch {
namespace {

using base::cat;

Argument block(Net& net, const Argument& x, const std::string& name, std::int64_t stride, bool bottleneck) {
  Argument y;
  if (bottleneck) {
    y = net.relu(net.batch_norm(net.conv(x, cat(name, ".conv1"), {}), cat(name, ".bn1")));
    const std::int64_t width = net.size(cat(name, ".conv1.weight"), 0);
    y = net.relu(net.batch_norm(net.conv_same(y, cat(name, ".conv2"), stride, width), cat(name, ".bn2")));
    y = net.batch_norm(net.conv(y, cat(name, ".conv3"), {}), cat(name, ".bn3"));
  } else {
    y = net.relu(net.batch_norm(net.conv(x, cat(name, ".conv1"), {stride, 1}), cat(name, ".bn1")));
    y = net.batch_norm(net.conv(y, cat(name, ".conv2"), {1, 1}), cat(name, ".bn2"));
  }
  Argument way = x;
  if (net.has(cat(name, ".downsample.0.weight")))
    way = net.batch_norm(net.conv(x, cat(name, ".downsample.0"), {stride}), cat(name, ".downsample.1"));
  return net.relu(net.add(y, way));
}

// numbers: bottleneck, then the blocks of each stage.
Argument resnet(Net& net, const Argument& image, const Architecture& self) {
  Argument x = net.max_pool(net.relu(net.batch_norm(net.conv(image, "conv1", {2, 3}), "bn1")), 3, 2, 1);
  for (std::size_t stage = 1; stage < self.numbers.size(); ++stage)
    for (int i = 0; i < self.numbers[stage]; ++i)
      x = block(net, x, cat("layer", stage, ".", i), stage > 1 && i == 0 ? 2 : 1, self.numbers[0] != 0);
  return net.linear(net.average(x), "fc");
}

constexpr std::array<int, 5> k18 = {0, 2, 2, 2, 2};
constexpr std::array<int, 5> k34 = {0, 3, 4, 6, 3};
constexpr std::array<int, 5> k50 = {1, 3, 4, 6, 3};
constexpr std::array<int, 5> k101 = {1, 3, 4, 23, 3};
constexpr std::array<int, 5> k152 = {1, 3, 8, 36, 3};

constexpr auto kRows = std::to_array<Architecture>({
    {"resnet18", resnet, k18},
    {"resnet34", resnet, k34},
    {"resnet50", resnet, k50},
    {"resnet101", resnet, k101},
    {"resnet152", resnet, k152},
    {"resnext50_32x4d", resnet, k50},
    {"resnext101_32x8d", resnet, k101},
    {"wide_resnet50_2", resnet, k50},
    {"wide_resnet101_2", resnet, k101},
});

}  // namespace

std::span<const Architecture> resnet_architectures() {
  return kRows;
}

}  // namespace wherry::torch
