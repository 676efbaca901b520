#include "http/http2.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace wherry::http {

namespace {

using std::chrono::milliseconds;

// Frames are gathered up to this size before they are sent.
constexpr std::size_t kMostOutput = 256u << 10;
constexpr std::size_t kMostFrame = 64u << 10;
constexpr std::size_t kMostSpare = 32;
constexpr std::size_t kCountedStep = 64u << 10;
// Between the two GOAWAY frames: longer than what is under way needs to arrive.
constexpr milliseconds kDrainStep{250};
constexpr int kCreditPerSecond = 100;
constexpr int kCreditPerRequest = 8;
constexpr std::uint64_t kMostResets = 500, kResetsPerSecond = 50;

template <auto Delete>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Delete(object);
  }
};
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, FreeWith<nghttp2_session_callbacks_del>>;
using Option = std::unique_ptr<nghttp2_option, FreeWith<nghttp2_option_del>>;

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls.
struct Http2Callbacks {
  static Http2& self(void* user) { return *static_cast<Http2*>(user); }
  static Http2Stream* stream(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int frame_began(nghttp2_session*, const nghttp2_frame_hd* header, void* user) {
    self(user).frame_began(*header);
    return 0;
  }
  static int headers_began(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).open_or_refuse(frame->hd.stream_id);
    return 0;
  }
  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                    void*) {
    Http2Stream* const found = stream(session, frame->hd.stream_id);
    if (found == nullptr) return 0;
    found->header(view(name, name_size), view(value, value_size));
    return found->absurd() ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
  }
  static int frame_came(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool head = frame->hd.type == NGHTTP2_HEADERS;
    if (!head && frame->hd.type != NGHTTP2_DATA) return 0;
    Http2Stream* const found = stream(session, frame->hd.stream_id);
    if (found == nullptr) return 0;
    if (head && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      self(user).credit(kCreditPerRequest);
      found->head_complete(last);
    } else if (last) {
      found->complete();
    }
    return 0;
  }
  static int data_came(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t size, void*) {
    if (Http2Stream* const found = stream(session, id)) {
      found->body(view(bytes, size));
    } else {
      nghttp2_session_consume_connection(session, size);
    }
    return 0;
  }
  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!carries || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (Http2Stream* const found = stream(session, frame->hd.stream_id)) found->sent_last();
    return 0;
  }
  static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    if (Http2Stream* const found = stream(session, id)) self(user).close_stream(*found);
    return 0;
  }
  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header, std::size_t size,
                       nghttp2_data_source* source, void* user) {
    Http2& connection = self(user);
    connection.output_.append(view(header, 9));
    static_cast<Http2Stream*>(source->ptr)->send_data(size);
    connection.credit(static_cast<int>(std::min<std::size_t>(size / 64, 64)));
    return 0;
  }
  // As large as the client takes them, instead of the least which the protocol allows.
  static ssize_t frame_size(nghttp2_session*, std::uint8_t, std::int32_t, std::int32_t connection_window,
                            std::int32_t stream_window, std::uint32_t most, void*) {
    const auto window = std::min(connection_window, stream_window);
    return std::min(
        {static_cast<ssize_t>(window), static_cast<ssize_t>(most), static_cast<ssize_t>(kMostFrame)});
  }

  static Callbacks make() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
    Callbacks callbacks(made);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, frame_began);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, headers_began);
    nghttp2_session_callbacks_set_on_header_callback(made, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_came);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data_came);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(made, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(made, frame_size);
    return callbacks;
  }
};

ssize_t Http2::read_data(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t most,
                         std::uint32_t* flags, nghttp2_data_source* source, void*) {
  return static_cast<Http2Stream*>(source->ptr)->next_data(most, *flags);
}

Http2::Http2(Shared& shared, std::shared_ptr<const Peer> peer, Outlet& outlet, std::string output)
    : shared_(shared),
      peer_(std::move(peer)),
      outlet_(outlet),
      memory_(shared.memory),
      output_(std::move(output)),
      deadline_(shared.now + shared.limits.head),
      refilled_(shared.now) {
  start_session();
  closing_ = !session_;
}

// Leaves session_ null when there is no memory for it.
void Http2::start_session() {
  const Callbacks callbacks = Http2Callbacks::make();
  nghttp2_option* made = nullptr;
  nghttp2_session* session = nullptr;
  if (!callbacks || nghttp2_option_new(&made) != 0) return;
  const Option option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  nghttp2_option_set_stream_reset_rate_limit(made, kMostResets, kResetsPerSecond);
  nghttp2_option_set_max_send_header_block_length(made, 256u << 10);
  if (nghttp2_session_server_new2(&session, callbacks.get(), this, made) != 0) return;
  session_.reset(session);
  const std::array<nghttp2_settings_entry, 5> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMostStreams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMostFrame},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(shared_.limits.most_head)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2::~Http2() {
  while (!streams_.empty()) close_stream(streams_.front());
}

