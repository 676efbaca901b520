// Microseconds of a JSON request of 100 rows from its bytes to the answer's bytes (decode, predict, encode),
// as a multiple of what simdjson takes to parse the same body into its document: what reading it costs at
// least. The requests are different ones in turn, as a server gets them, then one and the same: a processor
// learns every branch of that by heart, which helps simdjson most. Below: GB/s of a float32 tensor of 1 MB on
// the same way, as bytes and as JSON; the model hands it through.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <simdjson.h>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/results.h"
#include "program/program.h"
#include "protocol/request.h"
#include "protocol/response.h"
#include "protocol/schema.h"

namespace {

using namespace wherry;
using tensor::Tensor;

constexpr std::size_t kRows = 100;

// A logistic regression of `columns` named columns.
base::Result<program::Program> make_program(std::size_t columns) {
  std::vector<program::InputColumn> inputs;
  for (std::size_t i = 0; i < columns; ++i)
    inputs.push_back({"column_" + std::to_string(i), program::ColumnType::kNumber});
  program::ProgramBuilder builder({std::move(inputs), true, false});
  const auto width = static_cast<std::int64_t>(columns);
  TRY_ASSIGN(const auto matrix, builder.add(program::ToMatrix{}, {program::ProgramBuilder::kInput}));
  const program::Linear linear{
      builder.weight("coefficients", Tensor::of({1, width}, std::vector<double>(columns, 0.01))),
      builder.weight("intercept", Tensor::of({1}, std::vector<double>{0.1}))};
  TRY_ASSIGN(const auto score, builder.add(linear, {matrix}));
  TRY_ASSIGN(const auto p, builder.add(program::Apply{program::Function::kExpit}, {score}));
  TRY_ASSIGN(const auto both, builder.add(program::Complement{}, {p}));
  TRY(builder.output({.name = "predict_proba", .values = {both}}));
  return std::move(builder).build();
}

std::string number(std::mt19937_64& random) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", std::normal_distribution<double>(0, 30)(random));
  return text;
}

std::string comma_separated(std::size_t count, const std::function<std::string(std::size_t)>& item) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + item(i);
  return out;
}

std::string split_body(std::size_t columns, std::mt19937_64& random) {
  const auto names = comma_separated(columns, [](auto i) { return "\"column_" + std::to_string(i) + "\""; });
  const auto rows = comma_separated(kRows, [&](std::size_t) {
    return "[" + comma_separated(columns, [&](std::size_t) { return number(random); }) + "]";
  });
  return R"({"dataframe_split":{"columns":[)" + names + R"(],"data":[)" + rows + "]}}";
}

std::string v2_body(std::size_t columns, std::mt19937_64& random) {
  const auto shape = std::to_string(kRows) + "," + std::to_string(columns);
  return R"({"inputs":[{"name":"input","datatype":"FP64","shape":[)" + shape + R"(],"data":[)" +
         comma_separated(kRows * columns, [&](std::size_t) { return number(random); }) + "]}]}";
}

// The least mean time of `calls` calls, in microseconds: what else the machine does only adds to it.
double microseconds(const std::function<void()>& call, int calls) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  const auto deadline = Clock::now() + std::chrono::milliseconds(700);
  while (Clock::now() < deadline || times.size() < 3) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) call();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / calls);
  }
  return *std::ranges::min_element(times);
}

template <class T>
T must(base::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "error: %s\n", base::describe(result.error()).c_str());
  std::exit(1);
}

