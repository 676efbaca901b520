#include "import/sklearn/values.h"

#include <algorithm>
#include <cmath>

#include "base/numbers.h"

namespace wherry::sklearn {

using pickle::Kind;
using tensor::CellValue;
using tensor::Tensor;

namespace {

constexpr std::int64_t kExactIntegers = std::int64_t{1} << 53;

Labels of_strings(std::vector<std::string> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return {Tensor::of_strings({size}, values), values};
}

Labels of_integers(std::vector<std::int64_t> values) {
  Labels out;
  for (std::int64_t value : values) out.names.push_back(cat(value));
  const auto size = static_cast<std::int64_t>(values.size());
  out.values = Tensor::of({size}, std::move(values));
  return out;
}

Labels of_bools(const std::vector<bool>& values) {
  Labels out;
  for (bool value : values) out.names.emplace_back(value ? "True" : "False");
  out.values = Tensor::of_bools({static_cast<std::int64_t>(values.size())},
                                std::vector<std::uint8_t>(values.begin(), values.end()));
  return out;
}

Labels of_doubles(std::vector<double> values) {
  Labels out;
  for (double value : values) out.names.push_back(base::python_repr(value));
  const auto size = static_cast<std::int64_t>(values.size());
  out.values = Tensor::of({size}, std::move(values));
  return out;
}

// Object arrays hold Python values; only arrays of one kind have a dtype of ours.
Result<Labels> of_objects(const View& classes) {
  TRY_ASSIGN(const std::vector<View> items, classes.items());
  const auto all = [&](auto kind) {
    return std::ranges::all_of(items, [&](const View& item) { return item.is(kind); });
  };
  if (all(Kind::kStr)) {
    TRY_ASSIGN(auto values, classes.strings());
    return of_strings(std::move(values));
  }
  if (all(Kind::kBool)) {
    std::vector<bool> values;
    for (const View& item : items) values.push_back(item->boolean());
    return of_bools(values);
  }
  if (all(Kind::kInt)) {
    TRY_ASSIGN(auto values, classes.int64s());
    return of_integers(std::move(values));
  }
  if (all(Kind::kFloat)) {
    TRY_ASSIGN(auto values, classes.doubles());
    return of_doubles(std::move(values));
  }
  return unsupported_parameter(classes,
                               "class labels of several types, or of another type than str, int, "
                               "float and bool");
}

}  // namespace

Labels labels_of(tensor::Tensor values) {
  switch (values.dtype()) {
    case tensor::DType::kString: {
      const auto texts = values.as_strings();
      return of_strings({texts.begin(), texts.end()});
    }
    case tensor::DType::kBool: {
      const auto flags = values.as_bools();
      return of_bools({flags.begin(), flags.end()});
    }
    case tensor::DType::kInt64: {
      const auto integers = values.as<std::int64_t>();
      return of_integers({integers.begin(), integers.end()});
    }
    default: {
      const auto numbers = values.as<double>();
      return of_doubles({numbers.begin(), numbers.end()});
    }
  }
}

std::string short_class(const View& estimator) {
  const std::string name = estimator.class_name();
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

Result<bool> flag(const View& estimator, std::string_view name, bool otherwise) {
  const auto found = estimator.find(name);
  return found ? found->as_bool() : Result<bool>(otherwise);
}

Result<std::string> word(const View& estimator, std::string_view name, std::string_view otherwise) {
  const auto found = estimator.find(name);
  return found ? found->as_string() : Result<std::string>(std::string(otherwise));
}

Result<double> number(const View& estimator, std::string_view name) {
  TRY_ASSIGN(const View view, estimator.attr(name));
  return view.as_double();
}

Result<double> number(const View& estimator, std::string_view name, double otherwise) {
  const auto view = estimator.find(name);
  return view && !view->is_none() ? view->as_double() : Result<double>(otherwise);
}

bool is_none_or_absent(const View& estimator, std::string_view name) {
  const auto found = estimator.find(name);
  return !found || found->is_none();
}

Status refuse_float32(const View& estimator, const Flow& input) {
  if (input.float32) return unsupported_parameter(estimator, "a float32 matrix from the step before it");
  return {};
}

Result<Labels> labels(const View& classes) {
  TRY_ASSIGN(const char kind, array_kind(classes));
  TRY_ASSIGN(const pickle::NdArray array, classes.array());
  if (array.shape.size() != 1 || array.count == 0) return classes.wrong("a list of class labels");
  switch (kind) {
    case 'b': {
      TRY_ASSIGN(const auto values, classes.bools());
      return of_bools(values);
    }
    case 'i':
    case 'u': {
      TRY_ASSIGN(auto values, classes.int64s());
      return of_integers(std::move(values));
    }
    case 'f': {
      TRY_ASSIGN(auto values, classes.doubles());
      return of_doubles(std::move(values));
    }
    case 'U': {
      TRY_ASSIGN(auto values, classes.strings());
      return of_strings(std::move(values));
    }
    case 'O':
      return of_objects(classes);
    default:
      return unsupported_parameter(classes, cat("class labels of dtype ", array.dtype->describe()));
  }
}

Labels reordered(const Labels& labels, const std::vector<std::int64_t>& positions) {
  Labels out;
  const auto pick = [&](auto elements) {
    std::vector<std::remove_cvref_t<decltype(elements[0])>> picked;
    for (const std::int64_t position : positions)
      picked.push_back(elements[static_cast<std::size_t>(position)]);
    return picked;
  };
  const auto size = static_cast<std::int64_t>(positions.size());
  out.names = pick(labels.names);
  switch (labels.values.dtype()) {
    case tensor::DType::kString:
      out.values = Tensor::of_strings({size}, out.names);
      break;
    case tensor::DType::kBool:
      out.values = Tensor::of_bools({size}, pick(labels.values.as_bools()));
      break;
    case tensor::DType::kInt64:
      out.values = Tensor::of({size}, pick(labels.values.as<std::int64_t>()));
      break;
    default:
      out.values = Tensor::of({size}, pick(labels.values.as<double>()));
  }
  return out;
}

Result<std::vector<Labels>> labels_per_output(const View& classes, std::size_t outputs) {
  std::vector<Labels> out;
  if (outputs == 1 && !classes.is(Kind::kList)) {
    TRY_ASSIGN(Labels single, labels(classes));
    out.push_back(std::move(single));
    return out;
  }
  TRY_ASSIGN(const std::vector<View> items, classes.items());
  if (items.size() != outputs) return inconsistent(classes, cat("not one array per output of ", outputs));
  constexpr std::size_t kMostLabels = 10'000'000;
  std::size_t total = 0;
  for (const View& item : items) {
    TRY_ASSIGN(const std::size_t size, item.size());
    if ((total += size) > kMostLabels)
      return inconsistent(item, cat("more than ", kMostLabels, " class labels"));
    TRY_ASSIGN(Labels single, labels(item));
    if (!out.empty() && single.values.dtype() != out[0].values.dtype())
      return unsupported_parameter(item, "outputs with class labels of different types");
    out.push_back(std::move(single));
  }
  return out;
}

Result<std::vector<double>> doubles_of(const View& estimator, std::string_view attribute, std::size_t size) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  TRY_ASSIGN(auto values, view.doubles());
  if (values.size() != size)
    return inconsistent(view, cat(values.size(), " numbers where ", size, " belong"));
  return values;
}

Result<pickle::Matrix> matrix_of(Context& context, const View& estimator, std::string_view attribute,
                                 std::int64_t columns) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  TRY_ASSIGN(const pickle::NdArray array, view.array());
  if (array.shape.size() != 2 || array.shape[1] != columns)
    return inconsistent(view, cat(array.describe(), " for ", columns, " columns"));
  TRY(context.charge(view, array.count));
  return view.matrix();
}

