// Distances to stored rows: neighbours, clusters, mixtures, and imputation from neighbours. See ops.h for the
// conventions. The distances themselves are stated in engine/distance.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"

namespace wherry::program {

enum class MetricKind {
  kEuclidean,
  kSqeuclidean,
  kManhattan,
  kChebyshev,
  kMinkowski,
  kSeuclidean,
  kMahalanobis,
  kHamming,
  kCanberra,
  kBraycurtis,
  kMatching,
  kJaccard,
  kDice,
  kKulsinski,
  kRogerstanimoto,
  kRussellrao,
  kSokalmichener,
  kSokalsneath,
  kYule,
  kHaversine,
  kCosine,
  kCorrelation,
  kNanEuclidean,
  kPrecomputed
};
inline constexpr std::string_view kMetricKindNames[] = {
    "euclidean",   "sqeuclidean", "manhattan",      "chebyshev",   "minkowski",     "seuclidean",
    "mahalanobis", "hamming",     "canberra",       "braycurtis",  "matching",      "jaccard",
    "dice",        "kulsinski",   "rogerstanimoto", "russellrao",  "sokalmichener", "sokalsneath",
    "yule",        "haversine",   "cosine",         "correlation", "nan_euclidean", "precomputed"};
constexpr auto enum_names(MetricKind) {
  return std::span(kMetricKindNames);
}

// How far two rows are apart. `p` and the weights `values` float64 [w] of minkowski, the variances [w] of
// seuclidean, the inverse covariance [w, w] of mahalanobis. `expanded` (euclidean, sqeuclidean): from the
// squared norms and the dot product, each summed in ascending order of columns, as max(0, (|x|² - 2xy) +
// |y|²); what a framework's BLAS makes of it may differ in the last bits of |x|² + |y|². precomputed: the
// input is the distances themselves, one column per stored row.
struct Metric {
  MetricKind kind = MetricKind::kEuclidean;
  double p = 2;
  bool expanded = false;
  bool has_values = false;
  WeightId values;
  template <class V>
  void fields(V& v) {
    v("kind", kind), v("p", p), v("expanded", expanded), v("has_values", has_values);
    if (has_values) v("values", values);
  }
};

enum class TreeShape { kKd, kBall };
inline constexpr std::string_view kTreeShapeNames[] = {"kd", "ball"};
constexpr auto enum_names(TreeShape) {
  return std::span(kTreeShapeNames);
}

// sklearn/neighbors/_binary_tree.pxi: node i has the children 2i + 1 and 2i + 2 unless it is a leaf, and the
// stored rows order[first[i]] … order[last[i] - 1], which its children share out. Weights: order int64 [m];
// first, last, leaf (0 or 1) int64 [t]; radius float64 [t]; bounds float64: kd [2, t, w] the lowest and
// highest value of each column, ball [1, t, w] the centres.
struct SpatialTree {
  TreeShape shape = TreeShape::kKd;
  WeightId order, first, last, leaf, radius, bounds;
  template <class V>
  void fields(V& v) {
    v("shape", shape), v("order", order), v("first", first), v("last", last), v("leaf", leaf);
    v("radius", radius), v("bounds", bounds);
  }
};

// Which rows win among equally near ones.
//   kHeap: rows are pushed in ascending order on a heap of the nearest so far, on which a row as far as its
//   farthest is not put (sklearn/metrics/_pairwise_distances_reduction/_argkmin.pyx by one thread, 1.1+)
//   kPartition: numpy.argpartition of all distances (introselect, as it is without AVX-512)
//   kTree: the heap of kHeap, rows pushed in the order of a depth-first walk through the tree, the nearer
//   child first (BinaryTree._query_single_depthfirst)
enum class NeighborChoice { kHeap, kPartition, kTree };
inline constexpr std::string_view kNeighborChoiceNames[] = {"heap", "partition", "tree"};
constexpr auto enum_names(NeighborChoice) {
  return std::span(kNeighborChoiceNames);
}

// matrix [n, w] → matrix [n, 2 * count], a neighbour list: the distances to the nearest stored rows in
// ascending order, then the positions of these rows. rows float64 [m, w].
struct NearestRows {
  static constexpr std::string_view kName = "nearest_rows";
  Metric metric;
  NeighborChoice choice = NeighborChoice::kHeap;
  std::int64_t count = 1;
  std::int64_t width = 0;  // m when precomputed, where there are no rows
  WeightId rows;
  SpatialTree tree;
  template <class V>
  void fields(V& v) {
    v("metric", metric), v("choice", choice), v("count", count), v("width", width);
    if (metric.kind != MetricKind::kPrecomputed) v("rows", rows);
    if (choice == NeighborChoice::kTree) v("tree", tree);
  }
};

// matrix [n, w] → matrix [n, m], a neighbour table: the distance to each stored row not farther than
// `radius`, NaN to the others. With kTree as BinaryTree._query_radius_single, where whole nodes are taken or
// left by their bounds; otherwise euclidean distances are compared squared.
struct RowsWithin {
  static constexpr std::string_view kName = "rows_within";
  Metric metric;
  NeighborChoice choice = NeighborChoice::kHeap;
  double radius = 1;
  std::int64_t width = 0;
  WeightId rows;
  SpatialTree tree;
  template <class V>
  void fields(V& v) {
    v("metric", metric), v("choice", choice), v("radius", radius), v("width", width);
    if (metric.kind != MetricKind::kPrecomputed) v("rows", rows);
    if (choice == NeighborChoice::kTree) v("tree", tree);
  }
};

// matrix [n, w] → matrix [n, m]: the distances to all stored rows, squared where `squared`.
struct Distances {
  static constexpr std::string_view kName = "distances";
  Metric metric;
  bool squared = false;
  WeightId rows;
  template <class V>
  void fields(V& v) {
    v("metric", metric), v("squared", squared), v("rows", rows);
  }
};

// kList: what NearestRows makes; kTable: what RowsWithin makes, its rows in ascending order. Positions which
// name no stored row are no neighbours.
enum class NeighborForm { kList, kTable };
inline constexpr std::string_view kNeighborFormNames[] = {"list", "table"};
constexpr auto enum_names(NeighborForm) {
  return std::span(kNeighborFormNames);
}

// kUniform: 1 each. kDistance: 1 / distance; where a neighbour is at distance 0 (or so near that this is
// infinite), 1 for those and 0 for the others (sklearn/neighbors/_base.py _get_weights).
enum class NeighborWeights { kUniform, kDistance };
inline constexpr std::string_view kNeighborWeightsNames[] = {"uniform", "distance"};
constexpr auto enum_names(NeighborWeights) {
  return std::span(kNeighborWeightsNames);
}

// What becomes of a row without neighbours: refused, all votes 0, or one vote for the class `outlier`.
enum class OutlierVote { kRefuse, kNone, kClass };
inline constexpr std::string_view kOutlierVoteNames[] = {"refuse", "none", "class"};
constexpr auto enum_names(OutlierVote) {
  return std::span(kOutlierVoteNames);
}

// neighbours → matrix [n, classes]: the sum of the weights of those of each class, labels int32 [m].
//   normalize: one after the other, then divided by their sum (RowSum::kPairwise; by 1 when that is 0)
//   otherwise: as sklearn.utils.extmath.weighted_mode adds them, numpy's sum over all neighbours in which
//   those of other classes are 0
// `outlier_column`: one column more, 1 where all others are 0 and 0 elsewhere.
struct NeighborVotes {
  static constexpr std::string_view kName = "neighbor_votes";
  NeighborForm form = NeighborForm::kList;
  NeighborWeights weights = NeighborWeights::kUniform;
  bool normalize = true;
  bool outlier_column = false;
  OutlierVote outliers = OutlierVote::kNone;
  std::int64_t outlier = 0;
  std::int64_t classes = 1;
  WeightId labels;
  template <class V>
  void fields(V& v) {
    v("form", form), v("weights", weights), v("normalize", normalize), v("outlier_column", outlier_column);
    v("outliers", outliers), v("outlier", outlier), v("classes", classes), v("labels", labels);
  }
};

// neighbours → matrix [n, o]: the mean of the neighbours' targets float64 [m, o], weighted: sum(target *
// weight) / sum(weight). Lists: numpy.mean adds several targets one row after the other, and a single one as
// RowSum::kPairwise. Rows without neighbours become `empty`.
struct NeighborMean {
  static constexpr std::string_view kName = "neighbor_mean";
  NeighborForm form = NeighborForm::kList;
  NeighborWeights weights = NeighborWeights::kUniform;
  double empty = 0;
  WeightId targets;
  template <class V>
  void fields(V& v) {
    v("form", form), v("weights", weights), v("empty", empty), v("targets", targets);
  }
};

// neighbours → matrix [n, rows]: the distance of each neighbour (1 with `connectivity`) at its position, 0
// elsewhere.
struct NeighborGraph {
  static constexpr std::string_view kName = "neighbor_graph";
  NeighborForm form = NeighborForm::kList;
  bool connectivity = false;
  std::int64_t rows = 1;
  template <class V>
  void fields(V& v) {
    v("form", form), v("connectivity", connectivity), v("rows", rows);
  }
};

// neighbour list → matrix [n, 1]: sklearn/neighbors/_lof.py score_samples. With d the distances and i the
// positions: density = 1 / (mean(max(d, reach[i])) + 1e-10); out = -mean(density_fit[i] / density). reach,
// density float64 [m].
struct LocalOutliers {
  static constexpr std::string_view kName = "local_outliers";
  WeightId reach, density;
  template <class V>
  void fields(V& v) {
    v("reach", reach), v("density", density);
  }
};

enum class DensityKernel { kGaussian, kTophat, kEpanechnikov, kExponential, kLinear, kCosine };
inline constexpr std::string_view kDensityKernelNames[] = {"gaussian",    "tophat", "epanechnikov",
                                                           "exponential", "linear", "cosine"};
constexpr auto enum_names(DensityKernel) {
  return std::span(kDensityKernelNames);
}

// matrix [n, w] → matrix [n, 1]: the logarithm of a kernel density, BinaryTree._kde_single_breadthfirst or
// _kde_single_depthfirst with its tolerances, then minus log(total weight). log_weights float64 [m] only when
// has_weights; `total` is their sum before the logarithm, or m.
struct KernelDensities {
  static constexpr std::string_view kName = "kernel_densities";
  Metric metric;
  DensityKernel kernel = DensityKernel::kGaussian;
  bool breadth_first = true;
  double bandwidth = 1;
  double absolute_tolerance = 0;
  double relative_tolerance = 0;
  double total = 1;
  bool has_weights = false;
  WeightId rows, weights;
  SpatialTree tree;
  template <class V>
  void fields(V& v) {
    v("metric", metric), v("kernel", kernel), v("breadth_first", breadth_first), v("bandwidth", bandwidth);
    v("absolute_tolerance", absolute_tolerance), v("relative_tolerance", relative_tolerance);
    v("total", total), v("has_weights", has_weights), v("rows", rows), v("tree", tree);
    if (has_weights) v("weights", weights);
  }
};

// neighbours → matrix [n, m]: g[j] = -0.5 * (min over neighbours i of distances[i, j] + d_i)², then (g[j] -
// fit_rows[j]) - sum(g) / m + fit_all: the kernel of sklearn/manifold/_isomap.py after KernelCenterer.
// distances float64 [m, m], fit_rows float64 [m].
struct GeodesicKernel {
  static constexpr std::string_view kName = "geodesic_kernel";
  NeighborForm form = NeighborForm::kList;
  double fit_all = 0;
  WeightId distances, fit_rows;
  template <class V>
  void fields(V& v) {
    v("form", form), v("fit_all", fit_all), v("distances", distances), v("fit_rows", fit_rows);
  }
};

// matrix [n, w] and its neighbour list → matrix [n, o]: sklearn/manifold/_locally_linear.py
// barycenter_weights with `regularization`, by Cholesky decomposition, and the so weighted sum of the
// neighbours' embeddings. rows float64 [m, w], embedding float64 [m, o].
struct Barycenter {
  static constexpr std::string_view kName = "barycenter";
  double regularization = 1e-3;
  WeightId rows, embedding;
  template <class V>
  void fields(V& v) {
    v("regularization", regularization), v("rows", rows), v("embedding", embedding);
  }
};

enum class Covariance { kFull, kTied, kDiagonal, kSpherical };
inline constexpr std::string_view kCovarianceNames[] = {"full", "tied", "diag", "spherical"};
constexpr auto enum_names(Covariance) {
  return std::span(kCovarianceNames);
}

// matrix [n, w] → matrix [n, k]: sklearn/mixture/_gaussian_mixture.py _estimate_log_gaussian_prob, then each
// row of offsets added in turn. means float64 [k, w]; factors (precisions_cholesky_) float64 [k, w, w], [w,
// w], [k, w] or [k]; log_determinants float64 [k]; offsets float64 [any, k].
struct GaussianLogDensity {
  static constexpr std::string_view kName = "gaussian_log_density";
  Covariance covariance = Covariance::kFull;
  WeightId means, factors, log_determinants, offsets;
  template <class V>
  void fields(V& v) {
    v("covariance", covariance), v("means", means), v("factors", factors);
    v("log_determinants", log_determinants), v("offsets", offsets);
  }
};

// matrix [n, k] → matrix [n, 1]: m + log(sum(exp(x - m))) with m the row's maximum (0 when that is infinite).
struct LogSumExp {
  static constexpr std::string_view kName = "log_sum_exp";
  template <class V>
  void fields(V&) {}
};

enum class Pooling { kMean, kMax, kMin, kMedian };
inline constexpr std::string_view kPoolingNames[] = {"mean", "max", "min", "median"};
constexpr auto enum_names(Pooling) {
  return std::span(kPoolingNames);
}

// matrix [n, w] → matrix [n, groups]: what the columns of each group have in common; groups[j] is that of
// column j, every group has one. The mean adds in ascending order, then divides.
struct PoolColumns {
  static constexpr std::string_view kName = "pool_columns";
  Pooling pooling = Pooling::kMean;
  std::vector<std::int64_t> groups;
  template <class V>
  void fields(V& v) {
    v("pooling", pooling), v("groups", groups);
  }
};

// matrix [n, w] → index: a walk from node 0. At a node with left >= 0: the right child if |r|² - 2rx < |l|² -
// 2lx for the centres l, r of its children, else the left one; at a leaf: its label
// (sklearn/cluster/_bisect_k_means.py). centers float64 [t, w]; left, right, label int64 [t], children after
// their parent, labels below `labels`.
struct CenterTree {
  static constexpr std::string_view kName = "center_tree";
  std::int64_t labels = 1;
  WeightId centers, left, right, label;
  template <class V>
  void fields(V& v) {
    v("labels", labels), v("centers", centers), v("left", left), v("right", right), v("label", label);
  }
};

// matrix [n, w] → matrix [n, w]: sklearn/impute/_knn.py. A missing cell (NaN, or equal to `missing`) of
// column j becomes the mean of column j of the `count` nearest stored rows that have it, by nan_euclidean
// distances and numpy.argpartition, weighted as NeighborWeights; the column's mean where no such row has a
// distance. `unreachable_count`: rows without a distance count as neighbours when there are too few others
// (before 1.6, uniform weights). Columns no stored row has stay as they are. rows float64 [m, w]; absent
// uint8 [m, w]: 1 where a stored cell is missing.
struct NeighborImpute {
  static constexpr std::string_view kName = "neighbor_impute";
  double missing = 0;
  std::int64_t count = 5;
  NeighborWeights weights = NeighborWeights::kUniform;
  bool unreachable_count = false;
  WeightId rows, absent;
  template <class V>
  void fields(V& v) {
    v("missing", missing), v("count", count), v("weights", weights);
    v("unreachable_count", unreachable_count), v("rows", rows), v("absent", absent);
  }
};

// matrix [n, w], mask [n, w] and values [n, 1] → the first with its column `column` replaced by
// min(max(value, low), high) where the mask is not 0 (sklearn/impute/_iterative.py).
struct ReplaceMasked {
  static constexpr std::string_view kName = "replace_masked";
  std::int64_t column = 0;
  double low = 0;
  double high = 0;
  template <class V>
  void fields(V& v) {
    v("column", column), v("low", low), v("high", high);
  }
};

using NeighborsOps = OpList<NearestRows, RowsWithin, Distances, NeighborVotes, NeighborMean, NeighborGraph,
                            LocalOutliers, KernelDensities, GeodesicKernel, Barycenter, GaussianLogDensity,
                            LogSumExp, PoolColumns, CenterTree, NeighborImpute, ReplaceMasked>;

}  // namespace wherry::program
