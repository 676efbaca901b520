#include "http/part_exchange.h"

namespace wherry::http {

std::string_view KeptHead::keep(std::string_view text) {
  return texts_.emplace_back(text);
}

KeptHead::KeptHead(const Request& head) : request_(head) {
  request_.method = keep(head.method);
  request_.path = keep(head.path);
  request_.query = keep(head.query);
  request_.body = {};
  headers_.reserve(head.headers.size());
  for (const HeaderView& header : head.headers) headers_.push_back({keep(header.name), keep(header.value)});
  request_.headers = headers_;
  if (head.peer == nullptr) return;
  peer_ = *head.peer;
  request_.peer = &peer_;
}

PartExchange::PartExchange(std::shared_ptr<const KeptHead> head, std::string body, StreamPoster poster,
                           std::function<void(Response&)> done)
    : owed_(std::make_shared<Owed>()), done_(std::move(done)) {
  owed_->request = head->request();
  owed_->slot = std::const_pointer_cast<KeptHead>(head);
  owed_->body = std::move(body);
  owed_->request.body = owed_->body;
  owed_->request.received = std::chrono::steady_clock::now();
  owed_->poster = std::move(poster);
  owed_->owner = this;
}

PartExchange::~PartExchange() {
  owed_->owner = nullptr;
  owed_->abandoned.store(true, std::memory_order_relaxed);
}

}  // namespace wherry::http
