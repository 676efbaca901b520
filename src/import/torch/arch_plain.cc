// VGG, AlexNet, SqueezeNet, DenseNet, Vision Transformer (torchvision/models/*.py).
#include <array>

#include "base/text.h"
#include "import/torch/arch_net.h"

namespace wherry::torch {
namespace {

using base::cat;

Argument classifier(Net& net, Argument x, const std::array<int, 3>& layers, std::int64_t side) {
  const Argument::List size{side, side};
  x = net.call("aten::adaptive_avg_pool2d", {x, Argument(size)});
  x = net.call("aten::flatten", {x, Argument(std::int64_t{1})});
  x = net.relu(net.linear(x, cat("classifier.", layers[0])));
  x = net.relu(net.linear(x, cat("classifier.", layers[1])));
  return net.linear(x, cat("classifier.", layers[2]));
}

// numbers: convolutions before each pooling.
Argument vgg(Net& net, const Argument& image, const Architecture& self) {
  Argument x = image;
  int at = 0;
  for (const int count : self.numbers) {
    for (int i = 0; i < count; ++i) {
      x = net.conv(x, cat("features.", at++), {1, 1});
      if (net.has(cat("features.", at, ".running_mean"))) x = net.batch_norm(x, cat("features.", at++));
      x = net.relu(x);
      ++at;
    }
    x = net.max_pool(x, 2, 2, 0);
    ++at;
  }
  return classifier(net, x, {0, 3, 6}, 7);
}

Argument alexnet(Net& net, const Argument& image, const Architecture&) {
  Argument x = net.max_pool(net.relu(net.conv(image, "features.0", {4, 2})), 3, 2, 0);
  x = net.max_pool(net.relu(net.conv(x, "features.3", {1, 2})), 3, 2, 0);
  for (const std::string name : {"features.6", "features.8", "features.10"})
    x = net.relu(net.conv(x, name, {1, 1}));
  return classifier(net, net.max_pool(x, 3, 2, 0), {1, 4, 6}, 6);
}

// numbers: the padding-free first layer is 0; then 1 for a fire module, 0 for a pooling.
Argument squeezenet(Net& net, const Argument& image, const Architecture& self) {
  Argument x = net.relu(net.conv(image, "features.0", {2}));
  for (std::size_t i = 0; i < self.numbers.size(); ++i) {
    if (self.numbers[i] == 0) {
      x = net.max_pool(x, 3, 2, 0, true);
      continue;
    }
    const std::string name = cat("features.", i + 2, ".");
    const Argument narrow = net.relu(net.conv(x, name + "squeeze", {}));
    const Argument::List wide{net.relu(net.conv(narrow, name + "expand1x1", {})),
                              net.relu(net.conv(narrow, name + "expand3x3", {1, 1}))};
    x = net.call("aten::cat", {Argument(wide), Argument(std::int64_t{1})});
  }
  return net.average(net.relu(net.conv(x, "classifier.1", {})));
}

Argument densenet(Net& net, const Argument& image, const Architecture&) {
  const auto norm_relu = [&](const Argument& x, const std::string& name) {
    return net.relu(net.batch_norm(x, name));
  };
  Argument x = net.max_pool(norm_relu(net.conv(image, "features.conv0", {2, 3}), "features.norm0"), 3, 2, 1);
  for (int stage = 1; net.has(cat("features.denseblock", stage, ".denselayer1.conv1.weight")); ++stage) {
    for (int i = 1;; ++i) {
      const std::string name = cat("features.denseblock", stage, ".denselayer", i);
      if (!net.has(name + ".conv1.weight")) break;
      const Argument narrow = net.conv(norm_relu(x, name + ".norm1"), name + ".conv1", {});
      const Argument fresh = net.conv(norm_relu(narrow, name + ".norm2"), name + ".conv2", {1, 1});
      x = net.call("aten::cat", {Argument(Argument::List{x, fresh}), Argument(std::int64_t{1})});
    }
    const std::string name = cat("features.transition", stage);
    if (!net.has(name + ".conv.weight")) continue;
    const Argument::List two{std::int64_t{2}, std::int64_t{2}};
    x = net.call("aten::avg_pool2d",
                 {net.conv(norm_relu(x, name + ".norm"), name + ".conv", {}), Argument(two), Argument(two)});
  }
  return net.linear(net.average(norm_relu(x, "features.norm5")), "classifier");
}

Argument layer_norm(Net& net, const Argument& x, const std::string& name) {
  const Argument::List shape{net.size(name + ".weight", 0)};
  return net.call("aten::layer_norm", {x, Argument(shape), net.weight(name + ".weight"),
                                       net.weight(name + ".bias"), Argument(1e-6)});
}

Argument attention(Net& net, const Argument& x, const std::string& name, std::int64_t width,
                   std::int64_t heads) {
  const Argument joined =
      net.call("aten::linear", {x, net.weight(name + ".in_proj_weight"), net.weight(name + ".in_proj_bias")});
  const Argument::List shape{std::int64_t{0}, std::int64_t{0}, std::int64_t{3}, heads, width / heads};
  const Argument cut = net.call("aten::view", {joined, Argument(shape)});
  const Argument::List order{std::int64_t{2}, std::int64_t{0}, std::int64_t{3}, std::int64_t{1},
                             std::int64_t{4}};
  const Argument parts = net.call("aten::permute", {cut, Argument(order)});
  const auto part = [&](std::int64_t i) {
    return net.call("aten::select", {parts, Argument(std::int64_t{0}), Argument(i)});
  };
  const Argument mixed = net.call("aten::scaled_dot_product_attention", {part(0), part(1), part(2)});
  const Argument back =
      net.call("aten::transpose", {mixed, Argument(std::int64_t{1}), Argument(std::int64_t{2})});
  const Argument::List flat{std::int64_t{0}, std::int64_t{0}, width};
  return net.linear(net.call("aten::view", {back, Argument(flat)}), name + ".out_proj");
}

// numbers: the heads.
Argument vit(Net& net, const Argument& image, const Architecture& self) {
  const std::int64_t patch = net.size("conv_proj.weight", 2);
  const std::int64_t width = net.size("conv_proj.weight", 0);
  Argument x = net.conv(image, "conv_proj", {patch});
  x = net.call("aten::flatten", {x, Argument(std::int64_t{2})});
  x = net.call("aten::transpose", {x, Argument(std::int64_t{1}), Argument(std::int64_t{2})});
  const Argument batch = net.call("aten::size", {image, Argument(std::int64_t{0})});
  const Argument::List shape{batch, std::int64_t{-1}, std::int64_t{-1}};
  const Argument token = net.call("aten::expand", {net.weight("class_token"), Argument(shape)});
  x = net.call("aten::cat", {Argument(Argument::List{token, x}), Argument(std::int64_t{1})});
  x = net.add(x, net.weight("encoder.pos_embedding"));
  for (int i = 0;; ++i) {
    const std::string name = cat("encoder.layers.encoder_layer_", i);
    if (!net.has(name + ".ln_1.weight")) break;
    x = net.add(x, attention(net, layer_norm(net, x, name + ".ln_1"), name + ".self_attention", width,
                             self.numbers[0]));
    const bool named = net.has(name + ".mlp.linear_1.weight");  // torchvision before 0.13
    const Argument inner = net.call("aten::gelu", {net.linear(layer_norm(net, x, name + ".ln_2"),
                                                              name + (named ? ".mlp.linear_1" : ".mlp.0"))});
    x = net.add(x, net.linear(inner, name + (named ? ".mlp.linear_2" : ".mlp.3")));
  }
  x = layer_norm(net, x, "encoder.ln");
  return net.linear(net.call("aten::select", {x, Argument(std::int64_t{1}), Argument(std::int64_t{0})}),
                    "heads.head");
}

constexpr std::array<int, 5> k11 = {1, 1, 2, 2, 2};
constexpr std::array<int, 5> k13 = {2, 2, 2, 2, 2};
constexpr std::array<int, 5> k16 = {2, 2, 3, 3, 3};
constexpr std::array<int, 5> k19 = {2, 2, 4, 4, 4};
constexpr std::array<int, 11> kSqueeze10 = {0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1};
constexpr std::array<int, 11> kSqueeze11 = {0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1};
constexpr std::array<int, 1> kTwelve = {12};
constexpr std::array<int, 1> kSixteen = {16};

constexpr auto kRows = std::to_array<Architecture>({
    {"vgg11", vgg, k11, true},
    {"vgg13", vgg, k13, true},
    {"vgg16", vgg, k16, true},
    {"vgg19", vgg, k19, true},
    {"vgg11_bn", vgg, k11, true},
    {"vgg13_bn", vgg, k13, true},
    {"vgg16_bn", vgg, k16, true},
    {"vgg19_bn", vgg, k19, true},
    {"alexnet", alexnet, {}, true},
    {"squeezenet1_0", squeezenet, kSqueeze10},
    {"squeezenet1_1", squeezenet, kSqueeze11},
    {"densenet121", densenet, {}},
    {"densenet161", densenet, {}},
    {"densenet169", densenet, {}},
    {"densenet201", densenet, {}},
    {"vit_b_16", vit, kTwelve, true},
    {"vit_b_32", vit, kTwelve, true},
    {"vit_l_16", vit, kSixteen, true},
    {"vit_l_32", vit, kSixteen, true},
});

}  // namespace

std::span<const Architecture> plain_architectures() {
  return kRows;
}

}  // namespace wherry::torch
