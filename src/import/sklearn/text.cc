// Text vectorisers: sklearn/feature_extraction/text.py, 0.24 to 1.9.
#include "base/text.h"

#include <algorithm>
#include <array>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/text_options.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Kind;
using program::Norm;
using program::TextAnalyzer;

#include "import/sklearn/stop_words.inc"

std::unexpected<base::Error> own_code(const View& estimator, std::string_view parameter, const View& value) {
  const std::string name = value.global_name().empty() ? value.describe() : value.global_name();
  return base::fail(base::Code::kUnsupported, "sklearn.unsupported_parameter",
                    cat(estimator.where(), ".", parameter, ": the function ", name, " is Python code"),
                    "say the same with token_pattern, lowercase, strip_accents and stop_words, or run the "
                    "function before the request and fit the vectoriser without it");
}

template <class E>
std::optional<E> by_name(std::string_view word) {
  const auto names = enum_names(E{});
  const auto found = std::ranges::find(names, word);
  if (found == names.end()) return std::nullopt;
  return static_cast<E>(found - names.begin());
}

Result<program::Accents> accents(const View& estimator) {
  const auto view = estimator.find("strip_accents");
  if (!view || view->is_none()) return program::Accents::kKeep;
  std::string_view word;
  if (view->is(Kind::kStr)) word = view->object().text();
  if (view->global_name() == "sklearn.feature_extraction.text.strip_accents_ascii") word = "ascii";
  if (view->global_name() == "sklearn.feature_extraction.text.strip_accents_unicode") word = "unicode";
  if (word == "ascii") return program::Accents::kAscii;
  if (word == "unicode") return program::Accents::kUnicode;
  return own_code(estimator, "strip_accents", *view);
}

bool is_utf8(const std::string& text) {
  return base::is_valid_utf8(text);  // a lone surrogate is not
}

