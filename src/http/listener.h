// Addresses to listen on, and the sockets which do.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

#include "base/error.h"
#include "http/message.h"

namespace wherry::http {

class TlsContext;

struct Listener {
  std::string host = "127.0.0.1";   // an address, or "localhost"
  std::uint16_t port = 0;           // 0: any free one
  std::string unix_path;            // instead of host and port, unless empty
  unsigned unix_mode = 0660;        // who may connect: permissions of the socket file
  std::shared_ptr<TlsContext> tls;  // null: plain
};

// An open listening socket; a socket file is removed at the end. Not thread-safe.
class ListeningSocket {
 public:
  // A socket file left behind by a program which has ended is replaced. Errors: kUsage "http.bad_address",
  // kUnavailable "http.port_in_use", "http.cannot_listen".
  static base::Result<ListeningSocket> open(const Listener& listener);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int file() const { return file_; }
  std::uint16_t port() const { return port_; }  // 0 for a socket file
  void remove_file();  // the socket file, if it is still ours: nobody finds the way to us any more
  void close();

 private:
  ListeningSocket() = default;
  base::Status open_tcp(const Listener& listener);
  base::Status open_unix(const Listener& listener);

  int file_ = -1;
  std::uint16_t port_ = 0;
  std::string path_;
  dev_t device_ = 0;  // of the socket file, to remove only our own
  ino_t inode_ = 0;
};

// One connection waiting at the listening socket, ready for non-blocking use; -1 and errno as accept(2).
// `address` as in Peer.
int accept_connection(int listening, std::string& address);

}  // namespace wherry::http
