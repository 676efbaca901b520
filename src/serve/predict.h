// The way of every prediction, whatever its protocol: decode, run, encode; timed and counted in one place.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rpc/call.h"

#include "base/error.h"
#include "engine/plan.h"
#include "engine/results.h"
#include "http/message.h"
#include "protocol/request.h"
#include "protocol/v1_request.h"
#include "serve/model.h"
#include "tensor/view.h"

namespace wherry::serve {

struct Call;

// One request for predictions.
struct Prediction {
  const Model* model = nullptr;
  protocol::Request decoded;
  engine::OutputSet wanted = 0;
  std::unique_ptr<rpc::Inflater> inflater;  // of compressed gRPC messages; null until there is one
  protocol::V1Form v1;                      // V1's own part of the request
  std::string held;      // what `decoded` borrows from where that is not the request's body
  std::string event_id;  // of the CloudEvent which the answer shall be; empty: none
};

// One protocol's way of reading requests and writing answers. Its functions keep nothing between calls and
// may run on any thread, each with its own Prediction.
struct Codec {
  // Fills prediction.decoded and says which outputs are wanted.
  base::Result<engine::OutputSet> (*decode)(Prediction& prediction, const http::Request& request);
  // Results of the wanted outputs, in the plan's order.
  void (*encode)(const Prediction& prediction, const http::Request& request,
                 std::span<const tensor::NamedResult> results, http::Response& response);
  void (*refuse)(http::Response& response, const base::Error& error);
};

// The outputs that the tensors named in the request belong to; all outputs where it names none. For protocols
// whose requests name tensors.
engine::OutputSet wanted_outputs(const Prediction& prediction);

// What one thread predicts with. Not thread-safe.
struct Predictor {
  std::unique_ptr<Prediction> prediction;  // null until needed: the last one may have gone to a worker
  engine::Workspace workspace;
  engine::Results results;
};

// Answers `call` with predictions of `model`: at once where they are predicted to be cheap, else later, by
// the scheduler. A request whose time is over is not computed.
void predict(Call& call, const Model& model, const Codec& codec);

}  // namespace wherry::serve