Result<std::vector<std::string>> stop_words(Context& context, const View& estimator) {
  const auto view = estimator.find("stop_words");
  if (!view || view->is_none()) return std::vector<std::string>();
  if (view->is(Kind::kStr)) {
    if (view->object().text() == "english")
      return std::vector<std::string>(std::begin(kEnglishStopWords), std::end(kEnglishStopWords));
    return inconsistent(*view, cat("no list of stop words is called ", base::quoted(view->object().text())));
  }
  std::vector<std::string> out;
  TRY_ASSIGN(const std::vector<View> items, view->items());
  for (const View& item : items) {
    if (!item.is(Kind::kStr)) continue;  // equals no token
    TRY(context.charge(*view, 1 + item->text().size()));
    TRY_ASSIGN(std::string word, item.as_string());
    if (is_utf8(word)) out.push_back(std::move(word));  // nor does what is no text
  }
  std::ranges::sort(out);  // a set has no order: the same model gives the same bundle
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

Status read_ngrams(const View& estimator, TextAnalyzer& out) {
  TRY_ASSIGN(const View range, estimator.attr("ngram_range"));
  TRY_ASSIGN(const std::vector<std::int64_t> bounds, range.int64s());
  constexpr std::int64_t kMost = 1'000'000;
  if (bounds.size() != 2 || bounds[0] < 1 || bounds[1] < bounds[0] || bounds[1] > kMost)
    return unsupported_parameter(range, cat("n-grams other than of 1 to ", kMost));
  out.min_n = bounds[0];
  out.max_n = bounds[1];
  return {};
}

// build_analyzer()
Result<TextAnalyzer> read_analyzer(Context& context, const View& estimator) {
  TextAnalyzer out;
  TRY_ASSIGN(const std::string input, word(estimator, "input", "content"));
  if (input != "content")
    return base::fail(base::Code::kUnsupported, "sklearn.unsupported_parameter",
                      cat(estimator.where(), ": input=", base::quoted(input), " reads files"),
                      "set input='content' before saving, and send the texts themselves");
  TRY_ASSIGN(const View analyzer, estimator.attr("analyzer"));
  if (!analyzer.is(Kind::kStr)) return own_code(estimator, "analyzer", analyzer);
  const auto known = by_name<program::Analyzer>(analyzer->text());
  if (!known) return inconsistent(analyzer, cat(base::quoted(analyzer->text()), " is no analyzer"));
  out.analyzer = *known;
  for (const std::string_view parameter : {"preprocessor", "tokenizer"}) {
    const auto function = estimator.find(parameter);
    const bool is_used = parameter == "preprocessor" || out.analyzer == program::Analyzer::kWord;
    if (is_used && function && !function->is_none()) return own_code(estimator, parameter, *function);
  }
  TRY_ASSIGN(out.lowercase, flag(estimator, "lowercase", true));
  TRY_ASSIGN(out.accents, accents(estimator));
  TRY(read_ngrams(estimator, out));
  if (out.analyzer != program::Analyzer::kWord) return out;
  TRY_ASSIGN(out.stop_words, stop_words(context, estimator));
  TRY_ASSIGN(const View pattern, estimator.attr("token_pattern"));
  TRY_ASSIGN(out.token_pattern, pattern.as_string());
  if (!is_utf8(out.token_pattern)) return unsupported_parameter(pattern, "a pattern with a lone surrogate");
  return out;
}

// vocabulary_ (or the vocabulary given, of a vectoriser which needs no fit): the terms by column.
Result<std::vector<std::string>> read_terms(Context& context, const View& estimator) {
  auto view = estimator.find("vocabulary_");
  if (!view || view->is_none()) view = estimator.find("vocabulary");
  if (!view || view->is_none())
    return base::fail(base::Code::kInvalidInput, "sklearn.unfitted",
                      cat(estimator.where(), ": this ", short_class(estimator),
                          " has no vocabulary_, so it was not fitted"),
                      "call fit() before saving the model");
  TRY_ASSIGN(const std::size_t size, view->size());
  TRY(context.charge(*view, size));
  std::vector<std::string> terms(size);
  const auto put = [&](const View& term, std::int64_t column, std::vector<bool>& seen) -> Status {
    if (!term.is(Kind::kStr)) return unsupported_parameter(*view, "a term which is no text");
    if (column < 0 || column >= static_cast<std::int64_t>(size))
      return inconsistent(*view, cat("column ", column, " of ", size));
    const auto i = static_cast<std::size_t>(column);
    if (seen[i]) return inconsistent(*view, cat("two terms for column ", column));
    seen[i] = true;
    TRY(context.charge(*view, term->text().size()));  // one text may stand in many places
    terms[i] = term->text();
    if (!is_utf8(terms[i])) return unsupported_parameter(*view, "a term with a lone surrogate");
    return {};
  };
  std::vector<bool> seen(size, false);
  if (view->is(Kind::kDict)) {
    for (const pickle::Entry& entry : view->object().mapping().entries) {
      TRY_ASSIGN(const std::int64_t column, View(*entry.value, view->path()).as_int());
      TRY(put(View(*entry.key, view->path()), column, seen));
    }
    return terms;
  }
  TRY_ASSIGN(const std::vector<View> items, view->items());  // a list of terms in order, or a set
  for (std::size_t i = 0; i < items.size(); ++i) TRY(put(items[i], static_cast<std::int64_t>(i), seen));
  if (view->is(Kind::kSet) || view->is(Kind::kFrozenSet)) std::ranges::sort(terms);
  std::vector<std::string_view> sorted(terms.begin(), terms.end());
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return inconsistent(*view, "a term twice");
  return terms;
}

Result<Norm> read_norm(const View& estimator) {
  const auto view = estimator.find("norm");
  if (!view || view->is_none()) return Norm::kNone;
  TRY_ASSIGN(const std::string word, view->as_string());
  if (word.empty()) return Norm::kNone;
  const auto norm = by_name<Norm>(word);
  if (!norm || *norm == Norm::kNone) return inconsistent(*view, cat(base::quoted(word), " is no norm"));
  return *norm;
}

Result<Flow> count_terms(Context& context, const View& estimator, const Flow& input) {
  TRY(take_one_column(context, estimator, input, program::ColumnType::kText));
  program::CountTerms op;
  TRY_ASSIGN(op.analyzer, read_analyzer(context, estimator));
  TRY_ASSIGN(std::vector<std::string> terms, read_terms(context, estimator));
  TRY_ASSIGN(op.binary, flag(estimator, "binary", false));
  TRY_ASSIGN(const bool float32, float32_values(estimator, true));
  op.terms = string_weight(context, "terms", terms);
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {input.value}));
  const std::size_t width = terms.size();
  Flow out = made(value, width, std::move(terms), true);
  out.float32 = float32;
  return out;
}

