// Decisions and their labels.
#include <algorithm>
#include <cmath>
#include <memory>

#include "base/text.h"
#include "engine/kernels.h"

namespace wherry::engine {
namespace {

using tensor::DType;

// numpy.argmax: the first NaN, else the first maximum.
std::int64_t argmax(const double* x, std::size_t width) {
  std::size_t best = 0;
  for (std::size_t j = 0; j < width; ++j) {
    if (std::isnan(x[j])) return static_cast<std::int64_t>(j);
    if (x[j] > x[best]) best = j;
  }
  return static_cast<std::int64_t>(best);
}

// `keep` keeps the memory of `labels` alive.
template <class T>
Kernel take(const Wiring& wiring, std::vector<T> labels, tensor::Tensor keep) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, labels = std::move(labels), keep = std::move(keep)](const Frame& frame) -> base::Status {
    const std::int64_t* index = frame.index(in);
    T* to = frame.make<T>(out);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      to[row] = labels[static_cast<std::size_t>(index[row])];
    return {};
  }};
}

template <class T>
Kernel stack(const Wiring& wiring) {
  const std::span<const program::ValueId> inputs(wiring.node.inputs);
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    T* to = frame.make<T>(out);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const T* from = frame.read<T>(inputs[k]);
      for (std::size_t row = 0; row < frame.rows(); ++row) to[row * inputs.size() + k] = from[row];
    }
    return {};
  }};
}

std::unexpected<base::Error> no_such_labels(DType dtype) {
  return base::fail(base::Code::kUnsupported, "engine.operation",
                    base::cat("labels of dtype ", tensor::info(dtype).numpy_name),
                    "labels are strings, bools, int64 or float64");
}

}  // namespace

MadeKernel make_kernel(const program::Argmax&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    std::int64_t* to = frame.make_index(out);
    for (std::size_t row = 0; row < from.rows; ++row)
      to[row] = argmax(from.numbers + row * from.columns, from.columns);
    return {};
  }};
}

MadeKernel make_kernel(const program::Above& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const double threshold = op.threshold;
  const bool inclusive = op.inclusive;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    std::int64_t* to = frame.make_index(out);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      to[row] = from[row] > threshold || (inclusive && from[row] == threshold) ? 1 : 0;
    return {};
  }};
}

MadeKernel make_kernel(const program::TakeLabels& op, const Wiring& wiring) {
  const tensor::Tensor& labels = wiring.program.weight(op.labels);
  const auto copy = [](auto elements) {
    return std::vector<std::remove_cv_t<typename decltype(elements)::element_type>>(elements.begin(),
                                                                                    elements.end());
  };
  switch (labels.dtype()) {
    case DType::kString: {
      const auto strings = labels.as_strings();
      return take(wiring, std::vector<std::string_view>(strings.begin(), strings.end()), labels);
    }
    case DType::kBool:
      return take(wiring, copy(labels.as_bools()), {});
    case DType::kInt64:
      return take(wiring, copy(labels.as<std::int64_t>()), {});
    case DType::kFloat64:
      return take(wiring, copy(labels.as<double>()), {});
    default:
      return no_such_labels(labels.dtype());
  }
}

MadeKernel make_kernel(const program::StackLabels&, const Wiring& wiring) {
  const DType dtype = wiring.skeleton.types[wiring.output()].dtype;
  switch (dtype) {
    case DType::kString:
      return stack<std::string_view>(wiring);
    case DType::kBool:
      return stack<std::uint8_t>(wiring);
    case DType::kInt64:
      return stack<std::int64_t>(wiring);
    case DType::kFloat64:
      return stack<double>(wiring);
    default:
      return no_such_labels(dtype);
  }
}

MadeKernel make_kernel(const program::Flatten&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=](const Frame& frame) -> base::Status {
    frame.share(out, in);
    return {};
  }};
}

}  // namespace wherry::engine
