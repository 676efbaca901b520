#include "protocol/v2_output.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "protocol/datatypes.h"
#include "protocol/json_writer.h"
#include "tensor/half.h"

namespace wherry::protocol {
namespace {

using tensor::CellKind;
using tensor::DType;
using tensor::ResultView;

void append_length(std::size_t length, std::string& out) {
  const auto bytes = static_cast<std::uint32_t>(length);
  out.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
}

// Text `i` of a table whose cells are not all numbers; numbers are rendered into `scratch`.
std::string_view cell_text(const tensor::Table& table, std::size_t i, std::string& scratch) {
  if (table.kind(i) == CellKind::kText) return table.texts[i];
  scratch.clear();
  if (table.kind(i) == CellKind::kNumber) append_double(table.numbers[i], NonFinite::kPythonTokens, scratch);
  return scratch;
}

// take(text) for each element of a result announced as BYTES.
template <class Take>
void each_text(const ResultView& view, Take take) {
  std::string scratch;
  const std::size_t count = view.size();
  for (std::size_t i = 0; i < count; ++i)
    take(view.table != nullptr ? cell_text(*view.table, i, scratch) : view.texts[i]);
}

bool is_text(const ResultView& view) {
  return view.table != nullptr ? has_text(*view.table) : view.dtype == DType::kString;
}

double number_at(const ResultView& view, std::size_t i) {
  const auto as = [&]<class T>(T) { return static_cast<double>(static_cast<const T*>(view.data)[i]); };
  switch (view.dtype) {
    case DType::kFloat64:
      return as(double{});
    case DType::kFloat32:
      return as(float{});
    case DType::kInt64:
      return as(std::int64_t{});
    case DType::kInt32:
      return as(std::int32_t{});
    case DType::kInt16:
      return as(std::int16_t{});
    case DType::kInt8:
      return as(std::int8_t{});
    case DType::kUint64:
      return as(std::uint64_t{});
    case DType::kUint32:
      return as(std::uint32_t{});
    case DType::kUint16:
      return as(std::uint16_t{});
    case DType::kFloat16:
      return tensor::half_to_double(static_cast<const std::uint16_t*>(view.data)[i]);
    case DType::kBfloat16:
      return tensor::bfloat_to_double(static_cast<const std::uint16_t*>(view.data)[i]);
    default:
      return as(std::uint8_t{});
  }
}

}  // namespace

const ResultView* find_view(const Schema& schema, const OutputTensor& tensor,
                            std::span<const tensor::NamedResult> results) {
  const std::string& name = schema.outputs()[tensor.output].name;
  for (const tensor::NamedResult& result : results)
    if (result.name == name && tensor.value < result.values.size()) return &result.values[tensor.value];
  return nullptr;
}

std::size_t raw_size(const ResultView& view) {
  if (!is_text(view))
    return view.size() * (view.table != nullptr ? sizeof(double) : tensor::info(view.dtype).size);
  std::size_t size = 0;
  each_text(view, [&](std::string_view text) { size += sizeof(std::uint32_t) + text.size(); });
  return size;
}

void append_raw(const ResultView& view, std::string& out) {
  if (is_text(view)) {
    each_text(view, [&](std::string_view text) {
      append_length(text.size(), out);
      out += text;
    });
    return;
  }
  const void* const data = view.table != nullptr ? view.table->numbers.data() : view.data;
  out.append(static_cast<const char*>(data), raw_size(view));
}

Classes::Classes(const ResultView& view, std::uint32_t k, std::span<const std::string> labels, bool batched) {
  const std::size_t rows = view.axes == 0 || !batched ? 1 : static_cast<std::size_t>(view.lengths[0]);
  const std::size_t width = rows == 0 ? 0 : view.size() / rows;
  const std::size_t count = std::min<std::size_t>(k, width);
  std::vector<std::size_t> order(width);
  for (std::size_t row = 0; row < rows; ++row) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      const double x = number_at(view, row * width + a), y = number_at(view, row * width + b);
      return x > y || (std::isnan(y) && !std::isnan(x));
    });
    for (std::size_t i = 0; i < count; ++i) {
      std::string& text = texts_.emplace_back();
      append_element(view, row * width + order[i], NonFinite::kPythonTokens, text);
      text += ':';
      append_unsigned(order[i], text);
      if (labels.size() == width) text.append(":").append(labels[order[i]]);
    }
  }
  borrowed_.assign(texts_.begin(), texts_.end());
  view_ = {.dtype = DType::kString,
           .axes = 2,
           .lengths = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(count)},
           .texts = borrowed_};
  if (!batched) view_.axes = 1, view_.lengths = {static_cast<std::int64_t>(count)};
}

}  // namespace wherry::protocol
