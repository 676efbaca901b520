// The tables of lowered operators, one per subject. Internal to module torch.
#pragma once

#include <span>

#include "import/torch/call.h"

namespace wherry::torch {

std::span<const Operator> elementwise_operators();
std::span<const Operator> activation_operators();
std::span<const Operator> comparison_operators();
std::span<const Operator> reduction_operators();
std::span<const Operator> shape_operators();
std::span<const Operator> index_operators();
std::span<const Operator> convolution_operators();
std::span<const Operator> pooling_operators();
std::span<const Operator> resize_operators();
std::span<const Operator> padding_operators();
std::span<const Operator> norm_operators();
std::span<const Operator> attention_operators();
std::span<const Operator> recurrent_operators();
std::span<const Operator> creation_operators();
std::span<const Operator> matmul_operators();
std::span<const Operator> embedding_operators();
std::span<const Operator> number_operators();  // Python's arithmetic on numbers, sizes

}  // namespace wherry::torch
