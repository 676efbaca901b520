// What convolution and pooling share: TensorFlow's layouts, strides, dilations and paddings
// (tensorflow/core/framework/kernel_shape_util.cc).
//
// Thread-safety: as the Builder's.
#pragma once

#include <cstdint>
#include <string>

#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {

struct Window {
  bool channels_last = true;
  Ints strides, dilations;  // of the spatial axes
};

// Attributes data_format, strides (and dilations where `dilated`) for `spatial` axes; refuses a stride along
// batch or channels.
Window window_of(Op& op, std::size_t spatial, bool dilated);

// `x` with channels first whatever the op's layout; and an output back in the op's layout.
ValueId to_first(Builder& b, const Window& window, ValueId x);
ValueId from_first(Builder& b, const Window& window, ValueId x);

// The attributes strides, dilations and pads (or auto_pad) of a convolution or pooling over `x`, channels
// first, with a kernel of these lengths. SAME puts the odd one behind; where its padding depends on a length
// known only at run time, ONNX's SAME_UPPER computes it.
graph::Attributes window_attributes(Op& op, const Window& window, ValueId x, const Ints& kernel);

}  // namespace wherry::tensorflow
