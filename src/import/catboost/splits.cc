#include "import/catboost/splits.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "import/catboost/read.h"

namespace wherry::catboost {

using base::cat;
using base::Result;
using base::Status;
using program::ValueId;
using tensor::Tensor;

namespace {

constexpr std::int32_t kMostColumns = 1'000'000;

Status check_borders(const std::vector<float>& borders, std::string_view what) {
  for (std::size_t i = 0; i < borders.size(); ++i)
    if (std::isnan(borders[i]) || (i > 0 && borders[i] < borders[i - 1]))
      return inconsistent(cat("the borders of ", what, " are not in order"));
  return {};
}

Status check_flat(std::int32_t flat) {
  if (flat < 0 || flat >= kMostColumns) return inconsistent(cat("a feature in column ", flat));
  return {};
}

std::unexpected<base::Error> unsupported(const Model& model) {
  const auto& others = model.texts.empty() ? model.embeddings : model.texts;
  const bool texts = !model.texts.empty();
  const std::string which =
      others.empty() ? std::string("text or embedding features")
                     : cat(texts ? "the text feature in column " : "the embedding feature in column ",
                           others[0].name.empty() ? cat(others[0].flat) : base::quoted(others[0].name));
  return base::fail(
      base::Code::kUnsupported, "catboost.unsupported_features",
      cat("the CatBoost model uses ", which, ", which wherry cannot compute"),
      "train without text_features and embedding_features, or with columns computed beforehand");
}

class Collector {
 public:
  explicit Collector(const Model& model) : model_(model) {}

  Result<Splits> collect() {
    TRY(add_floats());
    for (const OtherFeature& category : model_.categories) {
      TRY(check_flat(category.flat));
      flat_of_category_[category.index] = category.flat;
    }
    for (const OtherFeature& text : model_.texts) TRY(check_flat(text.flat));
    for (const OtherFeature& embedding : model_.embeddings) TRY(check_flat(embedding.flat));
    if (model_.estimated_features > 0) return unsupported(model_);
    for (const OtherFeature& category : model_.categories) TRY(category_position(category.index));
    TRY(add_one_hots());
    TRY(add_ctrs());
    return std::move(out_);
  }

 private:
  std::int32_t next_column() const { return static_cast<std::int32_t>(out_.nan_high.size()); }

  Status add_floats() {
    for (const FloatFeature& feature : model_.floats) {
      TRY(check_flat(feature.flat));
      TRY(check_borders(feature.borders, cat("column ", feature.flat)));
      if (feature.borders.empty()) continue;
      for (const float border : feature.borders) out_.comparisons.push_back({next_column(), border});
      out_.number_columns.push_back(feature.flat);
      out_.nan_high.push_back(feature.has_nans && feature.nan == NanTreatment::kAsTrue ? 1 : 0);
    }
    return {};
  }

  Result<std::int32_t> category_position(std::int32_t category) {
    const auto flat = flat_of_category_.find(category);
    if (flat == flat_of_category_.end()) return inconsistent(cat("it has no categorical feature ", category));
    const auto [found, is_new] =
        position_of_category_.try_emplace(category, static_cast<std::int32_t>(out_.category_columns.size()));
    if (is_new) out_.category_columns.push_back(flat->second);
    return found->second;
  }

  Status add_one_hots() {
    for (const OneHotFeature& feature : model_.one_hots) {
      for (const std::int32_t hash : feature.hashes) {
        TRY_ASSIGN(const std::int32_t position, category_position(feature.category));
        out_.comparisons.push_back({next_column(), 0.5f});
        out_.nan_high.push_back(0);
        out_.one_hots.push_back({position, hash});
      }
    }
    return {};
  }

  Status add_ctrs() {
    for (const CtrFeature& feature : model_.ctrs) {
      TRY(check_borders(feature.borders, "a target statistic"));
      if (feature.borders.empty()) continue;
      for (const std::int32_t category : feature.base.projection.categories) TRY(category_position(category));
      for (const OneHotSplit& split : feature.base.projection.one_hots)
        TRY(category_position(split.category));
      for (const float border : feature.borders) out_.comparisons.push_back({next_column(), border});
      out_.nan_high.push_back(0);
      out_.ctrs.push_back(&feature);
    }
    return {};
  }

  const Model& model_;
  Splits out_;
  std::map<std::int32_t, std::int32_t> flat_of_category_, position_of_category_;
};

// The value of every entry of a table for one feature, and of what the table does not know
// (static_ctr_provider.cpp, TModelCtr::Calc), all in float32.
class Values {
 public:
  Values(const CtrFeature& feature, const CtrTable& table) : feature_(feature), table_(table) {}

