#include "cli/cmd_convert.h"

#include <memory>

#include "app/model.h"
#include "base/text.h"

namespace wherry::cli {
namespace {

using base::cat;

struct ConvertOptions {
  std::string path;
  std::string golden;
  std::string name;
  std::string folder;
};

base::Result<int> convert(const ConvertOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model,
             app::load_model({options.path, options.golden, options.name}, context.files));
  TRY_ASSIGN(const verify::Report report, app::check_golden(model));
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
  options.positional("model", given->path, "model file, or bundle folder")
      .text("--folder,-o", "FOLDER", given->folder, "where to; default: NAME.bundle")
      .text("--golden,-g", "FILE", given->golden,
            "golden examples; default: MODEL's name with .golden.jsonl, if it is there")
      .text("--name", "NAME", given->name, "name of the service; default: from the file's name");
  return [given](Context& context) { return convert(*given, context); };
}

}  // namespace wherry::cli
