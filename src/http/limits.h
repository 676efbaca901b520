// What a client may make the server hold, and for how long.
#pragma once

#include <chrono>
#include <cstddef>

namespace wherry::http {

// The answer to a violation stands behind each.
struct Limits {
  std::size_t most_target = 8u << 10;                    // bytes of the request target: 414
  std::size_t most_head = 16u << 10;                     // bytes of request line and headers: 431
  std::size_t most_headers = 100;                        // header lines: 431
  std::size_t most_body = 64u << 20;                     // bytes of one body: 413
  std::size_t most_large_bodies = std::size_t{1} << 29;  // bytes of all buffers over 64 KiB together: 503
  std::size_t most_connections = 8192;                   // 503 and close
  std::chrono::milliseconds head{10'000};                // first to last byte of the head: 408
  std::chrono::milliseconds body{120'000};               // head to last byte of the body: 408
  std::chrono::milliseconds write{30'000};               // for the client to take 16 KiB, or the rest: closed
  // Between requests: closed. Longer than the 600 s for which Google's and the 60 s for which AWS' load
  // balancers keep a connection, else they would now and then send a request into a closed one (502).
  std::chrono::milliseconds idle{620'000};
  std::chrono::milliseconds linger{2'000};      // for the client to close after our last byte
  std::chrono::milliseconds drain_idle{1'000};  // when stopping: for one last request on an idle connection
};

}  // namespace wherry::http
