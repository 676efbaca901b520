#include "cli/cmd_build.h"

#include <memory>
#include <optional>
#include <utility>

#include "app/image.h"
#include "base/text.h"
#include "cli/model_options.h"
#include "cli/places.h"
#include "cli/registries.h"
#include "cli/version.h"
#include "oci/output.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;
using text::Json;

constexpr std::uint64_t kLargestStore = 10'000'000'000;  // compressed layers kept on this machine
constexpr std::string_view kJson = "json";               // a form of the answer, not a place for the image

struct BuildOptions {
  ModelOptions model;
  std::vector<std::string> tags;
  std::vector<std::string> outputs;
  std::vector<std::string> labels;
  std::vector<std::string> mount_from;
  bool push = false;
  bool insecure = false;
};

// What is to be done with the image, checked before anything is built.
struct Destinations {
  std::vector<oci::Reference> references;
  std::vector<oci::Output> outputs;
  bool json = false;
};

base::Result<Destinations> read_destinations(const BuildOptions& options) {
  Destinations destinations;
  for (const std::string& tag : options.tags) {
    TRY_ASSIGN(oci::Reference reference, oci::parse_reference(tag));
    destinations.references.push_back(std::move(reference));
  }
  for (const std::string& output : options.outputs) {
    if (output == kJson) {
      destinations.json = true;
      continue;
    }
    TRY_ASSIGN(oci::Output place, oci::parse_output(output));
    destinations.outputs.push_back(std::move(place));
  }
  if (options.push && destinations.references.empty())
    return base::fail(base::Code::kUsage, "cli.usage", "--push needs to know where to",
                      "name the image, as in --tag registry.example.com/team/fraud:1");
  return destinations;
}

Json to_document(const oci::Image& image, const std::vector<std::string>& pushed) {
  Json layers = Json::array();
  for (const oci::Layer& layer : image.layers)
    layers.push_back({{"digest", layer.descriptor.digest},
                      {"size", layer.descriptor.size},
                      {"created_by", layer.created_by},
                      {"reused", layer.reused}});
  return {{"digest", image.descriptor.digest},
          {"size", oci::compressed_size(image)},
          {"platform", oci::to_string(image.spec.platform)},
          {"layers", layers},
          {"pushed", pushed}};
}

void note_layers(const oci::Image& image, Context& context) {
  for (const oci::Layer& layer : image.layers)
    context.terminal.note(cat("layer: ", base::human_size(layer.descriptor.size), ", ", layer.created_by,
                              layer.reused ? " (unchanged)" : ""));
  context.terminal.note(
      cat("image: ", base::human_size(oci::compressed_size(image)), ", ", image.descriptor.digest));
}

// The pinned references, in the order given.
base::Result<std::vector<std::string>> push_all(const oci::Image& image, const Destinations& destinations,
                                                const BuildOptions& options, Context& context) {
  Registries registries(context, options.insecure);
  std::vector<std::string> pushed;
  for (const oci::Reference& reference : destinations.references) {
    const oci::PushOptions push = registries.push_options(options.mount_from);
    TRY_ASSIGN(const oci::PushResult result,
               oci::push_image(registries.session(reference.registry), image, reference, push));
    context.terminal.note(cat("pushed: ", oci::to_string(reference), ": ", summary(result)));
    pushed.push_back(oci::pinned(reference, result.digest));
  }
  return pushed;
}

base::Result<int> build(const BuildOptions& options, Context& context) {
  TRY_ASSIGN(const Destinations destinations, read_destinations(options));
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  TRY_ASSIGN(const verify::Report report, app::check_golden(model));
  context.terminal.note(cat("golden: ", verify::summary(report)));

  const std::filesystem::path cache = cache_folder();
  TRY_ASSIGN(const std::filesystem::path server, server_binary());
  TRY_ASSIGN(const std::filesystem::path bundle, app::cached_bundle(model, cache, context.files));
  TRY_ASSIGN(oci::ServiceFiles files, app::image_files(model, {server, bundle, source_date_epoch(),
                                                               std::string(kVersion), options.labels}));
  TRY_ASSIGN(const oci::Image image, oci::build_image(std::move(files), app::layer_store(cache)));
  note_layers(image, context);

  oci::Reference name{
      .registry = "localhost", .repository = model.bundle.name, .tag = "latest", .digest = {}};
  if (!destinations.references.empty()) name = destinations.references.front();
  for (const oci::Output& output : destinations.outputs) {
    TRY(oci::write_image(image, name, output));
    context.terminal.note(cat("written: ", output.path.string()));
  }
  std::vector<std::string> pushed;
  if (options.push) {
    TRY_ASSIGN(pushed, push_all(image, destinations, options, context));
  } else if (destinations.outputs.empty()) {
    context.terminal.note("the image went nowhere yet: add --push, or --output oci:FOLDER");
  }
  oci::trim_store(app::layer_store(cache), kLargestStore);
  if (destinations.json) {
    context.terminal.data(text::write_json(to_document(image, pushed), 2) + "\n");
  } else if (pushed.empty()) {
    context.terminal.data(image.descriptor.digest + "\n");
  } else {
    context.terminal.data(base::join(pushed, "\n") + "\n");
  }
  return 0;
}

}  // namespace

Action define_build(Options& options) {
  auto given = std::make_shared<BuildOptions>();
  define_service_options(options, given->model);
  options.texts("--tag,-t", "REFERENCE", given->tags, "name of the image; may be given several times")
      .flag("--push", given->push, "put the image into the registry of each --tag")
      .texts(
          "--output,-o", "WHERE", given->outputs,
          "also write it to oci:FOLDER, oci-archive:FILE or docker-archive:FILE; json: print a description")
      .texts("--label", "KEY=VALUE", given->labels, "a further label of the image")
      .texts("--mount-from", "REPOSITORY", given->mount_from,
             "a repository of the same registry which may have the layers already")
      .flag("--insecure", given->insecure, "accept plain HTTP and unknown certificates of the registry");
  return [given](Context& context) { return build(*given, context); };
}

}  // namespace wherry::cli
