// Sums, means, extremes, norms; sorting and running sums.
#include <array>
#include <cmath>
#include <limits>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The parameter which names the axes, in any of the overloads.
Ints axes_of(Call& c, ValueId x) {
  return c.axes("dim", c.rank(x));
}

bool keeps(Call& c) {
  return c.flag("keepdim");
}

ValueId reduced(Call& c, std::string_view op, ValueId x) {
  if (c.rank(x) == 0) return x;
  return graph::reduce(c.b, op, x, axes_of(c, x), keeps(c));
}

// What sum and prod compute in: 64 bits for integers.
ValueId summable(Call& c, ValueId x) {
  if (const auto dtype = c.dtype()) return graph::cast(c.b, x, *dtype);
  return is_floating(c.b.dtype(x)) ? x : graph::cast(c.b, x, DType::kInt64);
}

Outputs sum(Call& c) {
  return reduced(c, "ReduceSum", summable(c, c.tensor("self")));
}

Outputs prod(Call& c) {
  return reduced(c, "ReduceProd", summable(c, c.tensor("self")));
}

Outputs nansum(Call& c) {
  const ValueId x = summable(c, c.tensor("self"));
  return reduced(c, "ReduceSum",
                 graph::where(c.b, graph::unary(c.b, "IsNaN", x), graph::scalar_like(c.b, x, 0), x));
}

Outputs mean(Call& c) {
  ValueId x = c.tensor("self");
  if (const auto dtype = c.dtype()) x = graph::cast(c.b, x, *dtype);
  return reduced(c, "ReduceMean", to_float(c.b, x));
}

ValueId orderable(Builder& b, ValueId x) {
  const DType dtype = b.dtype(x);
  return graph::cast(b, x, dtype == DType::kBool ? DType::kInt32 : computing_type(dtype));
}

ValueId extreme(Call& c, std::string_view op, ValueId x, const Ints& axes, bool keep) {
  if (c.rank(x) == 0) return x;
  return graph::cast(c.b, graph::reduce(c.b, op, orderable(c.b, x), axes, keep), c.b.dtype(x));
}

template <const char* Op>
Outputs amax(Call& c) {
  const ValueId x = c.tensor("self");
  return extreme(c, Op, x, axes_of(c, x), keeps(c));
}
constexpr char kMax[] = "ReduceMax";
constexpr char kMin[] = "ReduceMin";

ValueId arg_extreme(Call& c, std::string_view op, ValueId x, std::int64_t axis, bool keep) {
  ValueId in = orderable(c.b, x);
  if (c.b.dtype(in) == DType::kInt64) in = graph::cast(c.b, in, DType::kFloat64);
  return c.b.add(op, {in}, {{"axis", axis}, {"keepdims", std::int64_t{keep ? 1 : 0}}});
}

template <const char* Op, const char* ArgOp>
Outputs max_dim(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  if (rank == 0) return Outputs::many(std::array{x, graph::int_scalar(c.b, 0)});
  const std::int64_t axis = c.axis("dim", rank);
  return Outputs::many(
      std::array{extreme(c, Op, x, {axis}, keeps(c)), arg_extreme(c, ArgOp, x, axis, keeps(c))});
}
constexpr char kArgMax[] = "ArgMax";
constexpr char kArgMin[] = "ArgMin";

template <const char* ArgOp>
Outputs argmax(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  if (rank == 0) return graph::int_scalar(c.b, 0);
  if (c.has("dim")) return arg_extreme(c, ArgOp, x, c.axis("dim", rank), keeps(c));
  return arg_extreme(c, ArgOp, graph::reshape(c.b, x, Ints{-1}), 0, false);
}

Outputs aminmax(Call& c) {
  const ValueId x = c.tensor("self");
  const Ints axes = axes_of(c, x);
  return Outputs::many(std::array{extreme(c, kMin, x, axes, keeps(c)), extreme(c, kMax, x, axes, keeps(c))});
}

template <const char* Op>
Outputs truth(Call& c) {
  const ValueId x = graph::cast(c.b, graph::cast(c.b, c.tensor("self"), DType::kBool), DType::kInt32);
  return graph::cast(c.b, reduced(c, Op, x), DType::kBool);
}

Outputs count_nonzero(Call& c) {
  const ValueId x = graph::cast(c.b, graph::cast(c.b, c.tensor("self"), DType::kBool), DType::kInt64);
  return reduced(c, "ReduceSum", x);
}

// The number of elements that are reduced into one, as a scalar of `dtype`.
ValueId count_of(Call& c, ValueId x, const Ints& axes, DType dtype) {
  double known = 1;
  ValueId computed = kNone;
  for (const std::int64_t axis : axes) {
    const graph::Dim dim = c.b.dim(x, axis);
    if (dim.known()) {
      known *= static_cast<double>(dim.number);
    } else {
      const ValueId length = graph::cast(c.b, graph::dim_scalar(c.b, x, axis), dtype);
      computed = computed == kNone ? length : graph::binary(c.b, "Mul", computed, length);
    }
  }
  const ValueId product = graph::scalar(c.b, dtype, known);
  return computed == kNone ? product : graph::binary(c.b, "Mul", computed, product);
}

