// Every fixture model: import, run, compare with what the framework answered. Numbers must be equal to the
// last bit or within the tolerance of the case; labels, shapes and refusals must be the same.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <set>

#include "case.h"

#include "base/text.h"
#include "engine/plan.h"
#include "import/formats/formats.h"
#include "text/json.h"

namespace wherry::parity {
namespace {

namespace fs = std::filesystem;
using base::cat;

// Rows which scikit-learn converts and the protocols refuse: text in number columns.
const std::set<std::string> kConvertedText = {"linear_regression_object_rows"};

// WHERRY_PARITY_FIXTURES: a folder of more of the same, for example made from one's own models.
fs::path fixtures() {
  if (const char* other = std::getenv("WHERRY_PARITY_FIXTURES")) return other;
  return fs::path(WHERRY_SOURCE_DIR) / "tests/fixtures";
}

std::vector<std::string> case_names() {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(fixtures())) {
    const fs::path folder = fs::relative(entry.path().parent_path(), fixtures());
    if (entry.path().filename() == "expected.json" && std::distance(folder.begin(), folder.end()) == 3)
      out.push_back(folder.string());
  }
  std::ranges::sort(out);
  return out;
}

// What the protocols do before the engine: columns by name where there are names on both sides.
std::optional<tensor::Table> table_of(const Rows& rows, const program::Signature& signature,
                                      std::string& error) {
  tensor::Table table;
  table.reset(rows.rows.size(), signature.columns.size());
  const bool by_name = rows.columns && signature.has_names;
  if (by_name && !signature.ignores_extra) {
    std::vector<std::string> fitted;
    for (const auto& column : signature.columns) fitted.push_back(column.name);
    if (fitted != *rows.columns) return error = "other columns than fitted on", std::nullopt;
  }
  for (std::size_t j = 0; j < signature.columns.size(); ++j) {
    std::size_t from = j;
    if (by_name) {
      from = static_cast<std::size_t>(std::ranges::find(*rows.columns, signature.columns[j].name) -
                                      rows.columns->begin());
      if (from == rows.columns->size()) {
        if (signature.columns[j].required)
          return error = cat("no column ", signature.columns[j].name), std::nullopt;
        continue;
      }
    }
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      if (!by_name && rows.rows[i].size() != signature.columns.size())
        return error = cat("expects ", signature.columns.size(), " columns"), std::nullopt;
      const std::size_t cell = i * signature.columns.size() + j;
      const Value& value = rows.rows[i][from];
      if (const auto* number = std::get_if<double>(&value)) table.set_number(cell, *number);
      if (const auto* flag = std::get_if<bool>(&value)) table.set_number(cell, *flag ? 1 : 0);
      if (const auto* text = std::get_if<std::string>(&value)) table.set_text(cell, *text);
      if (std::holds_alternative<std::monostate>(value)) table.set_missing(cell);
    }
  }
  return table;
}

// The protocols refuse cells which a column's type excludes; scikit-learn took all of these rows.
void expect_types_admit(const tensor::Table& table, const program::Signature& signature) {
  for (std::size_t cell = 0; cell < table.rows * table.columns; ++cell) {
    const program::InputColumn& column = signature.columns[cell % table.columns];
    const bool text = table.kind(cell) == tensor::CellKind::kText;
    const bool number = table.kind(cell) == tensor::CellKind::kNumber && !std::isnan(table.numbers[cell]);
    if (!column.required || column.type == program::ColumnType::kAny) continue;
    const bool takes_text =
        column.type == program::ColumnType::kText || column.type == program::ColumnType::kRecord;
    ASSERT_FALSE(text && !takes_text) << "text in number column " << column.name;
    ASSERT_FALSE(number && takes_text) << "number in text column " << column.name;
  }
}

// Elements of a result as values, in row order.
std::vector<Value> values_of(const engine::ResultView& view) {
  std::vector<Value> out;
  if (view.kind == program::ValueKind::kTable) {
    for (std::size_t i = 0; i < view.table->rows * view.table->columns; ++i) {
      if (view.table->kind(i) == tensor::CellKind::kText)
        out.emplace_back(std::string(view.table->texts[i]));
      else if (view.table->kind(i) == tensor::CellKind::kMissing)
        out.emplace_back();
      else
        out.emplace_back(view.table->numbers[i]);
    }
    return out;
  }
  for (double value : view.doubles) out.emplace_back(value);
  for (std::int64_t value : view.integers) out.emplace_back(static_cast<double>(value));
  for (std::uint8_t value : view.bools) out.emplace_back(value != 0);
  for (std::string_view value : view.strings) out.emplace_back(std::string(value));
  return out;
}

