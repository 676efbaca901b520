// Which globals of a file prediction understands, which it may ignore, and which no model has.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/sklearn/registry.h"
#include "import/sklearn/sklearn.h"

namespace wherry::sklearn {

using program::GlobalUse;

namespace {

struct Rule {
  std::string_view module;  // exactly, or everything below it when it ends with a dot
  std::string_view name;    // empty: any; ending with '*': any with that beginning
  GlobalUse use;
};

constexpr auto kYes = GlobalUse::kUnderstood;
constexpr auto kSkip = GlobalUse::kIgnored;
constexpr auto kNo = GlobalUse::kRefused;

// Read from the top; the first match counts. Names are canonical (pickle::Global).
constexpr Rule kRules[] = {
    // How Python, numpy, scipy and joblib write data.
    {"numpy._core.multiarray", "_reconstruct", kYes},
    {"numpy._core.multiarray", "scalar", kYes},
    {"numpy._core.numeric", "_frombuffer", kYes},
    {"numpy", "ndarray", kYes},
    {"numpy", "dtype", kYes},
    {"joblib.numpy_pickle", "NumpyArrayWrapper", kYes},
    {"_codecs", "encode", kYes},
    {"copyreg", "_reconstructor", kYes},
    {"copyreg", "__newobj__", kYes},
    {"copyreg", "__newobj_ex__", kYes},
    {"builtins", "object", kYes},
    {"builtins", "slice", kYes},
    {"builtins", "range", kYes},
    {"builtins", "bytearray", kYes},
    {"builtins", "set", kYes},
    {"builtins", "frozenset", kYes},
    {"builtins", "complex", kYes},
    {"collections", "OrderedDict", kYes},
    {"collections", "defaultdict", kYes},
    {"collections", "Counter", kYes},
    {"functools", "partial", kYes},
    {"scipy.sparse.", "", kYes},
    {"sklearn.tree._tree", "Tree", kYes},
    {"sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor", kYes},
    {"sklearn.ensemble._hist_gradient_boosting.binning", "_BinMapper", kYes},
    {"sklearn.preprocessing._label", "LabelBinarizer", kYes},
    {"sklearn.preprocessing.label", "LabelBinarizer", kYes},
    {"sklearn.calibration", "_SigmoidCalibration", kYes},
    {"sklearn.calibration", "_TemperatureScaling", kYes},
    {"sklearn.compose._column_transformer", "_RemainderColsList", kYes},
    {"sklearn.compose._column_transformer", "make_column_selector", kSkip},
    {"sklearn.utils.validation", "check_array", kYes},
    {"xgboost.compat", "XGBoostLabelEncoder", kYes},
    {"xgboost.callback", "", kSkip},
    {"imblearn.over_sampling.", "", kSkip},  // of training only
    {"imblearn.under_sampling.", "", kSkip},
    {"imblearn.combine.", "", kSkip},
    {"pandas._libs.missing", "NA*", kYes},
    {"pandas", "NA", kYes},
    // Types as values: the dtype of an encoder, the class of a parameter.
    {"builtins", "int", kSkip},
    {"builtins", "float", kSkip},
    {"builtins", "bool", kSkip},
    {"builtins", "str", kSkip},
    {"builtins", "bytes", kSkip},
    {"builtins", "list", kSkip},
    {"builtins", "tuple", kSkip},
    {"builtins", "dict", kSkip},
    {"builtins", "type", kSkip},
    {"builtins", "NoneType", kSkip},
    // Nothing in a model's life needs these, called or not.
    {"builtins", "", kNo},
    {"os", "", kNo},
    {"os.", "", kNo},
    {"posix", "", kNo},
    {"nt", "", kNo},
    {"posixpath", "", kNo},
    {"ntpath", "", kNo},
    {"subprocess", "", kNo},
    {"_posixsubprocess", "", kNo},
    {"sys", "", kNo},
    {"pty", "", kNo},
    {"shutil", "", kNo},
    {"socket", "", kNo},
    {"_socket", "", kNo},
    {"asyncio.", "", kNo},
    {"http.", "", kNo},
    {"urllib.", "", kNo},
    {"requests.", "", kNo},
    {"requests", "", kNo},
    {"webbrowser", "", kNo},
    {"importlib", "", kNo},
    {"importlib.", "", kNo},
    {"_frozen_importlib", "", kNo},
    {"imp", "", kNo},
    {"pkgutil", "", kNo},
    {"runpy", "", kNo},
    {"code", "", kNo},
    {"codeop", "", kNo},
    {"types", "", kNo},
    {"marshal", "", kNo},
    {"pickle", "", kNo},
    {"_pickle", "", kNo},
    {"cloudpickle", "", kNo},
    {"cloudpickle.", "", kNo},
    {"dill", "", kNo},
    {"dill.", "", kNo},
    {"shelve", "", kNo},
    {"ctypes", "", kNo},
    {"ctypes.", "", kNo},
    {"_ctypes", "", kNo},
    {"multiprocessing.", "", kNo},
    {"threading", "", kNo},
    {"signal", "", kNo},
    {"tempfile", "", kNo},
    {"pathlib", "", kNo},
    {"io", "", kNo},
    {"_io", "", kNo},
    {"bdb", "", kNo},
    {"pdb", "", kNo},
    {"timeit", "", kNo},
    {"cProfile", "", kNo},
    {"profile", "", kNo},
    {"trace", "", kNo},
    {"pydoc", "", kNo},
    {"operator", "attrgetter", kNo},
    {"operator", "methodcaller", kNo},
    {"_operator", "attrgetter", kNo},
    {"_operator", "methodcaller", kNo},
    {"functools", "reduce", kNo},
    {"_functools", "reduce", kNo},
    {"numpy.testing.", "", kNo},
    {"pandas.core.computation.", "", kNo},
    {"pandas.io.", "", kNo},
    {"numpy.f2py.", "", kNo},
    {"numpy.distutils.", "", kNo},
    {"pip", "", kNo},
    {"pip.", "", kNo},
    // What training leaves in a model: random states, scorers, splits, score tables, distributions.
    {"numpy.random.", "", kSkip},
    {"lightgbm.sklearn", "_ObjectiveFunctionWrapper", kSkip},
    {"lightgbm.sklearn", "_EvalFunctionWrapper", kSkip},
    {"numpy.ma.core", "", kSkip},
    {"numpy.dtypes", "", kSkip},
    {"numpy._core._internal", "", kNo},
    {"numpy._core", "_ufunc_reconstruct", kSkip},
    {"scipy.stats.", "", kSkip},
    {"scipy.interpolate._bsplines", "BSpline", kSkip},
    {"pandas.core.", "", kSkip},
    {"pandas._libs.", "", kSkip},
    {"skops.io._general", "MethodNode", kSkip},  // what module skops makes of a method
    {"datetime", "", kSkip},
    {"decimal", "Decimal", kSkip},
    {"fractions", "Fraction", kSkip},
    {"uuid", "UUID", kSkip},
};

bool matches(std::string_view pattern, std::string_view text, char wildcard) {
  if (!pattern.empty() && pattern.back() == wildcard) {
    if (wildcard == '*') pattern.remove_suffix(1);
    return text.starts_with(pattern);
  }
  return pattern == text;
}

bool below(std::string_view module, std::string_view package) {
  return module == package || (module.starts_with(package) && module[package.size()] == '.');
}

// Classes are written in capitals (_Like, LikeThis); calling one makes an object and does nothing else. The
// other constructors in scikit-learn's pickles are Cython's.
bool looks_like_class(std::string_view name) {
  const auto first = name.find_first_not_of('_');
  if (first == std::string_view::npos) return false;
  return (name[first] >= 'A' && name[first] <= 'Z') || name.starts_with("__pyx_unpickle_") ||
         name == "newObj";
}

// pandas has functions that read files and evaluate text; its pickles call classes and private helpers.
bool constructs(std::string_view module, std::string_view name) {
  return !below(module, "pandas") || name.starts_with('_') || looks_like_class(name);
}

}  // namespace

GlobalUse classify(std::string_view module, std::string_view name, bool called) {
  if (find_row(cat(module, ".", name)) != nullptr) return kYes;
  for (const Rule& rule : kRules)
    if (matches(rule.module, module, '.') && (rule.name.empty() || matches(rule.name, name, '*')))
      return called && !constructs(module, name) ? kNo : rule.use;
  if (!called) return kSkip;  // a name, such as the scorer of a search: nothing runs
  // Some wheels spell sklearn._loss._loss without its package.
  const bool known_package =
      below(module, "sklearn") || below(module, "numpy") || below(module, "scipy") || module == "_loss";
  return known_package && looks_like_class(name) ? kSkip : kNo;
}

std::vector<std::string> supported_classes() {
  std::vector<std::string> out;
  for (const EstimatorRow* row : estimator_rows())
    out.push_back(cat(base::split(row->modules, ' ')[0], ".", row->name));
  return out;
}

}  // namespace wherry::sklearn
