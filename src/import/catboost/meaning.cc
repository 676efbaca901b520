// Follows model.cpp (GetModelClassLabels, GetBinClassLogitThreshold) and labels/external_label_helper.cpp.
#include "import/catboost/meaning.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/numbers.h"
#include "base/text.h"
#include "import/catboost/read.h"
#include "text/json.h"

namespace wherry::catboost {

using base::cat;
using base::Result;
using base::Status;
using tensor::Tensor;
using text::Json;

namespace {

constexpr std::int64_t kMostClasses = 1'000'000;

constexpr std::array<std::string_view, 7> kClassifying = {
    "Logloss",      "CrossEntropy",      "MultiClass", "MultiClassOneVsAll",
    "MultiLogloss", "MultiCrossEntropy", "Focal"};

Result<Json> document(const Model& model, std::string_view key) {
  const auto found = model.info.find(std::string(key));
  if (found == model.info.end() || found->second.empty()) return Json::object();
  return text::parse_json(found->second, cat("the model's ", key));
}

std::string loss_of(const Json& parent) {
  const Json* loss = text::find(parent, "loss_function");
  if (loss == nullptr) return "";
  std::string name;
  if (const std::string* type = text::find_string(*loss, "type")) name = *type;
  if (loss->is_string()) name = loss->get<std::string>();
  return name.substr(0, name.find(':'));
}

std::string version_of(const Model& model) {
  const auto found = model.info.find("catboost_version_info");
  if (found == model.info.end()) return "";
  constexpr std::string_view kTag = "tags/v";
  const std::size_t at = found->second.find(kTag);
  if (at == std::string::npos) return "";
  const std::string_view rest = std::string_view(found->second).substr(at + kTag.size());
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

Booster::Classes counted(std::int64_t count) {
  Booster::Classes out;
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(i);
    out.names.push_back(cat(i));
  }
  out.values = Tensor::of({count}, std::move(values));
  return out;
}

// Class names as CatBoost's Python package gives them: all of one type.
Result<Booster::Classes> named(const Json& names, const std::string& type) {
  Booster::Classes out;
  const auto count = static_cast<std::int64_t>(names.size());
  const auto all = [&](auto is) { return std::ranges::all_of(names, is); };
  if (all([](const Json& name) { return name.is_boolean(); })) {
    std::vector<std::uint8_t> values;
    for (const Json& name : names) {
      values.push_back(name.get<bool>() ? 1 : 0);
      out.names.emplace_back(values.back() != 0 ? "True" : "False");
    }
    out.values = Tensor::of_bools({count}, std::move(values));
  } else if (all([](const Json& name) { return name.is_string(); })) {
    for (const Json& name : names) out.names.push_back(name.get<std::string>());
    out.values = Tensor::of_strings({count}, out.names);
  } else if (type != "Float" && all([](const Json& name) { return name.is_number_integer(); })) {
    std::vector<std::int64_t> values;
    for (const Json& name : names) {
      values.push_back(name.get<std::int64_t>());
      out.names.push_back(cat(values.back()));
    }
    out.values = Tensor::of({count}, std::move(values));
  } else if (all([](const Json& name) { return name.is_number(); })) {
    std::vector<double> values;
    for (const Json& name : names) {
      values.push_back(name.get<double>());
      out.names.push_back(base::python_repr(values.back()));
    }
    out.values = Tensor::of({count}, std::move(values));
  } else {
    return inconsistent("its class names are of different types");
  }
  return out;
}

// The document about classes, under the name of this version or of an earlier one.
Result<Json> class_params(const Model& model) {
  for (const std::string_view key : {"class_params", "multiclass_params"}) {
    TRY_ASSIGN(Json found, document(model, key));
    if (!found.empty()) return found;
  }
  return Json::object();
}

Result<std::optional<Booster::Classes>> classes_of(const Model& model, const Json& params,
                                                   const Json& classes, const std::string& loss) {
  const std::string* type = text::find_string(classes, "class_label_type");
  const Json* names = text::find_array(classes, "class_names");
  if (names == nullptr || names->empty())
    if (const Json* options = text::find_object(params, "data_processing_options");
        classes.empty() && options)
      names = text::find_array(*options, "class_names");
  if (names != nullptr && !names->empty()) return named(*names, type == nullptr ? "" : *type);
  const std::int64_t count = text::find_integer(classes, "classes_count").value_or(0);
  if (count < 0 || count > kMostClasses) return inconsistent(cat(count, " classes"));
  if (count > 0) return counted(count);
  if (const Json* labels = text::find_array(classes, "class_to_label"); labels != nullptr && !labels->empty())
    return counted(static_cast<std::int64_t>(labels->size()));
  if (std::ranges::find(kClassifying, loss) == kClassifying.end()) return std::nullopt;
  return counted(model.dimension == 1 ? 2 : model.dimension);
}

// Which raw value is that of each class: class_to_label names for each raw value its class.
Result<std::vector<std::int64_t>> sources_of(const Model& model, const Json& classes, std::size_t count) {
  std::vector<std::int64_t> out;
  const Json* labels = text::find_array(classes, "class_to_label");
  if (labels == nullptr || labels->empty() || model.dimension == 1) return out;
  if (static_cast<std::int64_t>(labels->size()) != model.dimension)
    return inconsistent(cat(labels->size(), " classes for ", model.dimension, " raw values"));
  out.assign(count, -1);
  for (std::size_t i = 0; i < labels->size(); ++i) {
    const Json& label = (*labels)[i];
    const double position = label.is_number() ? label.get<double>() : -1;
    if (!(position >= 0) || position >= static_cast<double>(count))
      return inconsistent("a class out of range");
    out[static_cast<std::size_t>(position)] = static_cast<std::int64_t>(i);
  }
  bool same = count == labels->size();
  for (std::size_t i = 0; same && i < count; ++i) same = out[i] == static_cast<std::int64_t>(i);
  if (same) out.clear();
  return out;
}

// The raw value from which on a row is of the second class.
double threshold_of(const Model& model) {
  const auto found = model.info.find("binclass_probability_threshold");
  if (found == model.info.end()) return 0;
  const std::string& text = found->second;
  double probability = 0.5;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), probability);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  return -std::log(1 / probability - 1);
}

}  // namespace

Result<Meaning> meaning_of(const Model& model) {
  Meaning out;
  out.version = version_of(model);
  TRY_ASSIGN(const Json params, document(model, "params"));
  out.loss = loss_of(params);
  if (out.loss.empty()) {
    TRY_ASSIGN(const Json own, document(model, "loss_function"));
    out.loss = loss_of(Json{{"loss_function", own}});
  }
  TRY_ASSIGN(const Json classes, class_params(model));
  TRY_ASSIGN(out.classes, classes_of(model, params, classes, out.loss));
  if (!out.classes) return out;
  out.multi_label = out.loss == "MultiLogloss" || out.loss == "MultiCrossEntropy";
  out.threshold = threshold_of(model);
  TRY_ASSIGN(out.sources, sources_of(model, classes, out.classes->names.size()));
  const auto count = static_cast<std::int64_t>(out.classes->names.size());
  if (out.sources.empty() && count != (model.dimension == 1 ? 2 : model.dimension)) {
    if (model.dimension == 1 && out.multi_label && count == 1) return out;
    return inconsistent(cat(count, " classes for raw values of dimension ", model.dimension));
  }
  if (std::isnan(out.threshold)) return inconsistent("its probability threshold is not in [0, 1]");
  return out;
}

}  // namespace wherry::catboost
