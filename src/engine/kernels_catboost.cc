// CatBoost's categories, trees and exponential, as program/ops_catboost.h states them.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>

#include "base/text.h"
#include "engine/cells.h"
#include "engine/city_hash.h"
#include "engine/kernels.h"
#include "engine/oblivious.h"

namespace wherry::engine {
namespace {

using tensor::Tensor;

// The 32-bit hash of a category; false for a cell which is none.
bool hash_cell(const Columns& table, std::size_t cell, std::uint32_t& hash) {
  switch (table.kind(cell)) {
    case tensor::CellKind::kText:
      hash = static_cast<std::uint32_t>(city_hash64(table.texts[cell]));
      return true;
    case tensor::CellKind::kMissing:
      return false;
    case tensor::CellKind::kNumber:
      break;
  }
  const double number = table.numbers[cell];
  if (!(std::abs(number) < 0x1p63) || number != std::trunc(number)) return false;
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr;
  hash = static_cast<std::uint32_t>(city_hash64({digits, static_cast<std::size_t>(end - digits)}));
  return true;
}

class Features {
 public:
  Features(const program::CatboostFeatures& op, const program::Program& program, std::size_t categories,
           std::size_t numbers)
      : one_hot_column_(program.weight(op.one_hot_column)),
        one_hot_hash_(program.weight(op.one_hot_hash)),
        bucket_hash_(program.weight(op.bucket_hash)),
        bucket_entry_(program.weight(op.bucket_entry)),
        ctr_values_(program.weight(op.ctr_values)),
        categories_(categories),
        numbers_(numbers) {
    const auto kinds = program.weight(op.element_kind).as<std::uint8_t>();
    const auto columns = program.weight(op.element_column).as<std::int32_t>();
    const auto borders = program.weight(op.element_border).as<float>();
    const auto hashes = program.weight(op.element_hash).as<std::uint32_t>();
    const auto nan_high = program.weight(op.nan_high).as<std::uint8_t>();
    for (std::size_t e = 0; e < kinds.size(); ++e) {
      const auto column = static_cast<std::size_t>(columns[e]);
      elements_.push_back({kinds[e], kinds[e] == 1 && nan_high[column] != 0, column, borders[e], hashes[e]});
    }
    for (const std::int64_t end : program.weight(op.projection_end).as<std::int64_t>())
      projection_end_.push_back(static_cast<std::size_t>(end));
    const auto owners = program.weight(op.table_projection).as<std::int32_t>();
    std::size_t start = 0;
    for (std::size_t q = 0; q < owners.size(); ++q) {
      const auto end = static_cast<std::size_t>(program.weight(op.table_end).as<std::int64_t>()[q]);
      tables_.push_back({static_cast<std::size_t>(owners[q]), start, end - start - 1});
      start = end;
    }
    const auto ctr_tables = program.weight(op.ctr_table).as<std::int32_t>();
    for (std::size_t t = 0; t < ctr_tables.size(); ++t)
      ctrs_.push_back({static_cast<std::size_t>(ctr_tables[t]),
                       static_cast<std::size_t>(program.weight(op.ctr_start).as<std::int64_t>()[t]),
                       program.weight(op.ctr_absent).as<float>()[t]});
  }

  std::size_t width() const { return numbers_ + one_hot_hash_.size() + ctrs_.size(); }

  // What a row needs while it is computed, in 64-bit words.
  std::size_t scratch() const { return categories_ + projection_end_.size() + tables_.size(); }

