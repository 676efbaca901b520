#include "http/http2_stream.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "base/text.h"
#include "http/http2.h"

namespace wherry::http {

namespace {

constexpr std::size_t kSmall = 64u << 10;
// A content-length up to this size is believed at once; larger bodies get memory as they arrive.
constexpr std::size_t kBelievedBody = 1u << 20;

// 0 where the request does not say it; nghttp2 has checked its form, and checks that it is kept to.
std::size_t announced_length(const Request& request) {
  std::size_t length = 0;
  const std::string_view text = request.header("content-length");
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

void free_if_large(std::string& text) {
  text.clear();
  if (text.capacity() > kSmall) text = {};
}

}  // namespace

struct Http2Stream::Anchor {
  Http2Stream* stream;
};

void Http2Stream::open(int id) {
  id_ = id;
  phase_ = Phase::kHead;
  fields_.clear();
  head_bytes_ = 0;
  refusal_ = 0;
  request_ = {};
  request_.received = connection_.shared().now;
  request_.version = Version::k2;
  request_.peer = connection_.peer().get();
  received_all_ = without_body_ = began_ = finished_ = was_full_ = false;
  lines_.clear();
  trailers_.clear();
  sent_ = progress_ = unconsumed_ = 0;
  deadline_ = connection_.shared().now + connection_.shared().limits.head;
  handler_deadline_ = SteadyTime::max();
}

void Http2Stream::close() {
  if (owed_) {
    owed_->owner = nullptr;
    owed_->abandoned.store(true, std::memory_order_relaxed);
    owed_.reset();
  }
  if (anchor_) anchor_->stream = nullptr;
  anchor_.reset();
  const bool unfinished = !std::exchange(finished_, true);  // from now on nothing can be written
  if (handler_ && unfinished) handler_->closed();
  handler_.reset();
  // The connection's window must not shrink by what nobody has consumed.
  if (unconsumed_ > 0) nghttp2_session_consume_connection(connection_.session(), unconsumed_);
  connection_.charge(-static_cast<std::ptrdiff_t>(std::exchange(charged_, 0)));
  free_if_large(body_);
  free_if_large(data_);
  response_.clear();
  if (response_.body.capacity() > kSmall) response_.body = {};
  id_ = 0;
}

void Http2Stream::header(std::string_view name, std::string_view value) {
  if (phase_ != Phase::kHead) return;  // trailers
  const Limits& limits = connection_.shared().limits;
  head_bytes_ += name.size() + value.size() + 4;
  if (name == ":path" && value.size() > limits.most_target) {
    refusal_ = 414;
    refusal_reason_ = "the request target is too long";
  } else if (head_bytes_ > limits.most_head) {
    refusal_ = refusal_ == 0 ? 431 : refusal_;
    refusal_reason_ = refusal_ == 431 ? "the request head is too large" : refusal_reason_;
  } else if (fields_.count() >= limits.most_headers) {
    refusal_ = 431;
    refusal_reason_ = "the request has too many headers";
  } else {
    fields_.add(name, value);
  }
}

bool Http2Stream::absurd() const {
  return head_bytes_ > 16 * connection_.shared().limits.most_head;
}

void Http2Stream::head_complete(bool last) {
  const Limits& limits = connection_.shared().limits;
  phase_ = Phase::kBody;
  received_all_ = last;
  deadline_ = connection_.shared().now + limits.body;
  if (refusal_ != 0) return refuse(refusal_, refusal_reason_);
  if (!fields_.read(request_, headers_)) return refuse(400, "malformed request target");
  without_body_ = request_.method == "HEAD";
  handler_ = connection_.shared().handler.stream(request_, *this);
  if (handler_) {
    phase_ = Phase::kStreaming;
    await_progress();
    if (last && !finished_) handler_->end();
    return;
  }
  if (last) return dispatch();
  const std::size_t length = announced_length(request_);
  if (length > limits.most_body) return refuse(413, "the request body is too large");
  if (!grow_body(std::max<std::size_t>(std::min(length, kBelievedBody), 64)))
    return refuse(503, "too many large requests at the same time");
  if (equal_without_case(request_.header("expect"), "100-continue")) {
    const nghttp2_nv status = static_field(":status", "100");
    nghttp2_submit_headers(connection_.session(), NGHTTP2_FLAG_NONE, id_, nullptr, &status, 1, nullptr);
  }
}

bool Http2Stream::grow_body(std::size_t wanted) {
  if (wanted <= body_.capacity()) return true;
  const std::size_t capacity = std::max(wanted, 2 * body_.capacity());
  if (!charge(capacity)) return false;
  body_.reserve(capacity);
  return true;
}

bool Http2Stream::charge(std::size_t bytes) {
  if (!connection_.charge(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(charged_)))
    return false;
  charged_ = bytes;
  return true;
}

void Http2Stream::body(std::string_view piece) {
  unconsumed_ += piece.size();
  if (phase_ == Phase::kStreaming && !finished_) return handler_->data(piece);
  consume(piece.size());
  if (phase_ != Phase::kBody) return;
  if (piece.size() > connection_.shared().limits.most_body - body_.size())
    return refuse(413, "the request body is too large");
  if (!grow_body(body_.size() + piece.size())) return refuse(503, "too many large requests at the same time");
  body_ += piece;
}

void Http2Stream::complete() {
  received_all_ = true;
  if (phase_ == Phase::kStreaming && !finished_) return handler_->end();
  if (phase_ == Phase::kBody) dispatch();
}

void Http2Stream::adopt(const Request& request) {
  fields_.add(":method", request.method);
  fields_.add(":path", request.query.data() == nullptr ? std::string(request.path)
                                                       : base::cat(request.path, "?", request.query));
  for (const HeaderView& header : request.headers) fields_.add(header.name, header.value);
  fields_.read(request_, headers_);  // was well-formed in HTTP/1.1
  without_body_ = request_.method == "HEAD";
  received_all_ = true;
  body_.assign(request.body);
  dispatch();
}

void Http2Stream::dispatch() {
  request_.body = body_;
  phase_ = Phase::kWaiting;
  deadline_ = SteadyTime::max();
  Shared& shared = connection_.shared();
  shared.response.clear();
  shared.handler.handle(request_, shared.response, *this);
  if (owed_) return;
  std::swap(response_, shared.response);
  respond();
}

Later Http2Stream::later() {
  assert(phase_ == Phase::kWaiting && !owed_);
  owed_ = std::make_shared<Owed>();
  Owed& owed = *owed_;
  owed.request = request_;
  owed.headers = std::move(headers_);
  owed.text = fields_.release();
  owed.body = std::move(body_);
  owed.peer = connection_.peer();
  owed.slot = connection_.slot();
  const std::size_t held = std::exchange(charged_, 0);
  connection_.charge(-static_cast<std::ptrdiff_t>(held));
  owed.memory = HeldMemory(connection_.shared().memory);
  (void)owed.memory.resize(held > kSmall ? held : 0);  // just given back, so it is there but for a race
  owed.inbox = connection_.shared().inbox;
  owed.handler = &connection_.shared().handler;
  owed.owner = this;
  return Later(owed_);
}

void Http2Stream::answered(Owed& owed) {
  response_ = std::move(owed.response);
  headers_ = std::move(owed.headers);
  fields_.give_back(std::move(owed.text));
  owed.owner = nullptr;
  owed_.reset();
  respond();
  connection_.flush_out();
}

void Http2Stream::refuse(int status, std::string_view reason) {
  response_.clear();
  response_.set_error(status, reason);
  if (status == 503) response_.add_header("Retry-After", "1");
  connection_.shared().handler.refusing(request_, response_);
  connection_.shared().handler.refused({status, reason, response_.body.size()});
  respond();
}

void Http2Stream::respond() {
  std::swap(data_, response_.body);
  finished_ = true;
  phase_ = Phase::kSending;
  free_if_large(body_);
  if (!charge(data_.capacity() > kSmall ? data_.capacity() : 0) && response_.status != 503)
    return refuse(503, "too many large answers at the same time");
  const bool bare = response_.status == 204;
  const bool trailers = !response_.trailer_lines().empty();
  const auto length = bare || trailers ? -1 : static_cast<std::int64_t>(data_.size());
  lines_.set_head(response_, connection_.shared().date(), length);
  if (without_body_ || bare) data_.clear();
  (data_.empty() ? lines_ : trailers_).add_trailers(response_);
  submit(!data_.empty());
}

void Http2Stream::submit(bool with_data) {
  began_ = true;
  await_progress();
  nghttp2_data_provider provider{.source = {.ptr = this}, .read_callback = Http2::read_data};
  // An error would mean that the stream is closing: its answer is not wanted any more.
  nghttp2_submit_response(connection_.session(), id_, lines_.list().data(), lines_.list().size(),
                          with_data ? &provider : nullptr);
}

void Http2Stream::await_progress() {
  progress_ = sent_;
  const bool pending = phase_ == Phase::kSending || queued() > 0;
  deadline_ = pending ? connection_.shared().now + connection_.shared().limits.write : SteadyTime::max();
}

ssize_t Http2Stream::next_data(std::size_t most, std::uint32_t& flags) {
  const std::size_t count = std::min(queued(), most);
  if (count == 0 && !finished_) return NGHTTP2_ERR_DEFERRED;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (finished_ && count == queued()) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!trailers_.list().empty()) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(connection_.session(), id_, trailers_.list().data(), trailers_.list().size());
    }
  }
  return static_cast<ssize_t>(count);
}

