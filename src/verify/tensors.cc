#include "verify/tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "engine/results.h"
#include "tensor/half.h"
#include "verify/elements.h"
#include "verify/sample.h"

namespace wherry::verify {
namespace {

using base::cat;
using protocol::GoldenExample;
using protocol::GoldenTensor;
using protocol::GoldenValue;
using tensor::DType;
using tensor::ResultView;

constexpr std::size_t kMostValues = 256;

std::unexpected<base::Error> misfit(std::string message) {
  return base::fail(base::Code::kInvalidInput, "verify.not_this_model", std::move(message),
                    "the examples were recorded for another model; record them again with the model served");
}

double number_of(const GoldenValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  return std::nan("");
}

template <class T>
void put(std::span<std::byte> room, std::size_t i, T value) {
  std::memcpy(room.data() + i * sizeof value, &value, sizeof value);
}

template <class T>
T integer_of(const GoldenValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<T>(*integer);
  return static_cast<T>(number_of(value));
}

void put_value(DType dtype, std::span<std::byte> room, std::size_t i, const GoldenValue& value) {
  switch (dtype) {
    case DType::kBool:
      return put(room, i, static_cast<std::uint8_t>(number_of(value) != 0));
    case DType::kInt8:
      return put(room, i, integer_of<std::int8_t>(value));
    case DType::kInt16:
      return put(room, i, integer_of<std::int16_t>(value));
    case DType::kInt32:
      return put(room, i, integer_of<std::int32_t>(value));
    case DType::kInt64:
      return put(room, i, integer_of<std::int64_t>(value));
    case DType::kUint8:
      return put(room, i, integer_of<std::uint8_t>(value));
    case DType::kUint16:
      return put(room, i, integer_of<std::uint16_t>(value));
    case DType::kUint32:
      return put(room, i, integer_of<std::uint32_t>(value));
    case DType::kUint64:
      return put(room, i, integer_of<std::uint64_t>(value));
    case DType::kFloat16:
      return put(room, i, tensor::double_to_half(number_of(value)));
    case DType::kBfloat16:
      return put(room, i, tensor::double_to_bfloat(number_of(value)));
    case DType::kFloat32:
      return put(room, i, static_cast<float>(number_of(value)));
    case DType::kFloat64:
      return put(room, i, number_of(value));
    case DType::kString:
      return;
  }
}

base::Status fill(const program::InputTensor& input, const GoldenTensor& from, tensor::TensorCells& cells) {
  cells.dtype = input.dtype;
  cells.shape = from.shape;
  for (const GoldenValue& value : from.values)
    if (std::holds_alternative<std::string>(value) != (input.dtype == DType::kString))
      return misfit(cat("input ", base::quoted(input.name), " does not take these values"));
  if (input.dtype == DType::kString) {
    cells.texts.clear();
    for (const GoldenValue& value : from.values) cells.texts.push_back(std::get<std::string>(value));
    return {};
  }
  const std::span<std::byte> room = cells.own(from.values.size() * tensor::info(input.dtype).size);
  for (std::size_t i = 0; i < from.values.size(); ++i) put_value(input.dtype, room, i, from.values[i]);
  return {};
}

GoldenValue value_of(const ResultView& view, std::size_t i) {
  switch (view.dtype) {
    case DType::kString:
      return std::string(view.texts[i]);
    case DType::kBool:
      return view.as<std::uint8_t>()[i] != 0;
    case DType::kInt64:
      return view.as<std::int64_t>()[i];
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kFloat32:
    case DType::kFloat64:
    case DType::kUint64:
      return element(view, i);
    default:
      return static_cast<std::int64_t>(element(view, i));
  }
}

std::string text_of(const GoldenValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return base::quoted(*text);
  return cat(number_of(value));
}

double largest_of(const GoldenTensor& tensor) {
  double largest = tensor.largest;
  for (const GoldenValue& value : tensor.values)
    if (const double magnitude = std::abs(number_of(value)); std::isfinite(magnitude))
      largest = std::max(largest, magnitude);
  return largest;
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBfloat16 || dtype == DType::kFloat32 ||
         dtype == DType::kFloat64;
}

// What the last bit of the type is worth matters more than the tolerance for the short ones.
double tolerance_of(DType dtype, double tolerance) {
  if (dtype == DType::kFloat16) return std::max(tolerance, 4e-3);
  if (dtype == DType::kBfloat16) return std::max(tolerance, 3e-2);
  return tolerance;
}

SampleSize size_of(const protocol::GoldenSample& sample) {
  return {.batch = sample.batch, .length = sample.length, .seed = static_cast<std::uint64_t>(sample.seed)};
}

}  // namespace

base::Result<tensor::Table> request_of(const program::Signature& signature, const GoldenExample& example) {
  if (example.sample) {
    constexpr std::size_t kMostElements = 1 << 26;
    const SampleSize size = size_of(*example.sample);
    if (sample_elements(signature, size) > kMostElements)
      return misfit(cat("a sample of length ", size.length, " has too many elements"));
    return sample_request(signature, size);
  }
  tensor::Table table;
  table.reset_tensors(1, signature.tensors.size());
  if (example.inputs.size() != signature.tensors.size())
    return misfit(cat(example.inputs.size(), " inputs, the model takes ", signature.tensors.size()));
  for (std::size_t i = 0; i < signature.tensors.size(); ++i) {
    const program::InputTensor& input = signature.tensors[i];
    const auto found = std::ranges::find(example.inputs, input.name, &GoldenTensor::name);
    if (found == example.inputs.end()) return misfit(cat("input ", base::quoted(input.name), " is missing"));
    TRY(fill(input, *found, table.tensors[i]));
  }
  const tensor::Shape& first = table.tensors.front().shape;
  if (signature.batched && !first.empty()) table.rows = static_cast<std::size_t>(first[0]);
  return table;
}

GoldenTensor golden_tensor(std::string_view name, const ResultView& view) {
  GoldenTensor tensor{
      .name = std::string(name), .shape = {view.shape().begin(), view.shape().end()}, .values = {}};
  const std::size_t count = view.size();
  const std::size_t step = std::max<std::size_t>(1, (count + kMostValues - 1) / kMostValues);
  for (std::size_t i = 0; i < count; i += step) tensor.values.push_back(value_of(view, i));
  if (step == 1) return tensor;
  tensor.step = static_cast<std::int64_t>(step);
  if (view.dtype != DType::kString)
    for (std::size_t i = 0; i < count; ++i)
      if (const double magnitude = std::abs(element(view, i)); std::isfinite(magnitude))
        tensor.largest = std::max(tensor.largest, magnitude);
  return tensor;
}

TensorAgreement compare(const GoldenTensor& expected, const ResultView& got, double tolerance) {
  TensorAgreement report;
  if (!std::ranges::equal(expected.shape, got.shape())) {
    report.expected = cat("shape ", tensor::to_string(expected.shape));
    report.got = cat("shape ", tensor::to_string({got.shape().begin(), got.shape().end()}));
    return report;
  }
  report.agrees = true;
  const double scale = std::max(largest_of(expected), 1e-30);
  const double most = tolerance_of(got.dtype, tolerance) * scale;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const GoldenValue value = value_of(got, i * static_cast<std::size_t>(expected.step));
    ++report.values;
    const double e = number_of(expected.values[i]), g = number_of(value);
    const bool both_absent = std::isnan(e) && std::isnan(g) && got.dtype != DType::kString;
    if (both_absent || e == g || (got.dtype == DType::kString && value == expected.values[i])) {
      ++report.identical;
      continue;
    }
    const double deviation = std::abs(e - g);
    if (std::isfinite(deviation)) report.deviation = std::max(report.deviation, deviation / scale);
    if (is_float(got.dtype) && deviation <= most) continue;
    if (report.agrees) report.expected = text_of(expected.values[i]), report.got = text_of(value);
    report.agrees = false;
  }
  return report;
}

