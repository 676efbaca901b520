// Schemas for tests, fuzz targets and benchmarks of this module.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "program/program.h"
#include "protocol/schema.h"
#include "tensor/table.h"

namespace wherry::protocol {

// A program which only exists for its signature and outputs: "predict" [n], "predict_proba" [n, columns] and
// "multi", a list of two arrays.
inline program::Program test_program(program::Signature signature) {
  const std::size_t width = signature.columns.size();
  std::vector<std::string> labels;
  for (std::size_t c = 0; c < width; ++c) labels.push_back("c" + std::to_string(c));
  program::ProgramBuilder builder(std::move(signature));
  const auto matrix = builder.add(program::ToMatrix{}, {program::ProgramBuilder::kInput});
  const auto first = builder.add(program::SelectColumns{.columns = {0}}, {matrix.value()});
  const auto vector = builder.add(program::Flatten{}, {first.value()});
  const bool complete = builder.output({"predict", {vector.value()}, {}}).has_value() &&
                        builder.output({"predict_proba", {matrix.value()}, labels}).has_value() &&
                        builder.output({"multi", {matrix.value(), first.value()}, {}}).has_value();
  auto program = std::move(builder).build();
  if (!complete || !program) std::abort();
  return std::move(*program);
}

inline Schema test_schema(std::vector<program::InputColumn> columns, bool has_names,
                          bool ignores_extra = false) {
  return Schema(test_program({std::move(columns), has_names, ignores_extra}));
}

// Columns x0, x1, … of numbers, without names.
inline Schema matrix_schema(std::size_t width) {
  std::vector<program::InputColumn> columns;
  for (std::size_t c = 0; c < width; ++c) columns.push_back({"x" + std::to_string(c)});
  return test_schema(std::move(columns), false);
}

// amount (number), country (text), known (bool), age (integer), code (any), note (text, never looked at).
inline Schema mixed_schema(bool ignores_extra = false) {
  using program::ColumnType;
  return test_schema({{"amount", ColumnType::kNumber},
                      {"country", ColumnType::kText},
                      {"known", ColumnType::kBool},
                      {"age", ColumnType::kInteger},
                      {"code", ColumnType::kAny},
                      {"note", ColumnType::kText, false}},
                     true, ignores_extra);
}

// Whether what a reader left is a whole table of UTF-8: for fuzz targets.
inline bool is_whole(const tensor::Table& table, const Schema& schema) {
  const std::size_t cells = table.rows * schema.columns().size();
  if (table.columns != schema.columns().size() || table.numbers.size() != cells) return false;
  if (!table.kinds.empty() && (table.kinds.size() != cells || table.texts.size() != cells)) return false;
  return std::ranges::all_of(table.texts, base::is_valid_utf8);
}

}  // namespace wherry::protocol
