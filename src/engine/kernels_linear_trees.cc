#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "engine/kernels.h"

namespace wherry::engine {
namespace {

constexpr double kZero = 1e-35f;

// The arrays of a LinearTrees, as nodes.
class LinearForest {
 public:
  LinearForest(const program::LinearTrees& op, const program::Program& program)
      : outputs_(static_cast<std::size_t>(op.outputs)) {
    const auto roots = program.weight(op.roots).as<std::int32_t>();
    const auto target = program.weight(op.target).as<std::int32_t>();
    for (std::size_t t = 0; t < roots.size(); ++t) trees_.push_back({roots[t], target[t]});
    const auto feature = program.weight(op.feature).as<std::int32_t>();
    const auto threshold = program.weight(op.threshold).as<double>();
    const auto left = program.weight(op.left).as<std::int32_t>();
    const auto right = program.weight(op.right).as<std::int32_t>();
    const auto missing = program.weight(op.default_left).as<std::uint8_t>();
    for (std::size_t i = 0; i < feature.size(); ++i)
      nodes_.push_back({threshold[i], feature[i], left[i], right[i], -1, missing[i]});
    if (op.has_categories) {
      const auto category = program.weight(op.category).as<std::int32_t>();
      for (std::size_t i = 0; i < category.size(); ++i) nodes_[i].category = category[i];
      const tensor::Tensor& sets = program.weight(op.cat_left);
      sets_.assign(sets.as<std::uint32_t>().begin(), sets.as<std::uint32_t>().end());
      words_ = static_cast<std::size_t>(sets.shape()[1]);
    }
    const auto values = program.weight(op.values).as<double>();
    const auto constants = program.weight(op.constants).as<double>();
    const auto first = program.weight(op.first).as<std::int32_t>();
    for (std::size_t l = 0; l < values.size(); ++l)
      leaves_.push_back({values[l], constants[l], first[l], first[l + 1]});
    const auto features = program.weight(op.term_features).as<std::int32_t>();
    const auto coefficients = program.weight(op.coefficients).as<double>();
    for (std::size_t m = 0; m < features.size(); ++m) terms_.push_back({coefficients[m], features[m]});
  }

  void run(const double* x, double* out) const {
    std::fill_n(out, outputs_, 0.0);
    for (const Tree& tree : trees_) {
      const Node* node = &nodes_[static_cast<std::size_t>(tree.root)];
      while (node->feature >= 0)
        node =
            &nodes_[static_cast<std::size_t>(goes_left(*node, x[node->feature]) ? node->left : node->right)];
      out[tree.target] += leaf(leaves_[static_cast<std::size_t>(node->left)], x);
    }
  }
  std::size_t outputs() const { return outputs_; }

 private:
  struct Tree {
    std::int32_t root, target;
  };
  struct Node {
    double threshold;
    std::int32_t feature, left, right, category;
    std::uint8_t missing;
  };
  struct Leaf {
    double value, constant;
    std::int32_t first, last;
  };
  struct Term {
    double coefficient;
    std::int32_t feature;
  };

  bool goes_left(const Node& node, double x) const {
    if (std::isnan(x)) return (node.missing & 1) != 0;
    if (node.category >= 0) return is_member(static_cast<std::size_t>(node.category), std::trunc(x));
    if ((node.missing & 2) != 0 && std::abs(x) <= kZero) return (node.missing & 1) != 0;
    return x <= node.threshold;
  }

  bool is_member(std::size_t set, double u) const {
    if (!(u >= 0) || u >= 32.0 * static_cast<double>(words_)) return false;
    const auto bit = static_cast<std::size_t>(u);
    return (sets_[set * words_ + bit / 32] >> (bit % 32) & 1) != 0;
  }

  double leaf(const Leaf& leaf, const double* x) const {
    double sum = leaf.constant;
    for (std::int32_t m = leaf.first; m < leaf.last; ++m) {
      const Term& term = terms_[static_cast<std::size_t>(m)];
      const double value = x[term.feature];
      if (std::isnan(value)) return leaf.value;
      sum += term.coefficient * (std::abs(value) <= kZero ? 0.0 : value);
    }
    return sum;
  }

  std::size_t outputs_;
  std::size_t words_ = 0;
  std::vector<Tree> trees_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> sets_;
  std::vector<Leaf> leaves_;
  std::vector<Term> terms_;
};

}  // namespace

MadeKernel make_kernel(const program::LinearTrees& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const auto forest = std::make_shared<const LinearForest>(op, wiring.program);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row)
      forest->run(from.numbers + row * from.columns, to + row * forest->outputs());
    return {};
  }};
}

}  // namespace wherry::engine