bool Http2::upgrade(std::string_view settings, const Request& request) {
  if (!session_) return false;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(settings.data());
  if (nghttp2_session_upgrade2(session_.get(), bytes, settings.size(), request.method == "HEAD", nullptr) !=
      0)
    return false;
  open_stream(1).adopt(request);
  flush();
  return true;
}

void Http2::take(std::string_view bytes) {
  if (closing_) return;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t count = nghttp2_session_mem_recv(session_.get(), data, bytes.size());
  flush();
  closing_ = closing_ || count < 0;  // no client of HTTP/2, or one that floods us
}

std::span<char> Http2::space() {
  return shared_.scratch_space();
}

Machine::Status Http2::status() const {
  return {.phase = streams_.empty() ? Phase::kIdle : Phase::kAnswering,
          .closing = closing_,
          .wants_input = output_.size() < kMostOutput};
}

Http2Stream& Http2::open_stream(int id) {
  std::unique_ptr<Http2Stream> stream;
  if (spare_.empty()) {
    stream = std::make_unique<Http2Stream>(*this);
  } else {
    stream = std::move(spare_.back());
    spare_.pop_back();
  }
  stream->open(id);
  nghttp2_session_set_stream_user_data(session_.get(), id, stream.get());
  streams_.push_back(*stream);
  return *stream.release();
}

// A client may reset streams and open others while the answers of the first are still being made.
void Http2::open_or_refuse(int id) {
  if (slot_.use_count() > static_cast<long>(2 * kMostStreams)) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
  } else {
    open_stream(id);
  }
}

void Http2::close_stream(Http2Stream& stream) {
  stream.close();
  streams_.erase(streams_.iterator_to(stream));
  std::unique_ptr<Http2Stream> kept(&stream);
  if (spare_.size() < kMostSpare) spare_.push_back(std::move(kept));
  if (streams_.empty()) deadline_ = shared_.now + shared_.limits.idle;
}

bool Http2::charge(std::ptrdiff_t bytes) {
  const std::size_t charged = charged_ + static_cast<std::size_t>(bytes);
  // In steps, so that small requests do not touch the counter which all threads share.
  if (!memory_.resize(charged / kCountedStep * kCountedStep)) return false;
  charged_ = charged;
  return true;
}

// Every frame costs; requests and data bring more than they cost.
void Http2::frame_began(const nghttp2_frame_hd& header) {
  switch (header.type) {
    case NGHTTP2_CONTINUATION:  // the library counts them
      return;
    case NGHTTP2_DATA:
      if (header.length > 0) return credit(1 + static_cast<int>(header.length / 4096));
      break;
    default:
      break;
  }
  if (--credit_ < 0) terminate(NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2::terminate(std::uint32_t error) {
  nghttp2_session_terminate_session(session_.get(), error);
}

void Http2::flush() {
  if (!session_) return;
  do {
    writable_ = false;
    while (output_.size() < kMostOutput) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
      if (count < 0) closing_ = true;
      if (count <= 0) break;
      output_.append(view(bytes, static_cast<std::size_t>(count)));
    }
    if (writable_)
      for (Http2Stream& stream : streams_) stream.notify_writable();
  } while (writable_ && output_.size() < kMostOutput);
  if (nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0)
    closing_ = true;
}

void Http2::flush_out() {
  flush();
  outlet_.output_ready();
}

void Http2::resume() {
  if (output_.capacity() > 2 * kMostOutput) output_ = {};
  flush();
}

void Http2::tick() {
  if (closing_) return;
  const auto passed = std::chrono::duration_cast<milliseconds>(shared_.now - refilled_).count();
  if (const auto refill = passed * kCreditPerSecond / 1000; refill > 0) {
    credit(static_cast<int>(std::min<std::int64_t>(refill, kMostCredit)));
    refilled_ = shared_.now;
  }
  drain();
  for (auto it = streams_.begin(); it != streams_.end();) (it++)->tick();
  if (streams_.empty() && shared_.now >= std::min(deadline_, shared_.idle_end)) terminate(NGHTTP2_NO_ERROR);
  flush();
}

// RFC 9113 section 6.8: the first GOAWAY asks for no more requests, the second says which were taken.
void Http2::drain() {
  if (!shared_.draining.load(std::memory_order_relaxed)) return;
  if (drain_ == Drain::kNo) {
    nghttp2_submit_shutdown_notice(session_.get());
    drained_ = shared_.now;
    drain_ = Drain::kAnnounced;
  } else if (drain_ == Drain::kAnnounced && shared_.now >= drained_ + kDrainStep) {
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR, nullptr,
                          0);
    drain_ = Drain::kFinal;
  }
}

}  // namespace wherry::http
