// What importers say again and again, as functions of a Builder: each adds one to three operators and gives
// the result. Axes may be negative. Shapes and indices are int64.
//
// Thread-safety: as the Builder's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/builder.h"

namespace wherry::graph {

using Ints = std::vector<std::int64_t>;

// Constants. `number` in the dtype asked, which may be any but a string; out of range is an error.
ValueId scalar(Builder& b, tensor::DType dtype, double number);  // shape []
ValueId int_scalar(Builder& b, std::int64_t number);             // int64 []
ValueId ints(Builder& b, Ints numbers);                          // int64 [n]
ValueId floats(Builder& b, std::vector<float> numbers);          // float32 [n]
ValueId bool_scalar(Builder& b, bool value);
ValueId string_scalar(Builder& b, std::string text);
ValueId scalar_like(Builder& b, ValueId x, double number);  // [] of x's dtype
// All elements `number`: of a constant shape; of a shape the graph computes (int64 [n]).
ValueId full(Builder& b, tensor::DType dtype, const tensor::Shape& shape, double number);
ValueId full(Builder& b, tensor::DType dtype, ValueId shape, double number);

// Element by element.
ValueId cast(Builder& b, ValueId x, tensor::DType dtype);  // as ONNX Cast: floats to integers truncate
ValueId unary(Builder& b, std::string_view op, ValueId x);
ValueId binary(Builder& b, std::string_view op, ValueId x, ValueId y);  // broadcast; same dtype
ValueId binary(Builder& b, std::string_view op, ValueId x, double y);   // y in x's dtype
ValueId where(Builder& b, ValueId condition, ValueId yes, ValueId no);
ValueId clip(Builder& b, ValueId x, double low, double high);  // either may be infinite: no bound

// Shapes.
ValueId shape_of(Builder& b, ValueId x);                       // int64 [rank]
ValueId dim_of(Builder& b, ValueId x, std::int64_t axis);      // int64 [1]; a constant where it is known
ValueId dim_scalar(Builder& b, ValueId x, std::int64_t axis);  // int64 []
// int64 [n] from numbers and values of shape [] or [1].
using Length = std::variant<std::int64_t, ValueId>;
ValueId lengths(Builder& b, std::span<const Length> parts);
ValueId reshape(Builder& b, ValueId x, Ints shape);  // one -1 is computed, 0 keeps the axis as it is
ValueId reshape(Builder& b, ValueId x, ValueId shape);
ValueId flatten(Builder& b, ValueId x, std::int64_t first, std::int64_t last);  // axes first…last become one
ValueId transpose(Builder& b, ValueId x, Ints perm);
ValueId swap_axes(Builder& b, ValueId x, std::int64_t one, std::int64_t other);
ValueId channels_first(Builder& b, ValueId x);  // [n, spatial…, c] → [n, c, spatial…]; any rank ≥ 3
ValueId channels_last(Builder& b, ValueId x);
ValueId squeeze(Builder& b, ValueId x, Ints axes);
ValueId unsqueeze(Builder& b, ValueId x, Ints axes);   // axes of the result
ValueId expand(Builder& b, ValueId x, ValueId shape);  // numpy's broadcast_to
ValueId tile(Builder& b, ValueId x, Ints repeats);

// Parts.
ValueId concat(Builder& b, std::vector<ValueId> values, std::int64_t axis);
ValueId stack(Builder& b, std::vector<ValueId> values, std::int64_t axis);
std::vector<ValueId> split(Builder& b, ValueId x, Ints sizes, std::int64_t axis);
ValueId slice(Builder& b, ValueId x, std::int64_t axis, std::int64_t start, std::int64_t end,
              std::int64_t step = 1);  // as Python's x[start:end:step]; kToEnd: to the end
inline constexpr std::int64_t kToEnd = INT64_MAX;
ValueId slice(Builder& b, ValueId x, ValueId starts, ValueId ends, Ints axes, Ints steps = {});
ValueId select(Builder& b, ValueId x, std::int64_t axis, std::int64_t index);  // the axis disappears
ValueId gather(Builder& b, ValueId x, ValueId indices, std::int64_t axis);
// Constant padding etc.: `before` and `after` per axis of x. mode: "constant", "reflect", "edge", "wrap".
ValueId pad(Builder& b, ValueId x, const Ints& before, const Ints& after, std::string_view mode = "constant",
            double number = 0);

// Sums and products.
ValueId matmul(Builder& b, ValueId x, ValueId y);
// op: "ReduceSum", "ReduceMean", …; no axes: all.
ValueId reduce(Builder& b, std::string_view op, ValueId x, Ints axes, bool keep);
ValueId softmax(Builder& b, ValueId x, std::int64_t axis);
// x · sigmoid(x); x · Φ(x), by tanh's approximation or exactly.
ValueId silu(Builder& b, ValueId x);
ValueId gelu(Builder& b, ValueId x, bool by_tanh);

// `axis` counted from 0; an error when x has no such axis. x's rank must be known.
std::int64_t positive_axis(Builder& b, ValueId x, std::int64_t axis);

}  // namespace wherry::graph