struct Moments {
  ValueId mean = kNone;
  ValueId variance = kNone;
};

Moments moments(Call& c) {
  Builder& b = c.b;
  const ValueId x = to_float(b, c.tensor("self"));
  const Ints axes = axes_of(c, x);
  const bool keep = keeps(c);
  double correction = 1;
  if (c.has("unbiased")) correction = c.flag("unbiased") ? 1 : 0;
  if (c.has("correction")) correction = c.number("correction");
  const ValueId mean = graph::reduce(b, "ReduceMean", x, axes, true);
  const ValueId gap = graph::binary(b, "Sub", x, mean);
  const ValueId squares = graph::reduce(b, "ReduceSum", graph::binary(b, "Mul", gap, gap), axes, keep);
  const ValueId count = graph::binary(b, "Sub", count_of(c, x, axes, b.dtype(x)), correction);
  return {keep ? mean : graph::reduce(b, "ReduceMean", x, axes, false),
          graph::binary(b, "Div", squares, count)};
}

Outputs var(Call& c) {
  return moments(c).variance;
}
Outputs std_deviation(Call& c) {
  return graph::unary(c.b, "Sqrt", moments(c).variance);
}
Outputs var_mean(Call& c) {
  const Moments both = moments(c);
  return Outputs::many(std::array{both.variance, both.mean});
}
Outputs std_mean(Call& c) {
  const Moments both = moments(c);
  return Outputs::many(std::array{graph::unary(c.b, "Sqrt", both.variance), both.mean});
}

ValueId norm_of(Call& c, ValueId x, double p, const Ints& axes, bool keep) {
  Builder& b = c.b;
  if (p == 2) return graph::reduce(b, "ReduceL2", x, axes, keep);
  if (p == 1) return graph::reduce(b, "ReduceL1", x, axes, keep);
  const ValueId size = graph::unary(b, "Abs", x);
  if (p == kInfinity) return graph::reduce(b, "ReduceMax", size, axes, keep);
  if (p == -kInfinity) return graph::reduce(b, "ReduceMin", size, axes, keep);
  if (p == 0) {
    const ValueId counted = graph::cast(b, graph::cast(b, x, DType::kBool), b.dtype(x));
    return graph::reduce(b, "ReduceSum", counted, axes, keep);
  }
  const ValueId powers = graph::reduce(b, "ReduceSum", graph::binary(b, "Pow", size, p), axes, keep);
  return graph::binary(b, "Pow", powers, 1 / p);
}

Outputs norm(Call& c) {
  ValueId x = c.tensor("self");
  if (const auto dtype = c.dtype()) x = graph::cast(c.b, x, *dtype);
  x = to_float(c.b, x);
  const Argument& order = c["ord"].is_none() ? c["p"] : c["ord"];
  if (order.get<std::string>() != nullptr) return c.refuse("a norm named by a text");
  const double p = c.has("ord") ? c.number("ord") : c.has("p") ? c.number("p") : 2;
  return norm_of(c, x, p, axes_of(c, x), keeps(c));
}

// ord None or a number, of a vector, or the Frobenius norm.
Outputs linalg_norm(Call& c) {
  const ValueId x = to_float(c.b, c.tensor("self"));
  const Ints axes = axes_of(c, x);
  if (c.has("ord") && axes.size() > 1) return c.refuse("a norm of matrices");
  return norm_of(c, x, c.has("ord") ? c.number("ord") : 2, axes, keeps(c));
}

Outputs logsumexp(Call& c) {
  return reduced(c, "ReduceLogSumExp", to_float(c.b, c.tensor("self")));
}

Outputs cumsum(Call& c) {
  const ValueId x = summable(c, c.tensor("self"));
  const int rank = c.rank(x);
  if (rank == 0) return x;
  return c.b.add("CumSum", {x, graph::int_scalar(c.b, c.axis("dim", rank))});
}

constexpr std::int64_t kMostUnrolled = 1024;

Outputs cumprod(Call& c) {
  const ValueId x = summable(c, c.tensor("self"));
  const int rank = c.rank(x);
  if (rank == 0) return x;
  const std::int64_t axis = c.axis("dim", rank);
  const std::int64_t size = c.size(x, axis);
  if (size > kMostUnrolled) return c.refuse("a running product of more than 1024 factors");
  std::vector<ValueId> parts;
  for (std::int64_t i = 0; i < size; ++i) {
    const ValueId part = graph::slice(c.b, x, axis, i, i + 1);
    parts.push_back(parts.empty() ? part : graph::binary(c.b, "Mul", parts.back(), part));
  }
  return parts.empty() ? x : graph::concat(c.b, parts, axis);
}

struct Sorted {
  ValueId values = kNone;
  ValueId indices = kNone;
};

Sorted sorted(Call& c, ValueId x, std::int64_t axis, ValueId count, bool largest, bool in_order) {
  const DType dtype = c.b.dtype(x);
  const std::vector<ValueId> both = c.b.add_many("TopK", {orderable(c.b, x), count}, 2,
                                                 {{"axis", axis},
                                                  {"largest", std::int64_t{largest ? 1 : 0}},
                                                  {"sorted", std::int64_t{in_order ? 1 : 0}}});
  return {graph::cast(c.b, both[0], dtype), both[1]};
}

