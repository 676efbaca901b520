#include "http/in_process.h"

#include <poll.h>

#include "http/coding_handler.h"
#include "http/owed.h"

namespace wherry::http {

struct InProcess::State final : Exchange, private Owed::Owner {
  State(std::unique_ptr<Handler> given, const Limits& limits)
      : handler(with_content_codings(std::move(given), limits,
                                     std::make_shared<MemoryBudget>(limits.most_large_bodies))) {}
  ~State() { inbox->close(); }

  Later later() override {
    owed = std::make_shared<Owed>();
    owed->request = *request;
    owed->inbox = inbox;
    owed->handler = handler.get();
    owed->owner = this;
    return Later(owed);
  }
  void answered(Owed& done) override {
    *response = std::move(done.response);
    owed.reset();
  }

  std::unique_ptr<Handler> handler;
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  const Request* request = nullptr;  // during answer()
  Response* response = nullptr;
  std::shared_ptr<Owed> owed;
};

InProcess::InProcess(std::unique_ptr<Handler> handler, const Limits& limits)
    : state_(std::make_unique<State>(std::move(handler), limits)) {}
InProcess::~InProcess() = default;

void InProcess::answer(const Request& request, Response& response) {
  state_->request = &request;
  state_->response = &response;
  state_->handler->handle(request, response, *state_);
  while (state_->owed) {
    pollfd waiting{state_->inbox->file(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
    state_->inbox->run();
  }
  state_->handler->tick();
  state_->request = nullptr;
  state_->response = nullptr;
}

}  // namespace wherry::http
