// Texts and what comes of splitting them, ragged tensors: tensorflow/core/ops/string_ops.cc, ragged_*.cc.
// TextVectorization is made of these.
#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::binary;
using graph::cast;

ValueId own(Op& op, std::string_view name, ValueId texts, graph::Attributes attributes = {}) {
  return op.b.add(name, {texts}, std::move(attributes), graph::kOwnDomain);
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
  // ONNX Runtime splits at blanks only, TensorFlow at all of C's white space.
  const ValueId texts = own(op, "TextReplace", op.in(0),
                            {{"pattern", R"([\t\n\v\f\r])"}, {"rewrite", " "}, {"all", std::int64_t{1}}});
  const auto parts = b.add_many("StringSplit", {texts}, 2);  // [n, most], the rest ""; counts [n]
  const ValueId most = graph::dim_scalar(b, parts[0], 1);
  const ValueId columns = b.add("Range", {graph::int_scalar(b, 0), most, graph::int_scalar(b, 1)});
  const ValueId there =
      binary(b, "Less", graph::unsqueeze(b, columns, {0}), graph::unsqueeze(b, parts[1], {1}));
  const ValueId indices = graph::transpose(b, b.add("NonZero", {there}), {1, 0});
  op.out(indices, 0);
  op.out(b.add("GatherND", {parts[0], indices}), 1);
  op.out(graph::shape_of(b, parts[0]), 2);
}

// Where the values of a ragged tensor with one ragged axis stand.
struct Rows {
  ValueId of_value;  // int64 [values]
  ValueId count;     // int64 [], of rows
  ValueId starts;    // int64 [rows]: the first value of each
  ValueId lengths;   // int64 [rows]
};

ValueId zeros(Builder& b, ValueId length) {
  return graph::full(b, DType::kInt64, graph::reshape(b, length, Ints{1}), 0);
}
ValueId cumulated(Builder& b, ValueId x, bool exclusive) {
  return b.add("CumSum", {x, graph::int_scalar(b, 0)}, {{"exclusive", std::int64_t{exclusive}}});
}
ValueId numbered(Builder& b, ValueId length) {
  return b.add("Range", {graph::int_scalar(b, 0), length, graph::int_scalar(b, 1)});
}
// One more at each of `places`, in a vector of `length` zeros.
ValueId counted(Builder& b, ValueId length, ValueId places) {
  const ValueId ones = graph::full(b, DType::kInt64, graph::shape_of(b, places), 1);
  return b.add("ScatterElements", {zeros(b, length), places, ones}, {{"reduction", std::string("add")}});
}

Rows rows_of_ids(Builder& b, ValueId ids, ValueId count) {
  const ValueId lengths = counted(b, count, ids);
  return {ids, count, cumulated(b, lengths, true), lengths};
}

// splits [rows + 1]: where each row begins, and where the last one ends.
Rows rows_of_splits(Builder& b, ValueId splits, ValueId values) {
  const ValueId ends = graph::slice(b, splits, 0, 1, graph::kToEnd);
  const ValueId starts = graph::slice(b, splits, 0, 0, -1);
  const ValueId number = graph::dim_scalar(b, values, 0);
  const ValueId marks = counted(b, binary(b, "Add", number, 1.0), ends);
  const ValueId ids = graph::slice(b, cumulated(b, marks, false), 0, 0, -1);
  return {ids, graph::dim_scalar(b, starts, 0), starts, binary(b, "Sub", ends, starts)};
}

std::optional<Rows> read_rows(Op& op, ValueId values) {
  const auto kinds = op.def.attributes.texts("row_partition_types");
  if (kinds.size() == 2 && kinds[0] == "FIRST_DIM_SIZE" && kinds[1] == "VALUE_ROWIDS")
    return rows_of_ids(op.b, op.index(4), graph::reshape(op.b, op.index(3), Ints{}));
  if (kinds.size() == 1 && kinds[0] == "ROW_SPLITS") return rows_of_splits(op.b, op.index(3), values);
  op.refuse("more than one ragged axis");
  return std::nullopt;
}

// (shape, values, default, partitions…) → [rows, columns]: what is missing is the default, what is too much
// is cut off.
void ragged_to_dense(Op& op) {
  Builder& b = op.b;
  const ValueId values = op.in(1);
  if (op.rank(values) != 1) return op.refuse("ragged rows of more than numbers or texts");
  const auto shape = op.maybe_known(0);
  if (!shape || (shape->size() != 2 && !(shape->size() == 1 && shape->front() == -1)) || shape->front() != -1)
    return op.refuse("a shape other than [-1, length]");
  const auto rows = read_rows(op, values);
  if (!rows) return;
  const std::int64_t stated = shape->size() == 2 ? (*shape)[1] : -1;
  const ValueId most =
      graph::reduce(b, "ReduceMax", graph::concat(b, {rows->lengths, graph::ints(b, {0})}, 0), {}, false);
  const ValueId columns = stated >= 0 ? graph::int_scalar(b, stated) : most;
  const ValueId place = binary(b, "Sub", numbered(b, graph::dim_scalar(b, values, 0)),
                               graph::gather(b, rows->starts, rows->of_value, 0));
  // One column more takes what is cut off.
  const std::vector<graph::Length> size{rows->count, binary(b, "Add", columns, 1.0)};
  const ValueId shape_with_rest = graph::lengths(b, size);
  const ValueId empty = graph::expand(b, graph::reshape(b, op.in(2), Ints{}), shape_with_rest);
  const ValueId column = b.add("Min", {place, columns});
  const ValueId filled = b.add("ScatterND", {empty, graph::stack(b, {rows->of_value, column}, 1), values});
  const ValueId dense =
      graph::slice(b, filled, graph::ints(b, {0}), graph::reshape(b, columns, Ints{1}), Ints{1});
  const graph::Dim length = stated >= 0 ? graph::Dim{stated, 0} : b.fresh();
  b.refine(dense, {b.dim(dense, 0), length});
  op.out(dense);
}

// (splits, values, size, weights) → [rows, size]: how often each number comes in a row.
void ragged_bincount(Op& op) {
  Builder& b = op.b;
  const ValueId values = op.index(1);
  const ValueId weights = op.in(3);
  const DType dtype = b.dtype(weights);
  if (b.rank(weights) != 1 || !b.dim(weights, 0).is(0)) return op.refuse("weights");
  if (op.rank(values) != 1) return op.refuse("ragged rows of more than numbers");
  const Rows rows = rows_of_splits(b, op.index(0), values);
  const ValueId size = graph::reshape(b, op.index(2), Ints{});
  // One column more takes the numbers that are too large.
  const std::vector<graph::Length> shape{rows.count, binary(b, "Add", size, 1.0)};
  const ValueId none = graph::full(b, DType::kFloat32, graph::lengths(b, shape), 0);
  const ValueId ones = graph::full(b, DType::kFloat32, graph::shape_of(b, values), 1);
  const ValueId places = graph::stack(b, {rows.of_value, b.add("Min", {values, size})}, 1);
  const std::string reduction = op.boolean("binary_output", false) ? "max" : "add";
  const ValueId counts = b.add("ScatterND", {none, places, ones}, {{"reduction", reduction}});
  op.out(cast(b, graph::slice(b, counts, graph::ints(b, {0}), graph::reshape(b, size, Ints{1}), Ints{1}),
              dtype));
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
