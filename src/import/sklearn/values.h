// Attributes of estimators as plain values. Private to module sklearn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/pickle/view.h"
#include "import/sklearn/context.h"
#include "tensor/table.h"
#include "tensor/tensor.h"

namespace wherry::sklearn {

// "LinearRegression" of "sklearn.linear_model._base.LinearRegression".
std::string short_class(const View& estimator);

// Parameters: the value, or `otherwise` where the file has none (an older version did not know it).
Result<bool> flag(const View& estimator, std::string_view name, bool otherwise);
Result<std::string> word(const View& estimator, std::string_view name, std::string_view otherwise);
Result<double> number(const View& estimator, std::string_view name);                    // must be there
Result<double> number(const View& estimator, std::string_view name, double otherwise);  // None: otherwise
bool is_none_or_absent(const View& estimator, std::string_view name);

// Refuses a float32 matrix from the step before, with which scikit-learn would compute in float32.
Status refuse_float32(const View& estimator, const Flow& input);

// classes_: what predict answers with, and the same as text.
struct Labels {
  tensor::Tensor values;           // string, bool, int64 or float64 [k], k >= 1
  std::vector<std::string> names;  // as Python's str()
  std::size_t size() const { return names.size(); }
};
Result<Labels> labels(const View& classes);
Labels labels_of(tensor::Tensor values);  // of a weight of TakeLabels

// The labels at the given positions, each of which exists.
Labels reordered(const Labels& labels, const std::vector<std::int64_t>& positions);

// classes_ of an estimator with `outputs` targets: one entry, or a list of arrays.
Result<std::vector<Labels>> labels_per_output(const View& classes, std::size_t outputs);

// A 1-D float array of exactly `size` elements.
Result<std::vector<double>> doubles_of(const View& estimator, std::string_view attribute, std::size_t size);

// A float array [rows, columns] with this many columns, counted by Context::charge.
Result<pickle::Matrix> matrix_of(Context& context, const View& estimator, std::string_view attribute,
                                 std::int64_t columns);

// "pca0", "pca1", …: names of new columns as ClassNamePrefixFeaturesOutMixin makes them; none where the
// estimator states another number of outputs than `count`.
std::vector<std::string> numbered_names(const View& estimator, std::size_t count);

// A category, marker or fill value: None, number, text.
Result<tensor::CellValue> cell(const View& value);
Result<std::vector<tensor::CellValue>> cells(const View& array);
Result<std::vector<std::string>> texts(const View& array);  // str() of each element of a non-empty array
bool is_nan(const tensor::CellValue& value);

// What the elements of an array are: numpy's kind of its dtype ('f', 'i', 'u', 'b', 'U', 'O' …).
Result<char> array_kind(const View& array);
Result<std::int64_t> element_size(const View& array);

// A dtype given as numpy.float32, numpy.dtype('float32') or 'float32': true if it is float32.
bool is_float32(const View& dtype);

}  // namespace wherry::sklearn
