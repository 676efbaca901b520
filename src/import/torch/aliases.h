// Which results share memory with an argument, and how a change of them goes back. Internal to module torch.
#pragma once

#include <span>
#include <string_view>

#include "import/torch/call.h"

namespace wherry::torch {

enum class Sharing {
  kNever,
  kAlways,
  // contiguous(), reshape(), flatten(): a view where the argument's elements lie in order, else a copy.
  kIfInOrder,
};

struct Alias {
  std::string_view name;  // "aten::select"
  Sharing sharing = Sharing::kNever;
  bool in_order = false;  // the elements of the result lie in order if those of the argument do
  // The argument after its part, the result, became `part`; null: not known how.
  ValueId (*put_back)(Call& call, ValueId whole, ValueId part, std::size_t index) = nullptr;
};

// Null: the operator makes a new tensor.
const Alias* find_alias(std::string_view name);

}  // namespace wherry::torch
