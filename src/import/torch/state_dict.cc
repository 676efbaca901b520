#include "import/torch/state_dict.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/torch/arch.h"
#include "import/torch/saved.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;
using pickle::Kind;
using pickle::View;

constexpr std::array<std::string_view, 4> kInside = {"state_dict", "model_state_dict", "model", "net"};

bool holds_tensors(const View& dict) {
  if (!dict.is(Kind::kDict)) return false;
  const auto& entries = dict.object().mapping().entries;
  return std::ranges::any_of(entries, [&](const pickle::Entry& entry) {
    return entry.key->kind() == Kind::kStr && Saved::is_tensor(View(*entry.value, ""));
  });
}

std::optional<View> find_dict(const View& root) {
  if (holds_tensors(root)) return root;
  if (!root.is(Kind::kDict)) return std::nullopt;
  for (const std::string_view key : kInside)
    if (const auto inner = root.find_key(key); inner && holds_tensors(*inner)) return inner;
  return std::nullopt;
}

}  // namespace

Result<std::optional<NamedTensors>> read_state_dict(base::Bytes bytes,
                                                    const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const Saved saved, read_saved(bytes, owner));
  const auto dict = find_dict(saved.view());
  if (!dict) return std::nullopt;
  NamedTensors out;
  TRY_ASSIGN(const auto entries, dict->entries());
  for (const auto& [key, value] : entries) {
    if (!key.is(Kind::kStr) || !Saved::is_tensor(value)) continue;
    TRY_ASSIGN(tensor::Tensor tensor, saved.tensor(value));
    out.emplace_back(std::string(key.object().text()), std::move(tensor));
  }
  constexpr std::string_view kParallel = "module.";
  if (std::ranges::all_of(out, [&](const auto& row) { return row.first.starts_with(kParallel); }))
    for (auto& [name, tensor] : out) name = name.substr(kParallel.size());
  return out;
}

base::Error weights_only(const NamedTensors& weights) {
  const std::string first = weights.empty() ? "" : cat(" (", weights.front().first, ", …)");
  return {
      base::Code::kUnsupported,
      "torch.state_dict",
      cat("the file holds ", weights.size(), " tensors", first,
          " and nothing that says what is computed with them"),
      cat("give the architecture with --arch (resnet50, mobilenet_v2, vit_b_16, …; another word lists the ",
          architecture_names().size(),
          "), or run in Python: model.load_state_dict(torch.load(FILE)); "
          "torch.export.save(torch.export.export(model.eval(), (example_input,)), \"model.pt2\")"),
      {}};
}

}  // namespace wherry::torch
