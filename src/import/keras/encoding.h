// Categories as numbers, one for each of: positions, indicators, counts. Private to module keras.
#pragma once

#include "import/keras/lowering.h"

namespace wherry::keras {

// keras/src/utils/numerical_utils.py encode_categorical_inputs. `indices` are int64; those outside 0 … depth
// - 1 count for nothing. `weights` may be kNone.
Value encode_categories(Lowering& l, const Layer& layer, ValueId indices, std::int64_t depth,
                        ValueId weights);

// The dtype a layer states, for what does not compute in floats.
DType stated_dtype(Lowering& l, const Layer& layer, DType otherwise);

}  // namespace wherry::keras
