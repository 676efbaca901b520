#include "http/tls_machine.h"

#include <algorithm>
#include <cstring>
#include <openssl/err.h>

#include "base/text.h"

namespace wherry::http {

struct TlsBio {
  static int read(BIO* bio, char* out, std::size_t size, std::size_t* count) {
    auto& machine = *static_cast<TlsMachine*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *count = std::min(size, machine.input_.size() - machine.taken_);
    if (*count == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(out, machine.input_.data() + machine.taken_, *count);
    machine.taken_ += *count;
    return 1;
  }
  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
    static_cast<TlsMachine*>(BIO_get_data(bio))->output_.append(bytes, size);
    *count = size;
    return 1;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
};

BIO_METHOD* make_tls_bio() {
  BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wherry");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read_ex(method, TlsBio::read);
  BIO_meth_set_write_ex(method, TlsBio::write);
  BIO_meth_set_ctrl(method, TlsBio::control);
  return method;
}

namespace {

// To a client which speaks plain HTTP to us.
constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 51\r\n"
    "Connection: close\r\n\r\n{\"error\":\"TLS is spoken here; begin with https://\"}";
static_assert(kPlainAnswer.size() - kPlainAnswer.find("{\"error") == 51);

constexpr std::size_t kMostKept = 32u << 10;  // of a buffer that is empty

}  // namespace

TlsMachine::TlsMachine(const TlsContext& context)
    : generation_(context.current()), ssl_(SSL_new(generation_->context.get())) {
  BIO* bio = ssl_ ? BIO_new(generation_->bio.get()) : nullptr;
  if (bio == nullptr) {
    state_ = State::kFailed;
    failure_ = "out of memory";
    ERR_clear_error();
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

TlsMachine::~TlsMachine() = default;

void TlsMachine::received(std::string_view encrypted) {
  if (state_ == State::kFailed || state_ == State::kEnded) return;
  if (taken_ == input_.size()) {
    input_.clear();
    taken_ = 0;
  }
  input_ += encrypted;
  if (state_ == State::kHandshake) {
    handshake_bytes_ += encrypted.size();
    shake_hands();
  }
}

void TlsMachine::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) {
    fail(result);
    if (state_ == State::kHandshake && handshake_bytes_ > kMostHandshake) {
      state_ = State::kFailed;
      failure_ = "the handshake is too long";
    }
    return;
  }
  state_ = State::kOpen;
  // A ticket vouches for the certificate of the first handshake, which may have expired since.
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate != nullptr && is_expired(certificate, generation_->tickets->clock.now())) {
    state_ = State::kFailed;
    failure_ = "certificate has expired";
    close();
  }
}

// Looks why an operation has not succeeded: nothing to read is no failure.
void TlsMachine::fail(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return;
    case SSL_ERROR_ZERO_RETURN:
      state_ = State::kEnded;
      return;
    default:
      break;
  }
  const unsigned long error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  failure_ = reason == nullptr ? "protocol error" : reason;
  const bool plain = ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
  if (plain && state_ == State::kHandshake) output_ = kPlainAnswer;
  state_ = State::kFailed;
  ERR_clear_error();
}

std::size_t TlsMachine::read(std::span<char> plain) {
  if (state_ != State::kOpen || plain.empty()) return 0;
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), plain.data(), plain.size(), &count);
  if (result == 1) return count;
  fail(result);
  if (taken_ == input_.size() && input_.capacity() > kMostKept) {
    input_ = {};
    taken_ = 0;
  }
  return 0;
}

void TlsMachine::write(std::string_view plain) {
  if ((state_ != State::kOpen && state_ != State::kEnded) || plain.empty()) return;
  ERR_clear_error();
  std::size_t count = 0;
  // All of it in one call: the BIO takes everything, so that there are no partial writes.
  const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
  if (result != 1) fail(result);
}

void TlsMachine::close() {
  if (!ssl_ || SSL_in_init(ssl_.get())) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool TlsMachine::http2() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
}

bool TlsMachine::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string TlsMachine::subject() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? std::string() : common_name(certificate);
}

std::vector<std::string> TlsMachine::names() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? std::vector<std::string>() : alternative_names(certificate);
}

}  // namespace wherry::http
