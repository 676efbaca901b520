// Texts and integers as categories: StringLookup, IntegerLookup, Hashing, HashedCrossing
// (keras/src/layers/preprocessing).
#include <numeric>

#include "graph/ragged.h"

#include "base/text.h"
#include "import/keras/encoding.h"
#include "import/keras/vocabulary.h"

namespace wherry::keras {

namespace {

// From positions back to texts or integers.
Value look_back(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, ValueId x) {
  std::vector<std::string> values;
  if (vocabulary.mask) values.push_back(*vocabulary.mask);
  values.insert(values.end(), static_cast<std::size_t>(vocabulary.unknown_count), vocabulary.unknown);
  values.insert(values.end(), vocabulary.tokens.begin(), vocabulary.tokens.end());
  Ints keys(values.size());
  std::iota(keys.begin(), keys.end(), 0);
  const ValueId index = graph::cast(l.b, x, DType::kInt64);
  graph::Attributes attributes{{"keys_int64s", keys}};
  if (layer.class_name == "IntegerLookup") {
    values.push_back(vocabulary.unknown);
    auto numbers = as_integers(l, layer, values);
    if (!numbers) return {};
    attributes.push_back({"default_int64", numbers->back()});
    numbers->pop_back();
    attributes.push_back({"values_int64s", *std::move(numbers)});
  } else {
    attributes.push_back({"default_string", vocabulary.unknown});
    attributes.push_back({"values_strings", std::move(values)});
  }
  return Value::of(l.b.add("LabelEncoder", {index}, std::move(attributes), graph::kMlDomain));
}

Value lookup(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = tensor_of(l, layer, call.arg(0, "inputs"));
  const bool texts = layer.class_name == "StringLookup";
  const auto vocabulary = vocabulary_of(l, layer, std::nullopt, texts ? "[UNK]" : "-1");
  if (!vocabulary) return {};
  const bool invert = l.flag(layer, "invert", false);
  if ((invert ? false : texts) != (l.b.dtype(x) == DType::kString)) {
    l.refuse(layer, "an input of another kind than its vocabulary");
    return {};
  }
  if (invert) return look_back(l, layer, *vocabulary, x);
  const ValueId positions = look_up(l, layer, *vocabulary, x);
  if (positions == kNone) return {};
  Encoding how{.depth = depth_of(l, layer, *vocabulary),
               .indicators = l.keras < 3 ? DType::kFloat32 : DType::kInt64};
  if (output_mode_of(l, layer) == "tf_idf") how.idf = idf_weights(l, layer, *vocabulary, how.depth);
  return encode_categories(l, layer, positions, how);
}

// The dtype of a layer whose results are positions by default.
DType result_dtype(const Layer& layer, DType otherwise) {
  return dtype_named(policy_of(layer, "")).value_or(otherwise);
}

// 1 … for values, 0 for the one that means nothing.
ValueId hash_around(Lowering& l, const Layer& layer, ValueId x, std::int64_t bins, const Json& nothing) {
  Builder& b = l.b;
  const bool texts = b.dtype(x) == DType::kString;
  if (texts != nothing.is_string() || (!texts && !nothing.is_number())) {
    l.refuse(layer, "a mask_value of another kind than its input");
    return x;
  }
  const ValueId other = texts ? graph::string_scalar(b, nothing.get<std::string>())
                              : graph::scalar_like(b, x, nothing.get<double>());
  const ValueId bucket = graph::binary(b, "Add", hash_buckets(l, layer, x, bins - 1), 1.0);
  return graph::where(b, graph::binary(b, "Equal", x, other), graph::int_scalar(b, 0), bucket);
}

Value hashing(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = tensor_of(l, layer, call.arg(0, "inputs"));
  const std::int64_t bins = l.integer(layer, "num_bins", 0);
  if (bins < 1) {
    l.bad(layer, "has no bins");
    return {};
  }
  if (is_float(l.b.dtype(x)) && l.keras < 3) {
    l.refuse(layer, "hashing fractions");
    return {};
  }
  const Json* nothing = text::find(*layer.config, "mask_value");
  const bool masked = nothing != nullptr && !nothing->is_null() && bins > 1;
  const ValueId bucket = masked ? hash_around(l, layer, x, bins, *nothing) : hash_buckets(l, layer, x, bins);
  return encode_categories(l, layer, bucket,
                           {.depth = bins,
                            .positions = result_dtype(layer, DType::kInt64),
                            .indicators = result_dtype(layer, DType::kFloat32)});
}

// FingerprintCat64 (tsl/platform/fingerprint.h). Products are of int64, bits of uint64: ONNX Runtime has no
// others.
class Fingerprints {
 public:
  explicit Fingerprints(Builder& b) : b_(b) {}

