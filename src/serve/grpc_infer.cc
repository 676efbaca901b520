// ModelInfer, one call at a time and in streams.
#include <deque>

#include "base/text.h"
#include "http/part_exchange.h"
#include "protocol/v2_grpc.h"
#include "serve/grpc.h"

namespace wherry::serve {
namespace {

constexpr std::size_t kSmall = 64u << 10;  // bytes of a stream which are not counted
constexpr std::size_t kMostInFlight = 32;  // messages of one stream being answered

base::Result<engine::OutputSet> decode_message(Prediction& prediction, std::string_view message) {
  TRY(protocol::read_infer_request(message, prediction.model->schema, {}, prediction.decoded));
  return wanted_outputs(prediction);
}

// What stands in a framed body was looked at before, so that its errors are those of a bug.
base::Result<engine::OutputSet> decode(Prediction& prediction, const http::Request& request) {
  if (!prediction.inflater) prediction.inflater = std::make_unique<rpc::Inflater>();
  const auto message = only_message(request, *prediction.inflater);
  if (!message)
    return base::fail(base::Code::kInternal, "serve.bad_message", message.error().message, "report this");
  return decode_message(prediction, *message);
}

protocol::ResponseHead head_of(const Prediction& prediction) {
  return {prediction.model->name, prediction.model->version, prediction.decoded.id};
}

void encode(const Prediction& prediction, const http::Request&, std::span<const tensor::NamedResult> results,
            http::Response& response) {
  const std::size_t frame = rpc::begin_frame(response.body);
  protocol::write_infer_response(head_of(prediction), prediction.model->schema, prediction.decoded, results,
                                 false, response.body);
  rpc::end_frame(frame, response.body);
  rpc::finish(response, {});
}

void refuse(http::Response& response, const base::Error& error) {
  response.body.clear();
  rpc::finish(response, grpc_status(error));
}

constexpr Codec kUnary{decode, encode, refuse};

base::Result<engine::OutputSet> decode_part(Prediction& prediction, const http::Request& request) {
  return decode_message(prediction, request.body);
}

void encode_part(const Prediction& prediction, const http::Request&,
                 std::span<const tensor::NamedResult> results, http::Response& response) {
  std::string& out = response.body;
  const std::size_t frame = rpc::begin_frame(out);
  const std::size_t mark = protocol::begin_stream_response(out);
  protocol::write_infer_response(head_of(prediction), prediction.model->schema, prediction.decoded, results,
                                 true, out);
  protocol::end_stream_response(mark, out);
  rpc::end_frame(frame, out);
}

constexpr Codec kPart{decode_part, encode_part, set_error};

// Finds the model a message is for and whether the caller may ask it; predicts with `codec`.
void infer(Call& call, std::string_view message, const Codec& codec) {
  const auto target = protocol::infer_target(message);
  if (!target) return codec.refuse(call.response, target.error());
  if (!admitted(call, Permission::kPredict, target->model_name)) return;
  const auto model = find_model(call, target->model_name, target->model_version);
  if (!model) return codec.refuse(call.response, model.error());
  predict(call, **model, codec);
}

// Answers leave in the order of their messages, though later ones may be ready first.
class InferStream final : public http::StreamHandler {
 public:
  InferStream(const StreamCall& call, http::Stream& stream, const rpc::CallHead& head)
      : service_(call.service),
        thread_(call.thread),
        match_(call.match),
        head_(std::make_shared<http::KeptHead>(call.head)),
        stream_(stream),
        coding_(head.coding),
        most_message_(call.service.stream_limits().most_message),
        memory_(call.service.stream_limits().memory),
        reader_(most_message_),
        ends_at_errors_(call.head.header("triton_grpc_error") == "true") {
    if (head.deadline) stream_.set_deadline(*head.deadline);
    http::Response begin;
    begin.content_type = "application/grpc";
    stream_.begin(begin);
  }

  // Answers which come later than this are nobody's: their requests count as failed.
  ~InferStream() override {
    for (const Slot& slot : slots_) {
      if (!slot.kept || slot.done) continue;
      slot.kept->prediction.metrics->of_thread(thread_.number).ended(false);
    }
  }

  void data(std::string_view piece) override {
    unread_ += piece;
    advance();
  }
  void end() override {
    received_all_ = true;
    advance();
  }
  void writable() override { advance(); }
  void expired() override { finish({rpc::Code::kDeadlineExceeded, "the time given to the stream is over"}); }
  void closed() override { ended_ = true; }

 private:
  struct Slot {
    std::string id;
    std::unique_ptr<http::PartExchange> exchange;
    bool done = false;
    std::shared_ptr<Observed> kept;  // null: answered at once
    http::Response answer;
  };

  bool may_take() const {
    return !ended_ && slots_.size() < kMostInFlight && stream_.queued() < http::Stream::kHighWater;
  }

