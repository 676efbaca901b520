#include "graph/ragged.h"

#include "graph/scatter.h"

namespace wherry::graph {
namespace {

using tensor::DType;

ValueId zeros(Builder& b, ValueId length) {
  return full(b, DType::kInt64, reshape(b, length, Ints{1}), 0);
}
ValueId cumulated(Builder& b, ValueId x, bool exclusive) {
  return b.add("CumSum", {x, int_scalar(b, 0)}, {{"exclusive", std::int64_t{exclusive}}});
}
ValueId numbered(Builder& b, ValueId length) {
  return b.add("Range", {int_scalar(b, 0), length, int_scalar(b, 1)});
}
// One more at each of `places`, in a vector of `length` zeros.
ValueId counted(Builder& b, ValueId length, ValueId places) {
  const ValueId ones = full(b, DType::kInt64, shape_of(b, places), 1);
  return b.add("ScatterElements", {zeros(b, length), places, ones}, {{"reduction", std::string("add")}});
}

// columns [m] against how many each row has [n]: bool [n, m].
Words first_of(Builder& b, ValueId parts, ValueId counts) {
  const ValueId columns = numbered(b, dim_scalar(b, parts, 1));
  return {parts, binary(b, "Less", unsqueeze(b, columns, {0}), unsqueeze(b, counts, {1}))};
}

// parts[:, at : most - width + 1 + at]
ValueId window(Builder& b, ValueId x, std::int64_t at, std::int64_t width) {
  const std::int64_t end = at - width + 1;
  return slice(b, x, 1, at, end == 0 ? kToEnd : end);
}

}  // namespace

ValueId text_operator(Builder& b, std::string_view name, ValueId texts, Attributes attributes) {
  return b.add(name, {texts}, std::move(attributes), kOwnDomain);
}

Rows rows_of_ids(Builder& b, ValueId ids, ValueId count) {
  const ValueId lengths = counted(b, count, ids);
  return {ids, count, cumulated(b, lengths, true), lengths};
}

Rows rows_of_splits(Builder& b, ValueId splits, ValueId values) {
  const ValueId ends = slice(b, splits, 0, 1, kToEnd);
  const ValueId starts = slice(b, splits, 0, 0, -1);
  const ValueId number = dim_scalar(b, values, 0);
  const ValueId marks = counted(b, binary(b, "Add", number, 1.0), ends);
  const ValueId ids = slice(b, cumulated(b, marks, false), 0, 0, -1);
  return {ids, dim_scalar(b, starts, 0), starts, binary(b, "Sub", ends, starts)};
}

ValueId ragged_to_dense(Builder& b, const Rows& rows, ValueId values, ValueId otherwise,
                        std::int64_t columns) {
  const ValueId most = columns >= 0
                           ? int_scalar(b, columns)
                           : reduce(b, "ReduceMax", concat(b, {rows.lengths, ints(b, {0})}, 0), {}, false);
  const ValueId place =
      binary(b, "Sub", numbered(b, dim_scalar(b, values, 0)), gather(b, rows.starts, rows.of_value, 0));
  // One column more takes what is cut off.
  const std::vector<Length> size{rows.count, binary(b, "Add", most, 1.0)};
  const ValueId empty = expand(b, reshape(b, otherwise, Ints{}), lengths(b, size));
  const ValueId column = b.add("Min", {place, most});
  const ValueId filled = b.add("ScatterND", {empty, stack(b, {rows.of_value, column}, 1), values});
  const ValueId dense = slice(b, filled, ints(b, {0}), reshape(b, most, Ints{1}), Ints{1});
  b.refine(dense, {b.dim(dense, 0), columns >= 0 ? Dim{columns, 0} : b.fresh()});
  return dense;
}

ValueId ragged_bincount(Builder& b, const Rows& rows, ValueId values, ValueId size, bool binary_output) {
  // One column more takes the numbers that are too large.
  const std::vector<Length> shape{rows.count, binary(b, "Add", size, 1.0)};
  const ValueId none = full(b, DType::kFloat32, lengths(b, shape), 0);
  const ValueId ones = full(b, DType::kFloat32, shape_of(b, values), 1);
  const ValueId places = stack(b, {rows.of_value, b.add("Min", {values, size})}, 1);
  const ValueId counts = scatter_reduced(b, none, places, ones, binary_output ? "max" : "add");
  return slice(b, counts, ints(b, {0}), reshape(b, size, Ints{1}), Ints{1});
}

Words split_words(Builder& b, ValueId texts) {
  // ONNX Runtime splits at blanks only, TensorFlow at all of C's white space.
  const ValueId blank = text_operator(
      b, "TextReplace", texts, {{"pattern", R"([\t\n\v\f\r])"}, {"rewrite", " "}, {"all", std::int64_t{1}}});
  const auto parts = b.add_many("StringSplit", {blank}, 2);  // [n, most], the rest ""; counts [n]
  return first_of(b, parts[0], parts[1]);
}

Words split_characters(Builder& b, ValueId texts) {
  // A byte which is in no text stands behind each character; behind the last one it makes an empty part.
  const ValueId marked = text_operator(
      b, "TextReplace", texts, {{"pattern", "(?s)(.)"}, {"rewrite", "\\1\xff"}, {"all", std::int64_t{1}}});
  const auto parts = b.add_many("StringSplit", {marked}, 2, {{"delimiter", "\xff"}});
  return first_of(b, parts[0], binary(b, "Sub", parts[1], 1.0));
}

Words ngrams(Builder& b, const Words& words, const Ints& widths, std::string_view separator) {
  std::vector<ValueId> parts, there;
  for (const std::int64_t width : widths) {
    ValueId run = window(b, words.parts, 0, width);
    for (std::int64_t at = 1; at < width; ++at) {
      if (!separator.empty()) run = b.add("StringConcat", {run, string_scalar(b, std::string(separator))});
      run = b.add("StringConcat", {run, window(b, words.parts, at, width)});
    }
    parts.push_back(run);
    // Words stand side by side from the first: where the last of a run is, all are.
    there.push_back(window(b, words.there, width - 1, width));
  }
  return {concat(b, parts, 1), concat(b, there, 1)};
}

RaggedWords ragged(Builder& b, const Words& words) {
  const ValueId indices = transpose(b, b.add("NonZero", {words.there}), {1, 0});
  const ValueId values = b.add("GatherND", {words.parts, indices});
  return {values, indices, rows_of_ids(b, select(b, indices, 1, 0), dim_scalar(b, words.parts, 0))};
}

}  // namespace wherry::graph
