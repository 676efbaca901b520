// Buffers of a run and what a kernel sees of them. Private to module engine.
//
// A run goes over its rows in blocks: values nobody asked for hold one block at a time, results hold all rows
// and each block writes its part.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "program/program.h"
#include "tensor/table.h"
#include "tensor/view.h"

namespace wherry::engine {

// A block of rows of a matrix or table, row-major. `kinds` and `texts` are null when every cell is a number.
struct Columns {
  std::size_t rows = 0;
  std::size_t columns = 0;
  const double* numbers = nullptr;
  const tensor::CellKind* kinds = nullptr;
  const std::string_view* texts = nullptr;

  tensor::CellKind kind(std::size_t cell) const {
    return kinds == nullptr ? tensor::CellKind::kNumber : kinds[cell];
  }
};

// A block of sparse rows: row i has values[k] in column columns[k] for offsets[i] <= k < offsets[i + 1], each
// column at most once. Written row after row.
struct SparseRows {
  std::vector<std::size_t> offsets;
  std::vector<std::int32_t> columns;
  std::vector<double> values;

  void clear() {
    offsets.assign(1, 0);
    columns.clear();
    values.clear();
  }
  void add(std::size_t column, double value) {
    columns.push_back(static_cast<std::int32_t>(column));
    values.push_back(value);
  }
  void end_row() { offsets.push_back(values.size()); }
  std::size_t rows() const { return offsets.size() - 1; }
};

struct GraphRun;  // kernels_graph.cc

// One value's storage, which only ever grows, and where the current block of it stands.
struct Slot {
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;
  std::vector<std::uint8_t> bools;
  std::vector<std::string_view> strings;
  tensor::Table table;
  SparseRows sparse;

  bool is_result = false;    // holds all rows of the run
  bool is_borrowed = false;  // holds nothing: `tensor` does, or `graph`
  std::size_t width = 0;     // elements per row; 0 where that is not known before a run

  Columns columns;  // matrices, tables and float64 vectors
  const std::int64_t* integers_at = nullptr;
  const std::uint8_t* bools_at = nullptr;
  const std::string_view* strings_at = nullptr;
  const SparseRows* sparse_at = nullptr;

  tensor::ResultView tensor;        // values of the operations of ops_graph.h, which are borrowed
  std::shared_ptr<GraphRun> graph;  // tuples
  std::span<const std::uint32_t>
      wanted;  // of a tuple: the positions of those of its values which the run needs
};

// Where a table-making kernel writes.
struct TableCells {
  double* numbers;
  tensor::CellKind* kinds;
  std::string_view* texts;
};

struct TextScratch;  // text_analyzer.h

// Temporary buffers any kernel may use while it runs.
struct Buffers {
  std::vector<double> doubles;
  std::vector<double> sums;
  std::vector<float> floats;
  std::vector<std::uint8_t> flags;
  std::vector<std::uint32_t> positions;
  std::vector<std::uint64_t> words;
  std::vector<std::size_t> places;
  std::shared_ptr<TextScratch> text;  // made by the first kernel that needs it
};

// At least `count` elements; the contents are whatever was there before.
template <class T>
T* at_least(std::vector<T>& buffer, std::size_t count) {
  if (buffer.size() < count) buffer.resize(count);
  return buffer.data();
}

// One block of one run.
class Frame {
 public:
  Frame(std::span<Slot> slots, Buffers& buffers, const tensor::Table& input, std::size_t first_row,
        std::size_t rows)
      : slots_(slots), buffers_(buffers), input_(input), first_row_(first_row), rows_(rows) {}

  std::size_t rows() const { return rows_; }
  std::size_t first_row() const { return first_row_; }  // of the block, within the run's input
  Buffers& buffers() const { return buffers_; }
  const tensor::Table& input() const { return input_; }  // of the run

  const Columns& columns(program::ValueId id) const { return slots_[id].columns; }
  const double* matrix(program::ValueId id) const { return slots_[id].columns.numbers; }
  const std::int64_t* index(program::ValueId id) const { return slots_[id].integers_at; }

  // Lets value `id` be a tensor which outlives the run's results. Operations on rows read it as well where it
  // is made of rows.
  void borrow(program::ValueId id, const tensor::ResultView& tensor) const;
  // A borrowed tensor, or what an operation on rows made: `type` is that of the value.
  tensor::ResultView tensor(program::ValueId id, const program::ValueType& type) const;
  // Where the tuple `id` keeps what makes it, between runs too.
  std::shared_ptr<GraphRun>& graph(program::ValueId id) const { return slots_[id].graph; }

  // Which values of the tuple the run needs, ascending.
  std::span<const std::uint32_t> wanted(program::ValueId id) const { return slots_[id].wanted; }

  const SparseRows& sparse(program::ValueId id) const { return *slots_[id].sparse_at; }

  // Storage for this block of a value: rows() × width elements, to be written completely.
  double* make_matrix(program::ValueId id) const;
  std::int64_t* make_index(program::ValueId id) const;
  TableCells make_table(program::ValueId id) const;

  // Empty: rows() rows are to be added.
  SparseRows& make_sparse(program::ValueId id) const;

  // Says that the table just made holds numbers only.
  void drop_kinds(program::ValueId id) const;

  // Lets value `id` be value `from`, both of the same width; copies only when `id` is a result. `from` must
  // be a matrix, a table of numbers only, or sparse.
  void share(program::ValueId id, program::ValueId from) const;

  // As make_matrix for labels of any dtype: T is double, int64_t, uint8_t (bool) or string_view.
  template <class T>
  T* make(program::ValueId id) const;
  template <class T>
  const T* read(program::ValueId id) const;

 private:
  std::size_t offset(const Slot& slot) const { return slot.is_result ? first_row_ * slot.width : 0; }

  std::span<Slot> slots_;
  Buffers& buffers_;
  const tensor::Table& input_;
  std::size_t first_row_;
  std::size_t rows_;
};

}  // namespace wherry::engine
