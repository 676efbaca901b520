// Categories as numbers, one for each of: positions, indicators, counts. Private to module keras.
#pragma once

#include "import/keras/lowering.h"

namespace wherry::keras {

// keras/src/utils/numerical_utils.py encode_categorical_inputs. `indices` are int64; those outside 0 … depth
// - 1 count for nothing.
struct Encoding {
  std::int64_t depth = 0;
  ValueId weights = kNone;  // of "count"
  ValueId idf = kNone;      // of "tf_idf": float32 [depth]
  DType positions = DType::kInt64;
  DType indicators = DType::kFloat32;
};
// The layer's output_mode by the name Keras has for it today: "binary" was "multi_hot", "tf-idf" is "tf_idf".
std::string output_mode_of(Lowering& l, const Layer& layer, std::string_view otherwise = "int");

// A refusal where the mode needs weights that `how` has not.
Value encode_categories(Lowering& l, const Layer& layer, ValueId indices, const Encoding& how);

}  // namespace wherry::keras
