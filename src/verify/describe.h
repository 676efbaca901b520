// Makes the card of a model (protocol/card.h) while it is loaded: what its program says before the engine
// takes it, what the engine says afterwards.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"
#include "program/program.h"
#include "program/provenance.h"
#include "protocol/card.h"
#include "protocol/golden.h"
#include "protocol/schema.h"
#include "tensor/table.h"

namespace wherry::verify {

// Everything but what is found out by running the model. `digest` is the bundle's.
protocol::ModelCard begin_card(const program::Program& program, const protocol::Schema& schema,
                               const protocol::Golden& golden, const program::Provenance& provenance,
                               std::string_view digest);

// A request of a tensor model, as small as the model answers one; no tensors where it refuses all that is
// tried.
tensor::Table answered_sample(const engine::Plan& plan);

// The rows which the model answers, which cells it can do without, and what the replay said.
void complete_card(const engine::Plan& plan, const protocol::Schema& schema, const protocol::Golden& golden,
                   std::string_view golden_summary, protocol::ModelCard& card);

}  // namespace wherry::verify
