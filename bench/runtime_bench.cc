// What wherry adds to a run of ONNX Runtime: a graph of one addition, of which the library computes next to
// nothing.
//   runtime_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime/environment.h"
#include "runtime/library.h"
#include "runtime/testing.h"

#include "base/error.h"
#include "engine/plan.h"
#include "engine/results.h"

namespace {

using namespace wherry;
using Clock = std::chrono::steady_clock;

template <class T>
T must(base::Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", base::describe(result.error()).c_str());
  std::exit(1);
}
void must_be_null(OrtStatus* status) {
  if (status != nullptr) std::abort();
}

template <class Run>
void measure(const char* what, Run run) {
  constexpr int kRuns = 20'000;
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const auto began = Clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  std::ranges::sort(times);
  std::printf("%-24s p50 %6.2f µs  p99 %6.2f µs\n", what, times[times.size() / 2],
              times[times.size() * 99 / 100]);
}

engine::Plan make_plan(const std::string& proto) {
  program::Signature signature;
  signature.tensors = {{"x", tensor::DType::kFloat32, {-1, 2}, {}}};
  program::ProgramBuilder builder(signature);
  program::OnnxGraph graph;
  graph.model =
      builder.weight("model", tensor::Tensor::of({static_cast<std::int64_t>(proto.size())},
                                                 std::vector<std::uint8_t>(proto.begin(), proto.end())));
  graph.input_names = {"x"};
  graph.results = {{"sum", tensor::DType::kFloat32, {-1, 2}}};
  graph.weights = {{"bias", builder.weight("bias", tensor::Tensor::of<float>({1, 2}, {10, 20}))}};
  const auto x = must(builder.add(program::TensorInput{0}, {}));
  const auto tuple = must(builder.add(graph, {x}));
  const auto sum = must(builder.add(program::GraphOutput{0}, {tuple}));
  if (!builder.output({"sum", {sum}, {}})) std::abort();
  return must(engine::Plan::compile(must(std::move(builder).build())));
}

void bare(const std::string& proto) {
  const runtime::Library& library = must(runtime::Environment::get())->library();
  const runtime::Api& api = library.api;
  OrtSessionOptions* options = nullptr;
  OrtSession* session = nullptr;
  OrtValue *bias = nullptr, *input = nullptr, *output = nullptr;
  float weights[2] = {10, 20}, row[2] = {1, 2};
  const std::int64_t shape[2] = {1, 2};
  const char *bias_name = "bias", *input_name = "x", *output_name = "sum";
  must_be_null(api.create_tensor_with_data(library.memory, static_cast<void*>(weights), sizeof weights,
                                           &shape[0], std::size_t{2}, 1, &bias));
  must_be_null(api.create_tensor_with_data(library.memory, static_cast<void*>(row), sizeof row, &shape[0],
                                           std::size_t{2}, 1, &input));
  must_be_null(api.create_session_options(&options));
  must_be_null(api.disable_session_threads(options));
  must_be_null(api.add_external_initializers(options, &bias_name, &bias, std::size_t{1}));
  must_be_null(api.create_session_from_array(library.env, static_cast<const void*>(proto.data()),
                                             proto.size(), options, &session));
  measure("bare ONNX Runtime", [&] {
    must_be_null(api.run(session, nullptr, &input_name, &input, std::size_t{1}, &output_name, std::size_t{1},
                         &output));
    api.release_value(output);
    output = nullptr;
  });
}

}  // namespace

int main() {
  const std::string proto = runtime::testing::adder();
  bare(proto);
  const engine::Plan plan = make_plan(proto);
  tensor::Table table;
  table.reset_tensors(1, 1);
  table.tensors[0].shape = {1, 2};
  const float row[2] = {1, 2};
  std::memcpy(table.tensors[0].own(sizeof row).data(), row, sizeof row);
  engine::Workspace workspace;
  engine::Results results;
  measure("wherry", [&] {
    if (!plan.run(table, 1, workspace)) std::abort();
    if (results.collect(plan, workspace, 1)[0].values[0].as<float>()[0] != 11) std::abort();
  });
}
