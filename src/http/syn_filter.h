// Taking no more connections without losing one that is just being made.
#pragma once

namespace wherry::http {

// Closing a listening socket resets the connections which clients have made but nobody has accepted yet, so
// each of those clients loses a request. After this call the kernel drops segments that would begin a
// connection (their clients try again a second later, elsewhere or in vain, having sent nothing), while
// handshakes under way come to their end and can be accepted. A classic BPF socket filter (Linux, socket(7)
// SO_ATTACH_FILTER; no privilege needed); where that is not to be had the socket stays as it is.
void drop_new_handshakes(int listening_socket);

}  // namespace wherry::http
