// The server side of one TLS connection as a pure machine: encrypted bytes in and out on one side, plain
// bytes on the other; no socket and no timer. Internal to module http.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/tls_generation.h"

namespace wherry::http {

// The BIO type through which OpenSSL reaches a TlsMachine's buffers; the caller frees it.
BIO_METHOD* make_tls_bio();

// Not thread-safe.
class TlsMachine {
 public:
  enum class State {
    kHandshake,
    kOpen,
    kEnded,   // the client said that it sends no more (close_notify)
    kFailed,  // an alert, or plain words to a client which does not speak TLS, may be left in output()
  };
  // A handshake which takes more bytes than this from the client is none.
  static constexpr std::size_t kMostHandshake = 64u << 10;

  explicit TlsMachine(const TlsContext& context);
  ~TlsMachine();
  TlsMachine(const TlsMachine&) = delete;
  TlsMachine& operator=(const TlsMachine&) = delete;

  // Bytes from the network. They are kept until read() has used them, so nothing more should be received
  // while read() still gives something.
  void received(std::string_view encrypted);
  // Plain bytes put into `plain`; 0: nothing more until the next received(), or another state.
  std::size_t read(std::span<char> plain);
  // Encrypts into output(); state kOpen or kEnded only. About 22 bytes are added for each 16 KiB.
  void write(std::string_view plain);
  // Our close_notify into output(); nothing can be written afterwards.
  void close();
  // To be sent; the caller erases what was.
  std::string& output() { return output_; }

  State state() const { return state_; }
  std::string_view failure() const { return failure_; }  // OpenSSL's words; static storage
  bool http2() const;                                    // chosen through ALPN
  bool resumed() const;
  // Of the verified client certificate; empty without one.
  std::string subject() const;
  std::vector<std::string> names() const;

 private:
  friend struct TlsBio;
  void shake_hands();
  void fail(int result);

  std::shared_ptr<const TlsGeneration> generation_;
  std::unique_ptr<SSL, FreeWith<SSL_free>> ssl_;
  State state_ = State::kHandshake;
  std::string_view failure_;
  std::string input_;
  std::size_t taken_ = 0;  // of input_
  std::size_t handshake_bytes_ = 0;
  std::string output_;
};

}  // namespace wherry::http
