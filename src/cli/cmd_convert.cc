#include "cli/cmd_convert.h"

#include <memory>

#include "app/onnx_file.h"
#include "base/text.h"
#include "cli/model_options.h"

namespace wherry::cli {
namespace {

using base::cat;

struct ConvertOptions {
  ModelOptions model;
  std::string folder;
};

base::Result<int> convert(const ConvertOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  TRY_ASSIGN(const verify::Report report, app::check_golden(model));
  if (options.folder.ends_with(".onnx")) {
    TRY(app::write_onnx(model.bundle.program, options.folder, context.files));
    context.terminal.data(cat(options.folder, "\n"));
    return 0;
  }
  const std::filesystem::path folder =
      options.folder.empty() ? model.bundle.name + ".bundle" : options.folder;
  if (context.files.exists(folder) && !context.files.exists(folder / "bundle.json") &&
      !std::filesystem::is_empty(folder))
    return base::fail(base::Code::kUsage, "cli.usage", cat(folder.string(), ": exists and is not a bundle"),
                      "choose another folder with -o");
  TRY(program::write_bundle(model.bundle, folder, context.files));
  context.terminal.note(verify::summary(report));
  context.terminal.data(cat(folder.string(), "\n"));
  return 0;
}

}  // namespace

Action define_convert(Options& options) {
  auto given = std::make_shared<ConvertOptions>();
  define_service_options(options, given->model);
  options.text("--folder,-o", "FOLDER", given->folder,
               "where to; default: NAME.bundle; a neural network goes into one file where this is NAME.onnx");
  return [given](Context& context) { return convert(*given, context); };
}

}  // namespace wherry::cli