std::vector<GoldenExample> record_tensors(const engine::Plan& plan) {
  constexpr std::size_t kWanted = 3;
  constexpr std::size_t kMostRecorded = 1 << 20;  // elements of an input
  // Few rows, since the server replays them before it is ready. Those behind are for models which refuse
  // short ones.
  constexpr protocol::GoldenSample kSizes[] = {{1, 16, 0},  {2, 7, 1},   {1, 33, 2},   {1, 64, 3},
                                               {2, 224, 4}, {1, 512, 5}, {1, 1024, 6}, {1, 1, 7}};
  std::vector<GoldenExample> examples;
  engine::Workspace workspace;
  engine::Results results;
  for (const protocol::GoldenSample& size : kSizes) {
    if (examples.size() == kWanted) break;
    if (sample_elements(plan.signature(), size_of(size)) > kMostRecorded) continue;
    GoldenExample example{.columns = {}, .row = {}, .outputs = {}, .line = examples.size() + 2};
    example.sample = size;
    const auto request = request_of(plan.signature(), example);
    if (!request || !plan.run(*request, plan.all_outputs(), workspace)) continue;
    for (const tensor::NamedResult& result : results.collect(plan, workspace, plan.all_outputs()))
      if (result.values.size() == 1 && result.values[0].table == nullptr)
        example.tensors.push_back(golden_tensor(result.name, result.values[0]));
    if (!example.tensors.empty()) examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace wherry::verify
