#include "import/torch/script_archive.h"

#include <algorithm>

#include "base/text.h"
#include "import/torch/saved.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_objects.h"
#include "import/zip/archive.h"

namespace wherry::torch {
namespace {

using base::Result;

// "__torch__.a.b" is code/__torch__/a/b.py.
std::string code_path(std::string_view module) {
  std::string path(module);
  std::ranges::replace(path, '.', '/');
  return base::cat("code/", path, ".py");
}

// Shape and dtype of a pickled tensor; its storage may be empty, as that of example inputs is.
std::optional<InputHint> shape_of_example(const pickle::View& view, std::string name) {
  if (!Saved::is_tensor(view)) return std::nullopt;
  const auto storage = view.argument(0);
  const auto sizes = view.argument(2);
  if (!storage || !sizes || !storage->is(pickle::Kind::kCall) || storage->object().call().args.empty())
    return std::nullopt;
  const pickle::View id(*storage->object().call().args[0], view.path());
  const auto type = id.item(1);
  const auto lengths = sizes->int64s();
  if (!type || !lengths) return std::nullopt;
  const std::string path = type->global_name();
  const auto dtype = dtype_of_name(path.substr(path.rfind('.') + 1));
  if (!dtype) return std::nullopt;
  return InputHint{std::move(name), *dtype, *lengths, true, false};
}

// The shapes of the example inputs that torch.jit.trace stores since 1.13; none when the file has no
// (readable) ones.
std::vector<InputHint> example_inputs(zip::Archive& archive, const std::string& prefix,
                                      const std::shared_ptr<const void>& owner,
                                      const std::vector<std::string>& parameters) {
  std::vector<InputHint> hints;
  if (!archive.has(base::cat(prefix, "traced_inputs.pkl"))) return hints;
  const auto saved = read_record(archive, prefix, "traced_inputs", "traced_inputs", owner);
  if (!saved) return hints;
  auto root = saved->view();
  if (const auto inner = root.argument(0); root.is(pickle::Kind::kCall) && inner) root = *inner;
  auto forward = root.find_key("forward");
  if (!forward) return hints;
  if (const auto inner = forward->argument(0); forward->is(pickle::Kind::kCall) && inner) forward = *inner;
  const auto items = forward->items();
  if (!items) return hints;
  for (std::size_t i = 0; i < std::min(items->size(), parameters.size()); ++i) {
    const auto add = [&](const pickle::View& view, std::string name) {
      if (auto hint = shape_of_example(view, std::move(name))) hints.push_back(*std::move(hint));
    };
    const pickle::View& item = (*items)[i];
    add(item, parameters[i]);
    const auto inner = item.is(pickle::Kind::kTuple) || item.is(pickle::Kind::kList)
                           ? item.items()
                           : Result<std::vector<pickle::View>>(std::vector<pickle::View>{});
    for (std::size_t j = 0; inner && j < inner->size(); ++j)
      add((*inner)[j], base::cat(parameters[i], "_", j));
  }
  return hints;
}

std::vector<std::string> parameters_of_forward(SourceSet& sources, std::string_view class_name) {
  std::vector<std::string> names;
  const std::size_t dot = class_name.rfind('.');
  const auto source = sources.source(class_name.substr(0, dot == std::string_view::npos ? 0 : dot));
  if (!source || !*source) return names;
  const python::Class* type = (*source)->module.find_class(class_name.substr(dot + 1));
  const python::Function* forward = type ? python::find_method(*type, "forward") : nullptr;
  for (std::size_t i = 1; forward && i < forward->parameters.size(); ++i)
    names.emplace_back(forward->parameters[i].name);
  return names;
}

}  // namespace

Result<Model> read_torchscript(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                               const std::vector<InputHint>& hints) {
  TRY_ASSIGN(zip::Archive archive, zip::Archive::open(bytes));
  const auto prefix = find_prefix(archive, "data.pkl");
  if (!prefix) {
    return base::fail(base::Code::kInvalidInput, "torch.bad_file", "the TorchScript archive has no data.pkl",
                      "the file is damaged; save the model again");
  }
  pickle::Limits limits;
  limits.nesting = 1'000;
  TRY_ASSIGN(const Saved data, read_record(archive, *prefix, "data", "data", owner, limits));
  std::optional<Saved> constants;
  if (archive.has(base::cat(*prefix, "constants.pkl"))) {
    TRY_ASSIGN(constants, read_record(archive, *prefix, "constants", "constants", owner, limits));
  }
  SourceSet sources(SourceKind::kTorchScript,
                    [&](std::string_view module) -> Result<std::optional<SourceSet::Text>> {
                      const std::string path = code_path(module);
                      if (!module.starts_with("__torch__") || !archive.has(base::cat(*prefix, path)))
                        return std::optional<SourceSet::Text>();
                      TRY_ASSIGN(std::string text, archive.read(base::cat(*prefix, path)));
                      return std::optional<SourceSet::Text>({std::move(text), path});
                    });
  const auto read = [&](Interpreter& in) -> Result<Value> {
    if (constants) {
      ObjectReader reader(in, *constants);
      TRY_ASSIGN(const Value all, reader.read(constants->view()));
      if (const Values* items = sequence(all)) sources.constants(*items);
    }
    ObjectReader reader(in, data);
    TRY_ASSIGN(Value root, reader.read(data.view()));
    name_modules(root);
    return root;
  };
  std::vector<InputHint> all = hints;
  for (InputHint& example :
       example_inputs(archive, *prefix, owner, parameters_of_forward(sources, data.view().class_name()))) {
    const auto given = std::ranges::find(hints, example.name, &InputHint::name);
    if (given == hints.end()) all.push_back(std::move(example));
  }
  TRY_ASSIGN(Model model, evaluate_forward(sources, read, all));
  model.kind = "TorchScript";
  if (archive.has(base::cat(*prefix, "version"))) {
    const auto version = archive.read(base::cat(*prefix, "version"));
    if (version) model.facts.emplace_back("archive version", std::string(base::trim(*version)));
  }
  return model;
}

}  // namespace wherry::torch
