#include "import/torch/torch.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/torch/arch.h"
#include "import/torch/module_saved.h"
#include "import/torch/pt2.h"
#include "import/torch/script_archive.h"
#include "import/torch/state_dict.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;
using Owner = std::shared_ptr<const void>;

Result<Model> read_program(base::Bytes bytes, const Owner& owner, const Options&) {
  return read_exported_program(bytes, owner);
}

Result<Model> from_weights(const NamedTensors& weights, const Options& options) {
  if (options.arch.empty()) return std::unexpected(weights_only(weights));
  Model model;
  TRY_ASSIGN(model.graph, build_architecture(options.arch, weights));
  model.kind = cat("weights of ", options.arch);
  return model;
}

Result<Model> read_safetensors_file(base::Bytes bytes, const Owner& owner, const Options& options) {
  TRY_ASSIGN(const NamedTensors weights, read_safetensors(bytes, owner));
  return from_weights(weights, options);
}

Result<Model> read_saved_file(base::Bytes bytes, const Owner& owner, const Options& options) {
  const ModuleOptions module{
      .source = options.source, .class_name = options.class_name, .hints = options.hints};
  if (!options.source.empty()) return read_module(bytes, owner, module);
  TRY_ASSIGN(const std::optional<NamedTensors> weights, read_state_dict(bytes, owner));
  if (weights) return from_weights(*weights, options);
  return read_module(bytes, owner, module);
}

Result<Model> read_script(base::Bytes bytes, const Owner& owner, const Options& options) {
  return read_torchscript(bytes, owner, options.hints);
}

struct Row {
  Container container;
  std::string_view name;
  Result<Model> (*read)(base::Bytes, const Owner&, const Options&);
};

constexpr auto kRows = std::to_array<Row>({
    {Container::kExportedProgram, "pt2", read_program},
    {Container::kTorchScript, "torchscript", read_script},
    {Container::kSaved, "torch", read_saved_file},
    {Container::kSafetensors, "safetensors", read_safetensors_file},
    {Container::kExecuTorch, "executorch", nullptr},
    {Container::kAotInductor, "aotinductor", nullptr},
    {Container::kPackage, "torch-package", nullptr},
});

const Row* find_row(Container container) {
  const auto found = std::ranges::find(kRows, container, &Row::container);
  return found != kRows.end() ? &*found : nullptr;
}

}  // namespace

std::string_view format_name(Container container) {
  const Row* const row = find_row(container);
  return row != nullptr ? row->name : std::string_view();
}

Result<Model> read_model(base::Bytes bytes, const Owner& owner, const Options& options) {
  const Container container = recognise(base::as_text(bytes));
  TRY(refuse_container(container));
  const Row* const row = find_row(container);
  if (row == nullptr || row->read == nullptr)
    return base::fail(base::Code::kInvalidInput, "torch.bad_file", "the file is none that PyTorch writes",
                      "give the file as torch.export.save or torch.save wrote it");
  return row->read(bytes, owner, options);
}

std::vector<WeightLine> list_weights(base::Bytes bytes, const Owner& owner) {
  NamedTensors weights;
  if (is_safetensors(base::as_text(bytes))) {
    if (auto read = read_safetensors(bytes, owner)) weights = *std::move(read);
  } else if (recognise(base::as_text(bytes)) == Container::kSaved) {
    if (auto read = read_state_dict(bytes, owner); read && *read) weights = **std::move(read);
  }
  std::vector<WeightLine> out;
  for (const auto& [name, tensor] : weights)
    out.push_back(
        {name, cat(tensor::info(tensor.dtype()).numpy_name, " ", tensor::to_string(tensor.shape()))});
  return out;
}

}  // namespace wherry::torch
