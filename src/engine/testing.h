// Helpers of the tests of module engine: models of a few operations, and tables from cells.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/plan.h"
#include "program/program.h"
#include "tensor/table.h"

namespace wherry::engine::testing {

using program::ProgramBuilder;
using program::ValueId;
using Rows = std::vector<std::vector<tensor::CellValue>>;

inline const tensor::CellValue kNone = std::monostate();

// A program under construction; any error fails the test at once.
class Model {
 public:
  explicit Model(std::vector<std::string> columns) : builder_(signature(std::move(columns))) {}
  explicit Model(std::size_t columns) : Model(names(columns)) {}

  static constexpr ValueId kInput = ProgramBuilder::kInput;

  program::WeightId numbers(std::vector<double> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return builder_.weight("w", tensor::Tensor::of({count}, std::move(values)));
  }
  program::WeightId weight(tensor::Tensor tensor) { return builder_.weight("w", std::move(tensor)); }

  ValueId add(program::Op op, std::vector<ValueId> inputs) {
    auto value = builder_.add(std::move(op), std::move(inputs));
    if (!value) ADD_FAILURE() << base::describe(value.error());
    return value.value_or(0);
  }
  ValueId matrix() { return add(program::ToMatrix{}, {kInput}); }

  Model& output(std::string name, std::vector<ValueId> values) {
    const auto status = builder_.output({.name = std::move(name), .values = std::move(values)});
    if (!status) ADD_FAILURE() << base::describe(status.error());
    return *this;
  }

  base::Result<Plan> compile() {
    TRY_ASSIGN(auto program, std::move(builder_).build());
    return Plan::compile(std::move(program));
  }

 private:
  static std::vector<std::string> names(std::size_t count) {
    std::vector<std::string> result;
    for (std::size_t j = 0; j < count; ++j) result.push_back("x" + std::to_string(j));
    return result;
  }
  static program::Signature signature(std::vector<std::string> columns) {
    program::Signature result;
    for (std::string& name : columns) result.columns.push_back({.name = std::move(name)});
    return result;
  }

  ProgramBuilder builder_;
};

// Texts borrow from `rows`, which must outlive the table.
inline tensor::Table table_of(const Rows& rows, std::size_t columns) {
  tensor::Table table;
  table.reset(rows.size(), columns);
  std::size_t cell = 0;
  for (const auto& row : rows) {
    for (const tensor::CellValue& value : row) {
      if (const auto* number = std::get_if<double>(&value)) {
        table.set_number(cell, *number);
      } else if (const auto* text = std::get_if<std::string>(&value)) {
        table.set_text(cell, *text);
      } else {
        table.set_missing(cell);
      }
      ++cell;
    }
  }
  return table;
}

// A model of one output, run on rows. Keeps everything the results borrow from.
class Answer {
 public:
  Answer(Model& model, ValueId value, Rows rows) : rows_(std::move(rows)) {
    model.output("out", {value});
    auto plan = model.compile();
    if (!plan) {
      ADD_FAILURE() << base::describe(plan.error());
      return;
    }
    table_ = table_of(rows_, plan->signature().columns.size());
    status_ = plan->run(table_, plan->all_outputs(), workspace_);
  }

  const base::Status& status() const { return status_; }
  ResultView view(std::size_t output = 0) const { return workspace_.result(output, 0); }
  std::vector<double> numbers(std::size_t output = 0) const {
    EXPECT_TRUE(status_) << base::describe(status_.error());
    if (!status_) return {};
    const ResultView result = view(output);
    return {result.doubles.begin(), result.doubles.end()};
  }
  base::Error error() const {
    EXPECT_FALSE(status_);
    return status_ ? base::Error() : status_.error();
  }

 private:
  Rows rows_;
  tensor::Table table_;
  Workspace workspace_;
  base::Status status_;
};

}  // namespace wherry::engine::testing
