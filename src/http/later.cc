#include "http/owed.h"

namespace wherry::http {

namespace {

// On the I/O thread.
void deliver(Owed& owed) {
  if (owed.handler != nullptr) owed.handler->answered(owed.request, owed.response, owed.owner == nullptr);
  if (owed.owner != nullptr) owed.owner->answered(owed);
}

void send(std::shared_ptr<Owed> owed, Response&& response) {
  owed->response = std::move(response);
  if (owed->poster) {
    const StreamPoster poster = *owed->poster;
    return poster.post([owed = std::move(owed)] { deliver(*owed); });
  }
  Inbox& inbox = *owed->inbox;
  inbox.post([owed = std::move(owed)] { deliver(*owed); });
}

}  // namespace

Later::Later(std::shared_ptr<Owed> owed) : owed_(std::move(owed)) {}

Later& Later::operator=(Later&& other) noexcept {
  Later old(std::move(owed_));
  owed_ = std::move(other.owed_);
  return *this;
}

Later::~Later() {
  if (!owed_) return;
  Response response;
  response.set_error(500, "the request was given up without an answer");
  send(std::move(owed_), std::move(response));
}

const Request& Later::request() const {
  return owed_->request;
}

bool Later::abandoned() const {
  return owed_->abandoned.load(std::memory_order_relaxed);
}

void Later::answer(Response&& response) {
  send(std::move(owed_), std::move(response));
}

}  // namespace wherry::http
