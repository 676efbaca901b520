#include "engine/frame.h"

#include <algorithm>

namespace wherry::engine {

using program::ValueId;

double* Frame::make_matrix(ValueId id) const {
  Slot& slot = slots_[id];
  double* data = slot.doubles.data() + offset(slot);
  slot.columns = {rows_, slot.width, data, nullptr, nullptr};
  return data;
}

std::int64_t* Frame::make_index(ValueId id) const {
  Slot& slot = slots_[id];
  std::int64_t* data = slot.integers.data() + offset(slot);
  slot.integers_at = data;
  return data;
}

TableCells Frame::make_table(ValueId id) const {
  Slot& slot = slots_[id];
  const std::size_t at = offset(slot);
  const TableCells cells{slot.table.numbers.data() + at, slot.table.kinds.data() + at,
                         slot.table.texts.data() + at};
  slot.columns = {rows_, slot.width, cells.numbers, cells.kinds, cells.texts};
  return cells;
}

SparseRows& Frame::make_sparse(ValueId id) const {
  Slot& slot = slots_[id];
  slot.sparse.clear();
  slot.sparse_at = &slot.sparse;
  return slot.sparse;
}

void Frame::drop_kinds(ValueId id) const {
  slots_[id].columns.kinds = nullptr;
  slots_[id].columns.texts = nullptr;
}

void Frame::share(ValueId id, ValueId from) const {
  if (slots_[id].is_result) {
    std::copy_n(matrix(from), rows_ * slots_[id].width, make_matrix(id));
  } else {
    slots_[id].columns = slots_[from].columns;
    slots_[id].sparse_at = slots_[from].sparse_at;
  }
}

void Frame::borrow(ValueId id, const tensor::ResultView& tensor) const {
  Slot& slot = slots_[id];
  slot.tensor = tensor;
  switch (tensor.dtype) {
    case tensor::DType::kFloat64:
      slot.columns = {rows_, slot.width, static_cast<const double*>(tensor.data), nullptr, nullptr};
      break;
    case tensor::DType::kInt64:
      slot.integers_at = static_cast<const std::int64_t*>(tensor.data);
      break;
    case tensor::DType::kBool:
      slot.bools_at = static_cast<const std::uint8_t*>(tensor.data);
      break;
    case tensor::DType::kString:
      slot.strings_at = tensor.texts.data();
      break;
    default:  // not made of rows
      break;
  }
}

tensor::ResultView Frame::tensor(ValueId id, const program::ValueType& type) const {
  const Slot& slot = slots_[id];
  if (slot.is_borrowed) return slot.tensor;
  tensor::ResultView view;
  view.dtype = type.dtype;
  view.axes = static_cast<std::uint8_t>(type.shape.size());
  view.lengths = {static_cast<std::int64_t>(rows_), static_cast<std::int64_t>(slot.width)};
  switch (type.dtype) {
    case tensor::DType::kInt64:
      view.data = slot.integers_at;
      break;
    case tensor::DType::kBool:
      view.data = slot.bools_at;
      break;
    case tensor::DType::kString:
      view.texts = {slot.strings_at, rows_ * slot.width};
      break;
    default:
      view.data = slot.columns.numbers;
      break;
  }
  return view;
}

template <>
double* Frame::make<double>(ValueId id) const {
  return make_matrix(id);
}
template <>
std::int64_t* Frame::make<std::int64_t>(ValueId id) const {
  return make_index(id);
}
template <>
std::uint8_t* Frame::make<std::uint8_t>(ValueId id) const {
  Slot& slot = slots_[id];
  std::uint8_t* data = slot.bools.data() + offset(slot);
  slot.bools_at = data;
  return data;
}
template <>
std::string_view* Frame::make<std::string_view>(ValueId id) const {
  Slot& slot = slots_[id];
  std::string_view* data = slot.strings.data() + offset(slot);
  slot.strings_at = data;
  return data;
}

template <>
const double* Frame::read<double>(ValueId id) const {
  return matrix(id);
}
template <>
const std::int64_t* Frame::read<std::int64_t>(ValueId id) const {
  return index(id);
}
template <>
const std::uint8_t* Frame::read<std::uint8_t>(ValueId id) const {
  return slots_[id].bools_at;
}
template <>
const std::string_view* Frame::read<std::string_view>(ValueId id) const {
  return slots_[id].strings_at;
}

}  // namespace wherry::engine
