#include "http/coding_handler.h"

#include "http/coding.h"
#include "http/owed.h"

namespace wherry::http {

namespace {

// Hands a decoded body over to the Later of its request.
class DecodedExchange final : public Exchange {
 public:
  DecodedExchange(Exchange& outer, const Request& request, DecodedBody& decoded)
      : outer_(outer), request_(request), decoded_(decoded) {}

  Later later() override {
    Later later = outer_.later();
    Owed& owed = later.owed();
    if (request_.body.data() == decoded_.view().data()) {
      owed.decoded = std::move(decoded_);
      owed.request.body = owed.decoded.view();
    }
    deferred_ = true;
    return later;
  }
  bool deferred() const { return deferred_; }

 private:
  Exchange& outer_;
  const Request& request_;
  DecodedBody& decoded_;
  bool deferred_ = false;
};

class CodingHandler final : public Handler {
 public:
  CodingHandler(std::unique_ptr<Handler> handler, const Limits& limits, std::shared_ptr<MemoryBudget> memory)
      : handler_(std::move(handler)), limits_{.most_bytes = limits.most_body, .memory = std::move(memory)} {}

  void handle(const Request& sent, Response& response, Exchange& exchange) override {
    Request request = sent;
    const DecodeOutcome outcome = coder_.decode(request, limits_, decoded_);
    if (!outcome) {
      Coder::refuse(outcome, response);
      handler_->refusing(sent, response);
      return handler_->refused({outcome.status, outcome.reason, response.body.size()});
    }
    DecodedExchange inner(exchange, request, decoded_);
    handler_->handle(request, response, inner);
    if (!inner.deferred()) coder_.encode(sent.headers, response);
    decoded_.clear();
  }
  void answered(const Request& request, Response& response, bool abandoned) override {
    handler_->answered(request, response, abandoned);
    if (!abandoned) coder_.encode(request.headers, response);
  }
  std::unique_ptr<StreamHandler> stream(const Request& head, Stream& stream) override {
    return handler_->stream(head, stream);
  }
  void refusing(const Request& head, Response& refusal) override { handler_->refusing(head, refusal); }
  void refused(const Refusal& refusal) override { handler_->refused(refusal); }
  void tick() override { handler_->tick(); }

 private:
  std::unique_ptr<Handler> handler_;
  DecodeLimits limits_;
  Coder coder_;
  DecodedBody decoded_;
};

}  // namespace

std::unique_ptr<Handler> with_content_codings(std::unique_ptr<Handler> handler, const Limits& limits,
                                              std::shared_ptr<MemoryBudget> memory) {
  return std::make_unique<CodingHandler>(std::move(handler), limits, std::move(memory));
}

}  // namespace wherry::http
