#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "engine/trees_complete.h"

namespace wherry::engine {
namespace {

constexpr std::size_t kLanes = 8;

// What a step must take care of.
enum class Care { kNothing, kNan, kSpecial };

bool has(const std::vector<std::uint32_t>& bits, const CategorySets& sets, std::uint32_t set,
         std::uint32_t category) {
  if (category / 32 >= sets.words) return false;
  return (bits[std::size_t{set} * sets.words + category / 32] >> (category % 32) & 1) != 0;
}

bool category_goes_right(double x, const Node16& node, const CategorySets& sets) {
  const auto set = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(node.threshold));
  switch (sets.rule) {
    case program::CategoryRule::kUint8: {
      if (!(x >= 0)) return node.nan_right();
      const std::uint32_t category = x < 0x1p31 ? static_cast<std::uint32_t>(x) & 0xFF : 0;
      if (has(sets.left, sets, set, category)) return false;
      return has(sets.known, sets, set, category) || node.nan_right();
    }
    case program::CategoryRule::kMembersLeft:
      return !(x > -1 && x < 0x1p31 && has(sets.left, sets, set, x < 0 ? 0 : static_cast<std::uint32_t>(x)));
    case program::CategoryRule::kMembersRight:
      return x >= 0 && x < 0x1p31 && has(sets.left, sets, set, static_cast<std::uint32_t>(x));
  }
  std::unreachable();
}

// For nodes which do not only compare.
bool special_goes_right(double x, const Node16& node, const CategorySets& sets) {
  constexpr double kZero = 1e-35F;
  if (std::isnan(x) || (!node.is_category() && std::abs(x) <= kZero)) return node.nan_right();
  return node.is_category() ? category_goes_right(x, node, sets) : x > node.threshold;
}

// The node after node `i` for the lane `x` belongs to.
template <Care care, class Node>
[[gnu::always_inline]] inline std::uint32_t step(const Node* nodes, std::uint32_t i,
                                                 const typename Node::Number* x,
                                                 [[maybe_unused]] const CategorySets& sets) {
  const Node node = nodes[i];
  const auto value = x[node.feature8()];
  std::uint32_t right = value > node.threshold ? 1 : 0;
  if constexpr (care != Care::kNothing)
    right |= static_cast<std::uint32_t>(value != value) & node.nan_right();
  if constexpr (care == Care::kSpecial) {
    if (node.is_special()) right = special_goes_right(value, node, sets) ? 1 : 0;
  }
  return i + node.distance() + right;
}

// Takes all lanes to their leaves, at most `depth` steps away; lane l reads x + l * kStride.
template <Care care, std::size_t kStride, class Node>
[[gnu::always_inline]] inline void descend(const Node* nodes, std::uint32_t (&at)[kLanes],
                                           std::uint32_t depth, const typename Node::Number* x,
                                           const CategorySets& sets) {
  constexpr std::uint32_t kStepsBetweenLooks = 4;
  while (depth > 2 * kStepsBetweenLooks) {
    for (std::uint32_t d = 1; d < kStepsBetweenLooks; ++d) {
#pragma GCC unroll 8
      for (std::size_t l = 0; l < kLanes; ++l) at[l] = step<care>(nodes, at[l], x + l * kStride, sets);
    }
    std::uint32_t moved = 0;
#pragma GCC unroll 8
    for (std::size_t l = 0; l < kLanes; ++l) {
      const std::uint32_t next = step<care>(nodes, at[l], x + l * kStride, sets);
      moved |= next ^ at[l];
      at[l] = next;
    }
    if (moved == 0) return;
    depth -= kStepsBetweenLooks;
  }
  for (; depth > 0; --depth) {
#pragma GCC unroll 8
    for (std::size_t l = 0; l < kLanes; ++l) at[l] = step<care>(nodes, at[l], x + l * kStride, sets);
  }
}

std::uint32_t leaf_number(const Node8& leaf) {
  return std::bit_cast<std::uint32_t>(leaf.threshold) & (Node8::kMostValues - 1);
}
std::uint32_t leaf_number(const Node16& leaf) {
  return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(leaf.threshold));
}

std::vector<float>& numbers(Buffers& buffers, float) {
  return buffers.floats;
}
std::vector<double>& numbers(Buffers& buffers, double) {
  return buffers.doubles;
}

}  // namespace

// One call of run(). Rows stand in blocks of eight: features transposed, [feature][lane]; sums
// [output][lane], or [lane][output] when leaves are wider than one.
template <class Node>
class PackedTrees::Runner {
 public:
  using Number = typename Node::Number;
  using Tree = typename Forest<Node>::Tree;

  Runner(const PackedTrees& packed, const Forest<Node>& forest, std::size_t width, Buffers& buffers)
      : packed_(packed), forest_(forest), width_(std::max<std::size_t>(width, 1)), buffers_(buffers) {}

