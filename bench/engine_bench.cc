// Microseconds per prediction call of the native engine on synthetic ensembles.
//
//   engine_bench                 prints one line per shape: batches of 1, 10, 100 and 1000 rows
//   engine_bench --dump DIR      also writes the ensembles as raw arrays, for bench/onnx_trees.py to build
//   the same
//                                models for ONNX Runtime
#include <algorithm>
#include <chrono>
#include <cstdio>
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

// The median over repetitions of the mean time of a call; rows change from call to call so that no branch
// predictor or cache learns one of them.
double microseconds(const engine::Plan& plan, std::size_t rows, int features) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kRowsInTurn = 4096;
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<tensor::Table> tables((kRowsInTurn + rows - 1) / rows);
  for (tensor::Table& table : tables) {
    table.reset(rows, static_cast<std::size_t>(features));
    for (double& number : table.numbers) number = static_cast<float>(uniform(random));
  }
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

}  // namespace

int main(int argc, char** argv) {
  const bool dumps = argc == 3 && std::string_view(argv[1]) == "--dump";
  std::printf("%-45s %-8s %10s %10s %10s %10s %10s\n", "microseconds per call", "input", "load ms", "1 row",
              "10 rows", "100 rows", "1000 rows");
  for (std::size_t i = 0; i < std::size(bench::kTreeShapes); ++i) {
    const bench::TreeShape& shape = bench::kTreeShapes[i];
    const bench::SyntheticTrees trees = bench::TreeGrower(shape, 42 + i).grow();
    if (dumps) dump(std::filesystem::path(argv[2]) / std::to_string(i), trees);
    for (const auto input : {program::TreeInput::kFloat32, program::TreeInput::kFloat64}) {
      const auto start = std::chrono::steady_clock::now();
      const auto plan = make_plan(trees, shape.features, input);
      const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - start;
      if (!plan) {
        std::fprintf(stderr, "error: %s\n", base::describe(plan.error()).c_str());
        return 1;
      }
      std::printf("%-45s %-8s %10.1f", shape.name.c_str(),
                  input == program::TreeInput::kFloat32 ? "float32" : "float64", load.count());
      for (const std::size_t rows : {1, 10, 100, 1000}) {
        std::printf(" %10.2f", microseconds(*plan, rows, shape.features));
        std::fflush(stdout);
      }
      std::printf("\n");
    }
  }
}
