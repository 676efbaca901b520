// A CatBoost model as its files hold it, whichever of the two formats: what catboost/libs/model/model.h calls
// TFullModel. Values; nothing is checked here (see lower.cc). Private to module catboost.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace wherry::catboost {

// What NaN counts as: AsIs and AsFalse are above no border, AsTrue is above every one.
enum class NanTreatment : std::uint8_t { kAsIs, kAsFalse, kAsTrue };

// `index` counts the features of a kind, `flat` the columns of X.
struct FloatFeature {
  std::int32_t index = -1;
  std::int32_t flat = -1;
  bool has_nans = false;
  NanTreatment nan = NanTreatment::kAsIs;
  std::vector<float> borders;  // empty: not used
  std::string name;
};

// A categorical, text or embedding feature.
struct OtherFeature {
  std::int32_t index = -1;
  std::int32_t flat = -1;
  std::string name;
};

struct OneHotFeature {
  std::int32_t category = -1;  // index of the categorical feature
  std::vector<std::int32_t> hashes;
};

struct FloatSplit {
  std::int32_t feature;
  float border;
};
struct OneHotSplit {
  std::int32_t category;
  std::int32_t hash;
};

// What a target statistic is grouped by.
struct Projection {
  std::vector<std::int32_t> categories;
  std::vector<FloatSplit> floats;
  std::vector<OneHotSplit> one_hots;
};

enum class CtrType : std::uint8_t {
  kBorders,
  kBuckets,
  kBinarizedTargetMeanValue,
  kFloatTargetMeanValue,
  kCounter,
  kFeatureFreq
};

struct CtrBase {
  Projection projection;
  CtrType type = CtrType::kBorders;
  std::int32_t target_classifier = 0;
};
std::string key_of(const Projection& projection);  // equal for equal projections
std::string key_of(const CtrBase& base);

// A feature made of a statistic: value (c, t) → ((c + prior) / (t + prior_denominator) + shift) * scale.
struct CtrFeature {
  CtrBase base;
  std::int32_t target_border = 0;
  float prior = 0;
  float prior_denominator = 1;
  float shift = 0;
  float scale = 1;
  std::vector<float> borders;
};

// A statistic: an open-addressed table from hashes to entries (-1: empty), and what is known of each entry:
// counts per class, one count, or (mean types) `sums` and counts.
struct CtrTable {
  CtrBase base;
  std::vector<std::uint64_t> hashes;
  std::vector<std::int32_t> entries;
  std::vector<std::int32_t> counts;
  std::vector<float> sums;
  std::int32_t denominator = 0;
  std::int32_t classes = 0;
};

constexpr bool is_mean(CtrType type) {
  return type == CtrType::kBinarizedTargetMeanValue || type == CtrType::kFloatTargetMeanValue;
}
constexpr bool is_count(CtrType type) {
  return type == CtrType::kCounter || type == CtrType::kFeatureFreq;
}

// A node of a tree which is not symmetric: a leaf when split < 0, then `value` is its first leaf value;
// otherwise children are nodes after this one.
struct TreeNode {
  std::int32_t split = -1;
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  std::uint64_t value = 0;
};

struct Model {
  std::int32_t dimension = 1;  // raw values of a row
  // Splits are numbered: the borders of the float features in order, those of estimated (text) features, the
  // hashes of the one-hot features, the borders of the CTR features.
  bool symmetric = true;
  std::vector<std::int32_t> depths;  // of symmetric trees
  std::vector<std::int32_t> splits;  // tree after tree
  std::vector<TreeNode> nodes;       // of other trees
  std::vector<std::uint32_t> roots;
  std::vector<double> leaf_values;  // [leaf, dimension]
  double scale = 1;
  std::vector<double> bias;  // none, or [dimension]

  std::vector<FloatFeature> floats;
  std::vector<OtherFeature> categories, texts, embeddings;
  std::vector<OneHotFeature> one_hots;
  std::vector<CtrFeature> ctrs;
  std::map<std::string, CtrTable> tables;  // by key_of(base)
  std::size_t estimated_features = 0;

  std::map<std::string, std::string> info;  // "params", "class_params": JSON documents
};

}  // namespace wherry::catboost
