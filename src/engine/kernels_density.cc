// Densities: kernel density estimates, mixtures of Gaussians.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/kernels.h"
#include "engine/neighbor_search.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using program::Covariance;
using program::DensityKernel;

constexpr double kNone = -INFINITY;

double log_add(double a, double b) {
  const double most = std::fmax(a, b);
  return most == kNone ? kNone : most + std::log(std::exp(a - most) + std::exp(b - most));
}

double log_subtract(double a, double b) {
  return a <= b ? kNone : a + std::log(1 - std::exp(b - a));
}

double log_kernel(DensityKernel kernel, double distance, double h) {
  switch (kernel) {
    case DensityKernel::kGaussian:
      return -0.5 * (distance * distance) / (h * h);
    case DensityKernel::kTophat:
      return distance < h ? 0.0 : kNone;
    case DensityKernel::kEpanechnikov:
      return distance < h ? std::log(1.0 - (distance * distance) / (h * h)) : kNone;
    case DensityKernel::kExponential:
      return -distance / h;
    case DensityKernel::kLinear:
      return distance < h ? std::log(1 - distance / h) : kNone;
    case DensityKernel::kCosine:
      return distance < h ? std::log(std::cos(0.5 * std::numbers::pi * distance / h)) : kNone;
  }
  return kNone;
}

// The volume of a ball and the surface of a sphere, in logarithms.
double log_ball(double n) {
  return 0.5 * n * std::log(std::numbers::pi) - std::lgamma(0.5 * n + 1);
}
double log_sphere(double n) {
  return std::log(2 * std::numbers::pi) + log_ball(n - 1);
}

// _log_kernel_norm of _binary_tree.pxi.
double log_norm(DensityKernel kernel, double h, std::size_t width) {
  const auto d = static_cast<double>(width);
  double factor = 0;
  switch (kernel) {
    case DensityKernel::kGaussian:
      factor = 0.5 * d * std::log(2 * std::numbers::pi);
      break;
    case DensityKernel::kTophat:
      factor = log_ball(d);
      break;
    case DensityKernel::kEpanechnikov:
      factor = log_ball(d) + std::log(2. / (d + 2.));
      break;
    case DensityKernel::kExponential:
      factor = log_sphere(d - 1) + std::lgamma(d);
      break;
    case DensityKernel::kLinear:
      factor = log_ball(d) - std::log(d + 1.);
      break;
    case DensityKernel::kCosine: {
      double term = 2. / std::numbers::pi;
      for (std::size_t k = 1; k < width + 1; k += 2) {
        factor += term;
        const auto left = static_cast<double>(width - k);
        term *= -left * (left - 1) * std::pow(2. / std::numbers::pi, 2);
      }
      factor = std::log(factor) + log_sphere(d - 1);
      break;
    }
  }
  return -factor - d * std::log(h);
}

// What a run keeps of the nodes of a tree: a heap of those to look at, nearest first, and their bounds.
struct NodeBounds {
  double* least;          // by node: lower bound of its share of the density
  double* spread;         // how much more it may be
  double* near;           // of the heap's elements
  std::size_t* waiting;   // heap of nodes
  std::size_t count = 0;  // in the heap

  void push(double distance, std::size_t node) {
    std::size_t i = count++;
    near[i] = distance;
    waiting[i] = node;
    while (i > 0) {
      const std::size_t parent = (i - 1) / 2;
      if (near[parent] <= near[i]) break;
      swap(i, parent);
      i = parent;
    }
  }

  std::size_t pop() {
    const std::size_t top = waiting[0];
    --count;
    near[0] = near[count];
    waiting[0] = waiting[count];
    for (std::size_t i = 0; i < count;) {
      const std::size_t left = 2 * i + 1;
      if (left >= count) break;
      std::size_t child = left;
      if (left + 1 < count && !(near[left] <= near[left + 1])) child = left + 1;
      if (!(near[child] <= near[i])) break;
      swap(i, child);
      i = child;
    }
    return top;
  }