  // False when cell `wrong` of the row is no category.
  bool run_row(const Columns& cells, std::size_t row, const double* numbers, double* out,
               std::uint64_t* scratch, std::size_t& wrong) const {
    std::uint64_t* hashes = scratch;
    for (std::size_t j = 0; j < categories_; ++j) {
      std::uint32_t hash = 0;
      if (!hash_cell(cells, row * categories_ + j, hash)) return wrong = j, false;
      hashes[j] = hash;
    }
    out = std::copy_n(numbers, numbers_, out);
    const auto columns = one_hot_column_.as<std::int32_t>();
    const auto values = one_hot_hash_.as<std::uint32_t>();
    for (std::size_t s = 0; s < values.size(); ++s) *out++ = hashes[columns[s]] == values[s] ? 1.0 : 0.0;
    std::uint64_t* projections = hashes + categories_;
    std::uint64_t* entries = projections + projection_end_.size();
    project(hashes, numbers, projections);
    for (std::size_t q = 0; q < tables_.size(); ++q)
      entries[q] = find(tables_[q], projections[tables_[q].projection]);
    const auto ctr_values = ctr_values_.as<float>();
    for (const Ctr& ctr : ctrs_)
      *out++ = entries[ctr.table] == kAbsent ? ctr.absent : ctr_values[ctr.start + entries[ctr.table]];
    return true;
  }

 private:
  struct Element {
    std::uint8_t kind;
    bool nan_high;
    std::size_t column;
    float border;
    std::uint32_t hash;
  };
  struct Table {
    std::size_t projection;
    std::size_t start;
    std::size_t mask;
  };
  struct Ctr {
    std::size_t table;
    std::size_t start;
    float absent;
  };
  static constexpr std::uint64_t kAbsent = ~std::uint64_t{0};
  static constexpr std::uint64_t kMultiplier = 0x4906ba494954cb65;

  std::uint64_t value_of(const Element& element, const std::uint64_t* hashes, const double* numbers) const {
    if (element.kind == 0)
      return static_cast<std::uint64_t>(
          static_cast<std::int64_t>(static_cast<std::int32_t>(hashes[element.column])));
    if (element.kind == 2) return hashes[element.column] == element.hash ? 1 : 0;
    const auto number = static_cast<float>(numbers[element.column]);
    if (std::isnan(number))
      return element.nan_high && std::numeric_limits<float>::infinity() > element.border ? 1 : 0;
    return number > element.border ? 1 : 0;
  }

  void project(const std::uint64_t* hashes, const double* numbers, std::uint64_t* out) const {
    std::size_t e = 0;
    for (const std::size_t end : projection_end_) {
      std::uint64_t hash = 0;
      for (; e < end; ++e)
        hash = kMultiplier * (hash + kMultiplier * value_of(elements_[e], hashes, numbers));
      *out++ = hash;
    }
  }

  std::uint64_t find(const Table& table, std::uint64_t hash) const {
    const std::uint64_t* keys = bucket_hash_.as<std::uint64_t>().data() + table.start;
    const std::int32_t* entries = bucket_entry_.as<std::int32_t>().data() + table.start;
    std::size_t at = hash & table.mask;
    for (std::size_t step = 0; step <= table.mask; ++step, at = (at + 1) & table.mask) {
      if (entries[at] < 0) return kAbsent;
      if (keys[at] == hash) return static_cast<std::uint64_t>(entries[at]);
    }
    return kAbsent;
  }

