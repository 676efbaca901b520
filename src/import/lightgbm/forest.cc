// include/LightGBM/tree.h: Tree::NumericalDecision, CategoricalDecision, Predict.
#include "import/lightgbm/forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace wherry::lightgbm {
namespace {

using program::WeightId;
using tensor::Tensor;

constexpr double kZero = 1e-35f;
constexpr std::uint8_t kMissingLeft = 1;  // bits of default_left
constexpr std::uint8_t kZeroIsMissing = 2;

// LightGBM hands trees 0 for every x with |x| <= kZero (RowPairFunctionFromDenseMatric of src/c_api.cpp): a
// threshold among these becomes one which has all of them on the side of 0.
double effective_threshold(double threshold) {
  if (threshold >= 0 && threshold < kZero) return kZero;
  if (threshold < 0 && threshold >= -kZero) return std::nextafter(-kZero, -1.0);
  return threshold;
}

class Forest {
 public:
  // `nodes` of all trees together: pointers into left_ and right_ stay valid. `words` per set of categories.
  Forest(std::size_t nodes, std::size_t words) : words_(words) {
    left_.reserve(nodes), right_.reserve(nodes);
  }

  void append(const Tree& tree, std::int32_t target) {
    roots_.push_back(static_cast<std::int32_t>(feature_.size()));
    target_.push_back(target);
    const auto sets = static_cast<std::int32_t>(words_ == 0 ? 0 : sets_.size() / words_);
    append_sets(tree);
    // Parents before children: each place on the stack knows which slot waits for the number of its node.
    struct Place {
      std::int32_t child;
      std::int32_t* waiting;
    };
    std::int32_t root = 0;
    std::vector<Place> open{{tree.nodes() == 0 ? ~0 : 0, &root}};
    while (!open.empty()) {
      const Place place = open.back();
      open.pop_back();
      *place.waiting = static_cast<std::int32_t>(feature_.size());
      if (place.child < 0) {
        add_leaf(tree, static_cast<std::size_t>(~place.child));
        continue;
      }
      const auto node = static_cast<std::size_t>(place.child);
      add_node(tree, node, sets);
      open.push_back({tree.right[node], &right_.back()});
      open.push_back({tree.left[node], &left_.back()});
    }
  }

  Result<program::ValueId> finish(program::ProgramBuilder& builder, const Model& model,
                                  program::ValueId matrix, bool is_linear) {
    return is_linear ? finish_linear(builder, model, matrix) : finish_constant(builder, model, matrix);
  }

 private:
  void append_sets(const Tree& tree) {
    for (std::size_t s = 0; s + 1 < tree.set_begin.size(); ++s) {
      const auto first = tree.set_words.begin() + tree.set_begin[s];
      const auto last = tree.set_words.begin() + tree.set_begin[s + 1];
      sets_.insert(sets_.end(), first, last);
      sets_.resize(sets_.size() + words_ - static_cast<std::size_t>(last - first));
    }
  }

  void add_node(const Tree& tree, std::size_t node, std::int32_t first_set) {
    const std::uint8_t decision = tree.decision[node];
    const bool is_category = (decision & kCategoryBit) != 0;
    const bool default_left = (decision & kDefaultLeftBit) != 0;
    const double threshold = is_category ? 0 : effective_threshold(tree.threshold[node]);
    std::uint8_t missing = 0;
    if (!is_category) {
      const Missing type = missing_of(decision);
      if (type == Missing::kNone)
        missing = 0 <= threshold ? kMissingLeft : 0;  // NaN counts as 0
      else
        missing = default_left ? kMissingLeft : 0;
      if (type == Missing::kZero) missing |= kZeroIsMissing;
    }
    feature_.push_back(tree.feature[node]);
    threshold_.push_back(threshold);
    left_.push_back(0);
    right_.push_back(0);
    missing_.push_back(missing);
    category_.push_back(is_category ? first_set + static_cast<std::int32_t>(tree.threshold[node]) : -1);
  }

  void add_leaf(const Tree& tree, std::size_t leaf) {
    feature_.push_back(-1);
    threshold_.push_back(0);
    left_.push_back(static_cast<std::int32_t>(values_.size()));
    right_.push_back(0);
    missing_.push_back(0);
    category_.push_back(-1);
    values_.push_back(tree.leaf_value[leaf]);
    if (tree.is_linear) {
      const auto begin = static_cast<std::size_t>(tree.term_begin[leaf]);
      const auto end = static_cast<std::size_t>(tree.term_begin[leaf + 1]);
      constants_.push_back(tree.leaf_constant[leaf]);
      for (std::size_t m = begin; m < end; ++m) {
        term_features_.push_back(tree.term_features[m]);
        coefficients_.push_back(tree.coefficients[m]);
      }
    } else {
      constants_.push_back(tree.leaf_value[leaf]);
    }
    first_.push_back(static_cast<std::int32_t>(coefficients_.size()));
  }