 private:
  void swap(std::size_t a, std::size_t b) {
    std::swap(near[a], near[b]);
    std::swap(waiting[a], waiting[b]);
  }
};

struct Density {
  Search search;
  DensityKernel kernel;
  double h, norm, log_absolute, log_relative, log_total, total;
  std::vector<double> log_weights;   // by row; empty: all 0
  std::vector<double> node_weights;  // by node

  Density(const program::KernelDensities& op, const Wiring& wiring)
      : search(stored_rows(op.metric, StoredRows::Norms::kEinsum, wiring.numbers(op.rows),
                           wiring.width_of(wiring.input()), wiring)),
        kernel(op.kernel),
        h(op.bandwidth),
        norm(log_norm(op.kernel, op.bandwidth, search.rows.width())),
        log_absolute(std::log(op.absolute_tolerance)),
        log_relative(std::log(op.relative_tolerance)),
        log_total(std::log(op.total)),
        total(op.total) {
    search.tree.emplace(op.tree, wiring.program, search.rows);
    const TreeWalk& tree = *search.tree;
    std::vector<double> weights;
    if (op.has_weights) weights = wiring.numbers(op.weights);
    for (double weight : weights) log_weights.push_back(std::log(weight));
    for (std::size_t i = 0; i < tree.nodes(); ++i) {
      double sum = weights.empty() ? static_cast<double>(tree.node(i).size()) : 0;
      for (std::size_t k = tree.node(i).first; !weights.empty() && k < tree.node(i).last; ++k)
        sum += weights[tree.position(k)];
      node_weights.push_back(sum);
    }
  }

  double of_distance(double distance) const { return log_kernel(kernel, distance, h); }
};

// BinaryTree._kde_single_breadthfirst
double log_density(const Density& d, const double* x, NodeBounds& nodes) {
  const TreeWalk& tree = *d.search.tree;
  const StoredRows& rows = d.search.rows;
  const double log_total = std::log(d.total);
  nodes.count = 0;
  const double nearest = tree.least_distance(0, x);
  nodes.push(nearest, 0);
  double least = log_total + d.of_distance(tree.most_distance(0, x));
  double spread = log_subtract(log_total + d.of_distance(nearest), least);
  nodes.least[0] = least;
  nodes.spread[0] = spread;
  while (nodes.count > 0) {
    const std::size_t i = nodes.pop();
    const TreeWalk::Node& node = tree.node(i);
    if (d.norm + nodes.spread[i] - std::log(d.node_weights[i]) + log_total <=
        log_add(d.log_absolute, d.log_relative + d.norm + nodes.least[i]))
      continue;
    if (d.norm + spread <= log_add(d.log_absolute, d.log_relative + d.norm + least)) break;
    if (node.is_leaf) {
      least = log_subtract(least, nodes.least[i]);
      spread = log_subtract(spread, nodes.spread[i]);
      for (std::size_t k = node.first; k < node.last; ++k) {
        const std::size_t row = tree.position(k);
        const double weight = d.log_weights.empty() ? 0. : d.log_weights[row];
        least =
            log_add(least, d.of_distance(rows.distance().distance(x, rows.row(row), rows.width())) + weight);
      }
      continue;
    }
    const std::size_t children[] = {2 * i + 1, 2 * i + 2};
    Bounds reach[2];
    for (std::size_t c = 0; c < 2; ++c) {
      reach[c] = tree.bounds(children[c], x);
      const double log_weight = std::log(d.node_weights[children[c]]);
      nodes.least[children[c]] = log_weight + d.of_distance(reach[c].most);
      nodes.spread[children[c]] = log_weight + d.of_distance(reach[c].least);
    }
    least = log_subtract(least, nodes.least[i]);
    least = log_add(log_add(least, nodes.least[children[0]]), nodes.least[children[1]]);
    spread = log_subtract(spread, nodes.spread[i]);
    spread = log_add(log_add(spread, nodes.spread[children[0]]), nodes.spread[children[1]]);
    for (std::size_t c = 0; c < 2; ++c) nodes.push(reach[c].least, children[c]);
  }
  return log_add(least, spread - std::log(2));
}