// _idf_diag, a diagonal matrix, up to 1.4.
Result<std::vector<double>> diagonal(const View& view, std::size_t size) {
  TRY_ASSIGN(const pickle::Csr matrix, view.sparse());
  const auto columns = static_cast<std::int64_t>(size);
  if (matrix.rows != columns || matrix.columns != columns)
    return inconsistent(view, cat(matrix.rows, " idf values for ", size, " columns"));
  std::vector<double> out(size, 0.0);
  for (std::int64_t row = 0; row < matrix.rows; ++row)
    for (std::int64_t i = matrix.offsets[static_cast<std::size_t>(row)];
         i < matrix.offsets[static_cast<std::size_t>(row) + 1]; ++i) {
      if (matrix.indices[static_cast<std::size_t>(i)] != row)
        return inconsistent(view, "an element beside the diagonal");
      out[static_cast<std::size_t>(row)] += matrix.values[static_cast<std::size_t>(i)];
    }
  return out;
}

Result<Flow> weigh_terms(Context& context, const View& estimator, Flow flow) {
  program::WeighTerms op{.float32 = flow.float32};
  const auto width = static_cast<std::size_t>(context.width(flow));
  TRY_ASSIGN(op.sublinear, flag(estimator, "sublinear_tf", false));
  TRY_ASSIGN(op.norm, read_norm(estimator));
  if (const auto idf = estimator.find("idf_"); idf && !idf->is_none()) {
    TRY_ASSIGN(std::vector<double> values, doubles_of(estimator, "idf_", width));
    op.use_idf = true;
    op.idf = context.vector("idf", std::move(values));
  } else {
    TRY_ASSIGN(op.use_idf, flag(estimator, "use_idf", true));
    if (op.use_idf) {
      TRY_ASSIGN(const View diag, estimator.attr("_idf_diag"));
      TRY_ASSIGN(std::vector<double> values, diagonal(diag, width));
      op.idf = context.vector("idf", std::move(values));
      op.reversed = true;
    }
  }
  if (!op.use_idf) op.idf = context.vector("no idf", {});
  TRY_ASSIGN(flow.value, context.add(op, {flow.value}));
  return flow;
}

Result<Fitted> lower_count_vectorizer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Flow flow, count_terms(context, estimator, input));
  Fitted fitted;
  fitted.transform = std::move(flow);
  return fitted;
}

Result<Fitted> lower_tfidf_vectorizer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Flow flow, count_terms(context, estimator, input));
  TRY_ASSIGN(const View transformer, estimator.attr("_tfidf"));
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, weigh_terms(context, transformer, std::move(flow)));
  return fitted;
}

Result<Fitted> lower_tfidf_transformer(Context& context, const View& estimator, const Flow& input) {
  Flow flow = made(0, static_cast<std::size_t>(context.width(input)), input.names, true);
  flow.float32 = input.float32;
  TRY_ASSIGN(flow.value, context.checked(input, "TfidfTransformer", false, false, Layout::kAny));
  if (!context.is_sparse(flow)) {
    TRY_ASSIGN(flow.value, context.add(program::ToSparse{}, {flow.value}));
  }
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, weigh_terms(context, estimator, std::move(flow)));
  return fitted;
}

