#include "cli/cmd_inspect.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/model_options.h"
#include "import/formats/formats.h"
#include "program/fidelity.h"
#include "program/fields.h"
#include "program/serialize.h"
#include "protocol/model_tensors.h"

namespace wherry::cli {
namespace {

using base::cat;
using text::Json;

struct InspectOptions {
  ModelOptions model;
  std::string output = "text";
  bool imports = false;
};

std::string padded(std::string_view text, std::size_t width) {
  return cat(text, std::string(text.size() < width ? width - text.size() : 1, ' '));
}

std::string tensors_text(const program::Signature& signature) {
  std::string text =
      cat("input: ", signature.tensors.size(), signature.tensors.size() == 1 ? " tensor" : " tensors",
          signature.batched ? "; requests are joined along the first axis\n" : "; one request is one run\n");
  std::size_t width = 0;
  for (const program::InputTensor& input : signature.tensors)
    width = std::max(width, std::min<std::size_t>(input.name.size(), 40));
  for (const program::InputTensor& input : signature.tensors)
    text += cat("  ", padded(input.name, width + 2), padded(tensor::info(input.dtype).numpy_name, 10),
                protocol::shape_text(input), "\n");
  return text;
}

std::string input_text(const program::Signature& signature) {
  if (signature.takes_tensors()) return tensors_text(signature);
  std::string text =
      cat("input: ", signature.columns.size(), signature.columns.size() == 1 ? " column" : " columns",
          signature.has_names ? ", matched by name" : ", by position",
          signature.ignores_extra ? "; others are ignored\n" : "\n");
  constexpr std::size_t kMostShown = 60;
  std::size_t width = 0;
  for (const auto& column : signature.columns)
    width = std::max(width, std::min<std::size_t>(column.name.size(), 40));
  for (std::size_t i = 0; i < std::min(kMostShown, signature.columns.size()); ++i) {
    const program::InputColumn& column = signature.columns[i];
    text += cat("  ", padded(column.name, width + 2),
                program::kColumnTypeNames[static_cast<std::size_t>(column.type)],
                column.required ? "\n" : " (not used by the model)\n");
  }
  if (signature.columns.size() > kMostShown)
    text += cat("  … and ", signature.columns.size() - kMostShown, " more\n");
  return text;
}

std::string output_text(const program::Program& program) {
  std::string text = "output:\n";
  for (const program::Output& output : program.outputs()) {
    text += cat("  ", padded(output.name, 20), to_string(program.types()[output.values[0]]));
    if (output.values.size() > 1) text += cat(" and ", output.values.size() - 1, " more");
    constexpr std::size_t kMostLabels = 8;
    if (!output.labels.empty()) {
      const std::size_t shown = std::min(kMostLabels, output.labels.size());
      text += cat("  ", base::join(std::span(output.labels).first(shown), ", "),
                  shown < output.labels.size() ? ", …" : "");
    }
    text += '\n';
  }
  return text;
}

std::string manifest_text(const program::Provenance& provenance, bool all) {
  std::size_t counts[3] = {};
  for (const auto& entry : provenance.manifest) ++counts[static_cast<std::size_t>(entry.use)];
  std::string text =
      cat("imports: ", counts[0], " understood, ", counts[1], " ignored as irrelevant for prediction, ",
          counts[2], " refused; nothing was executed\n");
  for (const auto& entry : provenance.manifest)
    if (all || entry.use == program::GlobalUse::kRefused)
      text += cat("  ", padded(program::kGlobalUseNames[static_cast<std::size_t>(entry.use)], 12), entry.name,
                  "\n");
  if (!all && counts[0] + counts[1] > 0) text += "  (--imports lists them)\n";
  return text;
}

std::string head_text(const std::string& path, const program::Provenance& provenance) {
  const std::string framework = provenance.framework.empty() ? "unknown framework" : provenance.framework;
  return cat(path, ": ", framework, provenance.framework_version.empty() ? "" : " ",
             provenance.framework_version, ", ", provenance.format, ", ",
             base::human_size(static_cast<std::uint64_t>(provenance.source_size)), "\n",
             provenance.source_digest, "\n");
}

std::string estimators_text(const program::Provenance& provenance) {
  std::string text = "model:\n";
  for (const program::EstimatorLine& line : provenance.estimators)
    text += cat(std::string(2 + 2 * static_cast<std::size_t>(line.depth), ' '), line.role,
                line.role.empty() ? "" : ": ", line.class_name, line.description.empty() ? "" : " (",
                line.description, line.description.empty() ? "\n" : ")\n");
  return text;
}

std::string golden_text(const protocol::Golden& golden) {
  if (golden.examples.empty()) return "golden predictions: none\n";
  if (golden.source == protocol::GoldenSource::kFramework)
    return cat("golden predictions: ", golden.examples.size(), ", recorded by ", golden.framework, " ",
               golden.framework_version, " at training time\n");
  return cat("golden predictions: ", golden.examples.size(),
             ", recorded by wherry itself: they guard against change, they prove nothing\n");
}

std::string fidelity_text(const program::Program& program, const program::Provenance& provenance) {
  const std::string framework = provenance.framework.empty() ? "the framework" : provenance.framework;
  return cat("fidelity to ", framework, ": ", program::describe(program::fidelity(program)), "\n");
}

Json to_document(const program::Provenance& provenance, const program::Program* program,
                 const protocol::Golden* golden, const base::Error* refusal) {
  Json document = program::to_json(provenance);
  document["served"] = refusal == nullptr;
  if (refusal != nullptr)
    document["refusal"] = {
        {"id", refusal->id}, {"message", base::describe(*refusal)}, {"hint", refusal->hint}};
  if (program != nullptr) {
    document["signature"] = program::signature_to_json(program->signature());
    Json outputs = Json::array();
    for (const program::Output& output : program->outputs())
      outputs.push_back({{"name", output.name},
                         {"type", to_string(program->types()[output.values[0]])},
                         {"values", output.values.size()},
                         {"labels", output.labels}});
    document["outputs"] = std::move(outputs);
    document["fidelity"] = program::kFidelityNames[static_cast<std::size_t>(program::fidelity(*program))];
  }
  if (golden != nullptr)
    document["golden"] = {{"source", protocol::name(golden->source)}, {"examples", golden->examples.size()}};
  return document;
}

base::Result<int> print_refused(const InspectOptions& options, const formats::Inspection& inspection,
                                Context& context) {
  if (options.output == "json") {
    context.terminal.data(
        text::write_json(to_document(inspection.provenance, nullptr, nullptr, &*inspection.refusal), 2) +
        "\n");
  } else {
    context.terminal.data(cat(head_text(options.model.path, inspection.provenance), "served: no\n\n",
                              estimators_text(inspection.provenance), "\n",
                              manifest_text(inspection.provenance, options.imports)));
  }
  return std::unexpected(*inspection.refusal);
}

base::Result<int> inspect(const InspectOptions& options, Context& context) {
  TRY_ASSIGN(const formats::Options read_options, to_options(options.model));
  if (!context.files.exists(std::filesystem::path(options.model.path) / "bundle.json")) {
    TRY_ASSIGN(const formats::Inspection inspection, formats::inspect_file(options.model.path, read_options));
    if (inspection.refusal) return print_refused(options, inspection, context);
  }
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  const program::Program& program = model.bundle.program;
  const program::Provenance& provenance = model.bundle.provenance;
  if (options.output == "json") {
    context.terminal.data(text::write_json(to_document(provenance, &program, &model.golden, nullptr), 2) +
                          "\n");
    return 0;
  }
  std::string text =
      cat(head_text(options.model.path, provenance), "served: yes, as '", model.bundle.name, "'\n\n",
          estimators_text(provenance), "\n", input_text(program.signature()), "\n", output_text(program),
          "\n", golden_text(model.golden), fidelity_text(program, provenance), "\n",
          manifest_text(provenance, options.imports));
  for (const std::string& note : provenance.notes) text += cat("note: ", note, "\n");
  context.terminal.data(text);
  return 0;
}

}  // namespace

Action define_inspect(Options& options) {
  auto given = std::make_shared<InspectOptions>();
  define_model_options(options, given->model);
  options.flag("--imports", given->imports, "list every class and function the file names")
      .choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return inspect(*given, context); };
}

}  // namespace wherry::cli
