// OneHotEncoder, OrdinalEncoder and TargetEncoder: sklearn/preprocessing/_encoders.py, _target_encoder.py.
#include <algorithm>
#include <cmath>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::ColumnType;
using tensor::CellValue;

// One column as fit left it.
struct Categories {
  std::vector<CellValue> values;
  std::vector<std::string> names;
  char kind = 'O';                              // numpy's, of the array
  std::vector<std::int64_t> mapping;            // _default_to_infrequent_mappings[i]; empty: none
  std::optional<std::size_t> infrequent_group;  // where infrequent categories go
};

ColumnType type_of(const Categories& categories, bool refuse_unknown) {
  if (categories.kind == 'f' || categories.kind == 'i' || categories.kind == 'u' || categories.kind == 'b') {
    // Other numbers are only unknown categories, unless those are refused anyway.
    if (!refuse_unknown) return ColumnType::kNumber;
    return categories.kind == 'b'   ? ColumnType::kBool
           : categories.kind == 'f' ? ColumnType::kNumber
                                    : ColumnType::kInteger;
  }
  bool text = false;
  bool number = false;
  for (const CellValue& value : categories.values) {
    text |= std::holds_alternative<std::string>(value);
    number |= std::holds_alternative<double>(value) && !is_nan(value);
  }
  return text && !number ? ColumnType::kText : ColumnType::kAny;
}

bool is_numeric(const Categories& categories) {
  return categories.kind != 'O' && categories.kind != 'U';
}

Status read_infrequent(const View& estimator, std::vector<Categories>& columns, std::size_t missing_offset) {
  TRY_ASSIGN(const bool enabled, flag(estimator, "_infrequent_enabled", false));
  if (!enabled) return {};
  TRY_ASSIGN(const View mappings, estimator.attr("_default_to_infrequent_mappings"));
  TRY_ASSIGN(const std::vector<View> items, mappings.items());
  if (items.size() != columns.size()) return inconsistent(mappings, "not one entry per column");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_none()) continue;
    TRY_ASSIGN(columns[i].mapping, items[i].int64s());
    const std::size_t size = columns[i].mapping.size();
    const std::size_t most = columns[i].values.size();
    if (size == 0 || size > most || size + missing_offset < most)
      return inconsistent(items[i], cat(size, " codes for ", most, " categories"));
    for (std::int64_t code : columns[i].mapping)
      if (code < 0 || code >= static_cast<std::int64_t>(size))
        return inconsistent(items[i], "a code out of range");
    columns[i].infrequent_group = static_cast<std::size_t>(*std::ranges::max_element(columns[i].mapping));
  }
  return {};
}

Result<std::vector<Categories>> read_categories(Context& context, const View& estimator, std::int64_t width) {
  TRY_ASSIGN(const View list, estimator.attr("categories_"));
  TRY_ASSIGN(const std::vector<View> arrays, list.items());
  if (static_cast<std::int64_t>(arrays.size()) != width)
    return inconsistent(list, cat("categories of ", arrays.size(), " columns where ", width, " belong"));
  std::vector<Categories> out(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    TRY_ASSIGN(const std::size_t size, arrays[i].size());
    TRY(context.charge(arrays[i], size));
    TRY_ASSIGN(out[i].kind, array_kind(arrays[i]));
    TRY_ASSIGN(out[i].values, cells(arrays[i]));
    if (out[i].values.empty()) return inconsistent(arrays[i], "no categories");
    TRY_ASSIGN(out[i].names, texts(arrays[i]));
  }
  return out;
}

// A sparse X has no categories for scikit-learn either; float32 numbers are matched as they are.
Status check_input(const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  return {};
}

Result<bool> float32_output(const View& estimator) {
  const auto dtype = estimator.find("dtype");
  return dtype && is_float32(*dtype);
}

// drop_idx_: per column the code left out, or -1.
Result<std::vector<std::int64_t>> read_dropped(const View& estimator, std::size_t columns) {
  std::vector<std::int64_t> out(columns, -1);
  auto view = estimator.find("_drop_idx_after_grouping");
  if (!view) view = estimator.find("drop_idx_");
  if (!view || view->is_none()) return out;
  TRY_ASSIGN(const pickle::NdArray array, view->array());
  if (array.shape.size() != 1 || array.count != columns)
    return inconsistent(*view, "not one entry per column");
  if (array.elements.empty()) {
    TRY_ASSIGN(out, view->int64s());
    return out;
  }
  TRY_ASSIGN(const std::vector<View> items, view->items());
  for (std::size_t i = 0; i < columns; ++i) {
    if (items[i].is_none()) continue;
    TRY_ASSIGN(out[i], items[i].as_int());
  }
  return out;
}

// Codes after grouping infrequent categories, before dropping: transform's X_int.
std::int64_t grouped(const Categories& categories, std::size_t code) {
  return categories.mapping.empty() ? static_cast<std::int64_t>(code) : categories.mapping[code];
}

