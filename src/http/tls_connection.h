// A connection inside TLS: decrypts for a machine of plain HTTP, made when the handshake has ended, and
// encrypts what that answers. Internal to module http.
#pragma once

#include "http/machine.h"
#include "http/tls_machine.h"

namespace wherry::http {

class TlsConnection final : public Machine, private Outlet {
 public:
  using MakeMachine = std::unique_ptr<Machine> (*)(Shared&, std::shared_ptr<const Peer>, Outlet&, bool http2);

  // `outlet` and `context` must outlive the connection.
  TlsConnection(Shared& shared, Peer peer, Outlet& outlet, const TlsContext& context, MakeMachine make);

  std::span<char> space() override;
  void received(std::size_t count) override;
  std::string& output() override { return tls_.output(); }
  void resume() override;
  void tick() override;
  Status status() const override;

 private:
  void output_ready() override;
  void go_on();  // as far as input has come and output has room
  void begin_plain();
  void encrypt();
  void report_failure();

  Shared& shared_;
  Peer peer_;
  Outlet& outlet_;
  MakeMachine make_;
  TlsMachine tls_;
  std::unique_ptr<Machine> plain_;  // null during the handshake
  std::size_t encrypted_ = 0;       // of the plain machine's output
  bool resume_due_ = false;         // the plain machine's output was taken, and it does not know yet
  bool begun_ = false;              // something was received
  bool closing_ = false;
  SteadyTime deadline_;  // of the handshake
};

}  // namespace wherry::http
