// The document of model_export/json_model_helpers.cpp. CatBoost's own reader rounds some decimals to a
// neighbour of the number written, so its answers from a .json differ from ours in the last bits; ours are
// those of the model that was saved.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <functional>

#include "base/text.h"
#include "import/catboost/read.h"
#include "text/json.h"

namespace wherry::catboost {

using base::cat;
using base::Result;
using base::Status;
using text::Json;

namespace {

constexpr text::JsonLimits kLimits{.bytes = std::size_t{512} << 20, .depth = 128};

constexpr std::string_view kCtrNames[] = {
    "Borders", "Buckets", "BinarizedTargetMeanValue", "FloatTargetMeanValue", "Counter", "FeatureFreq"};
constexpr std::string_view kNanNames[] = {"AsIs", "AsFalse", "AsTrue"};

std::unexpected<base::Error> missing(std::string_view key) {
  return inconsistent(cat("no valid ", base::quoted(key)));
}

Result<double> number(const Json* value, std::string_view key) {
  if (value == nullptr || !value->is_number()) return missing(key);
  return value->get<double>();
}

Result<std::int32_t> integer(const Json& object, std::string_view key) {
  const auto value = text::find_integer(object, key);
  if (!value || *value < INT32_MIN || *value > INT32_MAX) return missing(key);
  return static_cast<std::int32_t>(*value);
}

// null and absent lists are empty.
Result<std::vector<double>> list(const Json& object, std::string_view key) {
  std::vector<double> out;
  const Json* value = text::find(object, key);
  if (value == nullptr || value->is_null()) return out;
  if (!value->is_array()) return missing(key);
  for (const Json& element : *value) {
    TRY_ASSIGN(const double made, number(&element, key));
    out.push_back(made);
  }
  return out;
}

Result<std::vector<float>> borders_of(const Json& object) {
  TRY_ASSIGN(const auto values, list(object, "borders"));
  std::vector<float> out;
  for (const double value : values) out.push_back(static_cast<float>(value));
  return out;
}

// The elements of an array member; none when it is absent or null.
Result<std::vector<const Json*>> objects(const Json& parent, std::string_view key) {
  std::vector<const Json*> out;
  const Json* value = text::find(parent, key);
  if (value == nullptr || value->is_null()) return out;
  if (!value->is_array()) return missing(key);
  for (const Json& element : *value) {
    if (!element.is_object()) return missing(key);
    out.push_back(&element);
  }
  return out;
}

std::string text_of(const Json& object, std::string_view key) {
  const std::string* found = text::find_string(object, key);
  return found == nullptr ? std::string() : *found;
}

template <class E, std::size_t kCount>
Result<E> one_of(const std::string_view (&names)[kCount], const std::string& name, std::string_view key) {
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names)) return missing(key);
  return static_cast<E>(found - names);
}

Result<Projection> projection_of(const Json* elements) {
  Projection out;
  if (elements == nullptr || !elements->is_array()) return missing("elements");
  for (const Json& element : *elements) {
    const std::string kind = text_of(element, "combination_element");
    if (kind == "cat_feature_value") {
      TRY_ASSIGN(const std::int32_t category, integer(element, "cat_feature_index"));
      out.categories.push_back(category);
    } else if (kind == "float_feature") {
      TRY_ASSIGN(const std::int32_t feature, integer(element, "float_feature_index"));
      TRY_ASSIGN(const double border, number(text::find(element, "border"), "border"));
      out.floats.push_back({feature, static_cast<float>(border)});
    } else {
      TRY_ASSIGN(const std::int32_t category, integer(element, "cat_feature_index"));
      TRY_ASSIGN(const std::int32_t hash, integer(element, "value"));
      out.one_hots.push_back({category, hash});
    }
  }
  return out;
}