  template <class T>
  static WeightId weight(program::ProgramBuilder& builder, std::string name, std::vector<T> values) {
    const auto size = static_cast<std::int64_t>(values.size());
    return builder.weight(std::move(name), Tensor::of({size}, std::move(values)));
  }

  template <class Op>
  void fill(program::ProgramBuilder& builder, Op& op) {
    op.has_categories = !sets_.empty();
    op.roots = weight(builder, "roots", std::move(roots_));
    op.target = weight(builder, "target", std::move(target_));
    op.feature = weight(builder, "feature", std::move(feature_));
    op.threshold = weight(builder, "threshold", std::move(threshold_));
    op.left = weight(builder, "left", std::move(left_));
    op.right = weight(builder, "right", std::move(right_));
    op.default_left = weight(builder, "default_left", std::move(missing_));
    if (!op.has_categories) return;
    const auto words = static_cast<std::int64_t>(words_);
    const auto sets = static_cast<std::int64_t>(sets_.size()) / words;
    op.category = weight(builder, "category", std::move(category_));
    op.cat_left = builder.weight("cat_left", Tensor::of({sets, words}, std::move(sets_)));
  }

  Result<program::ValueId> finish_constant(program::ProgramBuilder& builder, const Model& model,
                                           program::ValueId matrix) {
    program::TreeEnsemble op;
    op.outputs = model.outputs;
    op.category_rule = program::CategoryRule::kMembersLeft;
    fill(builder, op);
    const auto leaves = static_cast<std::int64_t>(values_.size());
    op.values = builder.weight("values", Tensor::of({leaves, 1}, std::move(values_)));
    op.base = weight(builder, "base", std::vector<double>(static_cast<std::size_t>(model.outputs)));
    return builder.add(op, {matrix});
  }

  Result<program::ValueId> finish_linear(program::ProgramBuilder& builder, const Model& model,
                                         program::ValueId matrix) {
    program::LinearTrees op;
    op.outputs = model.outputs;
    fill(builder, op);
    op.values = weight(builder, "values", std::move(values_));
    op.constants = weight(builder, "constants", std::move(constants_));
    op.first = weight(builder, "first", std::move(first_));
    op.term_features = weight(builder, "term_features", std::move(term_features_));
    op.coefficients = weight(builder, "coefficients", std::move(coefficients_));
    return builder.add(op, {matrix});
  }

  std::size_t words_;
  std::vector<std::int32_t> roots_, target_, feature_, left_, right_, category_, term_features_;
  std::vector<std::int32_t> first_{0};
  std::vector<double> threshold_, values_, constants_, coefficients_;
  std::vector<std::uint8_t> missing_;
  std::vector<std::uint32_t> sets_;
};

struct Sizes {
  std::uint64_t nodes = 0, terms = 0, sets = 0, words = 0;  // words: of the largest set
};

Sizes measure(const Model& model, std::size_t trees) {
  Sizes out;
  for (const Tree& tree : std::span(model.trees).first(trees)) {
    out.nodes += tree.nodes() + tree.leaves();
    out.terms += tree.coefficients.size();
    for (std::size_t s = 0; s + 1 < tree.set_begin.size(); ++s) {
      ++out.sets;
      out.words = std::max(out.words, static_cast<std::uint64_t>(tree.set_begin[s + 1] - tree.set_begin[s]));
    }
  }
  return out;
}

// All sets get the size of the largest, which must stay in proportion to the file.
Status check_sizes(const Model& model, const Sizes& sizes) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  constexpr std::uint64_t kFreeWords = 1 << 20;
  constexpr std::uint64_t kWordsPerByte = 16;
  const std::uint64_t most_words = kFreeWords + kWordsPerByte * model.bytes;
  if (sizes.nodes <= kMost && sizes.terms <= kMost && sizes.words <= kMost / 32 &&
      (sizes.words == 0 || sizes.sets <= most_words / sizes.words))
    return {};
  return base::fail(base::Code::kLimit, "lightgbm.too_large",
                    cat(sizes.nodes, " nodes and ", sizes.sets, " sets of up to ", sizes.words * 32,
                        " categories: more than can be held"),
                    "train with fewer or smaller trees, and number categories from 0 without gaps");
}

}  // namespace

Result<program::ValueId> add_forest(program::ProgramBuilder& builder, const Model& model,
                                    program::ValueId matrix, std::size_t trees) {
  const Sizes sizes = measure(model, trees);
  TRY(check_sizes(model, sizes));
  Forest forest(sizes.nodes, std::max<std::size_t>(sizes.words, sizes.sets > 0 ? 1 : 0));
  bool is_linear = false;
  for (std::size_t t = 0; t < trees; ++t) {
    is_linear |= model.trees[t].is_linear;
    forest.append(model.trees[t], static_cast<std::int32_t>(t % static_cast<std::size_t>(model.outputs)));
  }
  return forest.finish(builder, model, matrix, is_linear);
}

}  // namespace wherry::lightgbm