  Tensor one_hot_column_, one_hot_hash_, bucket_hash_, bucket_entry_, ctr_values_;
  std::vector<Element> elements_;
  std::vector<std::size_t> projection_end_;
  std::vector<Table> tables_;
  std::vector<Ctr> ctrs_;
  std::size_t categories_;
  std::size_t numbers_;
};

std::unexpected<base::Error> no_category(const Skeleton& skeleton, program::ValueId value, const Frame& frame,
                                         std::size_t row, std::size_t column) {
  const Columns& in = frame.columns(value);
  return base::fail(base::Code::kInvalidInput, "engine.category",
                    base::cat(column_name(skeleton, value, column), " of row ", frame.first_row() + row, ": ",
                              describe_cell(in, row * in.columns + column),
                              " is no category; CatBoost takes text and integers"),
                    "send text or an integer; a missing value as the text it had in training");
}

// The powers 2^(i/2048) without their exponent.
struct ExpTable {
  std::array<std::uint64_t, 2048> fraction;
  double a = 2048 / std::log(2.0);
  double inverse = 1 / a;
  ExpTable() {
    for (std::size_t i = 0; i < fraction.size(); ++i)
      fraction[i] = std::bit_cast<std::uint64_t>(std::pow(2.0, static_cast<double>(i) * (1.0 / 2048))) &
                    ((1ull << 52) - 1);
  }
};

const ExpTable& exp_table() {
  static const ExpTable table;
  return table;
}

constexpr double kLeast = -708.39641853226408;
constexpr double kMost = 709.78271289338397;

double exp_within(double x, const ExpTable& table) {
  constexpr double kB = 6755399441055744.0;  // 1.5 * 2^52
  const double d = x * table.a + kB;
  const auto bits = std::bit_cast<std::uint64_t>(d);
  const double t = (d - kB) * table.inverse - x;
  const std::uint64_t power = ((bits + ((1ull << 21) - (1ull << 11))) >> 11) << 52;
  const double y = (3.0000000027955394 - t) * (t * t) * 0.16666666685227835064 - t + 1.0;
  return y * std::bit_cast<double>(power | table.fraction[bits & 2047]);
}

double fast_exp(double x, const ExpTable& table) {
  if (x <= kLeast) return 0;
  if (x >= kMost) return std::numeric_limits<double>::infinity();
  return exp_within(x, table);
}

void softmax(const double* x, std::size_t width, double* out, const ExpTable& table) {
  const double most = *std::max_element(x, x + width);
  const std::size_t in_fours = width - width % 4;
  double sum = 0;
  for (std::size_t j = 0; j < width; ++j) {
    out[j] = j < in_fours ? exp_within(std::max(x[j] - most, kLeast), table) : fast_exp(x[j] - most, table);
    sum += out[j];
  }
  for (std::size_t j = 0; j < width; ++j) out[j] /= sum;
}

}  // namespace

MadeKernel make_kernel(const program::CatboostFeatures& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const bool has_numbers = wiring.node.inputs.size() == 2;
  const auto in_numbers = wiring.node.inputs.back();
  const auto out = wiring.output();
  const std::size_t numbers = has_numbers ? wiring.width_of(in_numbers) : 0;
  const auto features = std::make_shared<const Features>(op, wiring.program, wiring.width_of(in), numbers);
  const Skeleton* skeleton = &wiring.skeleton;
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& cells = frame.columns(in);
    const double* from = has_numbers ? frame.matrix(in_numbers) : nullptr;
    double* to = frame.make_matrix(out);
    std::uint64_t* scratch = at_least(frame.buffers().words, features->scratch());
    std::size_t wrong = 0;
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      if (!features->run_row(cells, row, from, to + row * features->width(), scratch, wrong))
        return no_category(*skeleton, in, frame, row, wrong);
      if (has_numbers) from += numbers;
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::ObliviousTrees& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const program::Program& program = wiring.program;
  const auto trees = std::make_shared<const PackedOblivious>(
      program.weight(op.depth).as<std::uint8_t>(), program.weight(op.feature).as<std::int32_t>(),
      program.weight(op.border).as<float>(), program.weight(op.values),
      program.weight(op.nan_high).as<std::uint8_t>());
  return Kernel{[=](const Frame& frame) -> base::Status {
    trees->run(frame.matrix(in), frame.rows(), frame.make_matrix(out), frame.buffers());
    return {};
  }};
}

MadeKernel make_kernel(const program::CatboostExp& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const ExpTable* table = &exp_table();
  return Kernel{[in, out, table, scale = op.scale](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows * from.columns; ++i)
      to[i] = fast_exp(scale * from.numbers[i], *table);
    return {};
  }};
}

MadeKernel make_kernel(const program::CatboostSoftmax&, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const ExpTable* table = &exp_table();
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t row = 0; row < from.rows; ++row)
      softmax(from.numbers + row * from.columns, from.columns, to + row * from.columns, *table);
    return {};
  }};
}

}  // namespace wherry::engine
