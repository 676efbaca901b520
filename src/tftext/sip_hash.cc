#include "tftext/sip_hash.h"

#include <bit>
#include <cstddef>

namespace wherry::tftext {
namespace {

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void add(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return word;
}

}  // namespace

std::uint64_t sip_hash(std::uint64_t key_0, std::uint64_t key_1, std::string_view text) {
  State state{key_0 ^ 0x736f6d6570736575ULL, key_1 ^ 0x646f72616e646f6dULL, key_0 ^ 0x6c7967656e657261ULL,
              key_1 ^ 0x7465646279746573ULL};
  const std::uint64_t length = std::uint64_t{text.size()} << 56;
  while (text.size() >= 8) {
    state.add(little_endian(text.substr(0, 8)));
    text.remove_prefix(8);
  }
  state.add(length | little_endian(text));
  state.c ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace wherry::tftext