  void run(const double* in, std::size_t rows, std::size_t width, const double* start, double* out) {
    const std::size_t blocks = (rows + kLanes - 1) / kLanes;
    x_ = at_least(numbers(buffers_, Number()), blocks * width_ * kLanes);
    sums_ = at_least(buffers_.sums, blocks * packed_.outputs_ * kLanes);
    care_ = at_least(buffers_.flags, blocks);
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t count = std::min(kLanes, rows - b * kLanes);
      load(in + b * kLanes * width, count, width, b);
      start_sums(start == nullptr ? nullptr : start + b * kLanes * packed_.outputs_, count, b);
    }
    // A last block with few rows: one by one, unless the forest is so large that loading it dominates.
    const std::size_t rest = rows % kLanes;
    const bool one_by_one = rest > 0 && (rest < 3 || packed_.node_bytes() < kLargeForest);
    const std::size_t whole = one_by_one ? blocks - 1 : blocks;
    for (const auto& group : forest_.groups)
      for (std::size_t b = 0; b < whole; ++b) walk_rows_carefully(group.first, group.last, b);
    if (one_by_one)
      for (std::size_t l = 0; l < rest; ++l) walk_row_carefully(whole, l);
    for (std::size_t b = 0; b < blocks; ++b)
      store(b, std::min(kLanes, rows - b * kLanes), out + b * kLanes * packed_.outputs_);
  }

 private:
  static constexpr std::size_t kLargeForest = std::size_t{1} << 20;

  Number* x(std::size_t block) { return x_ + block * width_ * kLanes; }
  double* sums(std::size_t block) { return sums_ + block * packed_.outputs_ * kLanes; }
  bool is_transposed() const { return packed_.width_ == 1; }

  void load(const double* in, std::size_t rows, std::size_t width, std::size_t block) {
    Number* to = x(block);
    bool has_nan = false;
    if (width == 0) std::fill_n(to, kLanes, Number());
    for (std::size_t l = 0; l < kLanes; ++l) {
      const double* row = in + std::min(l, rows - 1) * width;  // lanes without a row repeat the last
      for (std::size_t j = 0; j < width; ++j) {
        const double value = packed_.is_float32_ ? static_cast<float>(row[j]) : row[j];
        to[j * kLanes + l] = static_cast<Number>(value);
        has_nan |= value != value;
      }
      if (rows == 1) break;  // walked one by one
    }
    care_[block] = static_cast<std::uint8_t>(packed_.has_special_                 ? Care::kSpecial
                                             : has_nan && packed_.nan_goes_right_ ? Care::kNan
                                                                                  : Care::kNothing);
  }

  void start_sums(const double* start, std::size_t rows, std::size_t block) {
    double* sum = sums(block);
    const std::size_t outputs = packed_.outputs_;
    for (std::size_t l = 0; l < kLanes; ++l) {
      const double* from = start == nullptr ? packed_.base_.data() : start + std::min(l, rows - 1) * outputs;
      for (std::size_t k = 0; k < outputs; ++k)
        sum[is_transposed() ? k * kLanes + l : l * outputs + k] = from[k];
    }
  }

  void store(std::size_t block, std::size_t rows, double* out) {
    const std::size_t outputs = packed_.outputs_;
    const double* sum = sums(block);
    for (std::size_t l = 0; l < rows; ++l) {
      for (std::size_t k = 0; k < outputs; ++k) {
        const double value = sum[is_transposed() ? k * kLanes + l : l * outputs + k];
        *out++ = packed_.divisor_ == 1 ? value : value / packed_.divisor_;
      }
    }
  }

  // The sum of two floats is the same rounded once, or first to a double.
  void add(double& sum, double value) const {
    sum += value;
    if (packed_.sums_float32_) sum = static_cast<float>(sum);
  }

  void add_leaf(const Tree& tree, std::uint32_t node, double* sum, std::size_t lane) {
    const double* values = forest_.values.data() + tree.values;
    const std::size_t number = leaf_number(forest_.nodes[node]);
    if (is_transposed()) {
      add(sum[tree.target * kLanes + lane], values[number]);
      return;
    }
    double* to = sum + lane * packed_.outputs_ + tree.target;
    for (std::size_t c = 0; c < packed_.width_; ++c) add(to[c], values[number * packed_.width_ + c]);
  }

  template <Care care>
  void walk_rows(std::uint32_t first, std::uint32_t last, std::size_t block) {
    const Number* features = x(block);
    double* sum = sums(block);
    for (std::uint32_t t = first; t < last; ++t) {
      const Tree& tree = forest_.trees[t];
      std::uint32_t at[kLanes];
      for (std::uint32_t& node : at) node = tree.root;
      descend<care, 1>(forest_.nodes.data(), at, tree.depth, features, packed_.sets_);
#pragma GCC unroll 8
      for (std::size_t l = 0; l < kLanes; ++l) add_leaf(tree, at[l], sum, l);
    }
  }

  template <Care care>
  void walk_row(std::size_t block, std::size_t lane) {
    const Number* features = x(block) + lane;
    double* sum = sums(block);
    const auto trees = static_cast<std::uint32_t>(forest_.trees.size());
    for (std::uint32_t t = 0; t < trees; t += kLanes) {
      const auto count = std::min<std::uint32_t>(kLanes, trees - t);
      std::uint32_t at[kLanes];
      std::uint32_t depth = 0;
      for (std::uint32_t l = 0; l < kLanes; ++l) {
        const Tree& tree = forest_.trees[t + std::min(l, count - 1)];
        at[l] = tree.root;
        depth = std::max(depth, tree.depth);
      }
      descend<care, 0>(forest_.nodes.data(), at, depth, features, packed_.sets_);
      for (std::uint32_t l = 0; l < count; ++l) add_leaf(forest_.trees[t + l], at[l], sum, lane);
    }
  }

  void walk_rows_carefully(std::uint32_t first, std::uint32_t last, std::size_t block) {
    switch (static_cast<Care>(care_[block])) {
      case Care::kNothing:
        return walk_rows<Care::kNothing>(first, last, block);
      case Care::kNan:
        return walk_rows<Care::kNan>(first, last, block);
      case Care::kSpecial:
        if constexpr (sizeof(Node) == sizeof(Node16)) walk_rows<Care::kSpecial>(first, last, block);
    }
  }

  void walk_row_carefully(std::size_t block, std::size_t lane) {
    switch (static_cast<Care>(care_[block])) {
      case Care::kNothing:
        return walk_row<Care::kNothing>(block, lane);
      case Care::kNan:
        return walk_row<Care::kNan>(block, lane);
      case Care::kSpecial:
        if constexpr (sizeof(Node) == sizeof(Node16)) walk_row<Care::kSpecial>(block, lane);
    }
  }

  const PackedTrees& packed_;
  const Forest<Node>& forest_;
  std::size_t width_;  // at least 1: leaves read feature 0
  Buffers& buffers_;
  Number* x_ = nullptr;
  double* sums_ = nullptr;
  std::uint8_t* care_ = nullptr;
};

