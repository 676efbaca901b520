#include "import/torch/container.h"

#include <algorithm>
#include <array>

#include "import/torch/safetensors.h"
#include "import/torch/saved.h"
#include "import/zip/archive.h"

namespace wherry::torch {
namespace {

bool any_ends_with(const zip::Archive& archive, std::string_view ending) {
  return std::ranges::any_of(archive.names(), [&](std::string_view name) { return name.ends_with(ending); });
}

bool any_contains(const zip::Archive& archive, std::string_view part) {
  return std::ranges::any_of(
      archive.names(), [&](std::string_view name) { return name.find(part) != std::string_view::npos; });
}

struct Rule {
  bool (*holds)(const zip::Archive&);
  Container container;
};

bool is_program(const zip::Archive& archive) {
  return archive.has("serialized_exported_program.json") ||
         (find_prefix(archive, "archive_format") && any_contains(archive, "models/") &&
          any_ends_with(archive, ".json"));
}

constexpr auto kRules = std::to_array<Rule>({
    {[](const zip::Archive& archive) { return any_contains(archive, "data/aotinductor/"); },
     Container::kAotInductor},
    {is_program, Container::kExportedProgram},
    {[](const zip::Archive& archive) { return any_ends_with(archive, ".data/extern_modules"); },
     Container::kPackage},
    {[](const zip::Archive& archive) {
       return find_prefix(archive, "data.pkl") && find_prefix(archive, "constants.pkl") &&
              any_contains(archive, "code/");
     },
     Container::kTorchScript},
    {[](const zip::Archive& archive) { return find_prefix(archive, "data.pkl").has_value(); },
     Container::kSaved},
    {[](const zip::Archive& archive) {
       return any_ends_with(archive, ".wrapper.so") || any_ends_with(archive, ".so");
     },
     Container::kAotInductor},
});

struct Refusal {
  Container container;
  std::string_view what;
  std::string_view hint;
};

constexpr auto kRefusals = std::to_array<Refusal>({
    {Container::kExecuTorch, "the file is an ExecuTorch program (.pte), compiled for a device",
     "save the program it was made of: torch.export.save(torch.export.export(model.eval(), args), "
     "\"model.pt2\")"},
    {Container::kAotInductor,
     "the file is an AOTInductor package: its model is a compiled library, which wherry never loads",
     "save the program it was made of: torch.export.save(torch.export.export(model.eval(), args), "
     "\"model.pt2\")"},
    {Container::kPackage, "the file is a torch.package archive: its model is Python code",
     "load it with torch.package.PackageImporter, then "
     "torch.export.save(torch.export.export(model.eval(), args), \"model.pt2\")"},
});

}  // namespace

Container recognise(std::string_view content) {
  if (is_legacy_stream(content)) return Container::kSaved;
  if (content.size() > 8 && content.substr(4, 2) == "ET" && content[6] >= '0' && content[6] <= '9')
    return Container::kExecuTorch;
  if (content.starts_with("PK\x03\x04")) {
    const auto archive = zip::Archive::open(base::as_bytes(content));
    if (!archive) return Container::kNone;
    const auto rule = std::ranges::find_if(kRules, [&](const Rule& row) { return row.holds(*archive); });
    return rule != kRules.end() ? rule->container : Container::kNone;
  }
  return is_safetensors(content) ? Container::kSafetensors : Container::kNone;
}

base::Status refuse_container(Container container) {
  const auto row = std::ranges::find(kRefusals, container, &Refusal::container);
  if (row == kRefusals.end()) return {};
  return base::fail(base::Code::kUnsupported, "torch.unsupported_container", std::string(row->what),
                    std::string(row->hint));
}

}  // namespace wherry::torch
