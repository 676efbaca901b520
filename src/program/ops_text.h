// Text and records to features, and the sparse rows they make. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"
#include "program/ops_preprocess.h"

namespace wherry::program {

// sparse → matrix with all its zeros.
struct ToDense {
  static constexpr std::string_view kName = "to_dense";
  template <class V>
  void fields(V&) {}
};

// matrix → sparse: the elements which are not 0, columns ascending.
struct ToSparse {
  static constexpr std::string_view kName = "to_sparse";
  template <class V>
  void fields(V&) {}
};

enum class Analyzer { kWord, kChar, kCharWb };
inline constexpr std::string_view kAnalyzerNames[] = {"word", "char", "char_wb"};
constexpr auto enum_names(Analyzer) {
  return std::span(kAnalyzerNames);
}

enum class Accents { kKeep, kAscii, kUnicode };
inline constexpr std::string_view kAccentsNames[] = {"keep", "ascii", "unicode"};
constexpr auto enum_names(Accents) {
  return std::span(kAccentsNames);
}

// From a text to its n-grams, as _VectorizerMixin.build_analyzer in sklearn/feature_extraction/text.py (0.24
// to 1.9): str.lower(), then accents stripped (strip_accents_ascii, strip_accents_unicode), then
//   word     re.findall(token_pattern), stop words left out, min_n to max_n of them in a row joined by a
//   space char     runs of two and more white space characters become one space; min_n to max_n characters in
//   a row char_wb  the same of each word between white space with a space before and behind; of a word which
//   is
//            shorter than n, itself, once
// Python's rules of characters and expressions are those of module pytext.
struct TextAnalyzer {
  Analyzer analyzer = Analyzer::kWord;
  bool lowercase = true;
  Accents accents = Accents::kKeep;
  std::string token_pattern;            // of word: a Python regular expression
  std::vector<std::string> stop_words;  // of word
  std::int64_t min_n = 1;               // 1 or more
  std::int64_t max_n = 1;
  template <class V>
  void fields(V& v) {
    v("analyzer", analyzer), v("lowercase", lowercase), v("accents", accents),
        v("token_pattern", token_pattern), v("stop_words", stop_words), v("min_n", min_n), v("max_n", max_n);
  }
};

// columns [n, 1] → sparse [n, terms]: how often each term is among the n-grams of the text, columns
// ascending; 1 for once or more with `binary`. terms: strings [w], distinct. A cell which is no text is an
// error naming the row. CountVectorizer.transform.
struct CountTerms {
  static constexpr std::string_view kName = "count_terms";
  TextAnalyzer analyzer;
  WeightId terms;
  bool binary = false;
  template <class V>
  void fields(V& v) {
    v("analyzer", analyzer), v("terms", terms), v("binary", binary);
  }
};

// columns [n, 1] → sparse [n, n_features]: each n-gram is a count of 1 in column |h| % n_features, where h is
// its MurmurHash3 (x86, 32 bit, seed 0, signed) as UTF-8; with `alternate_sign` of -1 where h < 0. Columns
// ascending; sums of 0 are elements, too. `binary`: 1 in each column met. HashingVectorizer.transform without
// the norm; sklearn/feature_extraction/_hashing_fast.pyx.
struct HashTerms {
  static constexpr std::string_view kName = "hash_terms";
  TextAnalyzer analyzer;
  std::int64_t n_features = 0;
  bool alternate_sign = true;
  bool binary = false;
  template <class V>
  void fields(V& v) {
    v("analyzer", analyzer), v("n_features", n_features), v("alternate_sign", alternate_sign),
        v("binary", binary);
  }
};

// sparse → sparse, each element x of column j: x = log(x) + 1 with `sublinear`; x *= idf[j] with `use_idf`
// (float64 [w]); then each row divided by its norm, if that is not 0: the sum of |x| or the root of the sum
// of x * x over the elements in their order, or the largest |x|. With `reversed` the elements of each row
// change their order after the idf, as they do in scipy's product with a diagonal matrix, which scikit-learn
// up to 1.4 uses. With `float32` elements are float32 after each step; the sums of the norm are double, the
// squares float32. TfidfTransformer.transform, sklearn/utils/sparsefuncs_fast.pyx. Without idf and sublinear:
// normalize() of a sparse matrix.
struct WeighTerms {
  static constexpr std::string_view kName = "weigh_terms";
  bool sublinear = false;
  bool use_idf = false;
  WeightId idf;
  bool reversed = false;
  Norm norm = Norm::kNone;
  bool float32 = false;
  template <class V>
  void fields(V& v) {
    v("sublinear", sublinear), v("use_idf", use_idf), v("idf", idf), v("reversed", reversed), v("norm", norm),
        v("float32", float32);
  }
};

// columns [n, 1] → sparse [n, names]: each cell is the JSON text of an object. A member with a number (or
// true, false, null: 1, 0, NaN) stands in the column of its name; one with a text t in that of name +
// separator + t, as 1; one with a list of texts in those of all of them. Elements of one column are added up,
// or, with `assigns`, the last one counts and a list is an error; names which are not known are left out.
// Columns ascending. names: strings [w], distinct. DictVectorizer.transform, `assigns` as in 0.24 with
// sparse=False.
struct DictFeatures {
  static constexpr std::string_view kName = "dict_features";
  WeightId names;
  std::string separator;
  bool assigns = false;
  bool float32 = false;  // values become float32, and are added up as such
  template <class V>
  void fields(V& v) {
    v("names", names), v("separator", separator), v("assigns", assigns), v("float32", float32);
  }
};

enum class RecordForm { kDict, kPair, kString };
inline constexpr std::string_view kRecordFormNames[] = {"dict", "pair", "string"};
constexpr auto enum_names(RecordForm) {
  return std::span(kRecordFormNames);
}

// columns [n, 1] → sparse [n, n_features]: each cell is the JSON text of an object, of a list of pairs [name,
// value] or of a list of names. A text as value becomes part of the name ("name=text") with the value 1;
// values of 0 are left out; null is an error. Each value is added to the column of its name's hash as in
// HashTerms. Columns ascending. FeatureHasher.transform.
struct HashFeatures {
  static constexpr std::string_view kName = "hash_features";
  RecordForm form = RecordForm::kDict;
  std::int64_t n_features = 0;
  bool alternate_sign = true;
  bool float32 = false;  // values become float32, and are added up as such
  template <class V>
  void fields(V& v) {
    v("form", form), v("n_features", n_features), v("alternate_sign", alternate_sign), v("float32", float32);
  }
};

using TextOps = OpList<ToDense, ToSparse, CountTerms, HashTerms, WeighTerms, DictFeatures, HashFeatures>;

}  // namespace wherry::program
