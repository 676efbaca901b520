#include "cli/cmd_ci.h"

#include <filesystem>
#include <memory>

#include "base/text.h"
#include "pipeline/systems.h"
#include "pipeline/write.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;
using text::Json;

struct CiOptions {
  std::string verb;
  std::string system;
  pipeline::Request request{.name = {},
                            .model = "model.joblib",
                            .image = {},
                            .cluster = {},
                            .name_space = {},
                            .branch = {},
                            .pins = {}};
  std::string into = ".";
  bool force = false;
  bool print = false;
  bool list = false;
  std::string output = "text";
};

int print_systems(const CiOptions& options, Context& context) {
  Json rows = Json::array();
  std::string text;
  for (const pipeline::System& system : pipeline::systems()) {
    Json row = Json::object();
    row["name"] = system.name;
    row["title"] = system.title;
    row["files"] = system.files;
    rows.push_back(std::move(row));
    text +=
        cat(system.name, std::string(14 - system.name.size(), ' '), system.title, ": ", system.files, "\n");
  }
  context.terminal.data(options.output == "json" ? text::write_json(rows, 2) + "\n" : text);
  return 0;
}

// The last part of the image's name, else the folder the application lives in.
std::string default_name(const CiOptions& options) {
  const std::string& image = options.request.image;
  if (!image.empty()) return pipeline::to_label(image.substr(image.rfind('/') + 1));
  std::error_code ignored;
  return pipeline::to_label(std::filesystem::current_path(ignored).filename().string());
}

Json to_document(const std::vector<pipeline::Written>& written, const pipeline::Pipeline& made) {
  Json files = Json::array();
  for (const pipeline::Written& file : written) {
    Json row = Json::object();
    row["path"] = file.path;
    row["change"] = pipeline::name(file.change);
    files.push_back(std::move(row));
  }
  Json settings = Json::array();
  for (const pipeline::Setting& setting : made.settings) {
    Json row = Json::object();
    row["name"] = setting.name;
    row["secret"] = setting.secret;
    row["meaning"] = setting.meaning;
    settings.push_back(std::move(row));
  }
  Json document = Json::object();
  document["files"] = std::move(files);
  document["settings"] = std::move(settings);
  return document;
}

void print_files(const pipeline::Pipeline& made, Context& context) {
  for (const pipeline::File& file : made.files)
    context.terminal.data(cat("# ---- ", file.path, " ----\n", file.content));
}

void print_written(const std::vector<pipeline::Written>& written, const pipeline::Pipeline& made,
                   const pipeline::System& system, Context& context) {
  for (const pipeline::Written& file : written)
    context.terminal.data(cat(pipeline::name(file.change),
                              std::string(10 - pipeline::name(file.change).size(), ' '), file.path, "\n"));
  context.terminal.note(cat("set once for ", system.title, ":"));
  for (const pipeline::Setting& setting : made.settings)
    context.terminal.note(
        cat("  ", setting.secret ? "secret   " : "variable ", setting.name, ": ", setting.meaning));
}

base::Result<int> init(CiOptions options, Context& context) {
  if (options.list) return print_systems(options, context);
  if (options.system.empty())
    return base::fail(base::Code::kUsage, "cli.usage", "ci init: which CI system?",
                      "'wherry ci init --list' names them");
  TRY_ASSIGN(const pipeline::System system, pipeline::find_system(options.system));
  if (options.request.name.empty()) options.request.name = default_name(options);
  TRY_ASSIGN(const pipeline::Spec spec, pipeline::make_spec(options.request));
  if (!context.files.exists(spec.model))
    return base::fail(base::Code::kNotFound, "pipeline.model_missing",
                      cat("no file ", base::quoted(spec.model), " in this folder"),
                      "run it in the repository's top folder, or name the model with --model PATH");
  TRY_ASSIGN(const pipeline::Pipeline made, system.render(spec));
  if (options.print) {
    print_files(made, context);
    return 0;
  }
  TRY_ASSIGN(const auto written,
             pipeline::write_files(made.files, options.into, options.force, context.files));
  if (options.output == "json")
    context.terminal.data(text::write_json(to_document(written, made), 2) + "\n");
  else
    print_written(written, made, system, context);
  return 0;
}

base::Result<int> run_verb(const CiOptions& options, Context& context) {
  if (options.verb == "init") return init(options, context);
  return base::fail(base::Code::kUsage, "cli.usage", cat("ci has no verb ", base::quoted(options.verb)),
                    "'wherry ci init SYSTEM' writes a pipeline");
}

}  // namespace

Action define_ci(Options& options) {
  auto given = std::make_shared<CiOptions>();
  options.positional("init", given->verb, "what to do: init writes the pipeline's files")
      .positional("system", given->system, "github, gitlab, jenkins, travis or codepipeline", false)
      .text("--model,-m", "PATH", given->request.model, "the model, relative to the repository")
      .text("--name", "NAME", given->request.name,
            "name of the service; default: the image's last part, else the folder's name")
      .text("--image,-i", "REGISTRY/REPOSITORY", given->request.image,
            "where the image goes; default: the CI system's own registry, else its variable IMAGE")
      .text("--cluster", "KIND", given->request.cluster,
            "eks, gke, aks, iks or kubeconfig; default: the image's cloud, else kubeconfig")
      .text("--namespace,-n", "NAMESPACE", given->request.name_space,
            "where it is deployed; default: default")
      .text("--branch", "BRANCH", given->request.branch, "branch which is deployed; default: main")
      .texts("--pin", "ACTION@SHA#VERSION", given->request.pins, "another commit of a GitHub action")
      .text("--into", "FOLDER", given->into, "write below this folder instead of the current one")
      .flag("--force", given->force, "replace files which are different")
      .flag("--print", given->print, "print the files instead of writing them")
      .flag("--list", given->list, "list the CI systems")
      .choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return run_verb(*given, context); };
}

}  // namespace wherry::cli