  ValueId join(ValueId one, ValueId other) {
    const ValueId mixed = times(bits(shifted(times(other))));
    ValueId y = times(bits(exclusive(exclusive(number(kMul), one), mixed)));
    y = times(bits(shifted(y)));
    return bits(shifted(y));
  }
  ValueId number(std::uint64_t number) { return graph::int_scalar(b_, static_cast<std::int64_t>(number)); }

 private:
  static constexpr std::uint64_t kMul = 0xc6a4a7935bd1e995ULL;

  ValueId times(ValueId x) { return b_.add("Mul", {x, number(kMul)}); }
  ValueId bits(ValueId x) { return graph::cast(b_, x, DType::kInt64); }
  ValueId exclusive(ValueId x, ValueId y) {
    return b_.add("BitwiseXor", {graph::cast(b_, x, DType::kUint64), graph::cast(b_, y, DType::kUint64)});
  }
  ValueId shifted(ValueId x) {
    const ValueId wide = graph::cast(b_, x, DType::kUint64);
    const ValueId high = b_.add("BitShift", {wide, graph::scalar(b_, DType::kUint64, 47)},
                                {{"direction", std::string("RIGHT")}});
    return b_.add("BitwiseXor", {wide, high});
  }

  Builder& b_;
};

// tf.sparse.cross_hashed of columns of one value each (tensorflow/core/kernels/sparse_cross_op.cc).
Value hashed_crossing(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const auto inputs = tensors_of(call.arg(0, "inputs"));
  const std::int64_t bins = l.integer(layer, "num_bins", 0);
  if (inputs.size() < 2 || bins < 1) {
    l.bad(layer, "has no bins, or is not called on several tensors");
    return {};
  }
  Fingerprints fingerprints(b);
  ValueId crossed = fingerprints.number(0xDECAFCAFFEULL);
  for (const Value& input : inputs) {
    const DType dtype = b.dtype(input.tensor);
    if (is_float(dtype) || dtype == DType::kBool) {
      l.refuse(layer, "an input which is neither of integers nor of texts");
      return {};
    }
    const ValueId print = dtype == DType::kString ? graph::text_operator(b, "TextFingerprint64", input.tensor)
                                                  : graph::cast(b, input.tensor, DType::kInt64);
    crossed = fingerprints.join(crossed, print);
  }
  const ValueId bucket = b.add("Mod", {graph::cast(b, crossed, DType::kUint64),
                                       graph::scalar(b, DType::kUint64, static_cast<double>(bins))});
  return encode_categories(l, layer, graph::cast(b, bucket, DType::kInt64),
                           {.depth = bins,
                            .positions = result_dtype(layer, DType::kInt64),
                            .indicators = result_dtype(layer, DType::kFloat32)});
}

constexpr LayerRow kRows[] = {
    {"StringLookup", lookup},
    {"IntegerLookup", lookup},
    {"Hashing", hashing},
    {"HashedCrossing", hashed_crossing},
};

}  // namespace

std::span<const LayerRow> lookup_layers() {
  return kRows;
}

}  // namespace wherry::keras
