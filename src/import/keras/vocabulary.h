// Tables from texts and integers to positions: what StringLookup, IntegerLookup and TextVectorization share
// (keras/src/layers/preprocessing/index_lookup.py). Private to module keras.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/keras/lowering.h"

namespace wherry::keras {

// Positions are: the mask token where the result is of positions, the unknown ones, the tokens.
struct Vocabulary {
  std::vector<std::string> tokens;  // integers as digits
  std::optional<std::string> mask;
  std::string unknown;
  std::int64_t unknown_count = 1;
  bool texts = true;      // its tokens are texts, not integers
  bool positions = true;  // the result is of positions, not indicators or counts
  bool listed = false;    // the file lists the special tokens among the others

  std::int64_t unknown_start() const { return mask && positions ? 1 : 0; }
  std::int64_t size() const {
    return unknown_start() + unknown_count + static_cast<std::int64_t>(tokens.size());
  }
};

// The vocabulary of the configuration or of the file beside it. `fixed_mask`: the mask token which the
// configuration does not name. nullopt after an error.
std::optional<Vocabulary> vocabulary_of(Lowering& l, const Layer& layer,
                                        std::optional<std::string> fixed_mask, std::string_view unknown);

// Tokens which are integers; nullopt after an error.
std::optional<Ints> as_integers(Lowering& l, const Layer& layer, const std::vector<std::string>& tokens);

// int64: where each element of x stands; INT64_MAX for masked ones where the result is not of positions.
// A value which stands nowhere is an error when the graph runs. kNone after an error.
ValueId look_up(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, ValueId x);

// How long the last axis of indicators is: max_tokens where the layer pads to it.
std::int64_t depth_of(Lowering& l, const Layer& layer, const Vocabulary& vocabulary);

// float32 [depth]: the weights of output_mode "tf_idf"; kNone after an error.
ValueId idf_weights(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, std::int64_t depth);

// int64 of x's shape: the bucket of each text or integer, as Keras hashes: by FarmHash, or by SipHash with
// `salt`, the layer's option of this name.
ValueId hash_buckets(Lowering& l, const Layer& layer, ValueId x, std::int64_t buckets);

}  // namespace wherry::keras