void Http2Stream::send_data(std::size_t bytes) {
  connection_.output().append(data_, sent_, bytes);
  sent_ += bytes;
  if (phase_ == Phase::kStreaming) {
    if (sent_ >= kSmall || sent_ == data_.size()) {
      data_.erase(0, sent_);
      progress_ -= std::min(progress_, sent_);
      sent_ = 0;
    }
    if (was_full_ && queued() < kHighWater / 2) connection_.want_writable();
    if (data_.empty()) await_progress();
  }
  if (sent_ - std::min(sent_, progress_) >= Http2::kLeastProgress) await_progress();
}

void Http2Stream::sent_last() {
  deadline_ = SteadyTime::max();
  if (!received_all_) reset(NGHTTP2_NO_ERROR);  // the rest of the request is of no use
}

void Http2Stream::tick() {
  const SteadyTime now = connection_.shared().now;
  if (now >= deadline_) {
    deadline_ = SteadyTime::max();
    if (phase_ == Phase::kHead) return connection_.terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    if (phase_ == Phase::kBody) return refuse(408, "the request body did not arrive in time");
    reset(NGHTTP2_CANCEL);
  }
  if (handler_ && !finished_ && now >= handler_deadline_) {
    handler_deadline_ = SteadyTime::max();
    handler_->expired();
  }
  connection_.shared().wake_by(handler_deadline_);
}

