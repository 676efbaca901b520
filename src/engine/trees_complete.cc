#include "engine/trees_complete.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wherry::engine {
namespace {

bool has_nan(const double* x, std::size_t count) {
  bool found = false;
  for (std::size_t i = 0; i < count; ++i) found |= std::isnan(x[i]);
  return found;
}

// Writes the subtree at source node `source` to node `place`, `depth` steps above the leaves; a leaf which
// comes too early stands for all leaves below it.
void fill(const TreeArrays& a, std::int32_t source, std::size_t place, std::uint32_t depth,
          CompleteNode* nodes, double* leaves) {
  const bool is_leaf = a.feature[source] < 0;
  if (depth == 0) {
    *leaves = a.values[static_cast<std::size_t>(a.left[source])];
    return;
  }
  const std::size_t half = std::size_t{1} << (depth - 1);
  nodes[place] = is_leaf ? CompleteNode{std::numeric_limits<double>::infinity(), 0, 0}
                         : CompleteNode{a.threshold[source],
                                        static_cast<std::uint32_t>(a.feature[source]) *
                                            static_cast<std::uint32_t>(kCompleteRows),
                                        (a.default_left[source] & 1) == 0 ? 1U : 0U};
  fill(a, is_leaf ? source : a.left[source], 2 * place, depth - 1, nodes, leaves);
  fill(a, is_leaf ? source : a.right[source], 2 * place + 1, depth - 1, nodes, leaves + half);
}

}  // namespace

std::optional<CompleteTrees> CompleteTrees::make(const TreeArrays& a, const std::vector<TreeSpan>& spans) {
  constexpr std::size_t kMostLeaves = (std::size_t{16} << 20) / (sizeof(CompleteNode) + sizeof(double));
  constexpr std::size_t kGroupLeaves = (std::size_t{20} << 10) / (sizeof(CompleteNode) + sizeof(double));
  const CompleteKernel kernel = complete_kernel();
  if (a.width != 1 || has_special_splits(a)) return std::nullopt;
  std::size_t total = 0;
  std::uint32_t depth = 0;
  for (const std::int32_t root : a.roots) {
    const auto span = std::ranges::lower_bound(spans, root, {}, &TreeSpan::first);
    depth = std::max(depth, span->depth);
    if (depth > kernel.deepest) return std::nullopt;
    total += std::size_t{1} << span->depth;
    if (total > kMostLeaves) return std::nullopt;
  }
  CompleteTrees out;
  out.add_ = kernel.add;
  out.outputs_ = a.outputs;
  out.sums_float32_ = a.sums_float32;
  out.worth_rows_ = depth <= 3 ? 2 : depth;
  out.nodes_.resize(total);
  out.leaves_.resize(total);
  std::size_t next = 0;
  std::size_t group_start = 0;
  for (std::size_t t = 0; t < a.roots.size(); ++t) {
    const auto span = std::ranges::lower_bound(spans, a.roots[t], {}, &TreeSpan::first);
    fill(a, a.roots[t], 1, span->depth, out.nodes_.data() + next, out.leaves_.data() + next);
    out.trees_.push_back({span->depth, static_cast<std::uint32_t>(a.target[t]), next, next});
    if (next - group_start > kGroupLeaves) {
      out.groups_.push_back({out.groups_.empty() ? 0 : out.groups_.back().last, t});
      group_start = next;
    }
    next += std::size_t{1} << span->depth;
  }
  out.groups_.push_back({out.groups_.empty() ? 0 : out.groups_.back().last, a.roots.size()});
  for (const CompleteNode& node : out.nodes_) out.nan_goes_right_ |= node.nan_right != 0;
  return out;
}

void CompleteTrees::add(const double* x, std::size_t features, double* sums, std::size_t blocks) const {
  const CompleteParts parts{nodes_.data(), leaves_.data(), trees_.data(), sums_float32_};
  const bool nan = nan_goes_right_ && has_nan(x, blocks * features * kCompleteRows);
  for (const Group& group : groups_)
    add_(parts,
         {group.first, group.last, x, sums, blocks, features * kCompleteRows, outputs_ * kCompleteRows, nan});
}

}  // namespace wherry::engine
