#include "import/tensorflow/windows.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::tensorflow {
namespace {

Ints spatial_part(Op& op, Ints all, bool channels_last, std::size_t spatial, std::string_view what) {
  if (all.empty()) return Ints(spatial, 1);
  if (all.size() != spatial + 2) {
    op.refuse(base::cat(what, " for ", all.size(), " axes"));
    return Ints(spatial, 1);
  }
  const std::int64_t channel = channels_last ? all.back() : all[1];
  if (all[0] != 1 || channel != 1) op.refuse(base::cat(what, " along batch or channels"));
  const auto first = all.begin() + (channels_last ? 1 : 2);
  Ints part(first, first + static_cast<std::ptrdiff_t>(spatial));
  if (std::ranges::any_of(part, [](std::int64_t each) { return each < 1 || each > 1 << 20; }))
    op.refuse(base::cat(what, " that are not positive"));
  return part;
}

}  // namespace

Window window_of(Op& op, std::size_t spatial, bool dilated) {
  Window window;
  window.channels_last = !op.text("data_format", "NHWC").starts_with("NC");
  window.strides =
      spatial_part(op, op.def.attributes.integers("strides"), window.channels_last, spatial, "strides");
  window.dilations = Ints(spatial, 1);
  if (dilated)
    window.dilations =
        spatial_part(op, op.def.attributes.integers("dilations"), window.channels_last, spatial, "dilations");
  return window;
}

ValueId to_first(Builder& b, const Window& window, ValueId x) {
  return window.channels_last ? graph::channels_first(b, x) : x;
}

ValueId from_first(Builder& b, const Window& window, ValueId x) {
  return window.channels_last ? graph::channels_last(b, x) : x;
}

graph::Attributes window_attributes(Op& op, const Window& window, ValueId x, const Ints& kernel) {
  Builder& b = op.b;
  const std::size_t spatial = kernel.size();
  graph::Attributes attributes{{"strides", window.strides}};
  if (std::ranges::any_of(window.dilations, [](std::int64_t each) { return each != 1; }))
    attributes.push_back({"dilations", window.dilations});
  const std::string_view padding = op.text("padding", "VALID");
  Ints pads(2 * spatial);
  if (padding == "EXPLICIT") {
    const Ints given = op.def.attributes.integers("explicit_paddings");
    if (given.size() != 2 * (spatial + 2)) {
      op.refuse("explicit paddings of another rank");
      return attributes;
    }
    const std::size_t first = window.channels_last ? 1 : 2;
    for (std::size_t i = 0; i < spatial; ++i) {
      pads[i] = given[2 * (first + i)];
      pads[spatial + i] = given[2 * (first + i) + 1];
    }
  } else if (padding == "SAME") {
    for (std::size_t i = 0; i < spatial; ++i) {
      const std::int64_t reach = (kernel[i] - 1) * window.dilations[i] + 1;
      std::int64_t total = reach - 1;  // with a stride of 1, whatever the length
      if (window.strides[i] != 1) {
        const graph::Dim length = b.dim(x, static_cast<std::int64_t>(i + 2));
        if (!length.known()) {
          attributes.push_back({"auto_pad", std::string("SAME_UPPER")});
          return attributes;
        }
        const std::int64_t outputs = (length.number + window.strides[i] - 1) / window.strides[i];
        total = std::max<std::int64_t>((outputs - 1) * window.strides[i] + reach - length.number, 0);
      }
      pads[i] = total / 2;
      pads[spatial + i] = total - total / 2;
    }
  } else if (padding != "VALID") {
    op.refuse(base::cat("padding ", base::quoted(padding)));
  }
  if (std::ranges::any_of(pads, [](std::int64_t each) { return each != 0; }))
    attributes.push_back({"pads", pads});
  return attributes;
}

}  // namespace wherry::tensorflow
