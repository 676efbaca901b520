#include "import/deep/deep.h"
#include "import/formats/formats.h"

namespace wherry::formats {

base::Result<Inspection> deep_inspection(base::Result<graph::Graph> graph, program::Provenance provenance) {
  Inspection inspection;
  inspection.provenance = std::move(provenance);
  auto program = graph ? deep::program_of(*graph) : std::unexpected(std::move(graph.error()));
  if (program) {
    deep::describe(*graph, inspection.provenance);
    inspection.program = *std::move(program);
  } else if (program.error().code == base::Code::kUnsupported) {
    inspection.refusal = std::move(program.error());
  } else {
    return std::unexpected(std::move(program.error()));
  }
  return inspection;
}

}  // namespace wherry::formats
