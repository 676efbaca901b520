// The models being served, under the names this module uses, and what this module adds to each.
#pragma once

#include <string>

#include "repository/catalog.h"
#include "repository/model.h"

#include "serve/model_observers.h"

namespace wherry::serve {

using repository::Model;
using repository::ModelLabels;
using repository::Snapshot;

// Made when a model is loaded (Service::attach), and ends with it.
struct Served final : repository::Attachment {
  ModelObservers observers;
};

// `model` was attached to by the Service.
inline const Served& served(const Model& model) {
  return static_cast<const Served&>(*model.attachment);
}

}  // namespace wherry::serve