program::OneHotColumn one_hot_column(const Categories& categories, std::int64_t dropped,
                                     const std::string& handle_unknown) {
  program::OneHotColumn out;
  out.categories = categories.values;
  const auto target = [&](std::int64_t code) {
    if (code == dropped) return std::int64_t{-1};
    return dropped >= 0 && code > dropped ? code - 1 : code;
  };
  for (std::size_t i = 0; i < categories.values.size(); ++i)
    out.targets.push_back(target(grouped(categories, i)));
  const std::int64_t groups = categories.infrequent_group
                                  ? static_cast<std::int64_t>(*categories.infrequent_group) + 1
                                  : static_cast<std::int64_t>(categories.values.size());
  out.width = groups - (dropped >= 0 ? 1 : 0);
  out.refuse_unknown = handle_unknown == "error";
  const bool to_infrequent = handle_unknown == "infrequent_if_exist" || handle_unknown == "warn";
  if (to_infrequent && categories.infrequent_group)
    out.unknown_target = target(static_cast<std::int64_t>(*categories.infrequent_group));
  out.refuse_infinite = is_numeric(categories);
  return out;
}

// get_feature_names_out with feature_name_combiner='concat': the name of each column of a block.
std::vector<std::string> block_names(const Categories& categories, const program::OneHotColumn& column,
                                     const std::string& input_name) {
  std::vector<std::string> out(static_cast<std::size_t>(column.width));
  for (std::size_t i = 0; i < categories.values.size(); ++i) {
    if (column.targets[i] < 0) continue;
    const bool infrequent = categories.infrequent_group &&
                            grouped(categories, i) == static_cast<std::int64_t>(*categories.infrequent_group);
    out[static_cast<std::size_t>(column.targets[i])] =
        cat(input_name, "_", infrequent ? "infrequent_sklearn" : categories.names[i]);
  }
  return out;
}

// Where NaN stands among the categories of each column: _missing_indices, {column: code}.
Result<std::vector<std::int64_t>> missing_codes(const View& estimator,
                                                const std::vector<Categories>& columns) {
  std::vector<std::int64_t> out(columns.size(), -1);
  const auto view = estimator.find("_missing_indices");
  if (!view || view->is_none()) return out;
  TRY_ASSIGN(const auto entries, view->entries());
  for (const auto& [key, value] : entries) {
    TRY_ASSIGN(const std::int64_t column, key.as_int());
    TRY_ASSIGN(const std::int64_t code, value.as_int());
    if (column < 0 || column >= static_cast<std::int64_t>(columns.size()) || code < 0 ||
        code >= static_cast<std::int64_t>(columns[static_cast<std::size_t>(column)].values.size()))
      return inconsistent(*view, "an index out of range");
    out[static_cast<std::size_t>(column)] = code;
  }
  return out;
}

Result<Fitted> lower_one_hot_encoder(Context& context, const View& estimator, const Flow& input) {
  TRY(check_input(estimator, input));
  TRY_ASSIGN(std::vector<Categories> columns, read_categories(context, estimator, context.width(input)));
  TRY(read_infrequent(estimator, columns, 0));
  TRY_ASSIGN(const std::vector<std::int64_t> dropped, read_dropped(estimator, columns.size()));
  TRY_ASSIGN(const std::string handle_unknown, word(estimator, "handle_unknown", "error"));
  program::OneHot op;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::int64_t codes = columns[i].infrequent_group
                                   ? static_cast<std::int64_t>(*columns[i].infrequent_group) + 1
                                   : static_cast<std::int64_t>(columns[i].values.size());
    if (dropped[i] < -1 || dropped[i] >= codes) return inconsistent(estimator, "drop_idx_ is out of range");
    op.columns.push_back(one_hot_column(columns[i], dropped[i], handle_unknown));
    context.mark(input, i, type_of(columns[i], op.columns[i].refuse_unknown));
    if (input.names.empty()) continue;
    const auto block = block_names(columns[i], op.columns[i], input.names[i]);
    names.insert(names.end(), block.begin(), block.end());
  }
  if (const auto combiner = estimator.find("feature_name_combiner");
      combiner && !(combiner->is(pickle::Kind::kStr) && combiner->object().text() == "concat"))
    names.clear();
  // sparse_output is called sparse before 1.2.
  TRY_ASSIGN(const bool sparse,
             flag(estimator, estimator.has("sparse_output") ? "sparse_output" : "sparse", true));
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {input.value}));
  Fitted fitted;
  const auto width = static_cast<std::size_t>(context.width(Flow{.value = value}));
  fitted.transform = made(value, width, std::move(names), sparse);
  TRY_ASSIGN(fitted.transform->float32, float32_output(estimator));
  return fitted;
}

