#include "repository/model.h"

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "base/text.h"
#include "protocol/request.h"
#include "verify/describe.h"
#include "verify/sample.h"
#include "verify/verify.h"

namespace wherry::repository {

using base::cat;
using base::Result;
using schedule::Clock;
using std::chrono::nanoseconds;

namespace {

constexpr std::uint64_t kMostBundleJson = 64u << 20;
constexpr std::size_t kManyRows = 32;
constexpr std::size_t kMostRuns = 31;  // odd: there is a middle one
constexpr nanoseconds kMeasureTime{2'000'000};

Result<std::string> check_golden(const engine::Plan& plan, const protocol::Schema& schema,
                                 const protocol::Golden& golden) {
  TRY_ASSIGN(const verify::Report report, verify::replay(plan, schema, golden));
  if (report.passed()) return verify::summary(report);
  std::string first;
  if (!report.mismatches.empty()) {
    const verify::Mismatch& mismatch = report.mismatches.front();
    first = cat("; first: golden.jsonl line ", mismatch.line, ", ", mismatch.output, ": expected ",
                mismatch.expected, ", got ", mismatch.got);
  }
  return base::fail(base::Code::kInvalidInput, "repository.golden_mismatch",
                    cat(verify::summary(report), first),
                    "build the bundle again from the model file, and run `wherry verify` on it");
}

// The middle one of several runs' times; zero where the model refuses the rows.
nanoseconds time_runs(const engine::Plan& plan, const tensor::Table& rows, engine::Workspace& workspace) {
  if (!plan.run(rows, plan.all_outputs(), workspace)) return nanoseconds(0);  // also makes its memory
  std::array<nanoseconds, kMostRuns> times;
  std::size_t count = 0;
  nanoseconds sum{0};
  while (count < kMostRuns && (count == 0 || sum < kMeasureTime)) {
    const auto began = Clock::now();
    static_cast<void>(plan.run(rows, plan.all_outputs(), workspace));
    times[count] = Clock::now() - began;
    sum += times[count++];
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(times.begin(), middle, times.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

// `count` rows of `from`, from its beginning again where it has fewer.
tensor::Table repeat_rows(const tensor::Table& from, std::size_t count) {
  tensor::Table table;
  table.rows = count;
  table.columns = from.columns;
  const std::size_t cells = from.rows * from.columns;
  for (std::size_t cell = 0; cell < count * from.columns; ++cell) {
    table.numbers.push_back(from.numbers[cell % cells]);
    if (from.kinds.empty()) continue;
    table.kinds.push_back(from.kinds[cell % cells]);
    table.texts.push_back(from.texts[cell % cells]);
  }
  return table;
}

// What further rows cost, when one costs `first` and `many` cost `all`.
nanoseconds further_cost(nanoseconds first, nanoseconds all, std::size_t many) {
  return std::max((all - first) / static_cast<std::int64_t>(many - 1), nanoseconds(0));
}

// As many rows as can be measured in little time.
std::size_t rows_to_measure(nanoseconds first) {
  std::size_t many = kManyRows;
  while (many > 2 && first * static_cast<std::int64_t>(many) > 10 * kMeasureTime) many /= 2;
  return many;
}

// Made-up tensors, which a model may refuse; it then counts as costing nothing until it has run.
schedule::Cost measure_tensors(const engine::Plan& plan) {
  schedule::Cost cost;
  engine::Workspace workspace;
  const tensor::Table one = verify::sample_request(plan.signature(), {});
  cost.first = time_runs(plan, one, workspace);
  for (const tensor::TensorCells& cells : one.tensors)
    cost.bytes_per_row += static_cast<double>(tensor::size_in_bytes(cells));
  if (!plan.signature().batched || cost.first == nanoseconds(0)) return cost;
  if (cost.first > kMeasureTime) {  // a server should not be kept from being ready by more of these
    cost.further = cost.first;
    return cost;
  }
  const std::size_t many = rows_to_measure(cost.first);
  const tensor::Table table =
      verify::sample_request(plan.signature(), {.batch = static_cast<std::int64_t>(many)});
  cost.further = further_cost(cost.first, time_runs(plan, table, workspace), many);
  return cost;
}

// Rows which the model takes: the golden ones, else zeros.
Result<schedule::Cost> measure(const engine::Plan& plan, const protocol::Schema& schema,
                               const protocol::Golden& golden) {
  if (plan.signature().takes_tensors()) return measure_tensors(plan);
  if (golden.examples.empty()) {
    tensor::Table zeros;
    zeros.reset(1, schema.columns().size());
    std::ranges::fill(zeros.numbers, 0.0);
    return measure_cost(plan, zeros);
  }
  std::vector<std::vector<tensor::CellValue>> rows;
  const auto& columns = golden.examples.front().columns;
  for (const protocol::GoldenExample& example : golden.examples) {
    if (example.columns != columns || rows.size() == kManyRows) continue;
    rows.push_back(example.row);
  }
  protocol::Request request;
  TRY(protocol::read_cells(columns, rows, schema, request));
  return measure_cost(plan, request.table);
}

}  // namespace

schedule::Cost measure_cost(const engine::Plan& plan, const tensor::Table& rows) {
  schedule::Cost cost;
  if (rows.rows == 0) return cost;
  engine::Workspace workspace;
  cost.first = time_runs(plan, repeat_rows(rows, 1), workspace);
  const std::size_t many = rows_to_measure(cost.first);
  const tensor::Table table = repeat_rows(rows, many);
  cost.further = further_cost(cost.first, time_runs(plan, table, workspace), many);
  double bytes = 0;
  for (const std::string_view text : table.texts) bytes += static_cast<double>(text.size());
  cost.texts_per_row = bytes / static_cast<double>(many);
  return cost;
}

std::uint64_t estimate_bytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code ignored;  // what cannot be read now fails when it is loaded
  for (const char* name : {"program.json", "weights.safetensors", "golden.jsonl", "model.onnx"}) {
    const std::uint64_t size = std::filesystem::file_size(folder / name, ignored);
    if (!ignored) bytes += size;
  }
  return 2 * bytes;
}

Result<std::shared_ptr<Model>> load_model(const LoadRequest& request, base::FileSystem& files) {
  const auto began = Clock::now();
  TRY_ASSIGN(const std::string description, files.read(request.folder / "bundle.json", kMostBundleJson));
  TRY_ASSIGN(program::Bundle bundle, program::read_bundle(request.folder, files,
                                                          request.copy_weights ? program::CheckWeights::kYes
                                                                               : program::CheckWeights::kNo));
  const std::string name = request.name.empty() ? bundle.name : request.name;
  ModelLabels labels{name, bundle.provenance.framework, bundle.provenance.framework_version,
                     base::sha256_digest(description), request.version};
  protocol::Schema schema(bundle.program);
  protocol::Golden golden;
  if (!bundle.golden.empty()) {
    TRY_ASSIGN(golden, protocol::read_golden(bundle.golden, "golden.jsonl"));
  }
  protocol::ModelCard card =
      verify::begin_card(bundle.program, schema, golden, bundle.provenance, labels.digest);
  TRY_ASSIGN(engine::Plan plan, engine::Plan::compile(std::move(bundle.program)));
  std::string summary = "the bundle has no golden predictions";
  if (!bundle.golden.empty()) {
    TRY_ASSIGN(summary, check_golden(plan, schema, golden));
  }
  verify::complete_card(plan, schema, golden, summary, card);
  std::optional<telemetry::Profile> profile;
  if (!bundle.profile.empty()) {
    TRY_ASSIGN(profile, telemetry::read_profile(bundle.profile));
  }
  TRY_ASSIGN(const schedule::Cost cost, measure(plan, schema, golden));
  auto model =
      std::make_shared<Model>(Model{.name = name,
                                    .version = request.version,
                                    .labels = std::move(labels),
                                    .schema = std::move(schema),
                                    .golden_summary = std::move(summary),
                                    .golden = std::move(golden),
                                    .target = {name, std::move(plan), request.settings.batching, cost},
                                    .settings = request.settings,
                                    .bytes = estimate_bytes(request.folder),
                                    .load_time = {},
                                    .card = std::move(card),
                                    .profile = std::move(profile),
                                    .attachment = {},
                                    .statistics = std::make_unique<Statistics>(request.threads),
                                    .self = {}});
  model->self = model;
  if (request.attach) model->attachment = request.attach(*model);
  model->load_time = Clock::now() - began;
  return model;
}

}  // namespace wherry::repository
