// Groups of columns, and trees of cluster centres.
#include <algorithm>
#include <limits>

#include "engine/distance.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using program::Pooling;

// numpy.median: the middle one, or the mean of the two in the middle.
double median(double* values, std::size_t count) {
  std::sort(values, values + count);
  const double high = values[count / 2];
  return count % 2 == 1 ? high : (values[count / 2 - 1] + high) / 2;
}

struct CenterNode {
  std::int64_t left, right, label;
  double norm;  // |centre|²
};

}  // namespace

MadeKernel make_kernel(const program::PoolColumns& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t groups = wiring.width_of(out);
  std::vector<std::vector<std::size_t>> members(groups);
  for (std::size_t j = 0; j < op.groups.size(); ++j)
    members[static_cast<std::size_t>(op.groups[j])].push_back(j);
  return Kernel{[=, pooling = op.pooling, members = std::move(members)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* own = at_least(frame.buffers().sums, from.columns);
    for (std::size_t i = 0; i < from.rows; ++i) {
      const double* x = from.numbers + i * from.columns;
      for (const std::vector<std::size_t>& group : members) {
        std::ranges::transform(group, own, [x](std::size_t j) { return x[j]; });
        double* const end = own + group.size();
        double sum = 0;
        switch (pooling) {
          case Pooling::kMean:
            for (const double* value = own; value != end; ++value) sum += *value;
            *to++ = sum / static_cast<double>(group.size());
            break;
          case Pooling::kMax:
            *to++ = *std::max_element(own, end);
            break;
          case Pooling::kMin:
            *to++ = *std::min_element(own, end);
            break;
          case Pooling::kMedian:
            *to++ = median(own, group.size());
            break;
        }
      }
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::CenterTree& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  const auto left = wiring.program.weight(op.left).as<std::int64_t>();
  const auto right = wiring.program.weight(op.right).as<std::int64_t>();
  const auto label = wiring.program.weight(op.label).as<std::int64_t>();
  std::vector<double> centers = wiring.numbers(op.centers);
  std::vector<CenterNode> nodes;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double* center = centers.data() + i * width;
    nodes.push_back({left[i], right[i], label[i], dot(center, center, width)});
  }
  return Kernel{
      [=, nodes = std::move(nodes), centers = std::move(centers)](const Frame& frame) -> base::Status {
        const double* x = frame.matrix(in);
        std::int64_t* to = frame.make_index(out);
        const auto far = [&](std::int64_t node) {
          const auto i = static_cast<std::size_t>(node);
          return nodes[i].norm + -2 * dot(x, centers.data() + i * width, width);
        };
        for (std::size_t i = 0; i < frame.rows(); ++i, x += width) {
          std::size_t at = 0;
          while (nodes[at].left >= 0)
            at = static_cast<std::size_t>(far(nodes[at].right) < far(nodes[at].left) ? nodes[at].right
                                                                                     : nodes[at].left);
          to[i] = nodes[at].label;
        }
        return {};
      }};
}

}  // namespace wherry::engine
