// TextVectorization (keras/src/layers/preprocessing/text_vectorization.py): texts standardised, split into
// words, runs of words, positions in a vocabulary.
#include <numeric>

#include "graph/ragged.h"

#include "base/text.h"
#include "import/keras/encoding.h"
#include "import/keras/vocabulary.h"

namespace wherry::keras {

using base::cat;

namespace {

// Null, a text, or a function of one's own, which is refused.
std::optional<std::string> choice(Lowering& l, const Layer& layer, std::string_view key,
                                  std::string_view otherwise) {
  const Json* json = text::find(*layer.config, key);
  if (json == nullptr) return std::string(otherwise);
  if (json->is_null()) return std::nullopt;
  if (const auto* text = json->get_ptr<const std::string*>()) return *text;
  l.refuse(layer, cat(key, " is a function of one's own"));
  return std::nullopt;
}

ValueId standardised(Lowering& l, const Layer& layer, ValueId x) {
  const auto how = choice(l, layer, "standardize", "lower_and_strip_punctuation");
  if (!how) return x;
  const bool lower = *how == "lower" || *how == "lower_and_strip_punctuation";
  const bool strip = *how == "strip_punctuation" || *how == "lower_and_strip_punctuation";
  if (!lower && !strip) l.refuse(layer, cat("standardize=", base::quoted(*how)));
  if (lower) x = graph::text_operator(l.b, "TextLower", x);
  if (!strip) return x;
  return graph::text_operator(l.b, "TextReplace", x,
                              {{"pattern", R"([!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\'])"},
                               {"rewrite", std::string()},
                               {"all", std::int64_t{1}}});
}

// 1 … n of an integer; the integers of a tuple.
Ints widths_of(Lowering& l, const Layer& layer) {
  const Json* json = unwrapped(text::find(*layer.config, "ngrams"));
  if (json == nullptr || json->is_null()) return {};
  Ints widths;
  if (json->is_number_integer() && json->get<std::int64_t>() <= 100) {
    widths.resize(static_cast<std::size_t>(std::max<std::int64_t>(json->get<std::int64_t>(), 0)));
    std::iota(widths.begin(), widths.end(), 1);
  } else {
    for (const Json& item : json->is_array() ? *json : Json::array())
      widths.push_back(item.is_number_integer() ? item.get<std::int64_t>() : 0);
  }
  for (const std::int64_t width : widths)
    if (width < 1 || width > 100 || widths.size() > 100) l.refuse(layer, "its ngrams");
  if (widths.empty()) l.refuse(layer, "its ngrams");
  return widths;
}

// The words of each text, which differ in number.
Value split_texts(Lowering& l, const Layer& layer, ValueId x, std::string_view how,
                  const Vocabulary& vocabulary) {
  Builder& b = l.b;
  if (b.rank(x) == 2 && b.dim(x, 1).is(1)) x = graph::squeeze(b, x, {1});
  if (b.rank(x) != 1) {
    l.refuse(layer, "several texts in a row");
    return {};
  }
  if (how != "whitespace" && how != "character") {
    l.refuse(layer, cat("split=", base::quoted(how)));
    return {};
  }
  graph::Words words = how == "character" ? graph::split_characters(b, x) : graph::split_words(b, x);
  if (const Ints widths = widths_of(l, layer); !widths.empty()) words = graph::ngrams(b, words, widths, " ");
  const graph::RaggedWords ragged = graph::ragged(b, words);
  const ValueId positions = look_up(l, layer, vocabulary, ragged.values);
  if (positions == kNone) return {};
  const std::string mode = output_mode_of(l, layer);
  if (mode == "int") {
    const std::int64_t length = l.integer(layer, "output_sequence_length", -1);
    return Value::of(graph::ragged_to_dense(b, ragged.rows, positions, graph::int_scalar(b, 0),
                                            std::max<std::int64_t>(length, -1)));
  }
  const bool binary = mode == "multi_hot";
  if (!binary && mode != "count" && mode != "tf_idf") {
    l.refuse(layer, cat("output_mode ", base::quoted(mode), " of words which differ in number"));
    return {};
  }
  const std::int64_t depth = depth_of(l, layer, vocabulary);
  const ValueId counts =
      graph::ragged_bincount(b, ragged.rows, positions, graph::int_scalar(b, depth), binary);
  if (mode != "tf_idf")
    return Value::of(graph::cast(b, counts, l.keras < 3 ? DType::kFloat32 : DType::kInt64));
  const ValueId weights = idf_weights(l, layer, vocabulary, depth);
  return weights == kNone ? Value() : Value::of(graph::binary(b, "Mul", counts, weights));
}

// Each text is a word.
Value whole_texts(Lowering& l, const Layer& layer, ValueId x, const Vocabulary& vocabulary) {
  Builder& b = l.b;
  if (const Ints widths = widths_of(l, layer); !widths.empty()) {
    if (b.rank(x) != 2) {
      l.refuse(layer, "ngrams of texts which are not in rows");
      return {};
    }
    const ValueId there = graph::expand(b, graph::bool_scalar(b, true), graph::shape_of(b, x));
    x = graph::ngrams(b, {x, there}, widths, " ").parts;
  }
  const ValueId positions = look_up(l, layer, vocabulary, x);
  if (positions == kNone) return {};
  if (vocabulary.positions) {
    const std::int64_t length = l.integer(layer, "output_sequence_length", -1);
    if (length < 0) return Value::of(positions);
    const int rank = b.rank(x);
    if (rank < 2) {
      l.refuse(layer, "an output_sequence_length of texts which are not in rows");
      return {};
    }
    Ints none(static_cast<std::size_t>(rank), 0), more = none;
    more.back() = length;
    return Value::of(graph::slice(b, graph::pad(b, positions, none, more), rank - 1, 0, length));
  }
  Encoding how{.depth = depth_of(l, layer, vocabulary),
               .indicators = l.keras < 3 ? DType::kFloat32 : DType::kInt64};
  if (output_mode_of(l, layer) == "tf_idf") how.idf = idf_weights(l, layer, vocabulary, how.depth);
  return encode_categories(l, layer, positions, how);
}

Value text_vectorization(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = tensor_of(l, layer, call.arg(0, "inputs"));
  if (l.b.dtype(x) != DType::kString) l.refuse(layer, "an input which is not of texts");
  if (l.flag(layer, "ragged", false) || l.flag(layer, "sparse", false))
    l.refuse(layer, "sparse or ragged results");
  const auto vocabulary = vocabulary_of(l, layer, "", "[UNK]");
  if (!vocabulary || !l.b.status()) return {};
  const ValueId texts = standardised(l, layer, x);
  const auto split = choice(l, layer, "split", "whitespace");
  if (!l.b.status()) return {};
  return split ? split_texts(l, layer, texts, *split, *vocabulary)
               : whole_texts(l, layer, texts, *vocabulary);
}

constexpr LayerRow kRows[] = {{"TextVectorization", text_vectorization}};

}  // namespace

std::span<const LayerRow> text_layers() {
  return kRows;
}

}  // namespace wherry::keras