  base::Result<std::vector<float>> entries() const {
    std::vector<float> out;
    const std::vector<std::int32_t>& counts = table_.counts;
    if (is_mean(feature_.base.type)) {
      for (std::size_t i = 0; i < counts.size(); ++i)
        out.push_back(calculate(table_.sums[i], static_cast<float>(counts[i])));
      return out;
    }
    if (is_count(feature_.base.type)) {
      for (const std::int32_t count : counts)
        out.push_back(calculate(static_cast<float>(count), static_cast<float>(table_.denominator)));
      return out;
    }
    const bool buckets = feature_.base.type == CtrType::kBuckets;
    const bool two = !buckets && table_.classes <= 2;
    const std::int32_t classes = two ? 2 : table_.classes;
    const std::int32_t most = buckets ? classes : classes - 1;
    if (classes < 1 || (!two && (feature_.target_border < 0 || feature_.target_border >= most)))
      return inconsistent(cat("target border ", feature_.target_border, " of ", classes, " classes"));
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t i = 0; i + width <= counts.size(); i += width) {
      std::int64_t good = 0;
      std::int64_t total = 0;
      for (std::int32_t k = 0; k < classes; ++k) {
        const std::int32_t count = counts[i + static_cast<std::size_t>(k)];
        total += count;
        if (buckets ? k == feature_.target_border : k > (two ? 0 : feature_.target_border)) good += count;
      }
      out.push_back(calculate(static_cast<float>(static_cast<std::int32_t>(good)),
                              static_cast<float>(static_cast<std::int32_t>(total))));
    }
    return out;
  }

  float absent() const {
    return calculate(0.0f, is_count(feature_.base.type) ? static_cast<float>(table_.denominator) : 0.0f);
  }

 private:
  float calculate(float count, float total) const {
    const float value = (count + feature_.prior) / (total + feature_.prior_denominator);
    return (value + feature_.shift) * feature_.scale;
  }

  const CtrFeature& feature_;
  const CtrTable& table_;
};

// Fills the arrays of a CatboostFeatures.
class Statistics {
 public:
  Statistics(const Model& model, const Splits& splits) : model_(model), splits_(splits) {
    std::map<std::int64_t, std::int32_t> position;
    for (std::size_t i = 0; i < splits.category_columns.size(); ++i)
      position[splits.category_columns[i]] = static_cast<std::int32_t>(i);
    for (const OtherFeature& category : model.categories)
      if (const auto found = position.find(category.flat); found != position.end())
        category_[category.index] = found->second;
    std::int32_t column = 0;
    for (const FloatFeature& feature : model.floats)
      if (!feature.borders.empty()) number_[feature.index] = column++;
  }

  Status add(const CtrFeature& feature) {
    const auto table = model_.tables.find(key_of(feature.base));
    if (table == model_.tables.end()) return inconsistent("a target statistic has no table");
    const Values values(feature, table->second);
    TRY_ASSIGN(const std::vector<float> entries, values.entries());
    TRY_ASSIGN(const std::int32_t number, table_number(table->first, table->second));
    ctr_table.push_back(number);
    ctr_start.push_back(static_cast<std::int64_t>(ctr_values.size()));
    ctr_absent.push_back(values.absent());
    ctr_values.insert(ctr_values.end(), entries.begin(), entries.end());
    return {};
  }

  std::vector<std::uint8_t> element_kind;
  std::vector<std::int32_t> element_column;
  std::vector<float> element_border;
  std::vector<std::uint32_t> element_hash;
  std::vector<std::int64_t> projection_end;
  std::vector<std::int32_t> table_projection;
  std::vector<std::int64_t> table_end;
  std::vector<std::uint64_t> bucket_hash;
  std::vector<std::int32_t> bucket_entry;
  std::vector<std::int32_t> ctr_table;
  std::vector<std::int64_t> ctr_start;
  std::vector<float> ctr_absent;
  std::vector<float> ctr_values;

 private:
  void element(std::uint8_t kind, std::int32_t column, float border, std::int32_t hash) {
    element_kind.push_back(kind);
    element_column.push_back(column);
    element_border.push_back(border);
    element_hash.push_back(static_cast<std::uint32_t>(hash));
  }

