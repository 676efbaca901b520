// Microseconds per prediction call of the native engine on synthetic ensembles.
//
//   engine_bench                 prints one line per shape: batches of 1, 10, 100 and 1000 rows
//   engine_bench --dump DIR      also writes the ensembles as raw arrays, for bench/onnx_trees.py to build
//   the same
//                                models for ONNX Runtime
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "synthetic_trees.h"

#include "engine/plan.h"
#include "program/program.h"

namespace {

using namespace wherry;

template <class T>
void dump(const std::filesystem::path& file, const std::vector<T>& values) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
}

void dump(const std::filesystem::path& folder, const bench::SyntheticTrees& trees) {
  std::filesystem::create_directories(folder);
  dump(folder / "roots.i32", trees.roots);
  dump(folder / "feature.i32", trees.feature);
  dump(folder / "left.i32", trees.left);
  dump(folder / "right.i32", trees.right);
  dump(folder / "threshold.f64", trees.threshold);
  dump(folder / "values.f64", trees.values);
}

base::Result<engine::Plan> make_plan(const bench::SyntheticTrees& trees, int features,
                                     program::TreeInput input) {
  using tensor::Tensor;
  program::Signature signature;
  for (int j = 0; j < features; ++j) signature.columns.push_back({.name = "x" + std::to_string(j)});
  program::ProgramBuilder builder(std::move(signature));
  const auto count = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  program::TreeEnsemble op{.input = input};
  op.roots = builder.weight("roots", Tensor::of({count(trees.roots)}, trees.roots));
  op.target = builder.weight("target", Tensor::of({count(trees.target)}, trees.target));
  op.feature = builder.weight("feature", Tensor::of({count(trees.feature)}, trees.feature));
  op.threshold = builder.weight("threshold", Tensor::of({count(trees.threshold)}, trees.threshold));
  op.left = builder.weight("left", Tensor::of({count(trees.left)}, trees.left));
  op.right = builder.weight("right", Tensor::of({count(trees.right)}, trees.right));
  op.default_left =
      builder.weight("default_left", Tensor::of({count(trees.default_left)}, trees.default_left));
  op.values = builder.weight("values", Tensor::of({count(trees.values), 1}, trees.values));
  op.base = builder.weight("base", Tensor::of({1}, std::vector<double>{0.0}));
  TRY_ASSIGN(const auto matrix, builder.add(program::ToMatrix{}, {0}));
  TRY_ASSIGN(const auto checked,
             builder.add(program::CheckFinite{.as_float32 = true, .estimator = "Trees"}, {matrix}));
  TRY_ASSIGN(const auto sum, builder.add(op, {checked}));
  TRY(builder.output({.name = "predict", .values = {sum}}));
  TRY_ASSIGN(auto program, std::move(builder).build());
  return engine::Plan::compile(std::move(program));
}

// What a ColumnTransformer with a LogisticRegression becomes: ten numeric columns imputed and scaled, five of
// text one-hot encoded with 20 categories each.
base::Result<engine::Plan> make_mixed_plan() {
  using tensor::Tensor;
  constexpr std::size_t kCategories = 20;
  program::Signature signature;
  for (int j = 0; j < 15; ++j) signature.columns.push_back({.name = "c" + std::to_string(j)});
  program::ProgramBuilder builder(std::move(signature));
  const auto ten = [&](double value) {
    return builder.weight("w", Tensor::of({10}, std::vector<double>(10, value)));
  };
  TRY_ASSIGN(const auto cells, builder.add(program::SelectColumns{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, {0}));
  TRY_ASSIGN(const auto matrix, builder.add(program::ToMatrix{}, {cells}));
  TRY_ASSIGN(const auto filled,
             builder.add(program::Impute{NAN, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ten(0.5)}, {matrix}));
  TRY_ASSIGN(const auto centred,
             builder.add(program::Columnwise{program::Arithmetic::kSubtract, ten(0.5)}, {filled}));
  TRY_ASSIGN(const auto scaled,
             builder.add(program::Columnwise{program::Arithmetic::kDivide, ten(0.3)}, {centred}));
  program::OneHotColumn column{.width = kCategories, .refuse_unknown = true};
  for (std::size_t k = 0; k < kCategories; ++k) {
    column.categories.emplace_back("category " + std::to_string(k));
    column.targets.push_back(static_cast<std::int64_t>(k));
  }
  TRY_ASSIGN(const auto texts, builder.add(program::SelectColumns{{10, 11, 12, 13, 14}}, {0}));
  TRY_ASSIGN(const auto encoded,
             builder.add(program::OneHot{std::vector<program::OneHotColumn>(5, column)}, {texts}));
  TRY_ASSIGN(const auto features, builder.add(program::Concat{}, {scaled, encoded}));
  const program::Linear linear{builder.weight("c", Tensor::of({1, 110}, std::vector<double>(110, 0.01))),
                               builder.weight("i", Tensor::of({1}, std::vector<double>{0.1}))};
  TRY_ASSIGN(const auto score, builder.add(linear, {features}));
  TRY_ASSIGN(const auto p, builder.add(program::Apply{program::Function::kExpit}, {score}));
  TRY_ASSIGN(const auto both, builder.add(program::Complement{}, {p}));
  TRY(builder.output({.name = "predict_proba", .values = {both}}));
  TRY_ASSIGN(auto program, std::move(builder).build());
  return engine::Plan::compile(std::move(program));
}

const std::vector<std::string>& category_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (int k = 0; k < 20; ++k) made.push_back("category " + std::to_string(k));
    return made;
  }();
  return names;
}

