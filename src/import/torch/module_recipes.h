// What the classes and functions of torch.nn, torch.nn.functional, torch.Tensor and torchvision compute,
// written in the Python that the interpreter evaluates: forward methods over ATen operators (`aten.conv2d`),
// and __init__ where a class may be built from source. Functions are named by what they stand for: F_relu,
// torch_flatten, Tensor_view.
//
// The texts are wherry's own; they follow the documentation at pytorch.org/docs.
#pragma once

#include <string_view>

namespace wherry::torch {

// The source called "wherry.nn" (layers and functions) or "wherry.vision" (torchvision's models); empty for
// others.
std::string_view recipe_source(std::string_view name);

}  // namespace wherry::torch
