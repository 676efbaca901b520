// Texts and what comes of splitting them, as functions of a Builder: the importers of frameworks whose text
// operators are TensorFlow's share them (tensorflow/core/ops/string_ops.cc, ragged_*.cc; Keras'
// TextVectorization is made of these). ONNX has no ragged tensors: one ragged axis is a vector of values and
// where each row of them begins.
//
// Thread-safety: as the Builder's.
#pragma once

#include <cstdint>
#include <string_view>

#include "graph/builder.h"
#include "graph/verbs.h"

namespace wherry::graph {

// An operator of domain ai.wherry on each text of a tensor: module tftext lists them.
ValueId text_operator(Builder& b, std::string_view name, ValueId texts, Attributes attributes = {});

// Where the values of a ragged tensor with one ragged axis stand.
struct Rows {
  ValueId of_value;  // int64 [values]
  ValueId count;     // int64 [], of rows
  ValueId starts;    // int64 [rows]: the first value of each
  ValueId lengths;   // int64 [rows]
};
Rows rows_of_ids(Builder& b, ValueId ids, ValueId count);  // ids ascending
// splits [rows + 1]: where each row begins, and where the last one ends.
Rows rows_of_splits(Builder& b, ValueId splits, ValueId values);

// [rows, columns]: what is missing is `otherwise` (of values' dtype), what is too much is cut off. columns
// -1: as many as the longest row has.
ValueId ragged_to_dense(Builder& b, const Rows& rows, ValueId values, ValueId otherwise,
                        std::int64_t columns);
// float32 [rows, size]: how often each of 0 … size - 1 comes in a row, or with `binary` whether; larger
// values count for nothing. values int64 ≥ 0, size int64 [].
ValueId ragged_bincount(Builder& b, const Rows& rows, ValueId values, ValueId size, bool binary);

// The words of each text side by side; where `there` is false is none.
struct Words {
  ValueId parts;  // texts [texts, most]
  ValueId there;  // bool [texts, most]
};
Words split_words(Builder& b, ValueId texts);       // of a vector, at white space (C's isspace)
Words split_characters(Builder& b, ValueId texts);  // of a vector, in UTF-8

// StringNGrams without padding: of each text first all runs of widths[0] words, then of widths[1], ….
Words ngrams(Builder& b, const Words& words, const Ints& widths, std::string_view separator);

struct RaggedWords {
  ValueId values;   // texts [words]
  ValueId indices;  // int64 [words, 2]: the text, and the place in `parts`
  Rows rows;
};
RaggedWords ragged(Builder& b, const Words& words);

}  // namespace wherry::graph