// Bounds of a density or of a node's share of it: the least it is, and how much more it may be.
struct Share {
  double least;
  double spread;
};

Share share_of(const Density& d, double weight, const Bounds& reach) {
  const double least = std::log(weight) + d.of_distance(reach.most);
  return {least, log_subtract(std::log(weight) + d.of_distance(reach.least), least)};
}

// BinaryTree._kde_single_depthfirst
void add_node(const Density& d, const double* x, std::size_t i, const Share& local, Share& global) {
  const TreeWalk& tree = *d.search.tree;
  const TreeWalk::Node& node = tree.node(i);
  const StoredRows& rows = d.search.rows;
  if (d.norm + local.spread - std::log(d.node_weights[i]) + std::log(d.total) <=
      log_add(d.log_absolute, d.log_relative + d.norm + local.least))
    return;
  if (d.norm + global.spread <= log_add(d.log_absolute, d.log_relative + d.norm + global.least)) return;
  global.least = log_subtract(global.least, local.least);
  if (node.is_leaf) {
    global.spread = log_subtract(global.spread, local.spread);
    for (std::size_t k = node.first; k < node.last; ++k) {
      const std::size_t row = tree.position(k);
      const double weight = d.log_weights.empty() ? 0. : d.log_weights[row];
      global.least = log_add(
          global.least, d.of_distance(rows.distance().distance(x, rows.row(row), rows.width())) + weight);
    }
    return;
  }
  const std::size_t left = 2 * i + 1;
  const Share children[] = {share_of(d, d.node_weights[left], tree.bounds(left, x)),
                            share_of(d, d.node_weights[left + 1], tree.bounds(left + 1, x))};
  global.least = log_add(log_add(global.least, children[0].least), children[1].least);
  global.spread = log_subtract(global.spread, local.spread);
  global.spread = log_add(log_add(global.spread, children[0].spread), children[1].spread);
  add_node(d, x, left, children[0], global);
  add_node(d, x, left + 1, children[1], global);
}

double log_density_by_depth(const Density& d, const double* x) {
  Share global = share_of(d, d.total, d.search.tree->bounds(0, x));
  const Share root = global;
  add_node(d, x, 0, root, global);
  return log_add(global.least, global.spread - std::log(2));
}

// A mixture of Gaussians: log densities of a row under each.
class Gaussians {
 public:
  Gaussians(const program::GaussianLogDensity& op, const Wiring& wiring)
      : covariance_(op.covariance),
        width_(wiring.width_of(wiring.input())),
        count_(wiring.width_of(wiring.output())),
        means_(wiring.numbers(op.means)),
        factors_(wiring.numbers(op.factors)),
        log_determinants_(wiring.numbers(op.log_determinants)),
        offsets_(wiring.numbers(op.offsets)) {
    squares_.resize(width_);
    if (covariance_ == Covariance::kFull || covariance_ == Covariance::kTied)
      whiten_means();
    else
      make_terms();
  }

  void run(const double* x, double* scratch, double* out) const {
    const double base = static_cast<double>(width_) * std::log(2 * std::numbers::pi);
    for (std::size_t k = 0; k < count_; ++k) {
      out[k] = -0.5 * (base + squared_distance(x, k, scratch)) + log_determinants_[k];
      for (std::size_t i = k; i < offsets_.size(); i += count_) out[k] += offsets_[i];
    }
  }

 private:
  bool whitens() const { return covariance_ == Covariance::kFull || covariance_ == Covariance::kTied; }
  const double* factor(std::size_t k) const {
    return factors_.data() + (covariance_ == Covariance::kFull ? k * width_ * width_ : 0);
  }

