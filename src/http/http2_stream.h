// One request of an HTTP/2 connection and its answer. Internal to module http.
#pragma once

#include <boost/intrusive/list.hpp>
#include <nghttp2/nghttp2.h>

#include "http/http2_fields.h"
#include "http/machine.h"
#include "http/owed.h"

namespace wherry::http {

class Http2;

// Used over and over again, so that its strings keep their memory.
class Http2Stream final : private Exchange,
                          private Stream,
                          private Owed::Owner,
                          public boost::intrusive::list_base_hook<> {
 public:
  explicit Http2Stream(Http2& connection) : connection_(connection) {}

  void open(int id);
  void close();
  int id() const { return id_; }

  // What arrives. Names and values are nghttp2's for the length of the call.
  void header(std::string_view name, std::string_view value);
  bool absurd() const;  // not even worth an answer
  void head_complete(bool last);
  void body(std::string_view piece);
  void complete();
  // The request of a connection which was HTTP/1.1 so far.
  void adopt(const Request& request);

  // What nghttp2 asks for when it sends DATA: at most so many bytes come next. Its codes, or the count.
  ssize_t next_data(std::size_t most, std::uint32_t& flags);
  void send_data(std::size_t bytes);  // appends them to the connection's output
  void sent_last();                   // END_STREAM went out

  void tick();
  void notify_writable();

 private:
  enum class Phase { kHead, kBody, kWaiting, kStreaming, kSending };

  Later later() override;
  void answered(Owed& owed) override;

  void begin(const Response& head) override;
  void write(std::string_view piece) override;
  void finish(const Response& last) override;
  void reset() override { reset(NGHTTP2_INTERNAL_ERROR); }
  void consume(std::size_t bytes) override;
  std::size_t queued() const override { return data_.size() - sent_; }
  void set_deadline(SteadyTime when) override;
  StreamPoster poster() override;

  void dispatch();
  void respond();
  void submit(bool with_data);
  void refuse(int status, std::string_view reason);
  void reset(std::uint32_t error);
  void await_progress();
  bool charge(std::size_t bytes);  // holds so many bytes; false: over the budget
  bool grow_body(std::size_t wanted);
  void resume_data();

  Http2& connection_;
  int id_ = 0;
  Phase phase_ = Phase::kHead;
  Http2Fields fields_;
  std::size_t head_bytes_ = 0;
  int refusal_ = 0;  // found while the head came, sent when it is complete
  std::string_view refusal_reason_;
  Request request_;
  std::vector<HeaderView> headers_;
  std::string body_;
  std::size_t charged_ = 0;
  std::size_t unconsumed_ = 0;  // of the body: the client's window is smaller by that
  bool received_all_ = false;
  bool without_body_ = false;

  std::shared_ptr<Owed> owed_;
  std::unique_ptr<StreamHandler> handler_;
  struct Anchor;
  std::shared_ptr<Anchor> anchor_;  // through which posted work finds the way
  bool began_ = false;              // head of the answer submitted
  bool finished_ = false;           // all of the answer is in data_
  bool was_full_ = false;           // the handler waits for writable()

  Response response_;
  Http2Lines lines_, trailers_;
  std::string data_;  // of the answer, instead of response_.body for a handler
  std::size_t sent_ = 0;
  std::size_t progress_ = 0;  // sent_ when deadline_ was last set
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime handler_deadline_ = SteadyTime::max();
};

}  // namespace wherry::http
