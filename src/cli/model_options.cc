#include "cli/model_options.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::cli {

void define_model_options(Options& options, ModelOptions& model) {
  options.positional("model", model.path, "model file, or bundle folder")
      .texts("--limit", "NAME=VALUE", model.limits,
             "raise or lower a bound on reading the file (an error names it); may be repeated")
      .text("--signature", "NAME", model.signature, "of a SavedModel: which one; default: serving_default")
      .text("--source", "FILE.py", model.source,
            "of a PyTorch pickle: the file with its classes; it is never run")
      .text("--class", "NAME", model.class_name, "of PyTorch weights: the class in --source they belong to")
      .text("--arch", "NAME", model.arch,
            "of PyTorch weights: the architecture they belong to, e.g. resnet18")
      .texts("--shape", "NAME=LENGTHS", model.shapes,
             "of a PyTorch model whose file does not say it: an input's shape, e.g. image=batch,3,224,224 or "
             "ids=int64:batch,length; words are lengths that differ; may be repeated");
}

void define_service_options(Options& options, ModelOptions& model) {
  define_model_options(options, model);
  options
      .text("--golden,-g", "FILE", model.golden,
            "golden examples; default: MODEL's name with .golden.jsonl, if it is there")
      .text("--profile", "FILE", model.profile,
            "CSV of the training data: its statistics go into the bundle, and the server tells drift")
      .text("--name", "NAME", model.name, "name of the service; default: from the file's name");
}

namespace {

base::Result<formats::Options::InputShape> parse_shape(const std::string& text) {
  const auto bad = [&](std::string_view why) {
    return base::fail(base::Code::kUsage, "cli.usage", base::cat("shape ", base::quoted(text), ": ", why),
                      "give e.g. --shape image=batch,3,224,224 or --shape ids=int64:batch,length");
  };
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return bad("it is not NAME=LENGTHS");
  formats::Options::InputShape shape{.name = text.substr(0, equals), .lengths = {}};
  std::string_view rest = std::string_view(text).substr(equals + 1);
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    const auto all = tensor::dtypes();
    const auto found = std::ranges::find(all, rest.substr(0, colon), &tensor::DTypeInfo::numpy_name);
    if (found == all.end()) return bad("no such dtype");
    shape.dtype = found->dtype;
    rest.remove_prefix(colon + 1);
  }
  if (rest.empty()) return shape;
  for (const std::string_view part : base::split(rest, ',')) {
    const auto number = base::parse_unsigned(part);
    if (part.empty() || (!number && part.front() >= '0' && part.front() <= '9') ||
        (number && *number > 1'000'000'000))
      return bad("a length is a number or a word");
    shape.lengths.push_back(number ? static_cast<std::int64_t>(*number) : -1);
  }
  return shape;
}

}  // namespace

base::Result<formats::Options> to_options(const ModelOptions& model) {
  formats::Options options{.limits = {},
                           .signature = model.signature,
                           .source = model.source,
                           .class_name = model.class_name,
                           .arch = model.arch,
                           .shapes = {}};
  for (const std::string& text : model.shapes) {
    TRY_ASSIGN(auto shape, parse_shape(text));
    options.shapes.push_back(std::move(shape));
  }
  for (const std::string& text : model.limits) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      return base::fail(base::Code::kUsage, "cli.usage",
                        base::cat("limit ", base::quoted(text), " is not NAME=VALUE"),
                        "give e.g. --limit objects=200000000");
    TRY(pickle::set_limit(options.limits.pickle, std::string_view(text).substr(0, equals),
                          std::string_view(text).substr(equals + 1)));
  }
  return options;
}

base::Result<app::Model> load(const ModelOptions& model, Context& context) {
  app::ModelRequest request{
      .path = model.path, .golden = model.golden, .profile = model.profile, .name = model.name};
  TRY_ASSIGN(request.options, to_options(model));
  return app::load_model(request, context.files);
}

}  // namespace wherry::cli