Result<Fitted> lower_hashing_vectorizer(Context& context, const View& estimator, const Flow& input) {
  TRY(take_one_column(context, estimator, input, program::ColumnType::kText));
  program::HashTerms op;
  TRY_ASSIGN(op.analyzer, read_analyzer(context, estimator));
  TRY_ASSIGN(op.n_features, hash_width(estimator));
  TRY_ASSIGN(op.alternate_sign, flag(estimator, "alternate_sign", true));
  TRY_ASSIGN(op.binary, flag(estimator, "binary", false));
  TRY_ASSIGN(const bool float32, float32_values(estimator, false));
  TRY_ASSIGN(const Norm norm, read_norm(estimator));
  const auto width = static_cast<std::size_t>(op.n_features);
  TRY_ASSIGN(ValueId value, context.add(std::move(op), {input.value}));
  if (norm != Norm::kNone) {
    const WeightId no_idf = context.vector("no idf", {});
    TRY_ASSIGN(value,
               context.add(program::WeighTerms{.idf = no_idf, .norm = norm, .float32 = float32}, {value}));
  }
  Fitted fitted;
  fitted.transform = made(value, width, {}, true);
  fitted.transform->float32 = float32;
  return fitted;
}

constexpr std::string_view kText = "sklearn.feature_extraction.text";

constexpr EstimatorRow kTextRows[] = {
    {"CountVectorizer", kText, "", lower_count_vectorizer, "", text_column},
    {"TfidfVectorizer", kText, "vocabulary_", lower_tfidf_vectorizer, "", text_column},
    {"TfidfTransformer", kText, "", lower_tfidf_transformer},
    {"HashingVectorizer", kText, "", lower_hashing_vectorizer, "", text_column},
};

}  // namespace

Result<InputColumns> text_column(const View&) {
  return InputColumns{.count = 1, .single_name = "text"};
}
Result<InputColumns> record_column(const View&) {
  return InputColumns{.count = 1, .single_name = "record"};
}

Status take_one_column(Context& context, const View& estimator, const Flow& input, program::ColumnType type) {
  if (context.is_sparse(input) || context.width(input) != 1)
    return inconsistent(estimator, cat("it takes one column, not ", context.width(input)));
  context.mark(input, 0, type);
  return {};
}

Result<bool> float32_values(const View& estimator, bool counts) {
  const auto dtype = estimator.find("dtype");
  if (!dtype) return false;
  std::string name = dtype->global_name();
  if (name.empty() && dtype->is(Kind::kStr)) name = cat("numpy.", dtype->object().text());
  if (name.empty() && dtype->is(Kind::kDtype)) name = cat("numpy.", dtype->object().dtype().describe());
  if (name == "numpy.float32") return true;
  constexpr std::array<std::string_view, 3> kFloats{"numpy.float64", "builtins.float", "numpy.double"};
  constexpr std::array<std::string_view, 6> kIntegers{"numpy.int64", "numpy.int32",  "builtins.int",
                                                      "numpy.intp",  "numpy.uint64", "numpy.uint32"};
  const bool is_known = std::ranges::find(kFloats, name) != kFloats.end() ||
                        (counts && std::ranges::find(kIntegers, name) != kIntegers.end());
  if (!is_known)
    return unsupported_parameter(estimator, cat("dtype=", name.empty() ? dtype->describe() : name));
  return false;
}

Result<std::int64_t> hash_width(const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("n_features"));
  TRY_ASSIGN(const std::int64_t width, view.as_int());
  if (width < 1 || width > INT32_MAX) return inconsistent(view, cat(width, " features"));
  return width;
}

WeightId string_weight(Context& context, std::string_view name, std::vector<std::string> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return context.weight(name, tensor::Tensor::of_strings({size}, std::move(values)));
}

std::span<const EstimatorRow> text_rows() {
  return kTextRows;
}

}  // namespace wherry::sklearn