  Result<std::int32_t> projection_number(const Projection& projection) {
    const auto [found, is_new] =
        projections_.try_emplace(key_of(projection), static_cast<std::int32_t>(projection_end.size()));
    if (!is_new) return found->second;
    for (const std::int32_t category : projection.categories) element(0, category_.at(category), 0, 0);
    for (const FloatSplit& split : projection.floats) {
      const auto column = number_.find(split.feature);
      if (column == number_.end())
        return inconsistent(
            cat("a target statistic uses the number ", split.feature, ", which has no borders"));
      element(1, column->second, split.border, 0);
    }
    for (const OneHotSplit& split : projection.one_hots)
      element(2, category_.at(split.category), 0, split.hash);
    projection_end.push_back(static_cast<std::int64_t>(element_kind.size()));
    return found->second;
  }

  Result<std::int32_t> table_number(const std::string& key, const CtrTable& table) {
    const auto [found, is_new] = tables_.try_emplace(key, static_cast<std::int32_t>(table_end.size()));
    if (!is_new) return found->second;
    TRY_ASSIGN(const std::int32_t projection, projection_number(table.base.projection));
    table_projection.push_back(projection);
    bucket_hash.insert(bucket_hash.end(), table.hashes.begin(), table.hashes.end());
    bucket_entry.insert(bucket_entry.end(), table.entries.begin(), table.entries.end());
    table_end.push_back(static_cast<std::int64_t>(bucket_hash.size()));
    return found->second;
  }

  const Model& model_;
  const Splits& splits_;
  std::map<std::int32_t, std::int32_t> category_, number_;
  std::map<std::string, std::int32_t> projections_, tables_;
};

}  // namespace

Result<Splits> splits_of(const Model& model) {
  return Collector(model).collect();
}

Result<ValueId> add_features(const Model& model, const Splits& splits, program::ProgramBuilder& builder,
                             ValueId rows) {
  ValueId numbers = 0;
  if (!splits.number_columns.empty()) {
    TRY_ASSIGN(numbers, builder.add(program::SelectColumns{splits.number_columns}, {rows}));
    if (!program::is_matrix(builder.type(numbers))) {
      TRY_ASSIGN(numbers, builder.add(program::ToMatrix{}, {numbers}));
    }
    if (splits.category_columns.empty()) return numbers;
  }
  TRY_ASSIGN(const ValueId cells, builder.add(program::SelectColumns{splits.category_columns}, {rows}));
  Statistics made(model, splits);
  for (const CtrFeature* feature : splits.ctrs) TRY(made.add(*feature));
  const auto weight = [&]<class T>(std::string_view name, std::vector<T> values) {
    const auto size = static_cast<std::int64_t>(values.size());
    return builder.weight(std::string(name), Tensor::of({size}, std::move(values)));
  };
  std::vector<std::int32_t> one_hot_column;
  std::vector<std::uint32_t> one_hot_hash;
  for (const OneHotSplit& split : splits.one_hots) {
    one_hot_column.push_back(split.category);
    one_hot_hash.push_back(static_cast<std::uint32_t>(split.hash));
  }
  std::vector<std::uint8_t> nan_high(
      splits.nan_high.begin(),
      splits.nan_high.begin() + static_cast<std::ptrdiff_t>(splits.number_columns.size()));
  program::CatboostFeatures op;
  op.one_hot_column = weight("one_hot_column", std::move(one_hot_column));
  op.one_hot_hash = weight("one_hot_hash", std::move(one_hot_hash));
  op.element_kind = weight("element_kind", std::move(made.element_kind));
  op.element_column = weight("element_column", std::move(made.element_column));
  op.element_border = weight("element_border", std::move(made.element_border));
  op.element_hash = weight("element_hash", std::move(made.element_hash));
  op.projection_end = weight("projection_end", std::move(made.projection_end));
  op.table_projection = weight("table_projection", std::move(made.table_projection));
  op.table_end = weight("table_end", std::move(made.table_end));
  op.bucket_hash = weight("bucket_hash", std::move(made.bucket_hash));
  op.bucket_entry = weight("bucket_entry", std::move(made.bucket_entry));
  op.ctr_table = weight("ctr_table", std::move(made.ctr_table));
  op.ctr_start = weight("ctr_start", std::move(made.ctr_start));
  op.ctr_absent = weight("ctr_absent", std::move(made.ctr_absent));
  op.ctr_values = weight("ctr_values", std::move(made.ctr_values));
  op.nan_high = weight("nan_high", std::move(nan_high));
  if (splits.number_columns.empty()) return builder.add(op, {cells});
  return builder.add(op, {cells, numbers});
}

}  // namespace wherry::catboost
