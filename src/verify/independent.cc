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

bool same(const tensor::ResultView& a, const tensor::ResultView& b, double tolerance) {
  if (!std::ranges::equal(a.shape(), b.shape())) return false;
  if (a.dtype == tensor::DType::kString) return std::ranges::equal(a.texts, b.texts);
  double largest = 1e-6;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const double value = std::abs(element(a, i)); std::isfinite(value))
      largest = std::max(largest, value);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = element(a, i), y = element(b, i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!(std::abs(x - y) <= tolerance * largest)) return false;
  }
  return true;
}

// `to` with row `row` of `from`, which has the same shapes.
void copy_row(const tensor::Table& from, std::size_t row, tensor::Table& to) {
  for (std::size_t i = 0; i < from.tensors.size(); ++i) {
    const tensor::TensorCells& source = from.tensors[i];
    tensor::TensorCells& target = to.tensors[i];
    const std::size_t bytes = source.bytes.size() / from.rows, texts = source.texts.size() / from.rows;
    std::ranges::copy(source.bytes.subspan(row * bytes, bytes),
                      target.owned.begin() + static_cast<std::ptrdiff_t>(row * bytes));
    std::copy_n(source.texts.begin() + static_cast<std::ptrdiff_t>(row * texts), texts,
                target.texts.begin() + static_cast<std::ptrdiff_t>(row * texts));
  }
}

class Trial {
 public:
  Trial(const engine::Plan& plan, std::int64_t length) : plan_(plan) {
    first_ = sample_request(plan.signature(), {.batch = kRows, .length = length, .seed = 1});
    second_ = sample_request(plan.signature(), {.batch = kRows, .length = length, .seed = 2});
  }

  bool begins() { return plan_.run(first_, plan_.all_outputs(), together_).has_value(); }

  // A row's answer is its own: it does not change with the rows beside it, to the last bits, as the same sums
  // are computed; and it is about the same alone, where they may be computed in another order.
  bool is_independent(std::size_t row) {
    constexpr double kSameSums = 1e-6, kOtherSums = 0.05;
    tensor::Table mixed = second_;
    copy_row(first_, row, mixed);
    return agrees(row, mixed, row, kSameSums) && agrees(row, row_of(first_, row), 0, kOtherSums);
  }

 private:
  bool agrees(std::size_t row, const tensor::Table& other, std::size_t its_row, double tolerance) {
    const engine::OutputSet wanted = plan_.all_outputs();
    if (!plan_.run(other, wanted, other_)) return false;
    const auto expected = results_.collect(plan_, together_, wanted, {.first = row, .count = 1});
    const auto got = other_results_.collect(plan_, other_, wanted, {.first = its_row, .count = 1});
    for (std::size_t i = 0; i < expected.size(); ++i)
      for (std::size_t k = 0; k < expected[i].values.size(); ++k)
        if (!same(expected[i].values[k], got[i].values[k], tolerance)) return false;
    return true;
  }

  const engine::Plan& plan_;
  tensor::Table first_, second_;
  engine::Workspace together_, other_;
  engine::Results results_, other_results_;
};

}  // namespace

bool rows_are_independent(const engine::Plan& plan) {
  for (const std::int64_t length : {std::int64_t{16}, std::int64_t{64}, std::int64_t{224}}) {
    Trial trial(plan, length);
    if (!trial.begins()) continue;  // maybe it wants longer ones
    for (std::size_t row = 0; row < static_cast<std::size_t>(kRows); ++row)
      if (!trial.is_independent(row)) return false;
    return true;
  }
  return false;
}

}  // namespace wherry::verify
