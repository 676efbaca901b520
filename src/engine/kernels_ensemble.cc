// Votes, pairs and medians of several estimators.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/kernels.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using program::ValueId;
using tensor::DType;

template <class T>
Kernel convert(const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(out);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const T* from = frame.read<T>(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < frame.rows() * width; ++i) to[i] = static_cast<double>(from[i]);
    return {};
  }};
}

// Labels of type Label against classes of type Class, which `keep` keeps alive.
template <class Label, class Class>
Kernel match(const Wiring& wiring, const program::MatchLabels& op, std::vector<Class> classes,
             tensor::Tensor keep) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, hit = op.hit, miss = op.miss, classes = std::move(classes),
                 keep = std::move(keep)](const Frame& frame) -> base::Status {
    const Label* labels = frame.read<Label>(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      const auto label = static_cast<Class>(labels[row]);
      for (const Class& other : classes) *to++ = label == other ? hit : miss;
    }
    return {};
  }};
}

std::vector<double> as_doubles(const tensor::Tensor& labels) {
  const auto copy = [](auto elements) { return std::vector<double>(elements.begin(), elements.end()); };
  switch (labels.dtype()) {
    case DType::kBool:
      return copy(labels.as_bools());
    case DType::kInt64:
      return copy(labels.as<std::int64_t>());
    default:
      return copy(labels.as<double>());
  }
}

double weighted_median(const double* values, const double* weights, std::span<std::uint32_t> order) {
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const double x = values[a];
    const double y = values[b];
    if (x < y || (std::isnan(y) && !std::isnan(x))) return true;
    if (x > y || (std::isnan(x) && !std::isnan(y))) return false;
    return a < b;
  });
  double total = 0;
  for (const std::uint32_t i : order) total += weights[i];
  double sum = 0;
  for (const std::uint32_t i : order) {
    sum += weights[i];
    if (sum >= 0.5 * total) return values[i];
  }
  return values[order[0]];
}

void samme_scores(const double* p, std::size_t width, double* out) {
  const auto classes = static_cast<double>(width);
  for (std::size_t j = 0; j < width; ++j)
    out[j] = std::log(p[j] < std::numeric_limits<double>::epsilon() ? std::numeric_limits<double>::epsilon()
                                                                    : p[j]);
  const double mean = 1.0 / classes * row_sum(out, width);
  for (std::size_t j = 0; j < width; ++j) out[j] = (classes - 1) * (out[j] - mean);
}

// `out` collects the confidences, `votes` what is voted.
void pair_votes(const double* predictions, const double* confidences, std::size_t classes, double* votes,
                double* out) {
  std::fill_n(votes, classes, 0.0);
  std::fill_n(out, classes, 0.0);
  std::size_t pair = 0;
  for (std::size_t i = 0; i < classes; ++i) {
    for (std::size_t j = i + 1; j < classes; ++j, ++pair) {
      out[i] -= confidences[pair];
      out[j] += confidences[pair];
      if (predictions[pair] == 0) votes[i] += 1;
      if (predictions[pair] == 1) votes[j] += 1;
    }
  }
  for (std::size_t i = 0; i < classes; ++i) out[i] = votes[i] + out[i] / (3 * (std::abs(out[i]) + 1));
}

double dot(const double* x, const double* y, std::size_t width) {
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) sum += x[j] * y[j];
  return sum;
}

}  // namespace

MadeKernel make_kernel(const program::AsMatrix&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  switch (wiring.skeleton.types[in].dtype) {
    case DType::kBool:
      return convert<std::uint8_t>(wiring);
    case DType::kInt64:
      return convert<std::int64_t>(wiring);
    default:
      return Kernel{[=](const Frame& frame) -> base::Status {
        frame.share(out, in);
        return {};
      }};
  }
}

MadeKernel make_kernel(const program::MatchLabels& op, const Wiring& wiring) {
  const tensor::Tensor& labels = wiring.program.weight(op.labels);
  switch (wiring.skeleton.types[wiring.input()].dtype) {
    case DType::kString: {
      const auto texts = labels.as_strings();
      return match<std::string_view>(wiring, op, std::vector<std::string_view>(texts.begin(), texts.end()),
                                     labels);
    }
    case DType::kBool:
      return match<std::uint8_t>(wiring, op, as_doubles(labels), {});
    case DType::kInt64:
      return match<std::int64_t>(wiring, op, as_doubles(labels), {});
    default:
      return match<double>(wiring, op, as_doubles(labels), {});
  }
}

MadeKernel make_kernel(const program::WeightedSum& op, const Wiring& wiring) {
  const std::span<const ValueId> inputs(wiring.node.inputs);
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(out);
  return Kernel{
      [=, weights = wiring.numbers(op.weights), divisor = op.divisor](const Frame& frame) -> base::Status {
        const std::size_t count = frame.rows() * width;
        double* to = frame.make_matrix(out);
        std::fill_n(to, count, 0.0);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
          const double* from = frame.matrix(inputs[k]);
          const double weight = weights[k];
          for (std::size_t i = 0; i < count; ++i) to[i] += weight * from[i];
        }
        if (divisor != 1)
          for (std::size_t i = 0; i < count; ++i) to[i] /= divisor;
        return {};
      }};
}

MadeKernel make_kernel(const program::WeightedMedian& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  return Kernel{[=, weights = wiring.numbers(op.weights)](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    double* to = frame.make_matrix(out);
    const std::span order(at_least(frame.buffers().positions, width), width);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      to[row] = weighted_median(from + row * width, weights.data(), order);
    return {};
  }};
}

MadeKernel make_kernel(const program::SammeScores&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      samme_scores(from + row * width, width, to + row * width);
    return {};
  }};
}

MadeKernel make_kernel(const program::PairVotes& op, const Wiring& wiring) {
  const ValueId predictions = wiring.node.inputs[0];
  const ValueId confidences = wiring.node.inputs[1];
  const auto out = wiring.output();
  const std::size_t pairs = wiring.width_of(predictions);
  return Kernel{[=, classes = static_cast<std::size_t>(op.classes)](const Frame& frame) -> base::Status {
    const double* predicted = frame.matrix(predictions);
    const double* confidence = frame.matrix(confidences);
    double* to = frame.make_matrix(out);
    double* votes = at_least(frame.buffers().sums, classes);
    for (std::size_t row = 0; row < frame.rows(); ++row)
      pair_votes(predicted + row * pairs, confidence + row * pairs, classes, votes, to + row * classes);
    return {};
  }};
}

MadeKernel make_kernel(const program::NearestCode& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t width = wiring.width_of(in);
  std::vector<double> codes = wiring.numbers(op.codes);
  const auto count = static_cast<std::size_t>(wiring.program.weight(op.codes).shape()[0]);
  std::vector<double> norms;
  for (std::size_t k = 0; k < count; ++k)
    norms.push_back(dot(codes.data() + k * width, codes.data() + k * width, width));
  return Kernel{[=, codes = std::move(codes), norms = std::move(norms)](const Frame& frame) -> base::Status {
    const double* from = frame.matrix(in);
    std::int64_t* to = frame.make_index(out);
    for (std::size_t row = 0; row < frame.rows(); ++row, from += width) {
      const double norm = dot(from, from, width);
      double least = std::numeric_limits<double>::infinity();
      to[row] = 0;
      for (std::size_t k = 0; k < count; ++k) {
        const double far = std::max(0.0, (-2 * dot(from, codes.data() + k * width, width) + norm) + norms[k]);
        if (far < least) least = far, to[row] = static_cast<std::int64_t>(k);
      }
    }
    return {};
  }};
}

}  // namespace wherry::engine
