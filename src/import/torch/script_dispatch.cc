#include <algorithm>

#include "base/text.h"
#include "import/torch/script_interpreter.h"
#include "import/torch/script_native.h"

namespace wherry::torch {
namespace {

using base::Result;

// "F.relu" for the recipe "F_relu".
std::string recipe_name(std::string_view path) {
  std::string name(path);
  std::ranges::replace(name, '.', '_');
  return name;
}

// The operator that a function or method of torch is; empty when it is none.
std::string operator_name(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
      {"torch.ops.aten.", "aten::"},
      {"torch.special.", "aten::special_"},
      {"torch.linalg.", "aten::linalg_"},
      {"torch.fft.", "aten::fft_"},
      {"torch.", "aten::"},
      {"F.", "aten::"},
      {"Tensor.", "aten::"},
      {"aten.", "aten::"}};
  for (const auto& [prefix, name] : kPrefixes) {
    if (!path.starts_with(prefix)) continue;
    const std::string_view rest = path.substr(prefix.size());
    if (rest.find('.') == std::string_view::npos) return base::cat(name, rest);
  }
  return {};
}

// numpy's names for arguments, which torch takes too, and those that Python's functions have and schemas have
// not.
void rename(Values& positional, NamedValues& keywords) {
  for (auto& [name, value] : keywords) {
    if (name == "axis") name = "dim";
    if (name == "keepdims") name = "keepdim";
  }
  for (const std::string_view first : {"input", "tensors", "self"}) {
    const auto found = std::ranges::find(keywords, first, &NamedValues::value_type::first);
    if (found == keywords.end() || !positional.empty()) continue;
    positional.insert(positional.begin(), found->second);
    keywords.erase(found);
  }
  std::erase_if(keywords, [](const auto& each) { return each.first == "out" && each.second.is_none(); });
}

// While __init__ is evaluated: random numbers, initialisers, and whatever has a parameter as an argument. The
// values come from the state_dict.
bool fills_weights(std::string_view path, const Values& positional) {
  static constexpr std::string_view kPrefixes[] = {"wherry.parameter", "torch.nn.init.", "torch.randn",
                                                   "torch.rand",       "torch.normal",   "torch.bernoulli",
                                                   "torch.nn.utils.",  "numpy.random."};
  for (const std::string_view prefix : kPrefixes) {
    if (path.starts_with(prefix)) return true;
  }
  if (path.starts_with("builtins.") || path.starts_with("methods.") || path == "torch.nn.Parameter")
    return false;
  return std::ranges::any_of(positional, [](const Value& each) {
    const Named* named = each.get<Named>();
    return named && named->path.starts_with(kParameter);
  });
}

}  // namespace

Result<std::optional<Value>> Interpreter::native(std::string_view path, Values& positional,
                                                 NamedValues& keywords) {
  const NativeRow* row = find_native(path);
  if (!row) return std::optional<Value>();
  if (positional.size() < row->least) return refuse(base::cat(path, "() is called with too few arguments"));
  NativeCall call{*this, positional, keywords};
  return row->function(call);
}

Result<Value> Interpreter::call_named(const Named& named, Values positional, NamedValues keywords) {
  std::string path = named.path;
  const bool script = source().kind == SourceKind::kTorchScript;
  if (script) {
    if (path.starts_with("ops.aten.")) path = base::cat("torch.", std::string_view(path).substr(9));
    if (path.starts_with("ops.prim.")) path = path.substr(4);
  }
  if (building && fills_weights(path, positional)) return Value(Named{std::string(kParameter)});
  TRY_ASSIGN(auto done, native(path, positional, keywords));
  if (done) return *std::move(done);
  if (script) {
    if (path.starts_with("torch.")) {
      return call_aten(base::cat("aten::", std::string_view(path).substr(6)), std::move(positional),
                       std::move(keywords));
    }
    if (path.starts_with("prim."))
      return call_aten(base::cat("prim::", std::string_view(path).substr(5)), std::move(positional),
                       std::move(keywords));
    if (path.starts_with("ops."))
      return call_aten(path.substr(4), std::move(positional), std::move(keywords));
    return refuse(base::cat(path, " is not in the file"));
  }
  if (path.starts_with("aten."))
    return call_aten(base::cat("aten::", std::string_view(path).substr(5)), std::move(positional),
                     std::move(keywords));
  TRY_ASSIGN(const Source* recipes, resolver_.source("wherry.nn"));
  if (recipes) {
    TRY_ASSIGN(auto recipe, global(*recipes, recipe_name(path)));
    if (recipe && recipe->is<FunctionRef>()) return call(*recipe, std::move(positional), std::move(keywords));
  }
  if (path.starts_with("torch.nn.") || path.starts_with("torchvision.")) {
    const std::string_view name = std::string_view(path).substr(path.rfind('.') + 1);
    if (name.front() >= 'A' && name.front() <= 'Z') {
      auto type = class_by_path(path);
      if (type) return construct(*type, std::move(positional), std::move(keywords));
      return refuse(base::cat("the class ", path, " is not supported"));
    }
  }
  const std::string operation = operator_name(path);
  if (operation.empty()) return refuse(base::cat(path, "() is not known"));
  if (!Aten::knows(operation, "")) {
    return missing_operator(
        base::cat(path.starts_with("F.") ? base::cat("torch.nn.functional.", path.substr(2)) : path, "()"),
        positional);
  }
  rename(positional, keywords);
  return call_aten(operation, std::move(positional), std::move(keywords));
}

}  // namespace wherry::torch
