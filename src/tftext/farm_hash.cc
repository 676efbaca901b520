#include "tftext/farm_hash.h"

#include <bit>
#include <cstring>
#include <utility>

// farmhashna::Hash64; the names are those of farmhash.cc.
namespace wherry::tftext {
namespace {

constexpr std::uint64_t k0 = 0xc3a5c85c97cb3127;
constexpr std::uint64_t k1 = 0xb492b66fbe98f273;
constexpr std::uint64_t k2 = 0x9ae16a3b2f90404f;

template <class T>
std::uint64_t fetch_as(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
std::uint64_t fetch(const char* p) {
  return fetch_as<std::uint64_t>(p);
}
std::uint64_t fetch32(const char* p) {
  return fetch_as<std::uint32_t>(p);
}
std::uint64_t byte(char c) {
  return static_cast<unsigned char>(c);
}
std::uint64_t rotate(std::uint64_t value, int shift) {
  return std::rotr(value, shift);
}
std::uint64_t shift_mix(std::uint64_t value) {
  return value ^ (value >> 47);
}
std::uint64_t hash_16(std::uint64_t u, std::uint64_t v, std::uint64_t mul) {
  const std::uint64_t a = shift_mix((u ^ v) * mul);
  return shift_mix((v ^ a) * mul) * mul;
}

std::uint64_t hash_0_to_16(const char* s, std::uint64_t length) {
  if (length >= 8) {
    const std::uint64_t mul = k2 + length * 2;
    const std::uint64_t a = fetch(s) + k2;
    const std::uint64_t b = fetch(s + length - 8);
    return hash_16(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul);
  }
  if (length >= 4) return hash_16(length + (fetch32(s) << 3), fetch32(s + length - 4), k2 + length * 2);
  if (length == 0) return k2;
  const std::uint64_t y = byte(s[0]) + (byte(s[length >> 1]) << 8);
  const std::uint64_t z = length + (byte(s[length - 1]) << 2);
  return shift_mix(y * k2 ^ z * k0) * k2;
}

std::uint64_t hash_17_to_32(const char* s, std::uint64_t length) {
  const std::uint64_t mul = k2 + length * 2;
  const std::uint64_t a = fetch(s) * k1;
  const std::uint64_t b = fetch(s + 8);
  const std::uint64_t c = fetch(s + length - 8) * mul;
  const std::uint64_t d = fetch(s + length - 16) * k2;
  return hash_16(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + k2, 18) + c, mul);
}

std::uint64_t hash_33_to_64(const char* s, std::uint64_t length) {
  const std::uint64_t mul = k2 + length * 2;
  const std::uint64_t a = fetch(s) * k2;
  const std::uint64_t b = fetch(s + 8);
  const std::uint64_t c = fetch(s + length - 8) * mul;
  const std::uint64_t d = fetch(s + length - 16) * k2;
  const std::uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
  const std::uint64_t z = hash_16(y, a + rotate(b + k2, 18) + c, mul);
  const std::uint64_t e = fetch(s + 16) * mul;
  const std::uint64_t f = fetch(s + 24);
  const std::uint64_t g = (y + fetch(s + length - 32)) * mul;
  const std::uint64_t h = (z + fetch(s + length - 24)) * mul;
  return hash_16(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul);
}

struct Pair {
  std::uint64_t first = 0, second = 0;
};
Pair weak_hash_32(const char* s, std::uint64_t a, std::uint64_t b) {
  a += fetch(s);
  b = rotate(b + a + fetch(s + 24), 21);
  const std::uint64_t c = a;
  a += fetch(s + 8) + fetch(s + 16);
  b += rotate(a, 44);
  return {a + fetch(s + 24), b + c};
}

struct State {
  std::uint64_t x, y, z;
  Pair v, w;

  void take(const char* s, std::uint64_t mul, std::uint64_t ninefold) {
    x = rotate(x + y + v.first + fetch(s + 8), 37) * mul;
    y = rotate(y + v.second + fetch(s + 48), 42) * mul;
    x ^= w.second * ninefold;
    y += v.first * ninefold + fetch(s + 40);
    z = rotate(z + w.first, 33) * mul;
    v = weak_hash_32(s, v.second * mul, x + w.first);
    w = weak_hash_32(s + 32, z + w.second, y + fetch(s + 16));
    std::swap(z, x);
  }
};

}  // namespace

std::uint64_t fingerprint64(std::string_view text) {
  const char* s = text.data();
  const std::uint64_t length = text.size();
  if (length <= 16) return hash_0_to_16(s, length);
  if (length <= 32) return hash_17_to_32(s, length);
  if (length <= 64) return hash_33_to_64(s, length);
  constexpr std::uint64_t kSeed = 81;
  State state{kSeed, kSeed * k1 + 113, 0, {}, {}};
  state.z = shift_mix(state.y * k2 + 113) * k2;
  state.x = state.x * k2 + fetch(s);
  const char* const end = s + (length - 1) / 64 * 64;
  const char* const last = end + ((length - 1) & 63) - 63;
  for (; s != end; s += 64) state.take(s, k1, 1);
  const std::uint64_t mul = k1 + ((state.z & 0xff) << 1);
  state.w.first += (length - 1) & 63;
  state.v.first += state.w.first;
  state.w.first += state.v.first;
  state.take(last, mul, 9);
  return hash_16(hash_16(state.v.first, state.w.first, mul) + shift_mix(state.y) * k0 + state.z,
                 hash_16(state.v.second, state.w.second, mul) + state.x, mul);
}

}  // namespace wherry::tftext