// The last `texts` columns are categories.
tensor::Table random_rows(std::size_t rows, std::size_t columns, std::size_t texts, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  tensor::Table table;
  table.reset(rows, columns);
  for (std::size_t cell = 0; cell < rows * columns; ++cell) {
    if (cell % columns < columns - texts) {
      table.set_number(cell, static_cast<float>(uniform(random)));
    } else {
      table.set_text(cell, category_names()[random() % 20]);
    }
  }
  return table;
}

// The median over repetitions of the mean time of a call; rows change from call to call so that no branch
// predictor or cache learns one of them.
double microseconds(const engine::Plan& plan, std::size_t rows, std::size_t texts) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kRowsInTurn = 4096;
  std::mt19937_64 random(7);
  std::vector<tensor::Table> tables((kRowsInTurn + rows - 1) / rows);
  for (tensor::Table& table : tables)
    table = random_rows(rows, plan.signature().columns.size(), texts, random);
  engine::Workspace workspace;
  std::vector<double> times;
  const auto deadline = Clock::now() + std::chrono::milliseconds(600);
  while (Clock::now() < deadline || times.size() < 3) {
    const auto start = Clock::now();
    for (const tensor::Table& table : tables) {
      if (!plan.run(table, plan.all_outputs(), workspace)) std::abort();
    }
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    times.push_back(took.count() / static_cast<double>(tables.size()));
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

// Makes a plan and prints its line; false when it cannot be made.
template <class Make>
bool measure(const std::string& name, const char* input, std::size_t texts, Make make) {
  const auto start = std::chrono::steady_clock::now();
  const base::Result<engine::Plan> plan = make();
  const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - start;
  if (!plan) {
    std::fprintf(stderr, "error: %s\n", base::describe(plan.error()).c_str());
    return false;
  }
  std::printf("%-45s %-8s %10.1f", name.c_str(), input, load.count());
  for (const std::size_t rows : {1, 10, 100, 1000}) {
    std::printf(" %10.2f", microseconds(*plan, rows, texts));
    std::fflush(stdout);
  }
  std::printf("\n");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const bool dumps = argc == 3 && std::string_view(argv[1]) == "--dump";
  std::printf("%-45s %-8s %10s %10s %10s %10s %10s\n", "microseconds per call", "input", "load ms", "1 row",
              "10 rows", "100 rows", "1000 rows");
  bool good = measure("encoders, scaler and logistic regression", "mixed", 5, make_mixed_plan);
  for (std::size_t i = 0; good && i < std::size(bench::kTreeShapes); ++i) {
    const bench::TreeShape& shape = bench::kTreeShapes[i];
    const bench::SyntheticTrees trees = bench::TreeGrower(shape, 42 + i).grow();
    if (dumps) dump(std::filesystem::path(argv[2]) / std::to_string(i), trees);
    for (const auto input : {program::TreeInput::kFloat32, program::TreeInput::kFloat64})
      good = good && measure(shape.name, input == program::TreeInput::kFloat32 ? "float32" : "float64", 0,
                             [&] { return make_plan(trees, shape.features, input); });
  }
  return good ? 0 : 1;
}
