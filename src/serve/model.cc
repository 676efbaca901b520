#include "serve/model.h"

#include <vector>

#include "base/digest.h"
#include "base/text.h"
#include "protocol/metadata.h"
#include "serve/page.h"
#include "verify/verify.h"

namespace wherry::serve {

using base::cat;
using base::Result;

namespace {

constexpr std::uint64_t kMostBundleJson = 64u << 20;

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
  return base::fail(base::Code::kInvalidInput, "serve.golden_mismatch", cat(verify::summary(report), first),
                    "build the bundle again from the model file, and run `wherry verify` on it");
}

}  // namespace

Result<std::unique_ptr<Model>> load_model(const std::filesystem::path& folder, base::FileSystem& files,
                                          std::string_view server_version) {
  TRY_ASSIGN(program::Bundle bundle, program::read_bundle(folder, files));
  TRY_ASSIGN(const std::string description, files.read(folder / "bundle.json", kMostBundleJson));
  const ModelLabels labels{bundle.name, bundle.provenance.framework, bundle.provenance.framework_version,
                           base::sha256_digest(description), std::string(kModelVersion)};
  protocol::Schema schema(bundle.program);
  TRY_ASSIGN(engine::Plan plan, engine::Plan::compile(std::move(bundle.program)));
  protocol::Golden golden;
  std::string summary = "the bundle has no golden predictions";
  if (!bundle.golden.empty()) {
    TRY_ASSIGN(golden, protocol::read_golden(bundle.golden, "golden.jsonl"));
    TRY_ASSIGN(summary, check_golden(plan, schema, golden));
  }
  const std::vector<std::string> versions{std::string(kModelVersion)};
  std::string metadata = protocol::model_metadata(schema, bundle.name, versions, labels.framework);
  Page page = make_page({.labels = labels,
                         .schema = schema,
                         .golden = golden,
                         .golden_summary = summary,
                         .server_version = server_version});
  return std::make_unique<Model>(Model{bundle.name,
                                       labels,
                                       std::move(schema),
                                       std::move(plan),
                                       std::move(summary),
                                       std::move(metadata),
                                       std::move(page.html),
                                       std::move(page.policy),
                                       std::nullopt,
                                       {}});
}

}  // namespace wherry::serve
