#include "import/torch/module_saved.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "import/torch/saved.h"
#include "import/torch/script_native.h"
#include "import/torch/script_objects.h"

namespace wherry::torch {
namespace {

using base::Result;
using pickle::Kind;
using pickle::View;

constexpr std::uint64_t kLargestSource = 16 << 20;

// The user's file under every name a pickle or an import may have for it, and the files beside it.
Result<std::optional<SourceSet::Text>> user_source(base::FileSystem& files, const std::filesystem::path& main,
                                                   std::string_view module) {
  if (main.empty() || module.empty() || module.starts_with("torch") || module.starts_with("wherry"))
    return std::optional<SourceSet::Text>();
  std::vector<std::filesystem::path> places;
  std::string path(module);
  std::ranges::replace(path, '.', '/');
  if (module == "__main__" || module == main.stem().string() ||
      path.ends_with(base::cat("/", main.stem().string()))) {
    places.push_back(main);
  } else {
    const bool plain = std::ranges::all_of(
        path, [](char c) { return base::is_ascii_alphanumeric(c) || c == '_' || c == '/'; });
    if (plain && !path.starts_with('/')) {
      const std::string last = path.substr(path.rfind('/') + 1);
      places = {main.parent_path() / (path + ".py"), main.parent_path() / path / "__init__.py",
                main.parent_path() / (last + ".py")};
    }
  }
  for (const std::filesystem::path& place : places) {
    if (!files.exists(place)) continue;
    TRY_ASSIGN(std::string text, files.read(place, kLargestSource));
    return std::optional<SourceSet::Text>({std::move(text), place.filename().string()});
  }
  return std::optional<SourceSet::Text>();
}

// What to type in Python, with the model's own class in it.
std::string export_hint(std::string_view class_name) {
  const std::string_view name = class_name.substr(class_name.rfind('.') + 1);
  const std::string_view module =
      class_name.substr(0, class_name.size() - std::min(class_name.size(), name.size() + 1));
  const std::string from =
      module.empty() || module == "__main__" ? std::string("your_module") : std::string(module);
  return base::cat("give the file that defines ", name, " with --source FILE.py; or in Python: from ", from,
                   " import ", name,
                   "; model = torch.load('model.pt', weights_only=False).eval(); "
                   "torch.export.save(torch.export.export(model, (example_input,)), 'model.pt2')");
}

// --- state_dict
// ----------------------------------------------------------------------------------------------

// The dict of tensors in a checkpoint: the root, or what stands under one of the usual keys.
std::optional<View> find_state(const View& root) {
  const auto holds_tensors = [](const View& view) {
    if (!view.is(Kind::kDict)) return false;
    const auto entries = view.entries();
    return entries &&
           std::ranges::any_of(*entries, [](const auto& entry) { return Saved::is_tensor(entry.second); });
  };
  if (holds_tensors(root)) return root;
  if (!root.is(Kind::kDict)) return std::nullopt;
  for (const std::string_view key :
       {"state_dict", "model_state_dict", "model", "net", "weights", "module", "ema"}) {
    const auto inner = root.find_key(key);
    if (inner && holds_tensors(*inner)) return inner;
  }
  return std::nullopt;
}

using Weights = std::map<std::string, tensor::Tensor, std::less<>>;

Result<Weights> read_state(const Saved& saved, const View& state) {
  Weights weights;
  TRY_ASSIGN(const auto entries, state.entries());
  for (const auto& [key, value] : entries) {
    if (!Saved::is_tensor(value)) continue;
    TRY_ASSIGN(std::string name, key.as_string());
    TRY_ASSIGN(tensor::Tensor tensor, saved.tensor(value));
    weights.insert_or_assign(std::move(name), std::move(tensor));
  }
  for (const std::string_view prefix :
       {"module.", "model.", "_orig_mod.", "net."}) {  // wrappers put around for training
    const bool wrapped =
        std::ranges::all_of(weights, [&](const auto& each) { return each.first.starts_with(prefix); });
    if (!wrapped || weights.empty()) continue;
    Weights bare;
    for (auto& [name, tensor] : weights) bare.emplace(name.substr(prefix.size()), tensor);
    bare.swap(weights);
    break;
  }
  return weights;
}

// Gives the modules that __init__ made their weights.
struct Filler {
  Interpreter& in;
  const Weights& weights;
  std::set<std::string, std::less<>> used;
  std::vector<std::string> absent;

  void fill(const Object& module, const std::string& prefix, int depth) {
    if (depth > 100) return;
    module->changed.clear();  // what __init__ did
    module->read.clear();
    for (auto& [name, value] : module->attributes) {
      const std::string path = prefix + name;
      module->saved.insert(name);
      const Named* named = value.get<Named>();
      const bool parameter = named && named->path.starts_with(kParameter);
      if (!parameter && !value.is<Tensor>()) continue;
      const auto found = weights.find(path);
      if (found != weights.end()) {
        used.insert(path);
        value = Value(in.aten().tensor(in.builder().constant(found->second)));
      } else if (parameter && name != "num_batches_tracked") {
        absent.push_back(path);
      }
    }
    for (const std::string& name : module->modules) {
      const auto child = module->attributes.find(name);
      if (child == module->attributes.end() || !child->second.is<Object>()) continue;
      fill(*child->second.get<Object>(), base::cat(prefix, name, "."), depth + 1);
    }
  }