Status read_features(const Json& features, Model& model) {
  TRY_ASSIGN(const auto floats, objects(features, "float_features"));
  for (const Json* value : floats) {
    FloatFeature out;
    TRY_ASSIGN(out.index, integer(*value, "feature_index"));
    TRY_ASSIGN(out.flat, integer(*value, "flat_feature_index"));
    TRY_ASSIGN(out.borders, borders_of(*value));
    TRY_ASSIGN(out.nan, one_of<NanTreatment>(kNanNames, text_of(*value, "nan_value_treatment"),
                                             "nan_value_treatment"));
    out.has_nans = text::find_bool(*value, "has_nans").value_or(false);
    out.name = text_of(*value, "feature_id");
    model.floats.push_back(std::move(out));
  }
  const std::pair<std::string_view, std::vector<OtherFeature>*> others[] = {
      {"categorical_features", &model.categories},
      {"text_features", &model.texts},
      {"embedding_features", &model.embeddings}};
  for (const auto& [key, out] : others) {
    TRY_ASSIGN(const auto values, objects(features, key));
    for (const Json* value : values) {
      OtherFeature made;
      TRY_ASSIGN(made.index, integer(*value, "feature_index"));
      TRY_ASSIGN(made.flat, integer(*value, "flat_feature_index"));
      made.name = text_of(*value, "feature_id");
      if (out == &model.categories && text::find_array(*value, "values") != nullptr) {
        TRY_ASSIGN(const auto hashes, list(*value, "values"));
        OneHotFeature one_hot{.category = made.index, .hashes = {}};
        for (const double hash : hashes) {
          if (!(hash >= INT32_MIN && hash <= INT32_MAX)) return missing("values");
          one_hot.hashes.push_back(static_cast<std::int32_t>(hash));
        }
        model.one_hots.push_back(std::move(one_hot));
      }
      out->push_back(std::move(made));
    }
  }
  return {};
}

Status read_ctrs(const Json& features, Model& model) {
  TRY_ASSIGN(const auto ctrs, objects(features, "ctrs"));
  for (const Json* value : ctrs) {
    CtrFeature out;
    TRY_ASSIGN(out.base.projection, projection_of(text::find(*value, "elements")));
    TRY_ASSIGN(out.base.type, one_of<CtrType>(kCtrNames, text_of(*value, "ctr_type"), "ctr_type"));
    TRY_ASSIGN(out.target_border, integer(*value, "target_border_idx"));
    const std::pair<std::string_view, float*> members[] = {{"prior_numerator", &out.prior},
                                                           {"prior_denomerator", &out.prior_denominator},
                                                           {"shift", &out.shift},
                                                           {"scale", &out.scale}};
    for (const auto& [key, to] : members) {
      TRY_ASSIGN(const double made, number(text::find(*value, key), key));
      *to = static_cast<float>(made);
    }
    TRY_ASSIGN(out.borders, borders_of(*value));
    model.ctrs.push_back(std::move(out));
  }
  return {};
}

// "hash_map": the hash as text and what is known of it, again and again.
Status read_hash_map(const Json& value, CtrTable& table) {
  const Json* map = text::find_array(value, "hash_map");
  TRY_ASSIGN(const std::int32_t stride, integer(value, "hash_stride"));
  const bool mean = is_mean(table.base.type);
  if (map == nullptr || stride < 2 || map->size() % static_cast<std::size_t>(stride) != 0 ||
      (mean && stride != 3) || (is_count(table.base.type) && stride != 2))
    return missing("hash_map");
  const std::size_t width = static_cast<std::size_t>(stride) - 1;
  if (is_count(table.base.type)) {
    TRY_ASSIGN(table.denominator, integer(value, "counter_denominator"));
  } else if (!mean) {
    table.classes = stride - 1;
  }
  make_buckets(table, map->size() / static_cast<std::size_t>(stride));
  std::int32_t next = 0;
  for (std::size_t i = 0; i < map->size(); i += width + 1) {
    const auto* text = (*map)[i].get_ptr<const std::string*>();
    const auto hash = text == nullptr ? std::nullopt : base::parse_unsigned(*text);
    if (!hash || add_bucket(table, *hash, next) != next) return missing("hash_map");
    ++next;
    for (std::size_t k = 1; k <= width; ++k) {
      TRY_ASSIGN(const double made, number(&(*map)[i + k], "hash_map"));
      if (mean && k == 1) {
        table.sums.push_back(static_cast<float>(made));
        continue;
      }
      if (!(made >= INT32_MIN && made <= INT32_MAX)) return missing("hash_map");
      table.counts.push_back(static_cast<std::int32_t>(made));
    }
  }
  return {};
}

Status read_tables(const Json& tables, Model& model) {
  for (const auto& [key, value] : tables.items()) {
    TRY_ASSIGN(const Json described, text::parse_json(key, "the key of a target statistic", kLimits));
    CtrTable table;
    TRY_ASSIGN(table.base.projection, projection_of(text::find(described, "identifier")));
    TRY_ASSIGN(table.base.type, one_of<CtrType>(kCtrNames, text_of(described, "type"), "type"));
    TRY(read_hash_map(value, table));
    std::string name = key_of(table.base);
    model.tables.insert_or_assign(std::move(name), std::move(table));
  }
  return {};
}

