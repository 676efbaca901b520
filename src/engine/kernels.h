// One kernel per operation of program/ops.h. Private to module engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/frame.h"
#include "program/program.h"

namespace wherry::engine {

// What is kept of a Program: everything but the weights.
struct Skeleton {
  program::Signature signature;
  std::vector<program::Node> nodes;
  std::vector<program::ValueType> types;
};

// "column 'country'": the column of the signature that column `column` of value `value` comes from, or
// "derived feature 5" where it is computed from others.
std::string column_name(const Skeleton& skeleton, program::ValueId value, std::size_t column);

// An operation prepared for execution. `run` reads the block of its inputs and writes that of its output; it
// is called from many threads at once, and may be called with 0 rows. Errors are those of Plan::run.
struct Kernel {
  std::function<base::Status(const Frame&)> run;
  std::size_t best_rows = 512;  // block size it works best with
};

// What an operation is made of. `program` has the weights and outlives only the making; `skeleton` outlives
// the kernel.
struct Wiring {
  const Skeleton& skeleton;
  const program::Program& program;
  const program::Node& node;  // of skeleton

  program::ValueId input() const { return node.inputs[0]; }
  program::ValueId output() const { return node.output; }
  std::size_t width_of(program::ValueId value) const {
    return static_cast<std::size_t>(program::width(skeleton.types[value]));
  }
  bool is_sparse(program::ValueId value) const { return program::is_sparse(skeleton.types[value]); }
  std::vector<double> numbers(program::WeightId id) const {
    const auto weight = program.weight(id).as<double>();
    return {weight.begin(), weight.end()};
  }
};

using MadeKernel = base::Result<Kernel>;

// kernels_sparse.cc: the operations which also take sparse values, for those.
MadeKernel make_sparse_kernel(const program::SelectColumns& op, const Wiring& wiring);
MadeKernel make_sparse_kernel(const program::Concat& op, const Wiring& wiring);
MadeKernel make_sparse_kernel(const program::CheckFinite& op, const Wiring& wiring);
MadeKernel make_sparse_kernel(const program::Columnwise& op, const Wiring& wiring);
MadeKernel make_sparse_kernel(const program::Linear& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ToDense& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ToSparse& op, const Wiring& wiring);

// kernels_columns.cc
// What CheckFinite says about a NaN or infinity at `where`, and the smallest magnitude it refuses.
std::unexpected<base::Error> not_finite(const program::CheckFinite& op, const std::string& where,
                                        bool is_nan);
double finite_bound(const program::CheckFinite& op);

MadeKernel make_kernel(const program::SelectColumns& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Concat& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ToMatrix& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CheckFinite& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Impute& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ImputeCells& op, const Wiring& wiring);
MadeKernel make_kernel(const program::MissingMask& op, const Wiring& wiring);

// kernels_encode.cc
MadeKernel make_kernel(const program::OneHot& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Ordinal& op, const Wiring& wiring);

// kernels_numeric.cc
MadeKernel make_kernel(const program::Columnwise& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Clip& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Apply& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Linear& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Softmax& op, const Wiring& wiring);
MadeKernel make_kernel(const program::NormalizeRows& op, const Wiring& wiring);
MadeKernel make_kernel(const program::MultinomialLogit& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Constant& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Complement& op, const Wiring& wiring);

// kernels_matrices.cc
MadeKernel make_kernel(const program::Elementwise& op, const Wiring& wiring);
MadeKernel make_kernel(const program::SumRows& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Power& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Threshold& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Interpolate& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CheckLeast& op, const Wiring& wiring);

// kernels_similarity.cc
MadeKernel make_kernel(const program::KernelMatrix& op, const Wiring& wiring);

// kernels_pairs.cc
MadeKernel make_kernel(const program::PairDecisions& op, const Wiring& wiring);
MadeKernel make_kernel(const program::PairWinner& op, const Wiring& wiring);
MadeKernel make_kernel(const program::PairProbabilities& op, const Wiring& wiring);

// kernels_kernel_machines.cc
MadeKernel make_kernel(const program::SolvedSquares& op, const Wiring& wiring);
MadeKernel make_kernel(const program::LaplaceProbability& op, const Wiring& wiring);
MadeKernel make_kernel(const program::GaussianLikelihood& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CategoricalLikelihood& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CountSketch& op, const Wiring& wiring);
MadeKernel make_kernel(const program::AdditiveChi2Features& op, const Wiring& wiring);
// kernels_text.cc
MadeKernel make_kernel(const program::CountTerms& op, const Wiring& wiring);
MadeKernel make_kernel(const program::HashTerms& op, const Wiring& wiring);
MadeKernel make_kernel(const program::WeighTerms& op, const Wiring& wiring);

// kernels_records.cc
MadeKernel make_kernel(const program::DictFeatures& op, const Wiring& wiring);
MadeKernel make_kernel(const program::HashFeatures& op, const Wiring& wiring);

// kernels_trees.cc
MadeKernel make_kernel(const program::TreeEnsemble& op, const Wiring& wiring);

// kernels_boosters.cc
MadeKernel make_kernel(const program::ApplyFloat32& op, const Wiring& wiring);
MadeKernel make_kernel(const program::SoftmaxFloat32& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ComplementFloat32& op, const Wiring& wiring);
MadeKernel make_kernel(const program::LinearFloat32& op, const Wiring& wiring);

// kernels_linear_trees.cc
MadeKernel make_kernel(const program::LinearTrees& op, const Wiring& wiring);

// kernels_labels.cc
MadeKernel make_kernel(const program::Argmax& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Above& op, const Wiring& wiring);
MadeKernel make_kernel(const program::TakeLabels& op, const Wiring& wiring);
MadeKernel make_kernel(const program::StackLabels& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Flatten& op, const Wiring& wiring);

// kernels_ensemble.cc
MadeKernel make_kernel(const program::AsMatrix& op, const Wiring& wiring);
MadeKernel make_kernel(const program::MatchLabels& op, const Wiring& wiring);
MadeKernel make_kernel(const program::WeightedSum& op, const Wiring& wiring);
MadeKernel make_kernel(const program::WeightedMedian& op, const Wiring& wiring);
MadeKernel make_kernel(const program::SammeScores& op, const Wiring& wiring);
MadeKernel make_kernel(const program::PairVotes& op, const Wiring& wiring);
MadeKernel make_kernel(const program::NearestCode& op, const Wiring& wiring);

// kernels_catboost.cc
MadeKernel make_kernel(const program::CatboostFeatures& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ObliviousTrees& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CatboostExp& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CatboostSoftmax& op, const Wiring& wiring);

// kernels_preprocess.cc
MadeKernel make_kernel(const program::WithConstant& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ReplaceNonFinite& op, const Wiring& wiring);
MadeKernel make_kernel(const program::NormalizeLengths& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CenterKernel& op, const Wiring& wiring);
MadeKernel make_kernel(const program::PowerTransform& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Quantiles& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Bins& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Products& op, const Wiring& wiring);

// kernels_factorize.cc
MadeKernel make_kernel(const program::Factorize& op, const Wiring& wiring);
MadeKernel make_kernel(const program::TopicMixture& op, const Wiring& wiring);

// kernels_sparse_code.cc
MadeKernel make_kernel(const program::SparseCode& op, const Wiring& wiring);

// kernels_spline.cc
MadeKernel make_kernel(const program::SplineBasis& op, const Wiring& wiring);
// kernels_neighbors.cc
MadeKernel make_kernel(const program::NearestRows& op, const Wiring& wiring);
MadeKernel make_kernel(const program::RowsWithin& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Distances& op, const Wiring& wiring);

// kernels_neighbor_answers.cc
MadeKernel make_kernel(const program::NeighborVotes& op, const Wiring& wiring);
MadeKernel make_kernel(const program::NeighborMean& op, const Wiring& wiring);
MadeKernel make_kernel(const program::NeighborGraph& op, const Wiring& wiring);
MadeKernel make_kernel(const program::LocalOutliers& op, const Wiring& wiring);
MadeKernel make_kernel(const program::GeodesicKernel& op, const Wiring& wiring);
MadeKernel make_kernel(const program::Barycenter& op, const Wiring& wiring);

// kernels_density.cc
MadeKernel make_kernel(const program::KernelDensities& op, const Wiring& wiring);
MadeKernel make_kernel(const program::GaussianLogDensity& op, const Wiring& wiring);
MadeKernel make_kernel(const program::LogSumExp& op, const Wiring& wiring);

// kernels_clusters.cc
MadeKernel make_kernel(const program::PoolColumns& op, const Wiring& wiring);
MadeKernel make_kernel(const program::CenterTree& op, const Wiring& wiring);

// kernels_graph.cc
MadeKernel make_kernel(const program::TensorInput& op, const Wiring& wiring);
MadeKernel make_kernel(const program::OnnxGraph& op, const Wiring& wiring);
MadeKernel make_kernel(const program::GraphOutput& op, const Wiring& wiring);

// kernels_impute.cc
MadeKernel make_kernel(const program::NeighborImpute& op, const Wiring& wiring);
MadeKernel make_kernel(const program::ReplaceMasked& op, const Wiring& wiring);

}  // namespace wherry::engine
