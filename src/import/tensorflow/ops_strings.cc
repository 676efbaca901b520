// Texts and what comes of splitting them, ragged tensors: tensorflow/core/ops/string_ops.cc, ragged_*.cc.
// TextVectorization is made of these.
#include "graph/ragged.h"

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::cast;

ValueId own(Op& op, std::string_view name, ValueId texts, graph::Attributes attributes = {}) {
  return graph::text_operator(op.b, name, texts, std::move(attributes));
}

void change_case(Op& op, std::string_view name) {
  if (!op.text("encoding", "").empty()) return op.refuse("letters other than ASCII's in another case");
  op.out(own(op, name, op.in(0)));
}
void lower(Op& op) {
  change_case(op, "TextLower");
}
void upper(Op& op) {
  change_case(op, "TextUpper");
}
void strip(Op& op) {
  op.out(own(op, "TextStrip", op.in(0)));
}

void replace_by(Op& op, std::string_view pattern, std::string_view rewrite) {
  op.out(own(op, "TextReplace", op.in(0),
             {{"pattern", std::string(pattern)},
              {"rewrite", std::string(rewrite)},
              {"all", std::int64_t{op.boolean("replace_global", true)}}}));
}
void static_replace(Op& op) {
  replace_by(op, op.text("pattern", ""), op.text("rewrite", ""));
}
void replace(Op& op) {
  const tensor::Tensor* pattern = op.b.constant(op.in(1));
  const tensor::Tensor* rewrite = op.b.constant(op.in(2));
  if (pattern == nullptr || rewrite == nullptr || pattern->dtype() != DType::kString ||
      rewrite->dtype() != DType::kString || pattern->size() != 1 || rewrite->size() != 1)
    return op.refuse("a pattern which is computed at run time");
  replace_by(op, pattern->as_strings()[0], rewrite->as_strings()[0]);
}

void hash(Op& op) {
  op.out(own(op, "TextHash64", op.in(0), {{"buckets", op.integer("num_buckets", 0)}}));
}

void to_number(Op& op) {
  switch (op.type("out_type", DType::kFloat32)) {
    case DType::kFloat32:
      return op.out(own(op, "TextToFloat32", op.in(0)));
    case DType::kInt64:
      return op.out(own(op, "TextToInt64", op.in(0)));
    default:
      return op.refuse("numbers of another dtype");
  }
}

// indices [tokens, 2], values [tokens], shape [2] of the words of each text.
void split(Op& op) {
  Builder& b = op.b;
  const tensor::Tensor* separator = b.constant(op.in(1));
  if (separator == nullptr || separator->size() != 1 || separator->dtype() != DType::kString ||
      !separator->as_strings()[0].empty())
    return op.refuse("splitting at anything but white space");
  if (op.integer("maxsplit", -1) != -1) return op.refuse("a limit on the number of parts");
  if (op.rank(op.in(0)) != 1) return op.refuse("texts which are no vector");
  const graph::Words words = graph::split_words(b, op.in(0));
  const graph::RaggedWords flat = graph::ragged(b, words);
  op.out(flat.indices, 0);
  op.out(flat.values, 1);
  op.out(graph::shape_of(b, words.parts), 2);
}

std::optional<graph::Rows> read_rows(Op& op, ValueId values) {
  const auto kinds = op.def.attributes.texts("row_partition_types");
  if (kinds.size() == 2 && kinds[0] == "FIRST_DIM_SIZE" && kinds[1] == "VALUE_ROWIDS")
    return graph::rows_of_ids(op.b, op.index(4), graph::reshape(op.b, op.index(3), Ints{}));
  if (kinds.size() == 1 && kinds[0] == "ROW_SPLITS") return graph::rows_of_splits(op.b, op.index(3), values);
  op.refuse("more than one ragged axis");
  return std::nullopt;
}

// (shape, values, default, partitions…) → [rows, columns]
void ragged_to_dense(Op& op) {
  const ValueId values = op.in(1);
  if (op.rank(values) != 1) return op.refuse("ragged rows of more than numbers or texts");
  const auto shape = op.maybe_known(0);
  if (!shape || (shape->size() != 2 && !(shape->size() == 1 && shape->front() == -1)) || shape->front() != -1)
    return op.refuse("a shape other than [-1, length]");
  const auto rows = read_rows(op, values);
  if (!rows) return;
  const std::int64_t columns = shape->size() == 2 ? (*shape)[1] : -1;
  op.out(graph::ragged_to_dense(op.b, *rows, values, op.in(2), columns < 0 ? -1 : columns));
}

// (splits, values, size, weights) → [rows, size]: how often each number comes in a row.
void ragged_bincount(Op& op) {
  Builder& b = op.b;
  const ValueId values = op.index(1);
  const ValueId weights = op.in(3);
  const DType dtype = b.dtype(weights);
  if (b.rank(weights) != 1 || !b.dim(weights, 0).is(0)) return op.refuse("weights");
  if (op.rank(values) != 1) return op.refuse("ragged rows of more than numbers");
  const graph::Rows rows = graph::rows_of_splits(b, op.index(0), values);
  const ValueId size = graph::reshape(b, op.index(2), Ints{});
  op.out(cast(b, graph::ragged_bincount(b, rows, values, size, op.boolean("binary_output", false)), dtype));
}

constexpr OpRow kRows[] = {
    {"StringLower", lower},
    {"StringUpper", upper},
    {"StringStrip", strip},
    {"StaticRegexReplace", static_replace},
    {"RegexReplace", replace},
    {"StringToHashBucketFast", hash},
    {"StringToNumber", to_number},
    {"StringSplitV2", split},
    {"RaggedTensorToTensor", ragged_to_dense},
    {"RaggedBincount", ragged_bincount},
};

}  // namespace

std::span<const OpRow> string_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
