#include "cli/cmd_up.h"

#include <memory>

#include "app/image.h"
#include "base/text.h"
#include "cli/model_options.h"
#include "cli/places.h"
#include "cli/running_server.h"
#include "cli/version.h"
#include "protocol/metadata.h"
#include "protocol/request.h"
#include "verify/describe.h"

namespace wherry::cli {
namespace {

using base::cat;

struct UpOptions {
  ModelOptions model;
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;
};

// One word of a POSIX shell, whatever is in it.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (char c : text) {
    if (c == '\'')
      word += "'\\''";
    else
      word += c;
  }
  return word + "'";
}

std::string invocation(const protocol::Schema& schema, const tensor::Table& table,
                       const std::string& address) {
  return cat("curl -s ", address, "/invocations -H 'content-type: application/json' -d ",
             shell_word(protocol::sample_invocations(schema, table)));
}

// A request which works as it is printed: the first golden example's row, or small tensors; for large ones
// the question what the model takes.
base::Result<std::string> curl_line(const app::Model& model, const std::string& address) {
  if (model.schema.takes_tensors()) {
    const tensor::Table table = verify::answered_sample(model.plan);
    if (!table.tensors.empty() && protocol::is_short_example(table))
      return invocation(model.schema, table, address);
    return cat("curl -s ", address, "/v2/models/", model.bundle.name);
  }
  protocol::Request request;
  std::vector<std::vector<tensor::CellValue>> rows;
  std::vector<std::string> columns;
  if (!model.golden.examples.empty()) {
    rows.push_back(model.golden.examples.front().row);
    columns = model.golden.examples.front().columns;
  }
  TRY(protocol::read_cells(columns, rows, model.schema, request));
  return invocation(model.schema, request.table, address);
}

std::string inputs_text(const program::Signature& signature) {
  if (!signature.takes_tensors()) return cat(signature.columns.size(), " columns");
  return cat(signature.tensors.size(), signature.tensors.size() == 1 ? " tensor" : " tensors");
}

base::Result<int> up(const UpOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  const program::Provenance& provenance = model.bundle.provenance;
  context.terminal.note(cat(model.bundle.name, ": ", provenance.framework,
                            provenance.framework_version.empty() ? "" : " ", provenance.framework_version,
                            ", ",
                            provenance.estimators.empty() ? "" : provenance.estimators.front().class_name,
                            ", ", inputs_text(model.bundle.program.signature())));
  TRY_ASSIGN(const verify::Report report, app::check_golden(model));
  context.terminal.note(cat("golden: ", verify::summary(report)));

  const std::filesystem::path cache = cache_folder();
  TRY_ASSIGN(const std::filesystem::path binary, server_binary());
  TRY_ASSIGN(const std::filesystem::path bundle, app::cached_bundle(model, cache, context.files));
  TRY_ASSIGN(oci::ServiceFiles content,
             app::image_files(model, {binary, bundle, source_date_epoch(), std::string(kVersion), {}}));
  TRY_ASSIGN(const oci::Image image, oci::build_image(std::move(content), app::layer_store(cache)));
  context.terminal.note(
      cat("image: ", base::human_size(oci::compressed_size(image)), ", ", image.descriptor.digest));

  ServerRequest request{
      .bundle = bundle, .host = options.host, .port = options.port, .further = {"--access-log", "off"}};
  TRY_ASSIGN(const std::string curl, curl_line(model, address(request)));
  TRY_ASSIGN(base::Child server, start_server(request, context));
  context.terminal.note(
      cat("ready: ", address(request), "/  (a page to try it; Ctrl-C ends the service)\n\n", curl, "\n"));
  return wait_for_end(std::move(server));
}

}  // namespace

Action define_up(Options& options) {
  auto given = std::make_shared<UpOptions>();
  define_service_options(options, given->model);
  options.text("--host", "ADDRESS", given->host, "address to listen on; 0.0.0.0 for every interface")
      .number("--port,-p", "PORT", given->port, "port to listen on", 1, 65535);
  return [given](Context& context) { return up(*given, context); };
}

}  // namespace wherry::cli
