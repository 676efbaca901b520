#include "cli/cmd_predict.h"

#include <iostream>
#include <iterator>
#include <memory>

#include "base/text.h"
#include "cli/model_options.h"
#include "engine/results.h"
#include "import/zip/archive.h"
#include "protocol/npy.h"
#include "protocol/request.h"
#include "protocol/response.h"

namespace wherry::cli {
namespace {

using base::cat;

struct PredictOptions {
  ModelOptions model;
  std::string input = "-";
  std::string output = "json";
  std::vector<std::string> methods;
  std::vector<std::string> texts;
};

constexpr std::uint64_t kMostInput = 1u << 30;

base::Result<std::string> read_input(const std::string& input, Context& context) {
  if (input != "-") return context.files.read(input, kMostInput);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

// CSV when the file is called so, or does not begin like JSON.
bool is_csv(const std::string& name, std::string_view content) {
  if (name.ends_with(".csv")) return true;
  const std::string_view start = base::trim(content);
  return !start.starts_with('{') && !start.starts_with('[');
}

base::Result<engine::OutputSet> wanted_outputs(const std::vector<std::string>& methods,
                                               const engine::Plan& plan) {
  if (methods.empty()) return plan.all_outputs();
  engine::OutputSet wanted = 0;
  for (const std::string& method : methods) {
    const auto output = plan.find_output(method);
    if (!output) {
      std::vector<std::string> names;
      for (const program::Output& known : plan.outputs()) names.push_back(known.name);
      return base::fail(base::Code::kUsage, "cli.usage",
                        cat("the model has no method ", base::quoted(method)),
                        cat("it has ", base::join(names, ", ")));
    }
    wanted |= engine::only(*output);
  }
  return wanted;
}

// --text: each a row of a model that takes nothing but one text.
base::Status read_texts(const std::vector<std::string>& texts, const protocol::Schema& schema,
                        protocol::Request& request) {
  if (schema.takes_tensors())
    return base::fail(base::Code::kUsage, "cli.usage", "the model takes tensors, not one text",
                      "give them with --input; `wherry inspect` shows the inputs");
  const bool takes_text = schema.columns().size() == 1 && schema.takes_texts();
  if (!takes_text)
    return base::fail(base::Code::kUsage, "cli.usage",
                      cat("the model takes ", schema.columns().size(), " columns, not one text"),
                      "give the rows with --input; `wherry inspect` shows the columns");
  std::vector<std::vector<tensor::CellValue>> rows;
  for (const std::string& text : texts) {
    if (!base::is_valid_utf8(text))
      return base::fail(base::Code::kUsage, "cli.usage", "the text is not valid UTF-8");
    rows.push_back({text});
  }
  return protocol::read_cells({}, rows, schema, request);
}

// What the request borrows from.
struct Content {
  std::string file;
  std::vector<std::string> arrays;  // of an archive
};

constexpr std::string_view kZip = "PK\x03\x04";

// numpy.savez: an archive of NAME.npy.
base::Status read_npz(Content& content, const protocol::Schema& schema, protocol::Request& request) {
  constexpr std::string_view kEnding = ".npy";
  TRY_ASSIGN(zip::Archive archive, zip::Archive::open(base::as_bytes(content.file)));
  std::vector<std::string> names;
  for (const std::string_view name : archive.names())
    if (name.ends_with(kEnding)) names.emplace_back(name);
  for (const std::string& name : names) {
    TRY_ASSIGN(std::string array, archive.read(name));
    content.arrays.push_back(std::move(array));
  }
  std::vector<protocol::NamedArray> arrays;
  for (std::size_t i = 0; i < names.size(); ++i)
    arrays.push_back(
        {std::string_view(names[i]).substr(0, names[i].size() - kEnding.size()), content.arrays[i]});
  return protocol::read_arrays(arrays, schema, request);
}

base::Status read_content(const PredictOptions& options, const protocol::Schema& schema, Content& content,
                          protocol::Request& request) {
  const protocol::RequestLimits limits{.depth = 100, .cells = std::size_t{1} << 28, .nan_tokens = true};
  if (protocol::is_npy(content.file)) {
    const protocol::NamedArray array{"", content.file};
    return protocol::read_arrays({&array, 1}, schema, request);
  }
  if (content.file.starts_with(kZip)) return read_npz(content, schema, request);
  const bool is_number = schema.takes_tensors() && !options.input.ends_with(".csv");  // a tensor without axes
  return is_csv(options.input, content.file) && !is_number
             ? protocol::read_csv(content.file, schema, limits, request)
             : protocol::read_rows(content.file, schema, limits, request);
}

base::Status read_rows(const PredictOptions& options, const protocol::Schema& schema, Context& context,
                       protocol::Request& request, Content& content) {
  if (!options.texts.empty()) return read_texts(options.texts, schema, request);
  TRY_ASSIGN(content.file, read_input(options.input, context));
  const base::Status read = read_content(options, schema, content, request);
  if (!read)
    return base::with_context(read.error(),
                              cat("in ", options.input == "-" ? "standard input" : options.input));
  return {};
}

base::Result<int> predict(const PredictOptions& options, Context& context) {
  TRY_ASSIGN(const app::Model model, load(options.model, context));
  TRY_ASSIGN(const engine::OutputSet wanted, wanted_outputs(options.methods, model.plan));
  Content content;  // the table borrows from it
  protocol::Request request;
  TRY(read_rows(options, model.schema, context, request, content));
  engine::Workspace workspace;
  TRY(model.plan.run(request.table, wanted, workspace));
  engine::Results collector;
  const auto results = collector.collect(model.plan, workspace, wanted);
  std::string out;
  const bool takes_tensors = model.schema.takes_tensors();
  if (options.output == "csv" && takes_tensors)
    return base::fail(base::Code::kUsage, "cli.usage", "tensors do not fit into CSV",
                      "use --output json or table");
  if (request.is_v2 && takes_tensors && options.output == "json")
    protocol::write_v2({model.bundle.name, "", request.id}, model.schema, request.tensors, results, out,
                       protocol::NonFinite::kPythonTokens);
  else if (options.output == "csv")
    protocol::write_csv(results, out);
  else if (options.output == "table" && takes_tensors)
    protocol::write_tensor_text(results, out);
  else if (options.output == "table")
    protocol::write_text_table(results, out);
  else
    protocol::write_outputs(results, protocol::NonFinite::kPythonTokens, out);
  if (!out.ends_with('\n')) out += '\n';
  context.terminal.data(out);
  return 0;
}

}  // namespace

Action define_predict(Options& options) {
  auto given = std::make_shared<PredictOptions>();
  define_model_options(options, given->model);
  options
      .text("--input,-i", "FILE", given->input,
            "rows as JSON or CSV, tensors as JSON, .npy or .npz; - is standard input, the default")
      .texts("--text", "TEXT", given->texts, "a text to ask instead of --input; may be repeated")
      .texts("--method,-m", "NAME", given->methods,
             "only this method (predict, predict_proba, …); may be repeated")
      .choice("--output,-o", given->output, {"json", "csv", "table"}, "form of the answer");
  return [given](Context& context) { return predict(*given, context); };
}

}  // namespace wherry::cli
