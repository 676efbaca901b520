// Variables as they are after loading, and what has no effect at inference.
#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

void read_variable(Op& op) {
  op.out(op.in(0));
}

void variable_shape(Op& op) {
  op.out(graph::cast(op.b, graph::shape_of(op.b, op.in(0)), op.type("out_type", DType::kInt32)));
}

void is_initialized(Op& op) {
  op.out(graph::bool_scalar(op.b, true));
}

void placeholder(Op& op) {
  op.refuse("a value the signature does not give");
}

constexpr OpRow kRows[] = {
    {"ReadVariableOp", read_variable},      {"VariableShape", variable_shape},
    {"VarIsInitializedOp", is_initialized}, {"IsVariableInitialized", is_initialized},
    {"Placeholder", placeholder},
};

}  // namespace

std::span<const OpRow> state_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
