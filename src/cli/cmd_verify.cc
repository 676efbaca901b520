#include "cli/cmd_verify.h"

#include <memory>

#include "base/text.h"
#include "cli/model_options.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;
using text::Json;

struct VerifyOptions {
  ModelOptions model;
  std::string output = "text";
};

Json to_document(const verify::Report& report) {
  Json outputs = Json::array();
  for (const verify::OutputReport& output : report.outputs)
    outputs.push_back({{"name", output.name},
                       {"values", output.values},
                       {"identical", output.identical},
                       {"max_relative", output.max_relative}});
  Json mismatches = Json::array();
  for (const verify::Mismatch& mismatch : report.mismatches)
    mismatches.push_back({{"line", mismatch.line},
                          {"output", mismatch.output},
                          {"expected", mismatch.expected},
                          {"got", mismatch.got}});
  return {{"passed", report.passed()},
          {"source", protocol::name(report.source)},
          {"framework", report.framework},
          {"framework_version", report.framework_version},
          {"examples", report.examples},
          {"failed", report.failed},
          {"outputs", outputs},
          {"mismatches", mismatches}};
}

std::string to_text(const verify::Report& report) {
  std::string text = cat(verify::summary(report), "\n");
  for (const verify::OutputReport& output : report.outputs)
    text += cat("  ", output.name, ": ", output.identical, " of ", output.values,
                " values identical, largest relative deviation ", output.max_relative, "\n");
  for (const verify::Mismatch& mismatch : report.mismatches)
    text += cat("  line ", mismatch.line, ", ", mismatch.output, ": expected ", mismatch.expected, ", got ",
                mismatch.got, "\n");
  if (report.source == protocol::GoldenSource::kWherry)
    text += "recorded by wherry itself: this guards against change, it proves nothing about the framework\n";
  return text;
}

base::Result<int> verify_model(const VerifyOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  TRY_ASSIGN(const verify::Report report, verify::replay(model.plan, model.schema, model.golden));
  context.terminal.data(options.output == "json" ? text::write_json(to_document(report), 2) + "\n"
                                                 : to_text(report));
  if (report.passed()) return 0;
  return base::fail(
      base::Code::kInvalidInput, "cli.verify_failed",
      cat(options.model.path, ": ", report.failed, " of ", report.examples, " golden examples differ"),
      "do not deploy this model; record golden predictions again if it was trained anew");
}

}  // namespace

Action define_verify(Options& options) {
  auto given = std::make_shared<VerifyOptions>();
  define_service_options(options, given->model);
  options.choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return verify_model(*given, context); };
}

}  // namespace wherry::cli
