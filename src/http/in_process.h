// A handler asked without a connection, for services which are handed their requests by somebody else (AWS
// Lambda).
#pragma once

#include <memory>

#include "http/handler.h"
#include "http/limits.h"

namespace wherry::http {

// Not thread-safe: everything the handler does on its thread happens on the caller's.
class InProcess {
 public:
  // Bodies are decoded and answers coded as the Server does it.
  InProcess(std::unique_ptr<Handler> handler, const Limits& limits);
  ~InProcess();
  InProcess(const InProcess&) = delete;
  InProcess& operator=(const InProcess&) = delete;

  // Fills `response`, which is empty or cleared; waits for an answer which comes later. request.peer must be
  // set.
  void answer(const Request& request, Response& response);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wherry::http