Result<Fitted> lower_ordinal_encoder(Context& context, const View& estimator, const Flow& input) {
  TRY(check_input(estimator, input));
  TRY_ASSIGN(std::vector<Categories> columns, read_categories(context, estimator, context.width(input)));
  TRY(read_infrequent(estimator, columns, 1));
  TRY_ASSIGN(const std::string handle_unknown, word(estimator, "handle_unknown", "error"));
  TRY_ASSIGN(const bool float32, float32_output(estimator));
  TRY_ASSIGN(const double missing_value, number(estimator, "encoded_missing_value", std::nan("")));
  TRY_ASSIGN(const double unknown_value, number(estimator, "unknown_value", std::nan("")));
  TRY_ASSIGN(const std::vector<std::int64_t> missing, missing_codes(estimator, columns));
  const auto rounded = [&](double value) {
    return float32 ? static_cast<double>(static_cast<float>(value)) : value;
  };
  program::Ordinal op;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    program::OrdinalColumn column;
    column.categories = columns[i].values;
    for (std::size_t code = 0; code < column.categories.size(); ++code) {
      if (static_cast<std::int64_t>(code) == missing[i])
        column.codes.push_back(rounded(missing_value));
      else if (!columns[i].mapping.empty() && code >= columns[i].mapping.size())
        return inconsistent(estimator, cat("no code for category ", code, " of column ", i));
      else
        column.codes.push_back(rounded(static_cast<double>(grouped(columns[i], code))));
    }
    column.refuse_unknown = handle_unknown != "use_encoded_value";
    column.unknown_code = rounded(unknown_value);
    column.refuse_infinite = is_numeric(columns[i]);
    context.mark(input, i, type_of(columns[i], column.refuse_unknown));
    op.columns.push_back(std::move(column));
  }
  const auto width = columns.size();
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {input.value}));
  Fitted fitted;
  fitted.transform = made(value, width, input.names, false);
  fitted.transform->float32 = float32;
  return fitted;
}

// sklearn/preprocessing/_target_encoder.py: one encoding per column, or per column and class.
Result<Fitted> lower_target_encoder(Context& context, const View& estimator, const Flow& input) {
  TRY(check_input(estimator, input));
  TRY_ASSIGN(std::vector<Categories> columns, read_categories(context, estimator, context.width(input)));
  TRY_ASSIGN(const std::string type, word(estimator, "target_type_", "continuous"));
  std::vector<std::string> classes;
  if (type == "multiclass") {
    TRY_ASSIGN(const View view, estimator.attr("classes_"));
    TRY_ASSIGN(classes, texts(view));
  }
  const std::size_t each = std::max<std::size_t>(classes.size(), 1);
  TRY_ASSIGN(const View list, estimator.attr("encodings_"));
  TRY_ASSIGN(const std::vector<View> encodings, list.items());
  if (encodings.size() != columns.size() * each)
    return inconsistent(list, cat(encodings.size(), " encodings where ", columns.size() * each, " belong"));
  TRY_ASSIGN(const View mean_view, estimator.attr("target_mean_"));
  std::vector<double> means;
  if (classes.empty()) {
    TRY_ASSIGN(const double mean, mean_view.as_double());
    means = {mean};
  } else {
    TRY_ASSIGN(means, doubles_of(estimator, "target_mean_", each));
  }
  program::Ordinal op;
  std::vector<std::int64_t> repeated;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t k = 0; k < each; ++k) {
      const View& encoding = encodings[i * each + k];
      program::OrdinalColumn column{.categories = columns[i].values, .unknown_code = means[k]};
      TRY(context.charge(encoding, column.categories.size()));
      TRY_ASSIGN(column.codes, encoding.doubles());
      if (column.codes.size() != column.categories.size())
        return inconsistent(
            encoding, cat(column.codes.size(), " numbers for ", column.categories.size(), " categories"));
      column.refuse_infinite = is_numeric(columns[i]);
      op.columns.push_back(std::move(column));
      repeated.push_back(static_cast<std::int64_t>(i));
      if (!input.names.empty())
        names.push_back(classes.empty() ? input.names[i] : cat(input.names[i], "_", classes[k]));
    }
    context.mark(input, i, type_of(columns[i], false));
  }
  ValueId value = input.value;
  if (each > 1) {
    TRY_ASSIGN(value, context.select(value, std::move(repeated)));
  }
  TRY_ASSIGN(value, context.add(std::move(op), {value}));
  Fitted fitted;
  fitted.transform = made(value, encodings.size(), std::move(names), false);
  return fitted;
}

constexpr EstimatorRow kEncodersRows[] = {
    {"OneHotEncoder", "sklearn.preprocessing._encoders", "categories_", lower_one_hot_encoder},
    {"OrdinalEncoder", "sklearn.preprocessing._encoders", "categories_", lower_ordinal_encoder},
    {"TargetEncoder", "sklearn.preprocessing._target_encoder", "encodings_", lower_target_encoder},
};

}  // namespace

std::span<const EstimatorRow> encoders_rows() {
  return kEncodersRows;
}

}  // namespace wherry::sklearn
