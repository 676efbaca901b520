#include "http/connection.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "http/http2.h"

namespace wherry::http {

namespace {

// Answers of pipelined requests are gathered up to this size before they are sent.
constexpr std::size_t kMostOutput = 256u << 10;
constexpr std::size_t kMostChunkLine = 1024;
// A Content-Length up to this size is believed at once; larger bodies get memory as they arrive.
constexpr std::size_t kBelievedBody = 1u << 20;

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Whether this is, as far as it goes, how a client of HTTP/2 begins. Three bytes tell it from any request.
bool is_preface(std::string_view text) {
  const std::size_t size = std::min(text.size(), kHttp2Preface.size());
  return text.substr(0, size) == kHttp2Preface.substr(0, size);
}

}  // namespace

Connection::Connection(Shared& shared, std::shared_ptr<const Peer> peer, Outlet& outlet)
    : shared_(shared),
      peer_(std::move(peer)),
      outlet_(outlet),
      memory_(shared.memory),
      started_(shared.now),
      deadline_(shared.now + shared.limits.head) {}  // the first request should come soon

Connection::~Connection() {
  if (!owed_) return;
  owed_->owner = nullptr;
  owed_->abandoned.store(true, std::memory_order_relaxed);
}

Machine::Status Connection::status() const {
  // Behind a request being answered the client may send others, to be answered in their turn.
  const bool room = phase_ != Phase::kAnswering || end_ - begin_ < kSmallBuffer;
  return {phase_, closing_, room && !waiting_for_output_, successor_ != nullptr};
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  const Limits& limits = shared_.limits;
  deadline_ = phase == Phase::kAnswering ? SteadyTime::max()
              : phase == Phase::kHead    ? shared_.now + limits.head
              : phase == Phase::kBody    ? shared_.now + limits.body
                                         : shared_.now + limits.idle;
}

std::span<char> Connection::space() {
  if (begin_ == end_ && (phase_ == Phase::kIdle || phase_ == Phase::kAnswering)) {
    begin_ = end_ = 0;
    if (capacity_ > kSmallBuffer) {
      buffer_.reset();
      capacity_ = 0;
      account(0);
    }
  }
  // Room for one more byte is always granted: reserve() has refused oversized messages before this.
  if (end_ == capacity_ && !reserve(end_ - begin_ + 1))
    refuse(503, "too many large requests at the same time");
  return {buffer_.get() + end_, capacity_ - end_};
}

bool Connection::account(std::size_t capacity) {
  const auto large = [](std::size_t bytes) { return bytes > kSmallBuffer ? bytes : 0; };
  return memory_.resize(large(capacity) + large(chunked_body_.capacity()));
}

bool Connection::reserve(std::size_t wanted) {
  if (begin_ + wanted <= capacity_) return true;
  const char* old_message = buffer_.get() + begin_;
  const std::size_t held = end_ - begin_;
  std::unique_ptr<char[]> grown;
  char* new_message = buffer_.get();
  std::size_t capacity = capacity_;
  bool granted = true;
  if (wanted > capacity_) {
    capacity = std::max({wanted, kFirstBuffer, capacity_ * 2});
    if (phase_ == Phase::kAnswering) capacity = std::max(wanted, kSmallBuffer);  // is never refused
    if (!account(capacity)) {
      granted = false;  // still one byte more, so that the refusal can be sent
      capacity = wanted;
    }
    grown = std::make_unique_for_overwrite<char[]>(capacity);
    new_message = grown.get();
  }
  if (held > 0) std::memmove(new_message, old_message, held);
  const auto move = [&](std::string_view& view) {
    if (!view.empty()) view = {new_message + (view.data() - old_message), view.size()};
  };
  if (phase_ == Phase::kBody) {
    move(head_.method);
    move(head_.target);
    move(head_.h2c_settings);
    for (HeaderView& header : head_.headers) {
      move(header.name);
      move(header.value);
    }
  }
  if (grown) buffer_ = std::move(grown);
  capacity_ = capacity;
  begin_ = 0;
  end_ = held;
  return granted;
}

void Connection::received(std::size_t count) {
  if (closing_) return;  // read over: we are only waiting for the client to close
  if (phase_ == Phase::kIdle) started_ = shared_.now;
  end_ += count;
  handle_buffered();
}

void Connection::resume() {
  waiting_for_output_ = false;
  if (output_.capacity() > 2 * kMostOutput) output_ = {};
  if (!closing_) handle_buffered();
}

void Connection::handle_buffered() {
  while (!closing_ && !waiting_for_output_ && phase_ != Phase::kAnswering) {
    if (phase_ != Phase::kBody && !take_head()) return;
    if (!take_body()) return;
    answer();
    if (successor_) return;
    waiting_for_output_ = output_.size() >= kMostOutput;
  }
}

bool Connection::take_head() {
  while (begin_ < end_ && scanned_ == 0 && (buffer_[begin_] == '\r' || buffer_[begin_] == '\n'))
    ++begin_;  // RFC 9112 section 2.2: empty lines before a request are ignored
  if (begin_ == end_) return false;
  if (phase_ == Phase::kIdle) enter(Phase::kHead);
  const std::string_view text(buffer_.get() + begin_, end_ - begin_);
  if (first_ && is_preface(text)) {
    if (text.size() < kHttp2Preface.size()) return false;
    auto next = std::make_unique<Http2>(shared_, peer_, outlet_);
    next->take(text);
    successor_ = std::move(next);
    return false;
  }
  const std::size_t end = text.find("\r\n\r\n", scanned_ > 3 ? scanned_ - 3 : 0);
  scanned_ = text.size();
  const Limits& limits = shared_.limits;
  const std::size_t size = end == text.npos ? text.size() : end + 4;
  if (size > limits.most_head || end == text.npos) {
    const std::size_t line = std::min(size, text.find("\r\n"));
    if (line > limits.most_target + 32) {
      refuse(414, "the request target is too long");
    } else if (size > limits.most_head) {
      refuse(431, "the request head is too large");
    }
    return false;
  }
  head_size_ = size;
  if (const Objection objection = parse_head(text.substr(0, size), limits, head_)) {
    refuse(objection.status, objection.reason);
    return false;
  }
  if (head_.method.size() + head_.target.size() > limits.most_target + 16) {
    refuse(414, "the request target is too long");
    return false;
  }
  // Without either there is no body (RFC 9112 section 6.3), as curl -X POST sends it; in HTTP/1.0 the body
  // may also end with the connection, which is not understood here.
  const bool carries = head_.method == "POST" || head_.method == "PUT" || head_.method == "PATCH";
  if (carries && !head_.has_length && !head_.chunked && !head_.http_1_1) {
    refuse(411, "a Content-Length or Transfer-Encoding: chunked is needed");
    return false;
  }
  chunked_body_.clear();
  chunked_body_.reserve(head_.chunked ? 64
                                      : 0);  // on the heap, so that it may move while views point into it
  chunks_ = {};
  enter(Phase::kBody);
  return true;
}

bool Connection::take_body() {
  const std::size_t held = end_ - begin_ - head_size_;
  if (head_.chunked) {
    char* chunks = buffer_.get() + begin_ + head_size_;
    std::size_t consumed = 0;
    const ChunkLimits limits{shared_.limits.most_body, kMostChunkLine, shared_.limits.most_head};
    const auto result = chunks_.decode({chunks, held}, chunked_body_, limits, consumed);
    if (result == ChunkDecoder::Result::kMalformed || result == ChunkDecoder::Result::kTooLarge) {
      const bool large = result == ChunkDecoder::Result::kTooLarge;
      refuse(large ? 413 : 400, large ? "the request body is too large" : "malformed chunk");
      return false;
    }
    std::memmove(chunks, chunks + consumed, held - consumed);
    end_ -= consumed;
    if (!account(capacity_)) {
      refuse(503, "too many large requests at the same time");
      return false;
    }
    if (result == ChunkDecoder::Result::kFinished) return true;
  } else {
    if (held >= head_.content_length) return true;
    if (!reserve(head_size_ + std::min<std::size_t>(head_.content_length, kBelievedBody))) {
      refuse(503, "too many large requests at the same time");
      return false;
    }
  }
  if (head_.expects_continue && held == 0) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  head_.expects_continue = false;
  return false;
}

void Connection::answer() {
  Request request;
  request.method = head_.method;
  request.headers = head_.headers;
  request.received = started_;
  request.version = head_.http_1_1 ? Version::k1_1 : Version::k1_0;
  request.peer = peer_.get();
  request.body = head_.chunked ? std::string_view(chunked_body_)
                               : std::string_view(buffer_.get() + begin_ + head_size_, head_.content_length);
  if (!split_target(head_.target, request)) {
    refuse(400, "malformed request target");
    return;
  }
  if (!head_.h2c_settings.empty() && !peer_->tls && upgrade(request)) return;
  without_body_ = head_.method == "HEAD";
  shared_.response.clear();
  current_ = &request;
  shared_.handler.handle(request, shared_.response, *this);
  current_ = nullptr;
  if (owed_) return enter(Phase::kAnswering);
  const std::size_t length = message_length();
  write_answer(shared_.response, end_ - begin_ > length);
  next_message(length);
}

// RFC 7540 section 3.2: what is no proper HTTP2-Settings is ignored, and the request answered in HTTP/1.1.
bool Connection::upgrade(const Request& request) {
  const auto settings = base::base64_decode(head_.h2c_settings);
  if (!settings) return false;
  auto next = std::make_unique<Http2>(
      shared_, peer_, outlet_,
      base::cat(output_, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"));
  if (!next->upgrade(*settings, request)) return false;
  const std::size_t length = message_length();
  next->take({buffer_.get() + begin_ + length, end_ - begin_ - length});
  successor_ = std::move(next);
  return true;
}

// The request's bytes go with it; what came behind them stays.
Later Connection::later() {
  assert(current_ != nullptr && !owed_);
  owed_ = std::make_shared<Owed>();
  Owed& owed = *owed_;
  const std::size_t length = message_length();
  const std::string_view behind(buffer_.get() + begin_ + length, end_ - begin_ - length);
  std::unique_ptr<char[]> rest;
  const std::size_t rest_capacity = behind.empty() ? 0 : std::max(behind.size(), kFirstBuffer);
  if (!behind.empty()) {
    rest = std::make_unique_for_overwrite<char[]>(rest_capacity);
    std::memcpy(rest.get(), behind.data(), behind.size());
  }
  owed.request = *current_;
  owed.headers = std::move(head_.headers);
  owed.request.headers = owed.headers;
  owed.buffer = std::exchange(buffer_, std::move(rest));
  owed.capacity = std::exchange(capacity_, rest_capacity);
  owed.memory = std::move(memory_);
  owed.body = std::move(chunked_body_);
  owed.peer = peer_;
  owed.inbox = shared_.inbox;
  owed.handler = &shared_.handler;
  owed.owner = this;
  begin_ = 0;
  end_ = behind.size();
  scanned_ = 0;
  return Later(owed_);
}

void Connection::answered(Owed& owed) {
  write_answer(owed.response, end_ > begin_);
  if (!buffer_) {
    buffer_ = std::move(owed.buffer);
    capacity_ = owed.capacity;
    memory_ = std::move(owed.memory);
    begin_ = end_ = 0;
  }
  head_.headers = std::move(owed.headers);
  chunked_body_ = std::move(owed.body);
  owed.owner = nullptr;
  owed_.reset();
  next_message(0);
  handle_buffered();
  outlet_.output_ready();
}

// `more`: requests behind this one were already received; they are answered before the connection closes.
void Connection::write_answer(const Response& response, bool more) {
  const bool draining = shared_.draining.load(std::memory_order_relaxed);
  write_response(response, without_body_, !head_.keep_alive || (!more && draining));
}

void Connection::next_message(std::size_t length) {
  first_ = false;
  begin_ += length;
  scanned_ = 0;
  enter(Phase::kIdle);
  if (chunked_body_.capacity() > kSmallBuffer) {
    chunked_body_ = {};
    account(capacity_);
  }
  if (begin_ < end_) started_ = shared_.now;
}

void Connection::refuse(int status, std::string_view reason) {
  if (closing_) return;
  shared_.response.clear();
  shared_.response.set_error(status, reason);
  if (status == 503) shared_.response.add_header("Retry-After", "1");
  shared_.handler.refused({status, reason, shared_.response.body.size()});
  write_response(shared_.response, false, true);
  begin_ = end_ = 0;
  enter(Phase::kIdle);
}

void Connection::tick() {
  if (closing_) return;
  if (phase_ == Phase::kIdle) {
    closing_ = shared_.now >= std::min(deadline_, shared_.idle_end) && output_.empty();
  } else if (shared_.now >= deadline_) {
    refuse(408, phase_ == Phase::kHead ? "the request head did not arrive in time"
                                       : "the request body did not arrive in time");
  }
}

void Connection::write_response(const Response& response, bool without_body, bool close) {
  std::string& out = output_;
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  const bool has_body = response.status != 204 && response.status != 304;  // RFC 9110 section 6.4.1
  if (has_body) {
    out += "\r\nContent-Type: ";
    out += response.content_type;
    out += "\r\nContent-Length: ";
    append_number(out, response.body.size());
  }
  out += "\r\n";
  out += shared_.date();
  out += response.header_lines();
  if (close) {
    out += "Connection: close\r\n";
  } else if (!head_.http_1_1) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (!without_body && has_body) out += response.body;
  closing_ = close;
}

}  // namespace wherry::http
