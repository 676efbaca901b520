#include "http/syn_filter.h"

#include <array>
#include <cstdint>
#include <linux/filter.h>
#include <sys/socket.h>

namespace wherry::http {

void drop_new_handshakes(int listening_socket) {
  // The filter sees the segment from its TCP header on; byte 13 holds the flags (RFC 9293, 3.1).
  constexpr std::uint32_t kFlagsOffset = 13;
  constexpr std::uint32_t kSynAndAck = 0x12;
  constexpr std::uint32_t kSyn = 0x02;
  std::array<sock_filter, 5> code{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSynAndAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),           // SYN without ACK: dropped
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),  // everything else: the whole segment passes
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  ::setsockopt(listening_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

}  // namespace wherry::http