  // Takes messages as far as there are places for their answers, and ends behind the last one.
  void advance() {
    if (advancing_) return;
    advancing_ = true;
    std::string_view rest = unread_;
    while (may_take() && !rest.empty()) {
      const std::size_t before = rest.size();
      const auto frame = reader_.next(rest);
      stream_.consume(before - rest.size());
      if (!frame) {
        finish(frame.error());
      } else if (*frame) {
        take(**frame);
      }
      count_memory();
    }
    unread_.erase(0, unread_.size() - rest.size());
    advancing_ = false;
    if (ended_ || !received_all_ || !unread_.empty() || !slots_.empty()) return;
    finish(reader_.at_boundary() ? rpc::Status()
                                 : rpc::Status{rpc::Code::kInternal, "the last message is cut off"});
  }

  // What is kept for answers to come counts against the budget of all streams.
  void count_memory() {
    std::size_t bytes = reader_.held() + unread_.capacity();
    for (const Slot& slot : slots_) bytes += slot.exchange->request().body.size() + slot.answer.body.size();
    if (!memory_.resize(bytes > kSmall ? bytes : 0))
      finish({rpc::Code::kResourceExhausted, "too many large messages at the same time"});
  }

  void take(const rpc::Frame& frame) {
    const auto message = inflater_.message(frame, coding_, most_message_);
    if (!message) return finish(message.error());
    const std::uint64_t number = first_ + slots_.size();
    Slot& slot = slots_.emplace_back();
    slot.exchange = std::make_unique<http::PartExchange>(head_, std::string(*message), stream_.poster(),
                                                         [this, number](http::Response& answer) {
                                                           if (const auto kept = later_of(number))
                                                             count_later(thread_, *kept);
                                                           completed(number, std::move(answer));
                                                           advance();
                                                         });
    if (const auto target = protocol::infer_target(slot.exchange->request().body)) slot.id = target->id;
    http::Response answer;
    Observed observed = begin_observing(service_, slot.exchange->request(), thread_.span_ids);
    const auto models = service_.catalog().pin(thread_.number);
    Call call{service_, thread_, slot.exchange->request(), answer,  match_,
              observed, *models, slot.exchange.get(),      nullptr, nullptr};
    infer(call, slot.exchange->request().body, kPart);
    if (call.kept)
      slot.kept = std::move(call.kept);
    else
      completed(number, std::move(answer));
  }

  std::shared_ptr<Observed> later_of(std::uint64_t number) {
    return slots_[static_cast<std::size_t>(number - first_)].kept;
  }

  void completed(std::uint64_t number, http::Response answer) {
    Slot& slot = slots_[static_cast<std::size_t>(number - first_)];
    slot.done = true;
    slot.answer = std::move(answer);
    while (!ended_ && !slots_.empty() && slots_.front().done) {
      send(slots_.front());
      if (ended_) return;
      slots_.pop_front();
      ++first_;
    }
  }

  void send(Slot& slot) {
    if (slot.answer.status < 400) return stream_.write(slot.answer.body);
    const std::string message = error_text(slot.answer);
    if (ends_at_errors_) return finish({rpc::code_of_http(slot.answer.status), message});
    std::string out;
    const std::size_t frame = rpc::begin_frame(out);
    protocol::write_stream_error(message, slot.id, out);
    rpc::end_frame(frame, out);
    stream_.write(out);
  }

  void finish(const rpc::Status& status) {
    if (ended_) return;
    ended_ = true;
    http::Response last;
    rpc::add_trailers(last, status);
    stream_.finish(last);
  }

  Service& service_;
  Thread& thread_;
  Match match_;
  std::shared_ptr<const http::KeptHead> head_;
  http::Stream& stream_;
  http::Coding coding_;
  std::size_t most_message_;
  http::HeldMemory memory_;
  rpc::FrameReader reader_;
  rpc::Inflater inflater_;
  bool ends_at_errors_;  // by the header of Triton's clients
  std::string unread_;   // not consumed: bounded by the stream's window
  std::deque<Slot> slots_;
  std::uint64_t first_ = 0;  // number of the front slot
  bool received_all_ = false;
  bool advancing_ = false;
  bool ended_ = false;
};

}  // namespace

void model_infer(Call& call) {
  rpc::Inflater inflater;
  const auto message = only_message(call.request, inflater);
  if (!message) return rpc::finish(call.response, message.error());
  infer(call, *message, kUnary);
}

std::unique_ptr<http::StreamHandler> infer_stream(const StreamCall& call, http::Stream& stream) {
  const auto head = rpc::read_head(call.head);
  if (!head) return refuse_stream(stream, head.error());
  return std::make_unique<InferStream>(call, stream, *head);
}

}  // namespace wherry::serve