void measure(const std::string& name, std::size_t columns, const std::vector<std::string>& bodies, bool v2) {
  auto program = must(make_program(columns));
  const protocol::Schema schema(program);
  const engine::Plan plan = must(engine::Plan::compile(std::move(program)));
  simdjson::dom::parser parser;
  std::vector<simdjson::padded_string> padded(bodies.begin(), bodies.end());
  const int calls = columns < 20 ? 64 : 1;  // about a millisecond: shorter than a time slice
  std::size_t next = 0;
  const double parse = microseconds(
      [&] {
        if (parser.parse(padded[next++ % padded.size()]).error() != simdjson::SUCCESS) std::abort();
      },
      calls);
  protocol::Request request;
  engine::Workspace workspace;
  engine::Results results;
  std::string answer;
  const double whole = microseconds(
      [&] {
        const std::string& body = bodies[next++ % bodies.size()];
        const auto read = v2 ? protocol::read_v2(body, schema, {}, request)
                             : protocol::read_invocations(body, schema, {}, request);
        if (!read || !plan.run(request.table, plan.all_outputs(), workspace)) std::abort();
        answer.clear();
        const auto views = results.collect(plan, workspace, plan.all_outputs());
        if (v2) {
          protocol::write_v2({"m", "1", {}}, schema, {}, views, answer);
        } else {
          protocol::write_predictions(views.front(), answer);
        }
      },
      calls);
  std::printf("%-40s %8zu %10.1f %10.1f %8.2f\n", name.c_str(), bodies.front().size(), parse, whole,
              whole / parse);
}

base::Result<program::Program> make_echo() {
  program::Signature signature;
  signature.tensors = {{"x", tensor::DType::kFloat32, {-1, 3, 256, 340}, {}}};
  program::ProgramBuilder builder(std::move(signature));
  TRY_ASSIGN(const auto x, builder.add(program::TensorInput{0}, {}));
  TRY(builder.output({.name = "y", .values = {x}}));
  return std::move(builder).build();
}

// `padding`: spaces behind the JSON, which move the elements to another alignment.
void measure_tensor(const char* name, std::size_t padding, bool as_json) {
  constexpr std::size_t kElements = 3 * 256 * 340;
  auto program = must(make_echo());
  const protocol::Schema schema(program);
  const engine::Plan plan = must(engine::Plan::compile(std::move(program)));
  std::string body = R"({"parameters":{"binary_data_output":true},"inputs":[{"name":"x","datatype":"FP32",)"
                     R"("shape":[1,3,256,340],)";
  std::mt19937_64 random(7);
  if (as_json)
    body += "\"data\":[" + comma_separated(kElements, [&](auto) { return number(random); }) + "]}]}";
  else
    body += "\"parameters\":{\"binary_data_size\":" + std::to_string(4 * kElements) + "}}]}";
  while (body.size() % 16 != padding) body += ' ';
  const std::size_t json_size = body.size();
  if (!as_json) body.resize(json_size + 4 * kElements, '\1');
  protocol::Request request;
  engine::Workspace workspace;
  engine::Results results;
  std::string answer;
  const auto decode = [&] {
    if (!protocol::read_v2_binary(body, json_size, schema, {}, request)) std::abort();
  };
  const double decoded = microseconds(decode, 1);
  const double whole = microseconds(
      [&] {
        decode();
        if (!plan.run(request.table, plan.all_outputs(), workspace)) std::abort();
        answer.clear();
        protocol::write_v2_answer({"m", "1", {}}, schema, request,
                                  results.collect(plan, workspace, plan.all_outputs()), answer);
      },
      1);
  const double kilobytes = 4.0 * kElements / 1000;
  std::printf("%-28s %8zu %10.1f %10.1f %8.2f\n", name, body.size(), decoded, whole, kilobytes / whole);
}

}  // namespace

int main() {
  std::mt19937_64 random(7);
  std::printf("%-40s %8s %10s %10s %8s\n", "100 rows", "bytes", "simdjson", "wherry", "ratio");
  for (const std::size_t columns : {std::size_t{4}, std::size_t{30}, std::size_t{200}}) {
    for (const bool v2 : {true, false}) {
      std::vector<std::string> bodies;
      for (std::size_t i = 0; i < 30'000 / (kRows * columns) + 10; ++i)
        bodies.push_back(v2 ? v2_body(columns, random) : split_body(columns, random));
      const std::string title = std::to_string(columns) + (v2 ? " columns, V2" : " columns, dataframe_split");
      measure(title, columns, bodies, v2);
      measure(title + ", the same", columns, {bodies.front()}, v2);
    }
  }
  std::printf("\n%-28s %8s %10s %10s %8s\n", "1 MB of float32", "bytes", "decode us", "whole us", "GB/s");
  measure_tensor("bytes, aligned", 0, false);
  measure_tensor("bytes, not aligned", 1, false);
  measure_tensor("JSON", 0, true);
  return 0;
}
