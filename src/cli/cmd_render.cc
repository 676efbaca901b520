#include "cli/cmd_render.h"

#include <memory>

#include "cli/clusters.h"
#include "kube/manifests.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

struct RenderOptions {
  ServiceOptions service;
  std::string namespace_name = "default";
  std::string output = "yaml";
};

base::Result<int> render(const RenderOptions& given, Context& context) {
  TRY_ASSIGN(const kube::ServiceSpec spec, to_spec(given.service, given.namespace_name));
  TRY_ASSIGN(const std::vector<text::Json> objects, kube::render(spec));
  context.terminal.data(given.output == "json" ? text::write_json(kube::to_list(objects), 2) + "\n"
                                               : kube::to_yaml(objects));
  return 0;
}

}  // namespace

Action define_render(Options& options) {
  auto given = std::make_shared<RenderOptions>();
  define_service_options(options, given->service);
  options.text("--namespace,-n", "NAMESPACE", given->namespace_name, "namespace of the objects")
      .choice("--output,-o", given->output, {"yaml", "json"}, "form of the answer");
  return [given](Context& context) { return render(*given, context); };
}

}  // namespace wherry::cli
