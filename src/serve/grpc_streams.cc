// The streams of health and reflection.
#include "rpc/health.h"
#include "rpc/reflection.h"

#include "protocol/descriptors.h"
#include "serve/grpc.h"

namespace wherry::serve {
namespace {

constexpr std::chrono::milliseconds kHealthInterval{200};
constexpr std::size_t kMostMessage = 64u << 10;

// What both have in common: messages in, in order, each answered at once.
class MessageStream : public http::StreamHandler {
 public:
  MessageStream(http::Stream& stream, const rpc::CallHead& head) : stream_(stream), coding_(head.coding) {
    http::Response begin;
    begin.content_type = "application/grpc";
    stream_.begin(begin);
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
  void closed() override { ended_ = true; }

 protected:
  virtual void message(std::string_view message) = 0;
  virtual void all_received() = 0;

  void write(std::string_view message) {
    std::string out;
    const std::size_t frame = rpc::begin_frame(out);
    out += message;
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
  http::Stream& stream() { return stream_; }
  bool ended() const { return ended_; }

 private:
  void advance() {
    std::string_view rest = unread_;
    while (!ended_ && !rest.empty() && stream_.queued() < http::Stream::kHighWater) {
      const std::size_t before = rest.size();
      const auto frame = reader_.next(rest);
      stream_.consume(before - rest.size());
      if (!frame) return finish(frame.error());
      if (!*frame) continue;
      const auto inflated = inflater_.message(**frame, coding_, kMostMessage);
      if (!inflated) return finish(inflated.error());
      message(*inflated);
    }
    unread_.erase(0, unread_.size() - rest.size());
    if (received_all_ && unread_.empty() && !ended_) all_received();
  }

  http::Stream& stream_;
  http::Coding coding_;
  rpc::FrameReader reader_{kMostMessage};
  rpc::Inflater inflater_;
  std::string unread_;
  bool received_all_ = false;
  bool ended_ = false;
};

// Says the health of a service now and at every change, until the client goes.
class HealthWatch final : public MessageStream {
 public:
  HealthWatch(Service& service, http::Stream& stream, const rpc::CallHead& head)
      : MessageStream(stream, head), service_(service), until_(head.deadline) {
    arm();
  }
  void expired() override {
    if (until_ && std::chrono::steady_clock::now() >= *until_)
      return finish({rpc::Code::kDeadlineExceeded, "the time given to the stream is over"});
    tell();
    arm();
  }

 private:
  void message(std::string_view message) override {
    const auto service = rpc::read_health_request(message);
    if (!service) return finish(service.error());
    if (watched_) return finish({rpc::Code::kInvalidArgument, "a watch is for one service"});
    watched_ = std::string(*service);
    tell();
  }
  void all_received() override {
    if (!watched_) finish({rpc::Code::kInvalidArgument, "the request has no message"});
  }
  void tell() {
    if (!watched_ || ended()) return;
    const rpc::Health now = health_of(service_, *watched_).value_or(rpc::Health::kServiceUnknown);
    if (told_ == now) return;
    told_ = now;
    std::string out;
    rpc::write_health(now, out);
    write(out);
  }
  void arm() {
    const auto next = std::chrono::steady_clock::now() + kHealthInterval;
    stream().set_deadline(until_ ? std::min(next, *until_) : next);
  }

  Service& service_;
  std::optional<std::chrono::steady_clock::time_point> until_;
  std::optional<std::string> watched_;
  std::optional<rpc::Health> told_;
};

const rpc::Reflection& reflection() {
  static const std::span<const protobuf::ProtoFile> kFiles[] = {protocol::proto_files(),
                                                                rpc::own_proto_files()};
  static const rpc::Reflection reflection(kFiles);  // immutable: what this program can do
  return reflection;
}

class ReflectionStream final : public MessageStream {
 public:
  ReflectionStream(http::Stream& stream, const rpc::CallHead& head) : MessageStream(stream, head) {
    if (head.deadline) stream.set_deadline(*head.deadline);
  }
  void expired() override { finish({rpc::Code::kDeadlineExceeded, "the time given to the stream is over"}); }

 private:
  void message(std::string_view message) override {
    std::string out;
    reflection().answer(message, out);
    write(out);
  }
  void all_received() override { finish({}); }
};

}  // namespace

std::unique_ptr<http::StreamHandler> health_watch(const StreamCall& call, http::Stream& stream) {
  const auto head = rpc::read_head(call.head);
  if (!head) return refuse_stream(stream, head.error());
  return std::make_unique<HealthWatch>(call.service, stream, *head);
}

std::unique_ptr<http::StreamHandler> reflection_stream(const StreamCall& call, http::Stream& stream) {
  const auto head = rpc::read_head(call.head);
  if (!head) return refuse_stream(stream, head.error());
  return std::make_unique<ReflectionStream>(stream, *head);
}

}  // namespace wherry::serve
