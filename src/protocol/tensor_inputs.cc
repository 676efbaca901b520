#include "protocol/tensor_inputs.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "protocol/v2_input.h"

namespace wherry::protocol {
namespace {

using base::cat;
using base::quoted;
using program::InputTensor;
using tensor::TensorCells;

// A tensor without elements costs its sender nothing, whatever its other lengths: these are bounded.
constexpr std::uint64_t kMostOfEmpty = std::uint64_t{1} << 22;

std::unexpected<base::Error> invalid(std::string_view id, std::string message, std::string hint) {
  return base::fail(base::Code::kInvalidInput, id, std::move(message), std::move(hint));
}

std::string names_of(const Schema& schema) {
  constexpr std::size_t kMost = 6;
  std::string names;
  for (std::size_t i = 0; i < std::min(kMost, schema.inputs().size()); ++i)
    names += cat(i == 0 ? "" : ", ", quoted(schema.inputs()[i].name, 40));
  if (schema.inputs().size() > kMost) names += ", …";
  return names;
}

base::Error unknown_input(const Schema& schema, std::string_view name) {
  std::vector<std::string_view> names;
  for (const InputTensor& input : schema.inputs()) names.push_back(input.name);
  const auto near = name.size() > 100 ? std::nullopt : base::nearest(name, names);
  return {base::Code::kInvalidInput,
          "protocol.unknown_column",
          cat("the model has no input ", quoted(name)),
          near ? cat("did you mean ", quoted(*near), "?") : cat("its inputs are ", names_of(schema)),
          {}};
}

base::Status check_shape(const InputTensor& input, std::span<const std::int64_t> lengths) {
  if (!program::admits(input.shape, lengths))
    return invalid(
        "protocol.bad_shape",
        cat("input ", quoted(input.name), " has shape ", tensor::to_string({lengths.begin(), lengths.end()}),
            "; the model takes ", shape_text(input)),
        "send the lengths which the model's metadata show; -1 and names stand for any length");
  const bool has_elements = std::ranges::find(lengths, 0) == lengths.end();
  std::uint64_t others = 1;
  for (std::size_t axis = 0; !has_elements && axis < lengths.size(); ++axis) {
    const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(1, lengths[axis]));
    if (length > kMostOfEmpty / others)
      return invalid("protocol.bad_shape",
                     cat("input ", quoted(input.name), " has shape ",
                         tensor::to_string({lengths.begin(), lengths.end()}),
                         ": too large for a tensor without elements"),
                     "send a tensor with elements");
    others *= length;
  }
  return {};
}

}  // namespace

std::string inputs_hint(const Schema& schema) {
  constexpr std::size_t kMost = 3;
  std::string text = "{";
  for (std::size_t i = 0; i < std::min(kMost, schema.inputs().size()); ++i)
    text += cat(i == 0 ? "\"" : ", \"", schema.inputs()[i].name, "\": […]");
  return text + (schema.inputs().size() > kMost ? ", …}" : "}");
}

base::Error refuse_rows(const Schema& schema, std::string_view form) {
  return {base::Code::kInvalidInput,
          "protocol.bad_form",
          cat(form, " holds rows of columns, but the model takes tensors"),
          cat("send {\"inputs\": ", inputs_hint(schema), "} with nested lists"),
          {}};
}

tensor::ResultView view_of(const TensorCells& cells) {
  tensor::ResultView view{.dtype = cells.dtype,
                          .axes = static_cast<std::uint8_t>(cells.shape.size()),
                          .data = cells.bytes.data(),
                          .texts = cells.texts};
  std::copy(cells.shape.begin(), cells.shape.end(), view.lengths.begin());
  return view;
}

base::Result<std::uint32_t> TensorInputs::begin(std::string_view name) {
  const auto position = schema_.input(name);
  if (!position) return std::unexpected(unknown_input(schema_, name));
  if (request_.scratch.seen[*position] != 0)
    return invalid("protocol.duplicate", cat("input ", quoted(name), " is given twice"),
                   "give every input once");
  request_.scratch.seen[*position] = 1;
  const InputTensor& input = schema_.inputs()[*position];
  TensorCells& cells = request_.table.tensors[*position];
  cells.dtype = input.dtype;
  cells.shape.assign(program::is_any_shape(input.shape) ? 0 : input.shape.size(), -1);
  cells.bytes = {};
  cells.texts.clear();
  cells.owned.clear();
  return *position;
}