  // mu @ precisions_cholesky
  void whiten_means() {
    terms_.resize(count_ * width_);
    for (std::size_t k = 0; k < count_; ++k)
      whiten(means_.data() + k * width_, k, terms_.data() + k * width_);
  }
  void whiten(const double* x, std::size_t k, double* out) const {
    std::fill_n(out, width_, 0.0);
    for (std::size_t i = 0; i < width_; ++i)
      for (std::size_t j = 0; j < width_; ++j) out[j] += x[i] * factor(k)[i * width_ + j];
  }

  // diag, spherical: the constant term, and what x is multiplied with
  void make_terms() {
    const bool spherical = covariance_ == Covariance::kSpherical;
    for (double& value : factors_) value = value * value;
    for (std::size_t k = 0; k < count_; ++k) {
      for (std::size_t j = 0; j < width_; ++j) {
        const double mean = means_[k * width_ + j];
        squares_[j] = spherical ? mean * mean : mean * mean * factors_[k * width_ + j];
        terms_.push_back(spherical ? mean : mean * factors_[k * width_ + j]);
      }
      const double sum = row_sum(squares_.data(), width_);
      constants_.push_back(spherical ? sum * factors_[k] : sum);
    }
  }

  double squared_distance(const double* x, std::size_t k, double* scratch) const {
    const double* term = terms_.data() + k * width_;
    if (whitens()) {
      whiten(x, k, scratch);
      for (std::size_t j = 0; j < width_; ++j) {
        const double y = scratch[j] - term[j];
        scratch[j] = y * y;
      }
      return row_sum(scratch, width_);
    }
    double cross = 0;
    double square = 0;
    if (covariance_ == Covariance::kSpherical) {
      for (std::size_t j = 0; j < width_; ++j) {
        cross += x[j] * term[j];
        square += x[j] * x[j];
      }
      return constants_[k] - 2 * (cross * factors_[k]) + square * factors_[k];
    }
    for (std::size_t j = 0; j < width_; ++j) {
      cross += x[j] * term[j];
      square += x[j] * x[j] * factors_[k * width_ + j];
    }
    return constants_[k] - 2.0 * cross + square;
  }

  Covariance covariance_;
  std::size_t width_, count_;
  std::vector<double> means_, factors_, log_determinants_, offsets_;
  std::vector<double> terms_, constants_, squares_;
};

}  // namespace

MadeKernel make_kernel(const program::KernelDensities& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const auto density = std::make_shared<const Density>(op, wiring);
  return Kernel{[=, breadth_first = op.breadth_first](const Frame& frame) -> base::Status {
    const std::size_t nodes = density->search.tree->nodes();
    double* room = at_least(frame.buffers().sums, 3 * nodes + 2);
    NodeBounds bounds{room, room + nodes, room + 2 * nodes, at_least(frame.buffers().places, nodes + 2)};
    const double* x = frame.matrix(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < frame.rows(); ++i, x += density->search.rows.width())
      to[i] = (breadth_first ? log_density(*density, x, bounds) : log_density_by_depth(*density, x)) +
              density->norm - density->log_total;
    return {};
  }};
}

MadeKernel make_kernel(const program::GaussianLogDensity& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t count = wiring.width_of(out);
  return Kernel{[=, gaussians = Gaussians(op, wiring)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* scratch = at_least(frame.buffers().sums, from.columns);
    for (std::size_t i = 0; i < from.rows; ++i)
      gaussians.run(from.numbers + i * from.columns, scratch, to + i * count);
    return {};
  }};
}

MadeKernel make_kernel(const program::LogSumExp&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    double* terms = at_least(frame.buffers().sums, from.columns);
    for (std::size_t i = 0; i < from.rows; ++i) {
      const double* x = from.numbers + i * from.columns;
      double most = kNone;
      for (std::size_t k = 0; k < from.columns; ++k)
        if (x[k] > most || std::isnan(x[k])) most = x[k];
      if (std::isinf(most)) most = 0;
      for (std::size_t k = 0; k < from.columns; ++k) terms[k] = std::exp(x[k] - most);
      to[i] = std::log(row_sum(terms, from.columns)) + most;
    }
    return {};
  }};
}

}  // namespace wherry::engine