std::vector<std::string> numbered_names(const View& estimator, std::size_t count) {
  // Some versions number other outputs than there are.
  const auto outputs = estimator.find("_n_features_out");
  if (const auto stated = outputs ? outputs->as_int() : Result<std::int64_t>(count);
      stated && *stated != static_cast<std::int64_t>(count))
    return {};
  const std::string prefix = base::to_lower(short_class(estimator));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(cat(prefix, i));
  return names;
}

Result<CellValue> cell(const View& value) {
  switch (value.kind()) {
    case Kind::kNone:
      return CellValue{};
    case Kind::kStr: {
      TRY_ASSIGN(auto text, value.as_string());
      return CellValue{std::move(text)};
    }
    case Kind::kInt:
      if (value->integer() > kExactIntegers || value->integer() < -kExactIntegers)
        return unsupported_parameter(value, cat("the integer ", value->integer(), " does not fit a double"));
      return CellValue{static_cast<double>(value->integer())};
    case Kind::kBool:
    case Kind::kFloat: {
      TRY_ASSIGN(const double number, value.as_double());
      return CellValue{number};
    }
    case Kind::kScalar: {
      TRY_ASSIGN(const char kind, array_kind(value));
      if (kind == 'U') {
        TRY_ASSIGN(auto text, value.as_string());
        return CellValue{std::move(text)};
      }
      TRY_ASSIGN(const double number, value.as_double());
      return CellValue{number};
    }
    default:
      if (value.global_name() == "pandas.NA" || value.global_name() == "pandas._libs.missing.NA" ||
          value.class_name() == "pandas._libs.missing.NAType")
        return CellValue{std::nan("")};
      return value.wrong("None, a number or text");
  }
}

