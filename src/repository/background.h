// The thread on which models are loaded and unloaded while others answer.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "repository/repository.h"

#include "base/error.h"

namespace wherry::repository {

class Background {
 public:
  using Done = std::function<void(const base::Status& status)>;

  // Owns the started repository. `interval`: between looks at the disk, for Control::kPoll.
  Background(std::unique_ptr<Repository> repository, std::chrono::milliseconds interval);
  ~Background();  // finishes the load it is in; what was asked for and not begun is answered with an error
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // `done` is called on the background thread.
  void load(std::string name, Done done);
  void unload(std::string name, Done done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wherry::repository