void Http2Stream::notify_writable() {
  if (!handler_ || finished_ || !was_full_ || queued() >= kHighWater / 2) return;
  was_full_ = false;
  handler_->writable();
}

void Http2Stream::begin(const Response& head) {
  if (began_ || finished_) return;
  lines_.set_head(head, connection_.shared().date(), -1);
  submit(true);
}

void Http2Stream::write(std::string_view piece) {
  if (finished_ || piece.empty()) return;
  if (!began_) begin({});
  const bool idle = queued() == 0;
  data_ += piece;
  was_full_ = was_full_ || queued() >= kHighWater;
  if (idle) await_progress();
  resume_data();
}

void Http2Stream::finish(const Response& last) {
  if (finished_) return;
  finished_ = true;
  if (began_) {
    trailers_.add_trailers(last);
    return resume_data();
  }
  lines_.set_head(last, connection_.shared().date(), -1);
  lines_.add_trailers(last);
  submit(false);
}

void Http2Stream::resume_data() {
  nghttp2_session_resume_data(connection_.session(), id_);  // an error: nothing was deferred
}

void Http2Stream::reset(std::uint32_t error) {
  finished_ = true;
  nghttp2_submit_rst_stream(connection_.session(), NGHTTP2_FLAG_NONE, id_, error);
}

void Http2Stream::consume(std::size_t bytes) {
  const std::size_t count = std::min(bytes, unconsumed_);
  unconsumed_ -= count;
  if (count > 0) nghttp2_session_consume(connection_.session(), id_, count);
}

void Http2Stream::set_deadline(SteadyTime when) {
  handler_deadline_ = when;
  connection_.shared().wake_by(when);
}

StreamPoster Http2Stream::poster() {
  if (!anchor_) anchor_ = std::make_shared<Anchor>(this);
  return StreamPoster([inbox = connection_.shared().inbox, anchor = anchor_](std::function<void()> work) {
    inbox->post([anchor, work = std::move(work)] {
      if (anchor->stream == nullptr) return;
      Http2& connection = anchor->stream->connection_;
      work();
      connection.flush_out();
    });
  });
}

}  // namespace wherry::http
