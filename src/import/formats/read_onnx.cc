#include <algorithm>

#include "onnx/read.h"

#include "base/files.h"
#include "base/text.h"
#include "import/deep/deep.h"
#include "import/formats/readers.h"

namespace wherry::formats {
namespace {

using base::cat;

void describe(const onnx::File& file, program::Provenance& provenance) {
  provenance.framework = file.producer;
  provenance.framework_version = file.producer_version;
  provenance.estimators.push_back(
      {0, "", "ONNX graph",
       cat("opset ", file.opset, ", IR version ", file.ir_version, ", ", file.weights, " weights")});
  std::vector<std::pair<std::string, std::int64_t>> order(file.operations.begin(), file.operations.end());
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const auto& row) { return row.second; });
  constexpr std::size_t kMostShown = 12, kMostNotes = 16, kMostText = 200;
  for (std::size_t i = 0; i < std::min(kMostShown, order.size()); ++i)
    provenance.estimators.push_back({1, "", order[i].first, cat(order[i].second)});
  for (std::size_t i = 0; i < std::min(kMostNotes, file.metadata.size()); ++i)
    provenance.notes.push_back(
        cat("metadata ", file.metadata[i].first, ": ", file.metadata[i].second.substr(0, kMostText)));
}

std::vector<deep::Port> ports_of(std::vector<onnx::Port> ports) {
  std::vector<deep::Port> list;
  for (onnx::Port& port : ports) {
    if (!port.has_shape) port.shape = {program::kAnyAxes};
    list.push_back({std::move(port.name), port.dtype, std::move(port.shape), std::move(port.dims),
                    std::move(port.labels)});
  }
  return list;
}

base::Result<program::Program> lower(onnx::File file) {
  deep::Network network;
  network.inputs = ports_of(std::move(file.inputs));
  network.outputs = ports_of(std::move(file.outputs));
  network.model = std::move(file.model);
  return deep::program_of(std::move(network));
}

}  // namespace

base::Result<Inspection> read_onnx(const std::filesystem::path& path, const Options&) {
  TRY_ASSIGN(base::MappedFile mapped, base::MappedFile::open(path));
  const auto owner = std::make_shared<const base::MappedFile>(std::move(mapped));
  Inspection inspection;
  inspection.provenance.framework = "ONNX";
  inspection.provenance.format = "onnx";
  const auto refuse = [&](base::Error error) -> base::Result<Inspection> {
    if (error.code != base::Code::kUnsupported) return std::unexpected(std::move(error));
    inspection.refusal = std::move(error);
    return std::move(inspection);
  };
  auto file = onnx::read_model(owner->bytes(), owner, path.parent_path());
  if (!file) return refuse(std::move(file.error()));
  describe(*file, inspection.provenance);
  auto program = lower(*std::move(file));
  if (!program) return refuse(std::move(program.error()));
  inspection.program = *std::move(program);
  return inspection;
}

}  // namespace wherry::formats