std::string show(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return cat(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return base::quoted(*text);
  return "null";
}

std::optional<double> number_of(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  if (std::holds_alternative<std::monostate>(value)) return std::nan("");
  return std::nullopt;
}

// Relative difference; infinite where they are not comparable.
double deviation(const Value& expected, const Value& actual) {
  const auto a = number_of(expected);
  const auto b = number_of(actual);
  if (!a || !b) return expected == actual ? 0 : INFINITY;
  if ((std::isnan(*a) && std::isnan(*b)) || *a == *b) return 0;
  const double difference = std::abs(*a - *b) / std::max(std::abs(*a), std::abs(*b));
  return std::isnan(difference) ? INFINITY : difference;
}

// Dot products of terms that cancel, and what is made of them, lose relative precision: measured against the
// largest answer of the same column.
double scale_of(const Expected& expected, std::size_t column, std::size_t columns) {
  double largest = 0;
  for (std::size_t i = column; i < expected.leaves.size(); i += columns)
    if (const auto number = number_of(expected.leaves[i]);
        number && std::isfinite(*number) && std::abs(*number) < 1e6)
      largest = std::max(largest, std::abs(*number));
  return largest;
}

struct Worst {
  double relative = 0;  // of the element itself, or, where that is more than the tolerance, of scale_of()
  bool identical = true;
};

void compare(const Expected& expected, const engine::ResultView& view, const std::string& what,
             double tolerance, Worst& worst) {
  const std::vector<Value> actual = values_of(view);
  const std::size_t columns = expected.shape.size() > 1 ? expected.shape[1] : 1;
  ASSERT_EQ(expected.shape.size() == 1, view.is_vector) << what;
  ASSERT_EQ(columns, view.columns) << what;
  ASSERT_EQ(expected.leaves.size(), actual.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double off = deviation(expected.leaves[i], actual[i]);
    worst.identical &= off == 0;
    if (off <= tolerance) {
      worst.relative = std::max(worst.relative, off);
      continue;
    }
    const auto a = number_of(expected.leaves[i]);
    const auto b = number_of(actual[i]);
    const double scaled = a && b ? std::abs(*a - *b) / scale_of(expected, i % columns, columns) : INFINITY;
    worst.relative = std::max(worst.relative, scaled);
    const bool cancelled = scaled <= tolerance;
    EXPECT_TRUE(cancelled) << what << "[" << i / columns << "][" << i % columns << "]: expected "
                           << show(expected.leaves[i]) << ", got " << show(actual[i]);
    if (!cancelled) return;
  }
}

class Parity : public testing::TestWithParam<std::string> {};

base::Result<formats::Inspection> import(const fs::path& model) {
  TRY_ASSIGN(formats::Inspection inspection, formats::inspect_file(model));
  if (inspection.refusal) return std::unexpected(*std::move(inspection.refusal));
  return inspection;
}

// WHERRY_PARITY_REPORT: a file to which each case adds a line of JSON, from which matrix.py makes the parity
// matrix.
void report(const std::string& name, const program::Provenance& provenance, const Case& fixture,
            const Worst& worst) {
  const char* path = std::getenv("WHERRY_PARITY_REPORT");
  if (path == nullptr) return;
  text::Json classes = text::Json::array();
  for (const program::EstimatorLine& line : provenance.estimators) classes.push_back(line.class_name);
  const text::Json line{{"case", name},
                        {"format", provenance.format},
                        {"classes", classes},
                        {"rows", fixture.rows.rows.size()},
                        {"identical", worst.identical},
                        {"deviation", worst.relative},
                        {"tolerance", fixture.tolerance},
                        {"because", fixture.because},
                        {"failed", testing::Test::HasFailure()}};
  std::ofstream(path, std::ios::app) << text::write_json(line, -1) << "\n";
}

TEST_P(Parity, AnswersAsTheFrameworkDid) {
  const Case fixture = read_case(fixtures() / GetParam());
  const std::string name = fs::path(GetParam()).filename().string();
  auto model = import(fixture.model);
  ASSERT_TRUE(model) << model.error().id << ": " << base::describe(model.error());
  const program::Signature signature = model->program->signature();
  auto plan = engine::Plan::compile(*std::move(model->program));
  ASSERT_TRUE(plan) << base::describe(plan.error());
  std::string error;
  const auto table = table_of(fixture.rows, signature, error);
  ASSERT_TRUE(table) << error;
  if (!kConvertedText.contains(name)) expect_types_admit(*table, signature);
  engine::Workspace workspace;
  const auto status = plan->run(*table, plan->all_outputs(), workspace);
  ASSERT_TRUE(status) << status.error().id << ": " << base::describe(status.error());
  Worst worst;
  EXPECT_EQ(plan->outputs().size(), fixture.outputs.size());
  for (const auto& [method, parts] : fixture.outputs) {
    const auto output = plan->find_output(method);
    ASSERT_TRUE(output) << "no " << method;
    ASSERT_EQ(plan->outputs()[*output].values.size(), parts.size()) << method;
    for (std::size_t k = 0; k < parts.size(); ++k)
      compare(parts[k], workspace.result(*output, k), method, fixture.tolerance, worst);
    const std::vector<std::string>& labels = plan->outputs()[*output].labels;
    if (method == "transform" && !fixture.feature_names_out.empty() && !labels.empty()) {
      EXPECT_EQ(labels, fixture.feature_names_out);
    }
  }
  for (const Refusal& refusal : fixture.refusals) {
    std::string why;
    const auto bad = table_of(refusal.rows, signature, why);
    const bool refused =
        !bad || !plan->run(*bad, engine::only(*plan->find_output(refusal.method)), workspace);
    EXPECT_TRUE(refused) << "accepts rows refused with: " << refusal.error;
  }
  report(GetParam(), model->provenance, fixture, worst);
  std::cout << "parity " << GetParam() << " deviation " << worst.relative << " refusals "
            << fixture.refusals.size() << "\n";
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::ValuesIn(case_names()), [](const auto& param) {
  std::string name = param.param;
  std::ranges::replace_if(name, [](char c) { return c == '.' || c == '/'; }, '_');
  return name;
});

}  // namespace
}  // namespace wherry::parity