Outputs topk(Call& c) {
  const ValueId x = c.tensor("self");
  const Length k = c.length("k");
  const ValueId count = graph::lengths(c.b, std::array{k});
  const Sorted both = sorted(c, x, c.axis("dim", c.rank(x)), count, c.flag("largest"), true);
  return Outputs::many(std::array{both.values, both.indices});
}

Sorted whole_sort(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  return sorted(c, x, axis, graph::dim_of(c.b, x, axis), c.flag("descending"), true);
}

Outputs sort(Call& c) {
  const Sorted both = whole_sort(c);
  return Outputs::many(std::array{both.values, both.indices});
}

Outputs argsort(Call& c) {
  return whole_sort(c).indices;
}

Outputs kthvalue(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const std::int64_t k = c.integer("k");
  const Sorted both = sorted(c, x, axis, graph::ints(c.b, {k}), false, true);
  const auto last = [&](ValueId value) {
    return keeps(c) ? graph::slice(c.b, value, axis, k - 1, k) : graph::select(c.b, value, axis, k - 1);
  };
  return Outputs::many(std::array{last(both.values), last(both.indices)});
}

// The lower of the two in the middle.
Outputs median(Call& c) {
  ValueId x = c.tensor("self");
  const bool all = !c.has("dim");
  if (all) x = graph::reshape(c.b, x, Ints{-1});
  const std::int64_t axis = all ? 0 : c.axis("dim", c.rank(x));
  const std::int64_t k = (c.size(x, axis) + 1) / 2;
  const Sorted both = sorted(c, x, axis, graph::ints(c.b, {k}), false, true);
  const auto last = [&](ValueId value) {
    return keeps(c) ? graph::slice(c.b, value, axis, k - 1, k) : graph::select(c.b, value, axis, k - 1);
  };
  if (all) return last(both.values);
  return Outputs::many(std::array{last(both.values), last(both.indices)});
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", sum},
    {"aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> "
     "Tensor",
     sum},
    {"aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     nansum},
    {"aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor", prod},
    {"aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     prod},
    {"aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", mean},
    {"aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
     mean},
    {"aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     max_dim<kMax, kArgMax>},
    {"aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     max_dim<kMin, kArgMin>},
    {"aten::max(Tensor self) -> Tensor", amax<kMax>},
    {"aten::min(Tensor self) -> Tensor", amax<kMin>},
    {"aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", amax<kMax>},
    {"aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", amax<kMin>},
    {"aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)", aminmax},
    {"aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", argmax<kArgMax>},
    {"aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", argmax<kArgMin>},
    {"aten::any(Tensor self) -> Tensor", truth<kMax>},
    {"aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", truth<kMax>},
    {"aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", truth<kMax>},
    {"aten::all(Tensor self) -> Tensor", truth<kMin>},
    {"aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor", truth<kMin>},
    {"aten::all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", truth<kMin>},
    {"aten::count_nonzero(Tensor self, int? dim=None) -> Tensor", count_nonzero},
    {"aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor", count_nonzero},
    {"aten::var(Tensor self, bool unbiased=True) -> Tensor", var},
    {"aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor", var},
    {"aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
     "Tensor",
     var},
    {"aten::std(Tensor self, bool unbiased=True) -> Tensor", std_deviation},
    {"aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
     std_deviation},
    {"aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
     "Tensor",
     std_deviation},
    {"aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", var_mean},
    {"aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, "
     "Tensor)",
     var_mean},
    {"aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
     "keepdim=False) -> "
     "(Tensor, Tensor)",
     var_mean},
    {"aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", std_mean},
    {"aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, "
     "Tensor)",
     std_mean},
    {"aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool "
     "keepdim=False) -> "
     "(Tensor, Tensor)",
     std_mean},
    {"aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor", norm},
    {"aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor", norm},
    {"aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) "
     "-> Tensor",
     norm},
    {"aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", norm},
    {"aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
     "ScalarType? "
     "dtype=None) -> Tensor",
     norm},
    {"aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
     "dtype=None) "
     "-> Tensor",
     linalg_norm},
    {"aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", logsumexp},
    {"aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumsum},
    {"aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumprod},
    {"aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, "
     "Tensor "
     "indices)",
     topk},
    {"aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", sort},
    {"aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, "
     "Tensor "
     "indices)",
     sort},
    {"aten::msort(Tensor self) -> Tensor",
     [](Call& c) -> Outputs {
       const ValueId x = c.tensor("self");
       return sorted(c, x, 0, graph::dim_of(c.b, x, 0), false, true).values;
     }},
    {"aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor", argsort},
    {"aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor",
     argsort},
    {"aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor "
     "indices)",
     kthvalue},
    {"aten::median(Tensor self) -> Tensor", median},
    {"aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", median},
});

}  // namespace

std::span<const Operator> reduction_operators() {
  return kRows;
}

}  // namespace wherry::torch
