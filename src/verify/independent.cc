#include "verify/independent.h"

#include <algorithm>
#include <cmath>

#include "engine/results.h"
#include "verify/elements.h"
#include "verify/sample.h"

namespace wherry::verify {
namespace {

constexpr std::int64_t kRows = 3;

// Row `row` of a request, borrowed.
tensor::Table row_of(const tensor::Table& table, std::size_t row) {
  tensor::Table one;
  one.reset_tensors(1, table.tensors.size());
  for (std::size_t i = 0; i < table.tensors.size(); ++i) {
    const tensor::TensorCells& from = table.tensors[i];
    tensor::TensorCells& to = one.tensors[i];
    to.dtype = from.dtype;
    to.shape = from.shape;
    to.shape[0] = 1;
    const std::size_t bytes = from.bytes.size() / table.rows, texts = from.texts.size() / table.rows;
    to.bytes = from.bytes.subspan(row * bytes, bytes);
    to.texts.assign(from.texts.begin() + static_cast<std::ptrdiff_t>(row * texts),
                    from.texts.begin() + static_cast<std::ptrdiff_t>((row + 1) * texts));
  }
  return one;
}

bool same(const tensor::ResultView& a, const tensor::ResultView& b) {
  if (!std::ranges::equal(a.shape(), b.shape())) return false;
  if (a.dtype == tensor::DType::kString) return std::ranges::equal(a.texts, b.texts);
  constexpr double kTolerance = 1e-4;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const double value = std::abs(element(a, i)); std::isfinite(value))
      largest = std::max(largest, value);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = element(a, i), y = element(b, i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!(std::abs(x - y) <= kTolerance * std::max(largest, 1e-6))) return false;
  }
  return true;
}

}  // namespace

bool rows_are_independent(const engine::Plan& plan) {
  for (const std::int64_t length : {std::int64_t{16}, std::int64_t{64}, std::int64_t{224}}) {
    const tensor::Table together =
        sample_request(plan.signature(), {.batch = kRows, .length = length, .seed = 1});
    engine::Workspace all, alone;
    engine::Results all_results, alone_results;
    const engine::OutputSet wanted = plan.all_outputs();
    if (!plan.run(together, wanted, all)) continue;  // maybe it wants longer ones
    for (std::size_t row = 0; row < together.rows; ++row) {
      if (!plan.run(row_of(together, row), wanted, alone)) return false;
      const auto expected = all_results.collect(plan, all, wanted, {.first = row, .count = 1});
      const auto got = alone_results.collect(plan, alone, wanted);
      for (std::size_t i = 0; i < expected.size(); ++i)
        for (std::size_t k = 0; k < expected[i].values.size(); ++k)
          if (!same(expected[i].values[k], got[i].values[k])) return false;
    }
    return true;
  }
  return false;
}

}  // namespace wherry::verify