base::Result<std::uint32_t> TensorInputs::begin(const V2Input& in) {
  TRY_ASSIGN(const std::uint32_t position, begin(*in.name));
  const InputTensor& input = schema_.inputs()[position];
  const std::string_view wanted = datatype_of(input.dtype);
  if (in.datatype->name != wanted)
    return invalid("protocol.bad_datatype",
                   cat(in.label(), " has datatype ", in.datatype->name, "; the model takes ", wanted),
                   cat("send it as ", wanted));
  const bool is_any = program::is_any_shape(input.shape);
  if (is_any ? in.axes > program::kMostAxes : in.axes != input.shape.size())
    return invalid("protocol.bad_shape",
                   cat(in.label(), " has shape ", in.shape_text(), "; the model takes ", shape_text(input)),
                   is_any ? cat("send at most ", program::kMostAxes, " lengths")
                          : cat("send ", input.shape.size(), input.shape.size() == 1 ? " length" : " lengths",
                                ", those of the model's metadata"));
  std::array<std::int64_t, V2Input::kMostAxes> lengths{};
  for (std::size_t axis = 0; axis < in.axes; ++axis) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
    if (in.shape[axis] > kMost) return std::unexpected(bad_length(in, cat(in.shape[axis])));
    lengths[axis] = static_cast<std::int64_t>(in.shape[axis]);
  }
  TRY(check_shape(input, std::span(lengths).first(in.axes)));
  TensorCells& cells = request_.table.tensors[position];
  cells.shape.assign(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(in.axes));
  return position;
}

void TensorInputs::set_bytes(std::uint32_t position, base::Bytes bytes) {
  TensorCells& cells = request_.table.tensors[position];
  const std::size_t size = tensor::info(cells.dtype).size;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size == 0) {
    cells.bytes = bytes;
  } else {
    std::memcpy(cells.own(bytes.size()).data(), bytes.data(), bytes.size());
  }
}

base::Status TensorInputs::check_equal_lengths() const {
  for (const EqualLengths& pair : schema_.equal_lengths()) {
    const std::int64_t length = request_.table.tensors[pair.input].shape[pair.axis];
    const std::int64_t other = request_.table.tensors[pair.same_input].shape[pair.same_axis];
    if (length == other) continue;
    const InputTensor& input = schema_.inputs()[pair.input];
    const std::string_view name = pair.axis < input.dims.size() ? input.dims[pair.axis] : std::string_view();
    return invalid(
        "protocol.bad_shape",
        cat("input ", quoted(input.name), " has length ", length, " along axis ", pair.axis,
            name.empty() ? "" : cat(", ", quoted(name)), "; input ",
            quoted(schema_.inputs()[pair.same_input].name), " has ", other, " along axis ", pair.same_axis),
        name.empty() || pair.axis == 0 ? "all inputs have the same number of rows"
                                       : "lengths of one name are equal in a request");
  }
  return {};
}

base::Status TensorInputs::finish() {
  for (std::uint32_t i = 0; i < schema_.inputs().size(); ++i) {
    const InputTensor& input = schema_.inputs()[i];
    if (request_.scratch.seen[i] == 0)
      return invalid("protocol.missing_column", cat("input ", quoted(input.name), " is missing"),
                     cat("the model takes ", names_of(schema_)));
    TensorCells& cells = request_.table.tensors[i];
    if (!cells.owned.empty()) cells.bytes = cells.owned;
    for (std::size_t axis = 0; axis < cells.shape.size(); ++axis)
      if (cells.shape[axis] < 0)
        cells.shape[axis] =
            program::is_any_shape(input.shape) ? 0 : std::max<std::int64_t>(0, input.shape[axis]);
    TRY(check_shape(input, cells.shape));
  }
  TRY(check_equal_lengths());
  const bool batched = schema_.signature().batched;
  request_.table.rows = batched ? static_cast<std::size_t>(request_.table.tensors[0].shape[0]) : 1;
  return {};
}

}  // namespace wherry::protocol
