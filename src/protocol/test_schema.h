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

// A program which hands each of its tensors through, as output "NAME_out".
inline program::Program tensor_program(std::vector<program::InputTensor> inputs, bool batched = true) {
  program::Signature signature;
  signature.tensors = std::move(inputs);
  signature.batched = batched;
  program::ProgramBuilder builder(signature);
  for (std::uint32_t i = 0; i < signature.tensors.size(); ++i) {
    const auto value = builder.add(program::TensorInput{i}, {});
    if (!value || !builder.output({signature.tensors[i].name + "_out", {*value}, {}})) std::abort();
  }
  auto program = std::move(builder).build();
  if (!program) std::abort();
  return std::move(*program);
}

inline Schema tensor_schema(std::vector<program::InputTensor> inputs, bool batched = true) {
  return Schema(tensor_program(std::move(inputs), batched));
}

// One input "x" of [batch, 3].
inline Schema vector_schema(tensor::DType dtype = tensor::DType::kFloat32) {
  return tensor_schema({{"x", dtype, {-1, 3}, {"batch", ""}}});
}

// "ids" int64 [batch, length], "mask" bool [batch, length], "scale" float32 [batch].
inline Schema several_schema() {
  using tensor::DType;
  return tensor_schema({{"ids", DType::kInt64, {-1, -1}, {"batch", "length"}},
                        {"mask", DType::kBool, {-1, -1}, {"batch", "length"}},
                        {"scale", DType::kFloat32, {-1}, {"batch"}}});
}

// Whether what a reader left is what the tensors of a model say: for fuzz targets.
inline bool is_whole_tensors(const tensor::Table& table, const Schema& schema) {
  if (table.tensors.size() != schema.inputs().size() || table.columns != 0) return false;
  for (std::size_t i = 0; i < table.tensors.size(); ++i) {
    const tensor::TensorCells& cells = table.tensors[i];
    const program::InputTensor& input = schema.inputs()[i];
    const auto count = tensor::element_count(cells.shape);
    if (!count || cells.dtype != input.dtype || !program::admits(input.shape, cells.shape)) return false;
    const std::size_t size = tensor::info(cells.dtype).size;
    const bool is_text = cells.dtype == tensor::DType::kString;
    if (is_text ? cells.texts.size() != *count : cells.bytes.size() != *count * size) return false;
    if (!is_text && reinterpret_cast<std::uintptr_t>(cells.bytes.data()) % size != 0) return false;
    if (!std::ranges::all_of(cells.texts, base::is_valid_utf8)) return false;
    if (schema.signature().batched && static_cast<std::size_t>(cells.shape[0]) != table.rows) return false;
  }
  return true;
}

// Whether what a reader left is a whole table of UTF-8: for fuzz targets.
inline bool is_whole(const tensor::Table& table, const Schema& schema) {
  if (schema.takes_tensors()) return is_whole_tensors(table, schema);
  const std::size_t cells = table.rows * schema.columns().size();
  if (table.columns != schema.columns().size() || table.numbers.size() != cells) return false;
  if (!table.kinds.empty() && (table.kinds.size() != cells || table.texts.size() != cells)) return false;
  return std::ranges::all_of(table.texts, base::is_valid_utf8);
}

}  // namespace wherry::protocol
