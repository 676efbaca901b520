// Links and linear boosters in float32, each operation rounded on its own as program/ops_boosters.h states.
#include <algorithm>
#include <cmath>

#include "engine/kernel_loops.h"

namespace wherry::engine {
namespace {

float sigmoid(float x) {
  const float denominator = std::exp(std::min(-x, 88.7F)) + 1.0F + 1e-16F;
  return 1.0F / denominator;
}

void softmax(const double* x, std::size_t width, double* out) {
  auto most = static_cast<float>(x[0]);
  for (std::size_t j = 1; j < width; ++j) most = std::fmax(static_cast<float>(x[j]), most);
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) {
    out[j] = std::exp(static_cast<float>(x[j]) - most);
    sum += out[j];
  }
  const auto divisor = static_cast<float>(sum);
  for (std::size_t j = 0; j < width; ++j) out[j] = static_cast<float>(out[j]) / divisor;
}

std::vector<float> floats(const std::vector<double>& numbers) {
  return {numbers.begin(), numbers.end()};
}

}  // namespace

MadeKernel make_kernel(const program::ApplyFloat32& op, const Wiring& wiring) {
  switch (op.function) {
    case program::Float32Function::kSigmoid:
      return elementwise(wiring, [](double x) { return sigmoid(static_cast<float>(x)); });
    case program::Float32Function::kExp:
      return elementwise(wiring, [](double x) { return std::exp(static_cast<float>(x)); });
  }
  return base::fail(base::Code::kUnsupported, "engine.operation", "unknown float32 function");
}

MadeKernel make_kernel(const program::SoftmaxFloat32&, const Wiring& wiring) {
  return rowwise(wiring, softmax);
}

MadeKernel make_kernel(const program::ComplementFloat32&, const Wiring& wiring) {
  return rowwise(wiring, [](const double* x, std::size_t, double* out) {
    const auto p = static_cast<float>(*x);
    out[0] = 1.0F - p;
    out[1] = p;
  });
}

MadeKernel make_kernel(const program::LinearFloat32& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, coefficients = floats(wiring.numbers(op.coefficients)),
                 start = floats(wiring.numbers(op.start))](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    const std::size_t outputs = start.size();
    float* sums = at_least(frame.buffers().floats, outputs);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row) {
      std::copy(start.begin(), start.end(), sums);
      const double* numbers = from.numbers + row * from.columns;
      for (std::size_t j = 0; j < from.columns; ++j) {
        const auto x = static_cast<float>(numbers[j]);
        if (std::isnan(x)) continue;
        const float* weights = coefficients.data() + j * outputs;
        for (std::size_t k = 0; k < outputs; ++k) sums[k] += x * weights[k];
      }
      to = std::copy(sums, sums + outputs, to);
    }
    return {};
  }};
}

}  // namespace wherry::engine