Result<std::vector<CellValue>> cells(const View& array) {
  std::vector<CellValue> out;
  TRY_ASSIGN(const char kind, array_kind(array));
  if (kind == 'O') {
    TRY_ASSIGN(const std::vector<View> items, array.items());
    out.reserve(items.size());
    for (const View& item : items) {
      TRY_ASSIGN(CellValue value, cell(item));
      out.push_back(std::move(value));
    }
    return out;
  }
  if (kind == 'U') {
    TRY_ASSIGN(const auto values, array.strings());
    out.assign(values.begin(), values.end());
    return out;
  }
  if (kind == 'i' || kind == 'u') {
    TRY_ASSIGN(const auto values, array.int64s());
    for (std::int64_t value : values)
      if (value > kExactIntegers || value < -kExactIntegers)
        return unsupported_parameter(array, cat("the integer ", value, " does not fit a double"));
    for (std::int64_t value : values) out.emplace_back(static_cast<double>(value));
    return out;
  }
  if (kind != 'f' && kind != 'b') return array.wrong("an array of numbers or text");
  TRY_ASSIGN(const auto values, array.doubles());
  out.assign(values.begin(), values.end());
  return out;
}

Result<std::vector<std::string>> texts(const View& array) {
  TRY_ASSIGN(const char kind, array_kind(array));
  if (kind != 'O') {
    TRY_ASSIGN(Labels values, labels(array));
    return values.names;
  }
  std::vector<std::string> out;
  TRY_ASSIGN(const std::vector<View> items, array.items());
  for (const View& item : items) {
    switch (item.kind()) {
      case Kind::kStr:
        out.emplace_back(item->text());
        break;
      case Kind::kNone:
        out.emplace_back("None");
        break;
      case Kind::kBool:
        out.emplace_back(item->boolean() ? "True" : "False");
        break;
      case Kind::kInt:
        out.push_back(cat(item->integer()));
        break;
      default: {
        TRY_ASSIGN(const double number, item.as_double());
        out.push_back(base::python_repr(number));
      }
    }
  }
  return out;
}

bool is_nan(const CellValue& value) {
  const double* number = std::get_if<double>(&value);
  return number != nullptr && std::isnan(*number);
}

Result<char> array_kind(const View& array) {
  TRY_ASSIGN(const pickle::NdArray data, array.array());
  return data.dtype->kind;
}

Result<std::int64_t> element_size(const View& array) {
  TRY_ASSIGN(const pickle::NdArray data, array.array());
  return static_cast<std::int64_t>(data.dtype->itemsize);
}

bool is_float32(const View& dtype) {
  if (dtype.is(Kind::kDtype)) return dtype->dtype().kind == 'f' && dtype->dtype().itemsize == 4;
  if (dtype.is(Kind::kStr)) return dtype->text() == "float32" || dtype->text() == "f4";
  return dtype.global_name() == "numpy.float32";
}

}  // namespace wherry::sklearn
