// Lookup tables and strings: tensorflow/core/ops/lookup_ops.cc, string_ops.cc.
#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::cast;

std::vector<std::string> texts_of(const tensor::Tensor& tensor) {
  const auto texts = tensor.as_strings();
  return {texts.begin(), texts.end()};
}

Ints numbers_of(const tensor::Tensor& tensor) {
  Ints numbers;
  if (tensor.dtype() == DType::kInt32)
    for (const std::int32_t each : tensor.as<std::int32_t>()) numbers.push_back(each);
  else if (tensor.dtype() == DType::kInt64)
    for (const std::int64_t each : tensor.as<std::int64_t>()) numbers.push_back(each);
  return numbers;
}

std::vector<float> reals_of(const tensor::Tensor& tensor) {
  const auto reals = tensor.as<float>();
  return {reals.begin(), reals.end()};
}

// LabelEncoder's attributes for one side of a table.
bool add_side(Op& op, graph::Attributes& attributes, std::string_view side, const tensor::Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kString:
      attributes.push_back({base::cat(side, "_strings"), texts_of(tensor)});
      return true;
    case DType::kInt32:
    case DType::kInt64:
      attributes.push_back({base::cat(side, "_int64s"), numbers_of(tensor)});
      return true;
    case DType::kFloat32:
      attributes.push_back({base::cat(side, "_floats"), reals_of(tensor)});
      return true;
    default:
      op.refuse("a table of another dtype");
      return false;
  }
}

const Table* table_of(Op& op) {
  const Handle* handle = std::get_if<Handle>(&op.item(0));
  if (handle == nullptr) {
    if (!op.failed()) op.refuse("a table which is not made in the main graph");
    return nullptr;
  }
  auto table = op.lowering.resources().table(handle->place);
  if (table) return *table;
  op.b.fail(std::move(table).error());
  return nullptr;
}

void find(Op& op) {
  Builder& b = op.b;
  const Table* table = table_of(op);
  if (table == nullptr) return;
  ValueId keys = op.in(1);
  const tensor::Tensor* otherwise = b.constant(op.in(2));
  if (otherwise == nullptr || otherwise->size() != 1)
    return op.refuse("a default which is computed at run time");
  const DType result = table->values.dtype();
  if (otherwise->dtype() != result ||
      (table->keys.dtype() == DType::kString) != (b.dtype(keys) == DType::kString))
    return op.refuse("a table of other dtypes");
  graph::Attributes attributes;
  if (!add_side(op, attributes, "keys", table->keys) || !add_side(op, attributes, "values", table->values))
    return;
  if (result == DType::kString)
    attributes.push_back({"default_string", otherwise->as_strings()[0]});
  else if (result == DType::kFloat32)
    attributes.push_back({"default_float", otherwise->as<float>()[0]});
  else
    attributes.push_back({"default_int64", numbers_of(*otherwise)[0]});
  if (b.dtype(keys) == DType::kInt32) keys = cast(b, keys, DType::kInt64);
  op.out(cast(b, b.add("LabelEncoder", {keys}, attributes, graph::kMlDomain), result));
}

void table_size(Op& op) {
  if (const Table* table = table_of(op))
    op.out(graph::int_scalar(op.b, static_cast<std::int64_t>(table->keys.size())));
}

void join(Op& op) {
  Builder& b = op.b;
  ValueId joined = op.in(0);
  const std::string_view separator = op.text("separator", "");
  for (std::size_t i = 1; i < op.count(); ++i) {
    if (!separator.empty())
      joined = b.add("StringConcat", {joined, graph::string_scalar(b, std::string(separator))});
    joined = b.add("StringConcat", {joined, op.in(i)});
  }
  op.out(joined);
}

// Whole numbers in decimal digits, booleans as "true" and "false".
void as_string(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  if (op.integer("width", -1) > 0 || op.integer("precision", -1) >= 0) return op.refuse("a format");
  switch (b.dtype(x)) {
    case DType::kString:
      return op.out(x);
    case DType::kBool:
      return op.out(graph::where(b, x, graph::string_scalar(b, "true"), graph::string_scalar(b, "false")));
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
      return op.out(cast(b, cast(b, x, DType::kInt64), DType::kString));
    default:
      return op.refuse("digits of fractions");
  }
}

constexpr OpRow kRows[] = {
    {"AsString", as_string},         {"LookupTableFind", find},         {"LookupTableFindV2", find},
    {"LookupTableSize", table_size}, {"LookupTableSizeV2", table_size}, {"StringJoin", join},
};

}  // namespace

std::span<const OpRow> text_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
