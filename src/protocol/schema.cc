#include "protocol/schema.h"

#include "base/text.h"

namespace wherry::protocol {
namespace {

using program::ColumnType;

template <class Map>
std::optional<std::uint32_t> look_up(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

template <class Named>
std::optional<std::uint32_t> position(std::span<const Named> named, std::string_view name) {
  for (std::size_t i = 0; i < named.size(); ++i)
    if (named[i].name == name) return static_cast<std::uint32_t>(i);
  return std::nullopt;
}

std::vector<EqualLengths> find_equal_lengths(const program::Signature& signature) {
  std::vector<EqualLengths> equal;
  std::unordered_map<std::string_view, std::pair<std::uint32_t, std::uint32_t>> first;
  for (std::uint32_t i = 0; i < signature.tensors.size(); ++i) {
    const program::InputTensor& input = signature.tensors[i];
    if (signature.batched && i != 0) equal.push_back({i, 0, 0, 0});
    for (std::uint32_t axis = 0; axis < input.dims.size() && axis < input.shape.size(); ++axis) {
      if (input.dims[axis].empty() || input.shape[axis] >= 0) continue;
      const auto [known, is_new] = first.try_emplace(input.dims[axis], i, axis);
      if (!is_new) equal.push_back({i, axis, known->second.first, known->second.second});
    }
  }
  return equal;
}

}  // namespace

Schema::Schema(const program::Program& program)
    : signature_(program.signature()), equal_lengths_(find_equal_lengths(signature_)) {
  for (std::uint32_t i = 0; i < signature_.tensors.size(); ++i)
    input_of_.emplace(signature_.tensors[i].name, i);
  takes_numbers_ = takes_texts_ = !signature_.takes_tensors();
  for (std::uint32_t c = 0; c < signature_.columns.size(); ++c) {
    const program::InputColumn& column = signature_.columns[c];
    column_of_.emplace(column.name, c);
    const bool is_text = column.type == ColumnType::kText || column.type == ColumnType::kRecord;
    takes_numbers_ = takes_numbers_ && !is_text;
    takes_texts_ = takes_texts_ && (is_text || column.type == ColumnType::kAny);
  }
  for (const program::Output& output : program.outputs()) {
    const auto index = static_cast<std::uint32_t>(outputs_.size());
    const auto count = static_cast<std::uint32_t>(output.values.size());
    outputs_.push_back({output.name, output.labels, static_cast<std::uint32_t>(tensors_.size()), count});
    for (std::uint32_t k = 0; k < count; ++k)
      tensors_.push_back({count == 1 ? output.name : base::cat(output.name, "_", k), index, k,
                          program.types()[output.values[k]]});
  }
  for (const std::string_view name : {"transform", "predict"})
    if (const auto found = output(name)) default_output_ = *found;
}

std::optional<std::uint32_t> Schema::column(std::string_view name) const {
  return look_up(column_of_, name);
}
std::optional<std::uint32_t> Schema::input(std::string_view name) const {
  return look_up(input_of_, name);
}
std::optional<std::uint32_t> Schema::output(std::string_view name) const {
  return position<OutputSchema>(outputs_, name);
}
std::optional<std::uint32_t> Schema::tensor(std::string_view name) const {
  return position<OutputTensor>(tensors_, name);
}

}  // namespace wherry::protocol
