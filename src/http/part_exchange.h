// One message of a stream answered as a request of its own: for handlers whose answers may come later, from
// another thread, and are then parts of the stream's answer.
//
// Used on the stream's I/O thread; the Later which is taken goes where it likes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/owed.h"

namespace wherry::http {

// The head of a stream, kept for as long as somebody answers one of its messages.
class KeptHead {
 public:
  explicit KeptHead(const Request& head);
  KeptHead(const KeptHead&) = delete;
  KeptHead& operator=(const KeptHead&) = delete;
  const Request& request() const { return request_; }  // without body

 private:
  std::string_view keep(std::string_view text);

  std::deque<std::string> texts_;
  std::vector<HeaderView> headers_;
  Peer peer_;
  Request request_;
};

class PartExchange final : public Exchange, private Owed::Owner {
 public:
  // `done` is called on the I/O thread with the answer which came through the Later, unless this object, or
  // the stream, has ended before.
  PartExchange(std::shared_ptr<const KeptHead> head, std::string body, StreamPoster poster,
               std::function<void(Response&)> done);
  ~PartExchange();
  PartExchange(const PartExchange&) = delete;
  PartExchange& operator=(const PartExchange&) = delete;

  const Request& request() const { return owed_->request; }  // stays where it is when later() is taken
  Later later() override { return Later(owed_); }

 private:
  void answered(Owed& owed) override {
    const auto done = std::move(done_);  // which may destroy this
    done(owed.response);
  }

  std::shared_ptr<Owed> owed_;
  std::function<void(Response&)> done_;
};

}  // namespace wherry::http
