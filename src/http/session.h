// One connection: its socket, its machine, and when the one waits for the other. Internal to module http.
#pragma once

#include <boost/intrusive/list.hpp>

#include "http/machine.h"
#include "http/poller.h"

namespace wherry::http {

class TlsContext;

// What a session needs of the thread it lives on.
class SessionOwner {
 public:
  virtual Poller& poller() = 0;
  virtual Shared& shared() = 0;
  virtual void ended(class Session& session) = 0;  // to be destroyed, but not before the call returns

 protected:
  ~SessionOwner() = default;
};

// Not thread-safe.
class Session final
    : private Poller::Source,
      private Outlet,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  // Owns `file`, a connected non-blocking socket. `tls`: null for plain HTTP.
  Session(int file, Peer peer, const TlsContext* tls, SessionOwner& owner);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool start();  // false: the system has no memory for one more
  void tick();   // looks at the deadlines
  bool idle() const;
  void close();  // ends it now, whatever is under way

 private:
  void ready(std::uint32_t events) override;
  void output_ready() override { pump(); }
  void read();
  void pump();  // sends what can be sent, then waits for what is needed
  void linger();
  void watch(std::uint32_t events);

  int file_;
  SessionOwner& owner_;
  std::unique_ptr<Machine> machine_;
  std::uint32_t watched_ = 0;
  std::size_t sent_ = 0;      // of the machine's output
  bool blocked_ = false;      // the client does not take our output for now
  bool lingering_ = false;    // our direction is closed
  std::size_t progress_ = 0;  // bytes taken since deadline_ was set
  SteadyTime deadline_;       // while blocked or lingering
};

}  // namespace wherry::http
