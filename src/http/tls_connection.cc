#include "http/tls_connection.h"

#include "base/text.h"

namespace wherry::http {

namespace {

constexpr std::size_t kInput = 16u << 10;
constexpr std::size_t kPiece = 16u << 10;        // of plain text encrypted at once: one record
constexpr std::size_t kMostWaiting = 64u << 10;  // encrypted and not yet sent
constexpr std::size_t kMostKept = 8u << 10;      // output buffer of an idle connection

}  // namespace

TlsConnection::TlsConnection(Shared& shared, Peer peer, Outlet& outlet, const TlsContext& context,
                             MakeMachine make)
    : shared_(shared),
      peer_(std::move(peer)),
      outlet_(outlet),
      make_(make),
      tls_(context),
      deadline_(shared.now + shared.limits.head) {}

Machine::Status TlsConnection::status() const {
  if (!plain_) return {begun_ ? Phase::kHead : Phase::kIdle, closing_, true};
  Status status = plain_->status();
  status.closing = closing_;
  status.replaced = false;  // only inside
  status.wants_input = status.wants_input && !resume_due_ && encrypted_ == 0;
  return status;
}

std::span<char> TlsConnection::space() {
  shared_.scratch.resize(kInput);
  return shared_.scratch;
}

void TlsConnection::received(std::size_t count) {
  if (closing_) return;
  begun_ = true;
  tls_.received({shared_.scratch.data(), count});
  go_on();
}

void TlsConnection::go_on() {
  if (!plain_ && tls_.state() == TlsMachine::State::kOpen) begin_plain();
  if (plain_) {
    encrypt();
    while (!resume_due_ && encrypted_ == 0 && plain_->status().wants_input && !plain_->status().closing) {
      const std::size_t count = tls_.read(plain_->space());
      if (count == 0) break;
      plain_->received(count);
      encrypt();
    }
  }
  if (tls_.state() == TlsMachine::State::kFailed) {
    if (!plain_ && !closing_) report_failure();
    closing_ = true;
  }
  // Who says that it sends no more is not waited for, as with a connection whose one direction is closed.
  if (tls_.state() == TlsMachine::State::kEnded && (!plain_ || plain_->output().empty())) closing_ = true;
}

void TlsConnection::begin_plain() {
  peer_.tls = true;
  peer_.subject = tls_.subject();
  peer_.names = tls_.names();
  Outlet& self = *this;
  plain_ = make_(shared_, std::make_shared<const Peer>(std::move(peer_)), self, tls_.http2());
}

void TlsConnection::report_failure() {
  const std::string reason = base::cat("TLS handshake failed: ", tls_.failure());
  shared_.handler.refused({400, reason, 0});
}

void TlsConnection::encrypt() {
  if (plain_->status().replaced) plain_ = plain_->successor();
  std::string& plain = plain_->output();
  while (encrypted_ < plain.size() && tls_.output().size() < kMostWaiting) {
    const std::string_view piece = std::string_view(plain).substr(encrypted_, kPiece);
    tls_.write(piece);
    encrypted_ += piece.size();
  }
  if (encrypted_ < plain.size()) return;
  if (encrypted_ > 0) {
    plain.clear();
    encrypted_ = 0;
    resume_due_ = true;
    if (tls_.state() == TlsMachine::State::kFailed) closing_ = true;
  }
  if (plain_->status().closing && !closing_) {
    tls_.close();
    closing_ = true;
  }
}

void TlsConnection::resume() {
  if (!plain_) return;
  if (resume_due_) {
    resume_due_ = false;
    if (!closing_) plain_->resume();
  }
  go_on();
}

void TlsConnection::output_ready() {
  go_on();
  outlet_.output_ready();
}

void TlsConnection::tick() {
  if (closing_) return;
  if (plain_) {
    plain_->tick();
    encrypt();
    if (tls_.output().empty() && tls_.output().capacity() > kMostKept) tls_.output() = {};
    return;
  }
  // Who has sent nothing yet is as idle as a connection between two requests.
  if (shared_.now < (begun_ ? deadline_ : std::min(deadline_, shared_.idle_end))) return;
  if (begun_) shared_.handler.refused({408, "the TLS handshake did not end in time", 0});
  closing_ = true;
}

}  // namespace wherry::http
