// MobileNet V2 and V3, EfficientNet (torchvision/models/mobilenetv2.py, mobilenetv3.py, efficientnet.py).
#include <array>

#include "base/text.h"
#include "import/torch/arch_net.h"

namespace wherry::torch {
namespace {

using base::cat;

Argument conv_norm(Net& net, const Argument& x, const std::string& conv, const std::string& norm,
                   std::int64_t stride, std::int64_t channels, double eps) {
  return net.batch_norm(net.conv_same(x, conv, stride, channels), norm, eps);
}

// --- V2
// ---------------------------------------------------------------------------------------------------------

// numbers: the strides of the blocks.
Argument mobilenet_v2(Net& net, const Argument& image, const Architecture& self) {
  const auto relu6 = [&](const Argument& x) { return net.call("aten::relu6", {x}); };
  Argument x = relu6(conv_norm(net, image, "features.0.0", "features.0.1", 2, 3, 1e-5));
  std::int64_t channels = net.size("features.0.0.weight", 0);
  std::size_t i = 1;
  for (; i <= self.numbers.size(); ++i) {
    const std::string name = cat("features.", i, ".conv.");
    const std::int64_t stride = self.numbers[i - 1];
    const bool expands = net.has(name + "3.weight");
    Argument y = relu6(conv_norm(net, x, name + "0.0", name + "0.1", expands ? 1 : stride, channels, 1e-5));
    std::int64_t inner = net.size(name + "0.0.weight", 0);
    if (expands) {
      y = relu6(conv_norm(net, y, name + "1.0", name + "1.1", stride, inner, 1e-5));
      inner = net.size(name + "1.0.weight", 0);
    }
    const std::string last = name + (expands ? "2" : "1");
    y = conv_norm(net, y, last, name + (expands ? "3" : "2"), 1, inner, 1e-5);
    const std::int64_t out = net.size(last + ".weight", 0);
    x = stride == 1 && out == channels ? net.add(x, y) : y;
    channels = out;
  }
  x = relu6(conv_norm(net, x, cat("features.", i, ".0"), cat("features.", i, ".1"), 1, channels, 1e-5));
  return net.linear(net.average(x), "classifier.1");
}

// --- blocks of V3 and EfficientNet: convolutions and squeeze-and-excitation in a row
// ---------------------------------

Argument excite(Net& net, const Argument& x, const std::string& name, std::string_view first,
                std::string_view second) {
  const Argument::List axes{std::int64_t{2}, std::int64_t{3}};
  const Argument mean = net.call("aten::mean", {x, Argument(axes), Argument(true)});
  const Argument inner = net.call(first, {net.conv(mean, cat(name, ".fc1"), {})});
  const Argument scale = net.call(second, {net.conv(inner, cat(name, ".fc2"), {})});
  return net.call("aten::mul", {x, scale});
}

struct Kind {
  std::string_view activation;
  std::string_view squeeze;  // after fc1
  std::string_view gate;     // after fc2
  double eps;
};

// The stride belongs to the depthwise convolution.
Argument block(Net& net, const Argument& x, const std::string& name, std::int64_t stride,
               std::int64_t& channels, const Kind& kind) {
  Argument y = x;
  std::int64_t inner = channels;
  for (int i = 0; i < 8; ++i) {
    const std::string part = cat(name, ".block.", i);
    if (net.has(part + ".fc1.weight")) {
      y = excite(net, y, part, kind.squeeze, kind.gate);
      continue;
    }
    const std::string kernel = part + ".0.weight";
    if (!net.has(kernel)) break;
    const bool depthwise = net.size(kernel, 1) == 1 && inner > 1;
    const bool last = !net.has(cat(name, ".block.", i + 1, ".0.weight")) &&
                      !net.has(cat(name, ".block.", i + 1, ".fc1.weight"));
    y = conv_norm(net, y, part + ".0", part + ".1", depthwise ? stride : 1, inner, kind.eps);
    if (!last) y = net.call(kind.activation, {y});
    inner = net.size(kernel, 0);
  }
  const Argument out = stride == 1 && inner == channels ? net.add(x, y) : y;
  channels = inner;
  return out;
}

// numbers: for each block its stride, and 1 for hardswish, 0 for ReLU.
Argument mobilenet_v3(Net& net, const Argument& image, const Architecture& self) {
  constexpr double kEps = 0.001;
  const auto hardswish = [&](const Argument& x) { return net.call("aten::hardswish", {x}); };
  Argument x = hardswish(conv_norm(net, image, "features.0.0", "features.0.1", 2, 3, kEps));
  std::int64_t channels = net.size("features.0.0.weight", 0);
  std::size_t i = 1;
  for (; 2 * (i - 1) < self.numbers.size(); ++i) {
    const bool hard = self.numbers[2 * (i - 1) + 1] != 0;
    x = block(net, x, cat("features.", i), self.numbers[2 * (i - 1)], channels,
              {hard ? "aten::hardswish" : "aten::relu", "aten::relu", "aten::hardsigmoid", kEps});
  }
  x = hardswish(conv_norm(net, x, cat("features.", i, ".0"), cat("features.", i, ".1"), 1, channels, kEps));
  return net.linear(hardswish(net.linear(net.average(x), "classifier.0")), "classifier.3");
}

// numbers: the strides of the stages; their lengths are found in the names.
Argument efficientnet(Net& net, const Argument& image, const Architecture& self) {
  constexpr double kEps = 1e-5;
  const Kind kind{"aten::silu", "aten::silu", "aten::sigmoid", kEps};
  const auto silu = [&](const Argument& x) { return net.call("aten::silu", {x}); };
  Argument x = silu(conv_norm(net, image, "features.0.0", "features.0.1", 2, 3, kEps));
  std::int64_t channels = net.size("features.0.0.weight", 0);
  std::size_t stage = 1;
  for (; stage <= self.numbers.size(); ++stage)
    for (int i = 0; net.has(cat("features.", stage, ".", i, ".block.0.0.weight")); ++i)
      x = block(net, x, cat("features.", stage, ".", i), i == 0 ? self.numbers[stage - 1] : 1, channels,
                kind);
  x = silu(
      conv_norm(net, x, cat("features.", stage, ".0"), cat("features.", stage, ".1"), 1, channels, kEps));
  return net.linear(net.average(x), "classifier.1");
}

constexpr std::array<int, 17> kV2 = {1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
constexpr std::array<int, 22> kV3Small = {2, 0, 2, 0, 1, 0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1};
constexpr std::array<int, 30> kV3Large = {1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 1, 0, 2, 1, 1,
                                          1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1};
constexpr std::array<int, 7> kEfficient = {1, 2, 2, 2, 1, 2, 1};

constexpr auto kRows = std::to_array<Architecture>({
    {"mobilenet_v2", mobilenet_v2, kV2},
    {"mobilenet_v3_small", mobilenet_v3, kV3Small},
    {"mobilenet_v3_large", mobilenet_v3, kV3Large},
    {"efficientnet_b0", efficientnet, kEfficient},
    {"efficientnet_b1", efficientnet, kEfficient},
    {"efficientnet_b2", efficientnet, kEfficient},
    {"efficientnet_b3", efficientnet, kEfficient},
    {"efficientnet_b4", efficientnet, kEfficient},
});

}  // namespace

std::span<const Architecture> mobile_architectures() {
  return kRows;
}

}  // namespace wherry::torch
