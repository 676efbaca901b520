// What the server knows about its models, in the words of the protocols.
//
// Thread-safety: pure functions; what they give borrows from its argument.
#pragma once

#include <vector>

#include "protocol/service_facts.h"
#include "serve/model.h"

namespace wherry::serve {

// `workers` are the instances of a model which does not say its own.
protocol::ModelConfiguration configuration_of(const Model& model, unsigned workers);

protocol::ModelStatistics statistics_of(const Model& model);
// Of all ready versions of the model of this name; of all models where it is empty.
std::vector<protocol::ModelStatistics> statistics_of(const Snapshot& models, std::string_view name = {});

// The rows of the repository's index; `only_ready` leaves out the others.
std::vector<protocol::IndexEntry> index_of(const Snapshot& models, bool only_ready);

}  // namespace wherry::serve
