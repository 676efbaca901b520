// The cells of recurrent layers, one step at a time. Private to module keras.
#pragma once

#include <vector>

#include "import/keras/lowering.h"

namespace wherry::keras {

struct Step {
  ValueId output = kNone;
  std::vector<ValueId> states;
};

// How many states a cell has: 2 for LSTM cells, the sum of all for stacked ones; 0 for an unknown class.
std::size_t state_count(const Layer& cell);

// x [batch, features] (of ConvLSTM: [batch, channels, spatial…]) and the states, to the output and the next
// states.
Step cell_step(Lowering& l, const Layer& cell, ValueId x, const std::vector<ValueId>& states);

// Zeros for a batch like that of `x`, one step of the input.
std::vector<ValueId> zero_states(Lowering& l, const Layer& cell, ValueId x);

}  // namespace wherry::keras
