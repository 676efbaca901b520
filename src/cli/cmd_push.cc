#include "cli/cmd_push.h"

#include <memory>
#include <utility>

#include "app/image.h"
#include "base/text.h"
#include "cli/places.h"
#include "cli/registries.h"
#include "oci/stored_image.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;

constexpr std::string_view kLayout = "oci:";

struct PushCommand {
  std::string source;
  std::vector<std::string> tags;
  std::vector<std::string> mount_from;
  std::string output = "text";
  bool insecure = false;
};

// "oci:FOLDER" or "oci:FOLDER:TAG"; a folder whose own name has a colon is found first.
base::Result<oci::StoredImage> read_layout_at(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::error_code ignored;
  if (colon == std::string_view::npos || std::filesystem::is_directory(text, ignored))
    return oci::read_layout(text, "");
  return oci::read_layout(text.substr(0, colon), text.substr(colon + 1));
}

base::Result<int> push(const PushCommand& command, Context& context) {
  std::vector<oci::Reference> targets;
  for (const std::string& tag : command.tags) {
    TRY_ASSIGN(oci::Reference target, oci::parse_reference(tag));
    targets.push_back(std::move(target));
  }
  if (targets.empty())
    return base::fail(base::Code::kUsage, "cli.usage", "push needs to know where to",
                      "name the target, as in --tag registry.example.com/team/fraud:1");
  Registries registries(context, command.insecure);
  std::vector<std::string> mount_from = command.mount_from;
  oci::StoredImage image;
  std::string from_registry;
  if (std::string_view(command.source).starts_with(kLayout)) {
    TRY_ASSIGN(image, read_layout_at(std::string_view(command.source).substr(kLayout.size())));
  } else {
    TRY_ASSIGN(const oci::Reference source, oci::parse_reference(command.source));
    from_registry = source.registry;
    mount_from.push_back(source.repository);
    TRY_ASSIGN(image, oci::read_remote(registries.session(source.registry), source,
                                       app::layer_store(cache_folder())));
  }
  text::Json pushed = text::Json::array();
  std::string lines;
  for (const oci::Reference& target : targets) {
    const bool same_registry = target.registry == from_registry;
    const oci::PushOptions options = registries.push_options(same_registry ? mount_from : command.mount_from);
    TRY_ASSIGN(const oci::PushResult result,
               oci::push_stored(registries.session(target.registry), image, target, options));
    context.terminal.note(cat("pushed: ", oci::to_string(target), ": ", summary(result)));
    pushed.push_back(oci::pinned(target, result.digest));
    lines += cat(oci::pinned(target, result.digest), "\n");
  }
  const text::Json document{{"digest", image.descriptor.digest}, {"pushed", pushed}};
  context.terminal.data(command.output == "json" ? text::write_json(document, 2) + "\n" : lines);
  return 0;
}

}  // namespace

Action define_push(Options& options) {
  auto given = std::make_shared<PushCommand>();
  options.positional("source", given->source, "oci:FOLDER, oci:FOLDER:TAG, or an image in a registry")
      .texts("--tag,-t", "REFERENCE", given->tags, "where to; may be given several times")
      .texts("--mount-from", "REPOSITORY", given->mount_from,
             "a repository of the target's registry which may have the layers already")
      .flag("--insecure", given->insecure, "accept plain HTTP and unknown certificates of the registries")
      .choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return push(*given, context); };
}

}  // namespace wherry::cli
