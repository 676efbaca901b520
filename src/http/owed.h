// The other side of Later. Internal to module http, and for tests of handlers.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/coding.h"
#include "http/handler.h"
#include "http/inbox.h"
#include "http/memory_budget.h"

namespace wherry::http {

// Keeps a request's bytes while its answer is being made. Whoever owes the answer holds it (through Later),
// and so does the connection, until the answer has come.
struct Owed {
  // Lives on the I/O thread.
  class Owner {
   public:
    virtual void answered(Owed& owed) = 0;

   protected:
    ~Owner() = default;
  };

  Request request;  // points into what follows
  std::vector<HeaderView> headers;
  std::unique_ptr<char[]> buffer;
  std::size_t capacity = 0;
  std::string body, text;
  DecodedBody decoded;  // what request.body is when that came with a Content-Encoding
  std::shared_ptr<const Peer> peer;
  HeldMemory memory;  // the share of `buffer` and `body` in the server's budget

  std::shared_ptr<void> slot;  // counts the answers which one HTTP/2 connection is owed

  std::shared_ptr<Inbox> inbox;
  std::optional<StreamPoster> poster;  // takes the inbox's place for what is part of a stream
  std::atomic<bool> abandoned{false};
  Response response;

  // For the I/O thread only.
  Handler* handler = nullptr;  // told of the answer, unless null
  Owner* owner = nullptr;      // null: abandoned
};

}  // namespace wherry::http
