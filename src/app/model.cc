#include "app/model.h"

#include <algorithm>
#include <array>

#include "app/profile.h"
#include "base/text.h"
#include "engine/arrange.h"
#include "program/batch.h"
#include "verify/independent.h"

namespace wherry::app {
namespace {

using base::cat;
using base::Result;

constexpr std::uint64_t kMostGolden = 16u << 20;
constexpr std::size_t kRecordedRows = 20;

struct Golden {
  protocol::Golden examples;
  std::string text;  // as it travels
};

Result<Golden> read_golden_file(const std::filesystem::path& path, base::FileSystem& files) {
  Golden golden;
  TRY_ASSIGN(golden.text, files.read(path, kMostGolden));
  TRY_ASSIGN(golden.examples, protocol::read_golden(golden.text, path.string()));
  return golden;
}

Result<Golden> golden_for(const ModelRequest& request, const engine::Plan& plan,
                          const program::Program& program, base::FileSystem& files) {
  if (!request.golden.empty()) return read_golden_file(request.golden, files);
  if (const auto beside = golden_beside(request.path); files.exists(beside))
    return read_golden_file(beside, files);
  Golden golden;
  TRY_ASSIGN(golden.examples, verify::record(plan, program, kRecordedRows));
  if (!golden.examples.examples.empty()) golden.text = protocol::write_golden(golden.examples);
  return golden;
}

Result<Model> load_bundle(const ModelRequest& request, base::FileSystem& files) {
  TRY_ASSIGN(program::Bundle bundle, program::read_bundle(request.path, files, program::CheckWeights::kYes));
  if (!request.name.empty()) bundle.name = request.name;
  TRY_ASSIGN(engine::Plan plan, engine::Plan::compile(bundle.program));
  protocol::Schema schema(bundle.program);
  protocol::Golden golden;
  if (!request.golden.empty()) {
    TRY_ASSIGN(Golden given, read_golden_file(request.golden, files));
    golden = std::move(given.examples);
    bundle.golden = std::move(given.text);
    bundle.golden_source = std::string(protocol::name(golden.source));
  } else if (!bundle.golden.empty()) {
    TRY_ASSIGN(golden, protocol::read_golden(bundle.golden, (request.path / "golden.jsonl").string()));
  }
  if (!request.profile.empty()) {
    TRY_ASSIGN(bundle.profile, make_profile(request.profile, schema, files));
  }
  return Model{std::move(bundle), std::move(plan), std::move(schema), std::move(golden)};
}

Result<Model> import_model(const ModelRequest& request, base::FileSystem& files) {
  TRY_ASSIGN(formats::Inspection inspection, formats::inspect_file(request.path, request.options));
  if (inspection.refusal) return std::unexpected(std::move(*inspection.refusal));
  TRY_ASSIGN(inspection.program, engine::arranged(*inspection.program));
  TRY_ASSIGN(engine::Plan plan, engine::Plan::compile(*inspection.program));
  if (plan.signature().takes_tensors() && plan.signature().batched && !verify::rows_are_independent(plan)) {
    TRY_ASSIGN(inspection.program, program::without_batch(*inspection.program));
    TRY_ASSIGN(plan, engine::Plan::compile(*inspection.program));
  }
  protocol::Schema schema(*inspection.program);
  TRY_ASSIGN(Golden golden, golden_for(request, plan, *inspection.program, files));
  program::Bundle bundle;
  bundle.name = request.name.empty() ? default_name(request.path) : request.name;
  bundle.program = std::move(*inspection.program);
  bundle.provenance = std::move(inspection.provenance);
  bundle.golden = std::move(golden.text);
  bundle.golden_source = std::string(protocol::name(golden.examples.source));
  if (!request.profile.empty()) {
    TRY_ASSIGN(bundle.profile, make_profile(request.profile, schema, files));
  }
  return Model{std::move(bundle), std::move(plan), std::move(schema), std::move(golden.examples)};
}

}  // namespace

std::string default_name(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 7> kMeaningless{"model",     "pipeline",   "pipe",     "clf",
                                                         "estimator", "classifier", "regressor"};
  const std::string stem = path.stem().string();
  std::error_code ignored;
  const std::string folder = std::filesystem::absolute(path, ignored).parent_path().filename().string();
  const bool says_nothing = std::ranges::find(kMeaningless, base::to_lower(stem)) != kMeaningless.end();
  return program::service_name(says_nothing && !folder.empty() ? folder : stem);
}

std::filesystem::path golden_beside(const std::filesystem::path& model) {
  return std::filesystem::path(model).replace_extension(".golden.jsonl");
}

Result<Model> load_model(const ModelRequest& request, base::FileSystem& files) {
  if (!request.name.empty() && program::service_name(request.name) != request.name)
    return base::fail(
        base::Code::kUsage, "app.bad_name",
        cat("name ", base::quoted(request.name), " is not a service name"),
        cat("use lower-case letters, digits and '-', e.g. ", program::service_name(request.name)));
  if (files.exists(request.path / "bundle.json")) return load_bundle(request, files);
  return import_model(request, files);
}

Result<verify::Report> check_golden(const Model& model) {
  TRY_ASSIGN(verify::Report report, verify::replay(model.plan, model.schema, model.golden));
  if (report.passed()) return report;
  std::string message = cat(model.bundle.provenance.source_name, ": ", verify::summary(report));
  if (!report.mismatches.empty()) {
    const verify::Mismatch& first = report.mismatches.front();
    message +=
        cat("; first in line ", first.line, ": ", first.output, " is ", first.got, ", not ", first.expected);
  }
  return base::fail(base::Code::kInvalidInput, "app.golden_mismatch", std::move(message),
                    report.source == protocol::GoldenSource::kFramework
                        ? "was the model trained again without recording new golden predictions? if not, "
                          "report this as a bug"
                        : "the bundle does not predict what it did when it was made; make it again");
}

}  // namespace wherry::app
