// Any program a hostile bundle can hold must run on any rows without harm, and give each row the same result
// alone as among others. The input is that of the bundle target: program.json and weights.safetensors, the
// first eight bytes saying how long the former is.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "engine/plan.h"
#include "program/safetensors.h"
#include "program/serialize.h"
#include "text/json.h"

namespace {

using namespace wherry;

// Cells of every kind, told apart by a number.
void set_cell(tensor::Table& table, std::size_t cell, std::uint64_t choice) {
  constexpr double kNumbers[] = {
      0, -0.0, 1, -1, 0.5, 1e300, 5e-324, std::numeric_limits<double>::infinity(), NAN, 255, 256};
  constexpr std::string_view kTexts[] = {"", "a", "red", "1.5", "nan", "\xC3\xA4"};
  switch (choice % 4) {
    case 0:
      return table.set_text(cell, kTexts[choice / 4 % std::size(kTexts)]);
    case 1:
      return table.set_missing(cell);
    default:
      return table.set_number(cell, kNumbers[choice / 4 % std::size(kNumbers)]);
  }
}

// `only_numbers`: most programs refuse text early.
tensor::Table make_rows(std::size_t first, std::size_t rows, std::size_t columns, bool only_numbers) {
  tensor::Table table;
  table.reset(rows, columns);
  for (std::size_t cell = 0; cell < rows * columns; ++cell) {
    const std::uint64_t mixed = (first * columns + cell + 1) * 0x9E3779B97F4A7C15u >> 33;
    if (only_numbers) {
      table.set_number(cell, static_cast<double>(mixed % 64) / 8);
    } else {
      set_cell(table, cell, mixed);
    }
  }
  return table;
}

bool same(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

void check_rows(const engine::Plan& plan, bool only_numbers) {
  constexpr std::size_t kRows = 11;
  const std::size_t columns = plan.signature().columns.size();
  engine::Workspace together;
  const tensor::Table table = make_rows(0, kRows, columns, only_numbers);
  if (!plan.run(table, plan.all_outputs(), together)) return;
  engine::Workspace alone;
  for (std::size_t row = 0; row < kRows; ++row) {
    const tensor::Table one = make_rows(row, 1, columns, only_numbers);
    if (!plan.run(one, plan.all_outputs(), alone)) std::abort();
    for (std::size_t i = 0; i < plan.outputs().size(); ++i) {
      for (std::size_t k = 0; k < plan.outputs()[i].values.size(); ++k) {
        const engine::ResultView all = together.result(i, k);
        const engine::ResultView its = alone.result(i, k);
        for (std::size_t j = 0; j < its.doubles.size(); ++j)
          if (!same(its.doubles[j], all.doubles[row * all.columns + j])) std::abort();
        for (std::size_t j = 0; j < its.strings.size(); ++j)
          if (its.strings[j] != all.strings[row * all.columns + j]) std::abort();
        for (std::size_t j = 0; j < its.integers.size(); ++j)
          if (its.integers[j] != all.integers[row * all.columns + j]) std::abort();
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t length = 0;
  std::memcpy(&length, data, sizeof length);
  const std::string_view rest(reinterpret_cast<const char*>(data) + 8, size - 8);
  if (length > rest.size()) length = rest.size();
  const auto document = text::parse_json(rest.substr(0, length), "program.json");
  const auto owner = std::make_shared<std::string>(rest.substr(length));
  auto weights = program::read_safetensors(base::as_bytes(*owner), owner);
  if (!document || !weights) return 0;
  auto program = program::program_from_json(*document, std::move(*weights));
  if (!program) return 0;
  // Legal, but a waste of the fuzzer's memory.
  for (const program::ValueType& type : program->types())
    if (program::width(type) > (1 << 16)) return 0;
  const auto plan = engine::Plan::compile(std::move(*program));
  if (!plan) return 0;
  check_rows(*plan, true);
  check_rows(*plan, false);
  return 0;
}
