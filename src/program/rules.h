// The type rule of each operation: what it makes of the types it is given, or "program.invalid" when types,
// weights or fields break its contract. Whatever passes is safe to execute. Private to module program.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "program/program.h"

namespace wherry::program {

std::unexpected<base::Error> invalid(std::string message);

ValueType matrix_type(std::int64_t columns);
ValueType table_type(std::int64_t columns);
ValueType index_type();
ValueType sparse_type(std::int64_t columns);

inline constexpr std::int64_t kMostWidth = 100'000'000;

// What an operation is applied to.
struct Operands {
  std::span<const ValueType> types;
  const Program& program;
  std::int64_t index_range = 0;      // how many values an index input can take
  const OnnxGraph* graph = nullptr;  // whose tuple the only input is

  base::Status columns() const;                 // one table or matrix
  base::Result<ValueType> same_matrix() const;  // one matrix, whose type it is
  base::Result<ValueType> same_rows() const;    // one matrix or sparse value, whose type it is
  base::Status one_column() const;              // one matrix of one column

  base::Status check_positions(std::span<const std::int64_t> positions, std::int64_t count) const;
  const tensor::Tensor* find_weight(WeightId id) const;  // null: no such weight
  base::Status check_weight(WeightId id, tensor::DType dtype, const tensor::Shape& shape,
                            std::string_view what) const;
};

bool is_columns(const ValueType& type);  // table or matrix

// rules_columns.cc
base::Result<ValueType> type_of(const SelectColumns& op, const Operands& in);
base::Result<ValueType> type_of(const Concat& op, const Operands& in);
base::Result<ValueType> type_of(const ToMatrix& op, const Operands& in);
base::Result<ValueType> type_of(const CheckFinite& op, const Operands& in);
base::Result<ValueType> type_of(const Impute& op, const Operands& in);
base::Result<ValueType> type_of(const ImputeCells& op, const Operands& in);
base::Result<ValueType> type_of(const MissingMask& op, const Operands& in);
base::Result<ValueType> type_of(const Constant& op, const Operands& in);

// rules_encode.cc
base::Result<ValueType> type_of(const OneHot& op, const Operands& in);
base::Result<ValueType> type_of(const Ordinal& op, const Operands& in);

// rules_numeric.cc
base::Result<ValueType> type_of(const Columnwise& op, const Operands& in);
base::Result<ValueType> type_of(const Clip& op, const Operands& in);
base::Result<ValueType> type_of(const Apply& op, const Operands& in);
base::Result<ValueType> type_of(const Linear& op, const Operands& in);
base::Result<ValueType> type_of(const Softmax& op, const Operands& in);
base::Result<ValueType> type_of(const NormalizeRows& op, const Operands& in);
base::Result<ValueType> type_of(const MultinomialLogit& op, const Operands& in);
base::Result<ValueType> type_of(const Complement& op, const Operands& in);
base::Result<ValueType> type_of(const Elementwise& op, const Operands& in);
base::Result<ValueType> type_of(const SumRows& op, const Operands& in);
base::Result<ValueType> type_of(const Power& op, const Operands& in);
base::Result<ValueType> type_of(const Threshold& op, const Operands& in);
base::Result<ValueType> type_of(const Interpolate& op, const Operands& in);
base::Result<ValueType> type_of(const CheckLeast& op, const Operands& in);

// rules_trees.cc
// The arrays by which operations describe the nodes of their trees, as program::TreeEnsemble does.
struct TreeNodes {
  WeightId roots, target, feature, threshold, left, right, default_left;
  std::int64_t outputs = 1;
  std::int64_t leaves = 0;      // which leaf nodes may name
  std::int64_t leaf_width = 1;  // outputs a tree adds to
};
// Their dtypes, sizes and structure, for a matrix of `columns`; the weights may be missing.
base::Status check_tree_nodes(const TreeNodes& trees, const Operands& in, std::int64_t columns);
// `category` [nodes] names rows of `cat_left`, uint32 [sets, words].
base::Status check_tree_categories(WeightId category, WeightId cat_left, std::int64_t nodes,
                                   const Operands& in);
base::Result<ValueType> type_of(const TreeEnsemble& op, const Operands& in);

// rules_labels.cc
base::Result<ValueType> type_of(const Argmax& op, const Operands& in);
base::Result<ValueType> type_of(const Above& op, const Operands& in);
base::Result<ValueType> type_of(const TakeLabels& op, const Operands& in);
base::Result<ValueType> type_of(const StackLabels& op, const Operands& in);
base::Result<ValueType> type_of(const Flatten& op, const Operands& in);

// rules_kernels.cc
base::Result<ValueType> type_of(const KernelMatrix& op, const Operands& in);
base::Result<ValueType> type_of(const PairDecisions& op, const Operands& in);
base::Result<ValueType> type_of(const PairWinner& op, const Operands& in);
base::Result<ValueType> type_of(const PairProbabilities& op, const Operands& in);
base::Result<ValueType> type_of(const SolvedSquares& op, const Operands& in);
base::Result<ValueType> type_of(const LaplaceProbability& op, const Operands& in);
base::Result<ValueType> type_of(const GaussianLikelihood& op, const Operands& in);
base::Result<ValueType> type_of(const CategoricalLikelihood& op, const Operands& in);
base::Result<ValueType> type_of(const CountSketch& op, const Operands& in);
base::Result<ValueType> type_of(const AdditiveChi2Features& op, const Operands& in);

// rules_neighbors.cc
base::Result<ValueType> type_of(const NearestRows& op, const Operands& in);
base::Result<ValueType> type_of(const RowsWithin& op, const Operands& in);
base::Result<ValueType> type_of(const Distances& op, const Operands& in);
base::Result<ValueType> type_of(const NeighborVotes& op, const Operands& in);
base::Result<ValueType> type_of(const NeighborMean& op, const Operands& in);
base::Result<ValueType> type_of(const NeighborGraph& op, const Operands& in);
base::Result<ValueType> type_of(const LocalOutliers& op, const Operands& in);
base::Result<ValueType> type_of(const KernelDensities& op, const Operands& in);
base::Result<ValueType> type_of(const GeodesicKernel& op, const Operands& in);
base::Result<ValueType> type_of(const Barycenter& op, const Operands& in);
base::Result<ValueType> type_of(const GaussianLogDensity& op, const Operands& in);
base::Result<ValueType> type_of(const LogSumExp& op, const Operands& in);
base::Result<ValueType> type_of(const PoolColumns& op, const Operands& in);
base::Result<ValueType> type_of(const CenterTree& op, const Operands& in);
base::Result<ValueType> type_of(const NeighborImpute& op, const Operands& in);
base::Result<ValueType> type_of(const ReplaceMasked& op, const Operands& in);

// rules_preprocess.cc
base::Result<ValueType> type_of(const WithConstant& op, const Operands& in);
base::Result<ValueType> type_of(const ReplaceNonFinite& op, const Operands& in);
base::Result<ValueType> type_of(const NormalizeLengths& op, const Operands& in);
base::Result<ValueType> type_of(const CenterKernel& op, const Operands& in);
base::Result<ValueType> type_of(const PowerTransform& op, const Operands& in);
base::Result<ValueType> type_of(const Quantiles& op, const Operands& in);
base::Result<ValueType> type_of(const Bins& op, const Operands& in);
base::Result<ValueType> type_of(const Products& op, const Operands& in);
base::Result<ValueType> type_of(const SplineBasis& op, const Operands& in);

// rules_solvers.cc
base::Result<ValueType> type_of(const Factorize& op, const Operands& in);
base::Result<ValueType> type_of(const TopicMixture& op, const Operands& in);
base::Result<ValueType> type_of(const SparseCode& op, const Operands& in);

// rules_text.cc
base::Result<ValueType> type_of(const ToDense& op, const Operands& in);
base::Result<ValueType> type_of(const ToSparse& op, const Operands& in);
base::Result<ValueType> type_of(const CountTerms& op, const Operands& in);
base::Result<ValueType> type_of(const HashTerms& op, const Operands& in);
base::Result<ValueType> type_of(const WeighTerms& op, const Operands& in);
base::Result<ValueType> type_of(const DictFeatures& op, const Operands& in);
base::Result<ValueType> type_of(const HashFeatures& op, const Operands& in);

// rules_ensemble.cc
base::Result<ValueType> type_of(const AsMatrix& op, const Operands& in);
base::Result<ValueType> type_of(const MatchLabels& op, const Operands& in);
base::Result<ValueType> type_of(const WeightedSum& op, const Operands& in);
base::Result<ValueType> type_of(const WeightedMedian& op, const Operands& in);
base::Result<ValueType> type_of(const SammeScores& op, const Operands& in);
base::Result<ValueType> type_of(const PairVotes& op, const Operands& in);
base::Result<ValueType> type_of(const NearestCode& op, const Operands& in);

// rules_boosters.cc
base::Result<ValueType> type_of(const ApplyFloat32& op, const Operands& in);
base::Result<ValueType> type_of(const SoftmaxFloat32& op, const Operands& in);
base::Result<ValueType> type_of(const ComplementFloat32& op, const Operands& in);
base::Result<ValueType> type_of(const LinearFloat32& op, const Operands& in);

// rules_catboost.cc
base::Result<ValueType> type_of(const CatboostFeatures& op, const Operands& in);
base::Result<ValueType> type_of(const ObliviousTrees& op, const Operands& in);
base::Result<ValueType> type_of(const CatboostExp& op, const Operands& in);
base::Result<ValueType> type_of(const CatboostSoftmax& op, const Operands& in);

// rules_graph.cc
// Whether an operation on rows, that is any but those of ops_graph.h, may take a value of this type in a
// tensor model.
bool is_rows(const ValueType& type);
base::Result<ValueType> type_of(const TensorInput& op, const Operands& in);
base::Result<ValueType> type_of(const OnnxGraph& op, const Operands& in);
base::Result<ValueType> type_of(const GraphOutput& op, const Operands& in);

// rules_linear_trees.cc
base::Result<ValueType> type_of(const LinearTrees& op, const Operands& in);

}  // namespace wherry::program