// As Runner, for whole blocks of rows through complete trees. Sums stand as [output][row].
class PackedTrees::CompleteRunner {
 public:
  static constexpr std::size_t kRows = kCompleteRows;

  static void run(const PackedTrees& packed, const double* in, std::size_t rows, std::size_t width,
                  const double* start, double* out, Buffers& buffers) {
    const std::size_t outputs = packed.outputs_;
    const std::size_t blocks = (rows + kRows - 1) / kRows;
    const std::size_t features = std::max<std::size_t>(width, 1);
    double* x = at_least(buffers.doubles, blocks * features * kRows);
    double* sums = at_least(buffers.sums, blocks * outputs * kRows);
    for (std::size_t b = 0; b < blocks; ++b) {
      for (std::size_t l = 0; l < kRows; ++l) {
        const std::size_t row = std::min(b * kRows + l, rows - 1);  // rows of padding repeat the last
        load(packed, in + row * width, width, x + b * features * kRows + l);
        const double* from = start == nullptr ? packed.base_.data() : start + row * outputs;
        for (std::size_t k = 0; k < outputs; ++k) sums[(b * outputs + k) * kRows + l] = from[k];
      }
    }
    packed.complete_->add(x, features, sums, blocks);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t k = 0; k < outputs; ++k) {
        const double value = sums[(row / kRows * outputs + k) * kRows + row % kRows];
        *out++ = packed.divisor_ == 1 ? value : value / packed.divisor_;
      }
    }
  }

 private:
  static void load(const PackedTrees& packed, const double* row, std::size_t width, double* to) {
    if (width == 0) *to = 0;
    if (packed.is_float32_) {
      for (std::size_t j = 0; j < width; ++j) to[j * kRows] = static_cast<float>(row[j]);
    } else {
      for (std::size_t j = 0; j < width; ++j) to[j * kRows] = row[j];
    }
  }
};

void PackedTrees::run(const double* in, std::size_t rows, std::size_t width, const double* start, double* out,
                      Buffers& buffers) const {
  if (rows == 0) return;
  if (complete_ != nullptr) {
    const std::size_t rest = rows % kCompleteRows;
    const std::size_t whole = rest >= complete_->worth_rows() ? rows : rows - rest;
    if (whole > 0) CompleteRunner::run(*this, in, whole, width, start, out, buffers);
    if (whole == rows) return;
    in += whole * width;
    out += whole * outputs_;
    if (start != nullptr) start += whole * outputs_;
    rows -= whole;
  }
  if (uses_node8_) {
    Runner<Node8>(*this, small_, width, buffers).run(in, rows, width, start, out);
  } else {
    Runner<Node16>(*this, large_, width, buffers).run(in, rows, width, start, out);
  }
}

}  // namespace wherry::engine