  base::Status check() const {
    std::vector<std::string> unexpected;
    for (const auto& [name, tensor] : weights) {
      if (!used.contains(name) && !name.ends_with("num_batches_tracked")) unexpected.push_back(name);
    }
    if (absent.empty() && unexpected.empty()) return {};
    const auto some = [](const std::vector<std::string>& names) {
      const std::size_t shown = std::min<std::size_t>(names.size(), 5);
      return base::cat(base::join(std::span(names).first(shown), ", "),
                       names.size() > shown ? base::cat(" and ", names.size() - shown, " more") : "");
    };
    std::string message = "the state_dict does not fit the class";
    if (!absent.empty()) message += base::cat("; it lacks ", some(absent));
    if (!unexpected.empty()) message += base::cat("; the class has no ", some(unexpected));
    return base::fail(base::Code::kInvalidInput, "torch.weights_do_not_fit", std::move(message),
                      "check --class, and the defaults of its __init__: the model must be built with the "
                      "arguments that it was trained with");
  }
};

// The class of the source that is a model: the one named, or the only (else the last) torch.nn.Module.
Result<std::shared_ptr<const ClassObject>> choose_class(Interpreter& in, const Source& source,
                                                        const std::string& wanted) {
  if (!wanted.empty()) {
    TRY_ASSIGN(const auto type, in.find_class(source, wanted));
    if (type) return type;
    return base::fail(base::Code::kNotFound, "torch.unknown_class",
                      base::cat(source.module.name(), " has no class ", wanted),
                      "name one of its classes with --class");
  }
  std::vector<std::shared_ptr<const ClassObject>> modules;
  for (const python::Statement* statement : source.module.body()) {
    const auto* definition = statement->as<python::Class>();
    if (!definition) continue;
    TRY_ASSIGN(const auto type, in.find_class(source, definition->name));
    if (type && type->is_module) modules.push_back(type);
  }
  if (modules.size() == 1) return modules[0];
  return base::fail(base::Code::kUsage, "torch.unknown_class",
                    base::cat(source.module.name(), modules.empty() ? " has no class of modules"
                                                                    : " has several classes of modules"),
                    "say which one with --class NAME");
}

Result<Value> build_from_state(Interpreter& in, SourceSet& sources, const Weights& weights,
                               const std::string& class_name) {
  TRY_ASSIGN(const Source* source, sources.source("__main__"));
  if (!source) return in.refuse("the source is gone");
  in.frame().source = source;
  TRY_ASSIGN(const auto type, choose_class(in, *source, class_name));
  Interpreter::Building building;
  in.building = &building;
  auto made = in.construct(type, {}, {});
  in.building = nullptr;
  if (!made) return made;
  Filler filler{in, weights, {}, {}};
  filler.fill(*made->get<Object>(), "", 0);
  TRY(filler.check());
  name_modules(*made);
  return made;
}

std::unexpected<base::Error> refuse_state(std::size_t tensors) {
  return base::fail(
      base::Code::kUnsupported, "torch.state_dict",
      base::cat("the file holds ", tensors, " tensors of a state_dict, but not what is computed with them"),
      "give the Python file of the model with --source FILE.py and its class with --class NAME; or in "
      "Python: "
      "model.load_state_dict(torch.load('model.pt')); torch.export.save(torch.export.export(model.eval(), "
      "(example_input,)), 'model.pt2')");
}

}  // namespace

Result<Model> read_module(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                          const ModuleOptions& options) {
  pickle::Limits limits;
  limits.nesting = 1'000;
  TRY_ASSIGN(const Saved saved, read_saved(bytes, owner, limits));
  SourceSet sources(SourceKind::kUser, [&](std::string_view module) {
    return user_source(*options.files, options.source, module);
  });
  if (!options.source.empty()) {
    TRY_ASSIGN(const Source* main, sources.source("__main__"));
    if (!main) {
      return base::fail(base::Code::kNotFound, "torch.no_source",
                        base::cat("there is no file ", options.source.string()),
                        "give an existing Python file with --source");
    }
  }
  if (const auto state = find_state(saved.view())) {
    TRY_ASSIGN(const Weights weights, read_state(saved, *state));
    if (options.source.empty()) return refuse_state(weights.size());
    TRY_ASSIGN(Model model, evaluate_forward(
                                sources,
                                [&](Interpreter& in) {
                                  return build_from_state(in, sources, weights, options.class_name);
                                },
                                options.hints));
    model.kind = "state_dict";
    return model;
  }
  const std::string class_name = saved.view().class_name();
  if (class_name.empty()) {
    return base::fail(base::Code::kUnsupported, "torch.no_module",
                      base::cat("the file holds ", saved.view().describe(), ", no module"),
                      "save the module, its state_dict, or an exported program");
  }
  const auto read = [&](Interpreter& in) -> Result<Value> {
    ObjectReader reader(in, saved);
    TRY_ASSIGN(Value root, reader.read(saved.view()));
    name_modules(root);
    return root;
  };
  auto model = evaluate_forward(sources, read, options.hints);
  if (!model) {
    base::Error error = model.error();
    if (error.id == "torch.unknown_class" && options.source.empty()) error.hint = export_hint(class_name);
    return std::unexpected(std::move(error));
  }
  model->kind = "module";
  model->facts.emplace_back("class", class_name);
  return model;
}

}  // namespace wherry::torch
