#include "program/batch.h"

namespace wherry::program {

base::Result<Program> without_batch(const Program& program) {
  Signature signature = program.signature();
  signature.batched = false;
  ProgramBuilder builder(std::move(signature));
  for (const Weight& weight : program.weights()) builder.weight(weight.name, weight.tensor);
  for (const Node& node : program.nodes()) TRY(builder.add(node.op, node.inputs));
  for (const Output& output : program.outputs()) TRY(builder.output(output));
  return std::move(builder).build();
}

}  // namespace wherry::program
