// A model loaded by ONNX Runtime, ready to run.
//
//   TRY_ASSIGN(auto session, Session::create(model));
//   Answers answers;                                // one per thread, reused
//   TRY(session->run(inputs, answers));
//   const tensor::ResultView& first = answers.views()[0];
//
// Thread-safety: a Session is immutable: any number of threads run it at once, each with its own Answers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

namespace wherry::runtime {

class Session;

// What the last run answered; kept until the next one. Not thread-safe.
class Answers {
 public:
  Answers();
  ~Answers();
  Answers(Answers&&) noexcept;
  Answers& operator=(Answers&&) noexcept;

  // By output, in the order of the session's names; valid until the next run or the end of this. Those that
  // were not asked for are empty.
  std::span<const tensor::ResultView> views() const;

 private:
  friend class Session;
  struct State;
  std::unique_ptr<State> state_;
};

struct Model {
  base::Bytes proto;  // a serialised onnx.ModelProto
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  // Initializers which the proto declares as external data; not copied.
  std::vector<std::pair<std::string, tensor::Tensor>> weights;
  std::shared_ptr<const void> owner = {};  // keeps `proto` alive; null: it is not kept
};

class Session {
 public:
  // Loads the library when it is the first. Errors: those of Environment::get, "runtime.bad_model",
  // "runtime.unsupported", "runtime.no_memory".
  static base::Result<std::unique_ptr<const Session>> create(Model model);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Computes all outputs for `inputs`, one per name, borrowed for the run. Errors: "runtime.failed",
  // "runtime.unsupported" (an answer of a type wherry has no tensors of), "runtime.no_memory".
  base::Status run(std::span<const tensor::ResultView> inputs, Answers& answers) const;

  // Computes only the outputs at the positions `wanted` (ascending). Where the others take time and the model
  // is kept, the first run for a set of outputs makes a second session of the nodes they need, which shares
  // the weights; two of them at most, the rest is computed by the whole graph. Errors as above.
  base::Status run(std::span<const tensor::ResultView> inputs, std::span<const std::uint32_t> wanted,
                   Answers& answers) const;

 private:
  Session();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wherry::runtime
