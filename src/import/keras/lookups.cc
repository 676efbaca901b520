// Tables from texts and integers to positions (keras/src/layers/preprocessing/index_lookup.py). Positions
// are: the mask token, the unknown ones, the vocabulary.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "import/keras/encoding.h"

namespace wherry::keras {

using base::cat;

namespace {

struct Vocabulary {
  std::vector<std::string> tokens;  // integers as digits
  std::optional<std::string> mask;
  std::string unknown;
  std::int64_t unknown_count = 1;
  bool ok = false;
};

std::optional<std::string> token_of(const Json& json) {
  if (const auto* text = json.get_ptr<const std::string*>()) return *text;
  if (json.is_number_integer()) return cat(json.get<std::int64_t>());
  return std::nullopt;
}

// The vocabulary of the configuration, or of the file beside it.
bool read_tokens(Lowering& l, const Layer& layer, std::vector<std::string>& tokens) {
  const Json* json = text::find(*layer.config, "vocabulary");
  if (json != nullptr && json->is_object())
    if (const Json* config = text::find_object(*json, "config"))
      json = text::find(*config, config->contains("items") ? "items" : "value");
  if (json != nullptr && json->is_array()) {
    for (const Json& item : *json) {
      auto token = token_of(item);
      if (!token) {
        l.bad(layer, "has something else than texts and integers in its vocabulary");
        return false;
      }
      tokens.push_back(*std::move(token));
    }
    return true;
  }
  const auto file = layer.assets.find("vocabulary.txt");
  if (file == layer.assets.end()) {
    l.refuse(layer, "its vocabulary is not in the file");
    return false;
  }
  for (std::string_view line : base::split(file->second, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    tokens.emplace_back(line);
  }
  // No newline stands behind the last token, which may be empty.
  return true;
}

Vocabulary vocabulary_of(Lowering& l, const Layer& layer, bool positions,
                         std::optional<std::string> default_mask, std::string_view default_unknown) {
  Vocabulary out;
  const Json* mask = text::find(*layer.config, "mask_token");
  out.mask = mask == nullptr ? std::move(default_mask) : mask->is_null() ? std::nullopt : token_of(*mask);
  const Json* unknown = text::find(*layer.config, "oov_token");
  out.unknown =
      unknown == nullptr ? std::string(default_unknown) : token_of(*unknown).value_or(std::string());
  out.unknown_count = l.integer(layer, "num_oov_indices", 1);
  if (out.unknown_count < 0 || out.unknown_count > 1) {
    l.refuse(layer, "several places for unknown values, which are hashed");
    return out;
  }
  if (!positions && out.mask) {
    l.refuse(layer, "a mask token in a result that is not of positions");
    return out;
  }
  if (!read_tokens(l, layer, out.tokens)) return out;
  // Files may list the special tokens too.
  std::vector<std::string> special;
  if (out.mask && positions) special.push_back(*out.mask);
  if (out.unknown_count == 1) special.push_back(out.unknown);
  if (out.tokens.size() >= special.size() && std::equal(special.begin(), special.end(), out.tokens.begin()))
    out.tokens.erase(out.tokens.begin(), out.tokens.begin() + static_cast<std::ptrdiff_t>(special.size()));
  out.ok = true;
  return out;
}

ValueId label_encoder(Lowering& l, ValueId x, graph::Attributes attributes) {
  return l.b.add("LabelEncoder", {x}, std::move(attributes), graph::kMlDomain);
}

std::optional<Ints> as_integers(Lowering& l, const Layer& layer, const std::vector<std::string>& tokens) {
  Ints out;
  for (const std::string& token : tokens) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    if (error != std::errc() || end != token.data() + token.size()) {
      l.bad(layer, cat(base::quoted(token), " in its vocabulary is not an integer"));
      return std::nullopt;
    }
    out.push_back(number);
  }
  return out;
}

struct Positions {
  ValueId indices = kNone;
  std::int64_t depth = 0;
};

// Where each element of x stands.
Positions look_up(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, ValueId x, bool texts) {
  std::vector<std::string> keys;
  Ints values;
  std::int64_t next = 0;
  if (vocabulary.mask) {
    keys.push_back(*vocabulary.mask);
    values.push_back(next++);
  }
  const std::int64_t unknown = vocabulary.unknown_count == 1 ? next++ : -1;
  for (const std::string& token : vocabulary.tokens) {
    keys.push_back(token);
    values.push_back(next++);
  }
  if (keys.empty()) {
    l.refuse(layer, "an empty vocabulary");
    return {};
  }
  if (texts)
    return {
        label_encoder(l, x, {{"keys_strings", keys}, {"values_int64s", values}, {"default_int64", unknown}}),
        next};
  const auto numbers = as_integers(l, layer, keys);
  if (!numbers) return {};
  return {label_encoder(l, graph::cast(l.b, x, DType::kInt64),
                        {{"keys_int64s", *numbers}, {"values_int64s", values}, {"default_int64", unknown}}),
          next};
}

// From positions back to texts or integers.
Value look_back(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, ValueId x, bool texts) {
  std::vector<std::string> values;
  if (vocabulary.mask) values.push_back(*vocabulary.mask);
  if (vocabulary.unknown_count == 1) values.push_back(vocabulary.unknown);
  values.insert(values.end(), vocabulary.tokens.begin(), vocabulary.tokens.end());
  Ints keys;
  for (std::size_t i = 0; i < values.size(); ++i) keys.push_back(static_cast<std::int64_t>(i));
  if (keys.empty()) {
    l.refuse(layer, "an empty vocabulary");
    return {};
  }
  const ValueId index = graph::cast(l.b, x, DType::kInt64);
  if (texts)
    return Value::of(label_encoder(
        l, index,
        {{"keys_int64s", keys}, {"values_strings", values}, {"default_string", vocabulary.unknown}}));
  values.push_back(vocabulary.unknown);
  auto numbers = as_integers(l, layer, values);
  if (!numbers) return {};
  const std::int64_t unknown = numbers->back();
  numbers->pop_back();
  return Value::of(label_encoder(
      l, index, {{"keys_int64s", keys}, {"values_int64s", *numbers}, {"default_int64", unknown}}));
}

Value lookup(Lowering& l, const Layer& layer, const Call& call) {
  const bool texts = layer.class_name == "StringLookup";
  const bool positions = l.text(layer, "output_mode", "int") == "int";
  const ValueId x = tensor_of(l, layer, call.arg(0, "inputs"));
  const Vocabulary vocabulary = vocabulary_of(l, layer, positions, std::nullopt, texts ? "[UNK]" : "-1");
  if (!vocabulary.ok) return {};
  const bool invert = l.flag(layer, "invert", false);
  if (texts != (invert ? texts : l.b.dtype(x) == DType::kString)) {
    l.refuse(layer, "an input of another kind than its vocabulary");
    return {};
  }
  if (invert) return look_back(l, layer, vocabulary, x, texts);
  const Positions found = look_up(l, layer, vocabulary, x, texts);
  if (found.indices == kNone) return {};
  const std::int64_t limit = l.integer(layer, "max_tokens", 0);
  const bool padded = l.flag(layer, "pad_to_max_tokens", false) && limit > 0;
  return encode_categories(
      l, layer, found.indices,
      {.depth = padded ? limit : found.depth, .indicators = l.keras < 3 ? DType::kFloat32 : DType::kInt64});
}

// What ONNX Runtime splits exactly as Keras does: no standardisation, white space or nothing between the
// words.
Value text_vectorization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  ValueId x = tensor_of(l, layer, call.arg(0, "inputs"));
  for (const auto& [key, plain] :
       {std::pair<std::string_view, bool>{"standardize", false}, {"ngrams", false}}) {
    const Json* value = text::find(*layer.config, key);
    if ((value == nullptr && key == "standardize") || (value != nullptr && !value->is_null())) {
      l.refuse(layer, value != nullptr && value->is_string()
                          ? cat(key, "=", base::quoted(value->get_ref<const std::string&>()))
                          : cat(key, ", which works on texts"));
      return {};
    }
  }
  const Json* split = text::find(*layer.config, "split");
  const bool whole = split != nullptr && split->is_null();
  if (!whole && l.text(layer, "split", "whitespace") != "whitespace") {
    l.refuse(layer, cat("split=", base::quoted(l.text(layer, "split", ""))));
    return {};
  }
  if (l.text(layer, "output_mode", "int") != "int") {
    l.refuse(layer, cat("output_mode ", base::quoted(l.text(layer, "output_mode", "int"))));
    return {};
  }
  const Vocabulary vocabulary = vocabulary_of(l, layer, true, "", "[UNK]");
  if (!vocabulary.ok) return {};
  if (!whole) {
    if (b.rank(x) == 2 && b.dim(x, 1).is(1)) x = graph::squeeze(b, x, {1});
    if (b.rank(x) != 1) {
      l.refuse(layer, "several texts in a row");
      return {};
    }
    x = b.add_many("StringSplit", {x}, 2)[0];
  }
  const Positions found = look_up(l, layer, vocabulary, x, true);
  if (found.indices == kNone) return {};
  ValueId y = found.indices;
  if (const std::int64_t length = l.integer(layer, "output_sequence_length", 0); length > 0 && b.rank(y) == 2)
    y = graph::slice(b, graph::pad(b, y, {0, 0}, {0, length}), 1, 0, length);
  return Value::of(y);
}

constexpr LayerRow kRows[] = {
    {"StringLookup", lookup},
    {"IntegerLookup", lookup},
    {"TextVectorization", text_vectorization},
};

}  // namespace

std::span<const LayerRow> lookup_layers() {
  return kRows;
}

}  // namespace wherry::keras