Status read_symmetric(const Json& trees, Model& model) {
  for (const Json& tree : trees) {
    TRY_ASSIGN(const auto splits, objects(tree, "splits"));
    TRY_ASSIGN(const auto values, list(tree, "leaf_values"));
    if (splits.size() > 16) return inconsistent("a symmetric tree deeper than 16");
    model.dimension = static_cast<std::int32_t>(
        std::min<std::size_t>(values.size() >> splits.size(), std::size_t{INT32_MAX}));
    model.depths.push_back(static_cast<std::int32_t>(splits.size()));
    for (const Json* split : splits) {
      TRY_ASSIGN(const std::int32_t index, integer(*split, "split_index"));
      model.splits.push_back(index);
    }
    model.leaf_values.insert(model.leaf_values.end(), values.begin(), values.end());
  }
  return {};
}

// The document's depth is bounded, so recursion is.
Result<std::uint32_t> read_node(const Json& node, Model& model) {
  const std::size_t at = model.nodes.size();
  model.nodes.emplace_back();
  if (const Json* value = text::find(node, "value")) {
    model.nodes[at].value = model.leaf_values.size();
    if (value->is_array()) {
      TRY_ASSIGN(const auto values, list(node, "value"));
      model.dimension =
          static_cast<std::int32_t>(std::min<std::size_t>(values.size(), std::size_t{INT32_MAX}));
      model.leaf_values.insert(model.leaf_values.end(), values.begin(), values.end());
    } else {
      TRY_ASSIGN(const double made, number(value, "value"));
      model.leaf_values.push_back(made);
    }
    return static_cast<std::uint32_t>(at);
  }
  const Json* split = text::find_object(node, "split");
  const Json* left = text::find_object(node, "left");
  const Json* right = text::find_object(node, "right");
  if (split == nullptr || left == nullptr || right == nullptr) return missing("split");
  TRY_ASSIGN(const std::int32_t index, integer(*split, "split_index"));
  if (index < 0) return missing("split_index");
  TRY_ASSIGN(const std::uint32_t left_at, read_node(*left, model));
  TRY_ASSIGN(const std::uint32_t right_at, read_node(*right, model));
  model.nodes[at] = {index, left_at, right_at, 0};
  return static_cast<std::uint32_t>(at);
}

Status read_scale_and_bias(const Json& document, Model& model) {
  const Json* value = text::find_array(document, "scale_and_bias");
  if (value == nullptr) return {};
  if (value->size() != 2) return missing("scale_and_bias");
  TRY_ASSIGN(model.scale, number(&(*value)[0], "scale_and_bias"));
  if ((*value)[1].is_number()) {
    model.bias = {(*value)[1].get<double>()};
    return {};
  }
  if ((*value)[1].is_null()) return {};
  if (!(*value)[1].is_array()) return missing("scale_and_bias");
  for (const Json& element : (*value)[1]) {
    TRY_ASSIGN(const double bias, number(&element, "scale_and_bias"));
    model.bias.push_back(bias);
  }
  return {};
}

}  // namespace

Result<Model> read_json(std::string_view content) {
  TRY_ASSIGN(const Json document, text::parse_json(content, "the CatBoost model", kLimits));
  Model model;
  if (const Json* info = text::find_object(document, "model_info"))
    for (const auto& [key, value] : info->items())
      model.info[key] = value.is_string() ? value.get<std::string>() : text::write_json(value);
  if (const Json* trees = text::find_array(document, "oblivious_trees")) {
    TRY(read_symmetric(*trees, model));
  } else if (const Json* others = text::find_array(document, "trees")) {
    model.symmetric = false;
    for (const Json& tree : *others) {
      TRY_ASSIGN(const std::uint32_t root, read_node(tree, model));
      model.roots.push_back(root);
    }
  } else {
    return missing("oblivious_trees");
  }
  const Json* features = text::find_object(document, "features_info");
  if (features == nullptr) return missing("features_info");
  TRY(read_features(*features, model));
  TRY(read_ctrs(*features, model));
  if (const Json* tables = text::find_object(document, "ctr_data")) TRY(read_tables(*tables, model));
  TRY(read_scale_and_bias(document, model));
  return model;
}

}  // namespace wherry::catboost
