#include "import/keras/vocabulary.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

#include "graph/ragged.h"

#include "base/text.h"

namespace wherry::keras {

using base::cat;

namespace {

constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::max();

std::optional<std::string> token_of(const Json& json) {
  if (const auto* text = json.get_ptr<const std::string*>()) return *text;
  if (json.is_number_integer()) return cat(json.get<std::int64_t>());
  return std::nullopt;
}

bool read_tokens(Lowering& l, const Layer& layer, std::vector<std::string>& tokens) {
  const Json* json = unwrapped(text::find(*layer.config, "vocabulary"));
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
    l.refuse(layer, "its vocabulary is not in the file: HDF5 files have none; save as .keras");
    return false;
  }
  for (std::string_view line : base::split(file->second, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    tokens.emplace_back(line);
  }
  // No newline stands behind the last token, which may be empty.
  return true;
}

// The values which are none of the tokens, spread over the places for unknown ones.
ValueId spread_unknown(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, ValueId x,
                       ValueId found) {
  Builder& b = l.b;
  const bool remainder = !vocabulary.texts && l.text(layer, "oov_method", "floormod") == "floormod";
  const ValueId bucket = remainder ? b.add("Mod", {x, graph::int_scalar(b, vocabulary.unknown_count)})
                                   : hash_buckets(l, layer, x, vocabulary.unknown_count);
  const auto start = static_cast<double>(vocabulary.unknown_start());
  return graph::where(b, graph::binary(b, "Less", found, 0.0), graph::binary(b, "Add", bucket, start), found);
}

// Looks positions up once more in a table of those there are: what is outside of it is an error.
ValueId must_be_known(Lowering& l, const Vocabulary& vocabulary, ValueId found) {
  Ints places(static_cast<std::size_t>(vocabulary.size()));
  std::iota(places.begin(), places.end(), 0);
  places.push_back(kNowhere);
  return graph::gather(l.b, graph::ints(l.b, std::move(places)), found, 0);
}

}  // namespace

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

std::optional<Vocabulary> vocabulary_of(Lowering& l, const Layer& layer,
                                        std::optional<std::string> fixed_mask, std::string_view unknown) {
  Vocabulary out;
  const Json* mask = text::find(*layer.config, "mask_token");
  out.mask = mask == nullptr ? std::move(fixed_mask) : mask->is_null() ? std::nullopt : token_of(*mask);
  const Json* given = text::find(*layer.config, "oov_token");
  out.unknown = given == nullptr ? std::string(unknown) : token_of(*given).value_or(std::string());
  out.unknown_count = l.integer(layer, "num_oov_indices", 1);
  out.texts = layer.class_name != "IntegerLookup";
  out.positions = l.text(layer, "output_mode", "int") == "int";
  if (out.unknown_count < 0 || out.unknown_count > 1 << 26) {
    l.bad(layer, "has an impossible number of places for unknown values");
    return std::nullopt;
  }
  if (!read_tokens(l, layer, out.tokens)) return std::nullopt;
  std::vector<std::string> special;
  if (out.unknown_start() == 1) special.push_back(*out.mask);
  special.insert(special.end(), static_cast<std::size_t>(out.unknown_count), out.unknown);
  out.listed = out.tokens.size() >= special.size() &&
               std::ranges::equal(special, std::span(out.tokens).first(special.size()));
  if (out.listed)
    out.tokens.erase(out.tokens.begin(), out.tokens.begin() + static_cast<std::ptrdiff_t>(special.size()));
  if (out.tokens.empty()) {
    l.refuse(layer, "an empty vocabulary");
    return std::nullopt;
  }
  return out;
}

ValueId look_up(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, ValueId x) {
  Builder& b = l.b;
  const std::int64_t size = vocabulary.size();
  const bool must = vocabulary.unknown_count == 0;
  std::vector<std::string> keys = vocabulary.tokens;
  Ints places(keys.size());
  std::iota(places.begin(), places.end(), vocabulary.unknown_start() + vocabulary.unknown_count);
  if (vocabulary.mask) {
    keys.push_back(*vocabulary.mask);
    places.push_back(vocabulary.positions ? 0 : must ? size : kNowhere);
  }
  const std::int64_t otherwise = must                            ? size + 1
                                 : vocabulary.unknown_count == 1 ? vocabulary.unknown_start()
                                                                 : -1;
  graph::Attributes attributes{{"values_int64s", places}, {"default_int64", otherwise}};
  if (vocabulary.texts) {
    attributes.push_back({"keys_strings", keys});
  } else {
    const auto numbers = as_integers(l, layer, keys);
    if (!numbers) return kNone;
    attributes.push_back({"keys_int64s", *numbers});
    x = graph::cast(b, x, DType::kInt64);
  }
  const ValueId found = b.add("LabelEncoder", {x}, std::move(attributes), graph::kMlDomain);
  if (must) return must_be_known(l, vocabulary, found);
  return vocabulary.unknown_count == 1 ? found : spread_unknown(l, layer, vocabulary, x, found);
}

std::int64_t depth_of(Lowering& l, const Layer& layer, const Vocabulary& vocabulary) {
  const std::int64_t most = l.integer(layer, "max_tokens", 0);
  return l.flag(layer, "pad_to_max_tokens", false) && most > 0 ? most : vocabulary.size();
}

ValueId idf_weights(Lowering& l, const Layer& layer, const Vocabulary& vocabulary, std::int64_t depth) {
  std::vector<float> weights;
  const Json* json = unwrapped(text::find(*layer.config, "idf_weights"));
  if (json != nullptr && json->is_array()) {
    const auto given = literal_tensor(*json, DType::kFloat64);
    if (!given || given->shape().size() != 1) {
      l.bad(layer, "has idf_weights which are not of numbers");
      return kNone;
    }
    const auto numbers = given->as<double>();
    // The special tokens, where the vocabulary does not list them, have the mean.
    const double sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
    const auto mean = static_cast<float>(sum / std::max<double>(1, static_cast<double>(numbers.size())));
    if (!vocabulary.listed) weights.assign(static_cast<std::size_t>(vocabulary.unknown_count), mean);
    for (const double number : numbers) weights.push_back(static_cast<float>(number));
  } else if (!layer.weights.empty() && layer.weights[0].dtype() == DType::kFloat32) {
    const auto stored = layer.weights[0].as<float>();
    weights.assign(stored.begin(), stored.end());
  }
  const auto size = static_cast<std::int64_t>(weights.size());
  if (size != vocabulary.size() && size != depth) {
    l.refuse(layer, "its idf_weights are not in the file, or are not as many as its tokens");
    return kNone;
  }
  weights.resize(static_cast<std::size_t>(depth), 0);
  return graph::floats(l.b, std::move(weights));
}

ValueId hash_buckets(Lowering& l, const Layer& layer, ValueId x, std::int64_t buckets) {
  Builder& b = l.b;
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) l.refuse(layer, "hashing truth values");
  if (dtype != DType::kString) x = graph::cast(b, graph::cast(b, x, DType::kInt64), DType::kString);
  Ints salt = l.integers(layer, "salt");
  if (salt.empty()) return graph::text_operator(b, "TextHash64", x, {{"buckets", buckets}});
  if (salt.size() == 1) salt.push_back(salt[0]);
  if (salt.size() != 2) l.bad(layer, "has a salt which is not of two integers");
  return graph::text_operator(b, "TextHashStrong", x,
                              {{"buckets", buckets}, {"key_0", salt.front()}, {"key_1", salt.back()}});
}

}  // namespace wherry::keras
