// An exchange without a connection, for tests of handlers: keeps the answer which comes later.
#pragma once

#include <optional>

#include "http/owed.h"

namespace wherry::http {

// Not thread-safe, but Later::answer() may come from any thread.
class TestExchange final : public Exchange, private Owed::Owner {
 public:
  // `request` must outlive the Later. `handler` (unless null) is told of the answer as the server would.
  explicit TestExchange(const Request& request, Handler* handler = nullptr)
      : request_(request), handler_(handler) {}
  ~TestExchange() { inbox_->close(); }

  Later later() override {
    owed_ = std::make_shared<Owed>();
    owed_->request = request_;
    owed_->inbox = inbox_;
    owed_->handler = handler_;
    owed_->owner = this;
    return Later(owed_);
  }
  bool deferred() const { return owed_ != nullptr; }
  void go_away() { owed_->abandoned = true; }  // as a client does
  // The answer given so far through the Later.
  const std::optional<Response>& answer() {
    inbox_->run();
    return answer_;
  }

 private:
  void answered(Owed& owed) override { answer_ = std::move(owed.response); }

  const Request& request_;
  Handler* handler_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::shared_ptr<Owed> owed_;
  std::optional<Response> answer_;
};

}  // namespace wherry::http
