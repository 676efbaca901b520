// After CityHash 1.0.0, Copyright (c) 2011 Google, Inc., by Geoff Pike and Jyrki Alakuijala, MIT licence:
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
// associated documentation files (the "Software"), to deal in the Software without restriction, including
// without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
// copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
// following conditions: The above copyright notice and this permission notice shall be included in all copies
// or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
// EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A
// PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
// ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
// OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
#include "engine/city_hash.h"

#include <bit>
#include <cstring>
#include <utility>

namespace wherry::engine {
namespace {

using Pair = std::pair<std::uint64_t, std::uint64_t>;

constexpr std::uint64_t kPrime0 = 0xc3a5c85c97cb3127;
constexpr std::uint64_t kPrime1 = 0xb492b66fbe98f273;
constexpr std::uint64_t kPrime2 = 0x9ae16a3b2f90404f;
constexpr std::uint64_t kPrime3 = 0xc949d7c7509e6557;

template <class T>
std::uint64_t load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
std::uint64_t load64(const char* at) {
  return load<std::uint64_t>(at);
}

std::uint64_t shift_mix(std::uint64_t value) {
  return value ^ (value >> 47);
}

std::uint64_t mix(std::uint64_t low, std::uint64_t high) {
  constexpr std::uint64_t kMultiplier = 0x9ddfea08eb382d69;
  const std::uint64_t a = shift_mix((low ^ high) * kMultiplier);
  return shift_mix((high ^ a) * kMultiplier) * kMultiplier;
}

std::uint64_t hash_up_to_16(const char* s, std::size_t size) {
  if (size > 8) {
    const std::uint64_t a = load64(s);
    const std::uint64_t b = load64(s + size - 8);
    return mix(a, std::rotr(b + size, static_cast<int>(size))) ^ b;
  }
  if (size >= 4) return mix(size + (load<std::uint32_t>(s) << 3), load<std::uint32_t>(s + size - 4));
  if (size == 0) return kPrime2;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(s[i]));
  };
  const std::uint32_t y = byte(0) + (byte(size >> 1) << 8);
  const std::uint32_t z = static_cast<std::uint32_t>(size) + (byte(size - 1) << 2);
  return shift_mix(y * kPrime2 ^ z * kPrime3) * kPrime2;
}

std::uint64_t hash_17_to_32(const char* s, std::size_t size) {
  const std::uint64_t a = load64(s) * kPrime1;
  const std::uint64_t b = load64(s + 8);
  const std::uint64_t c = load64(s + size - 8) * kPrime2;
  const std::uint64_t d = load64(s + size - 16) * kPrime0;
  return mix(std::rotr(a - b, 43) + std::rotr(c, 30) + d, a + std::rotr(b ^ kPrime3, 20) - c + size);
}

std::uint64_t hash_33_to_64(const char* s, std::size_t size) {
  std::uint64_t z = load64(s + 24);
  std::uint64_t a = load64(s) + (size + load64(s + size - 16)) * kPrime0;
  std::uint64_t b = std::rotr(a + z, 52);
  std::uint64_t c = std::rotr(a, 37);
  a += load64(s + 8);
  c += std::rotr(a, 7);
  a += load64(s + 16);
  const std::uint64_t v_first = a + z;
  const std::uint64_t v_second = b + std::rotr(a, 31) + c;
  a = load64(s + 16) + load64(s + size - 32);
  z = load64(s + size - 8);
  b = std::rotr(a + z, 52);
  c = std::rotr(a, 37);
  a += load64(s + size - 24);
  c += std::rotr(a, 7);
  a += load64(s + size - 16);
  const std::uint64_t w_first = a + z;
  const std::uint64_t w_second = b + std::rotr(a, 31) + c;
  const std::uint64_t r = shift_mix((v_first + w_second) * kPrime2 + (w_first + v_second) * kPrime0);
  return shift_mix(r * kPrime0 + v_second) * kPrime2;
}

Pair weak_hash_32(const char* s, std::uint64_t a, std::uint64_t b) {
  const std::uint64_t z = load64(s + 24);
  a += load64(s);
  b = std::rotr(b + a + z, 21);
  const std::uint64_t c = a;
  a += load64(s + 8);
  a += load64(s + 16);
  b += std::rotr(a, 44);
  return {a + z, b + c};
}

}  // namespace

std::uint64_t city_hash64(std::string_view text) {
  const char* s = text.data();
  std::size_t size = text.size();
  if (size <= 16) return hash_up_to_16(s, size);
  if (size <= 32) return hash_17_to_32(s, size);
  if (size <= 64) return hash_33_to_64(s, size);
  std::uint64_t x = load64(s);
  std::uint64_t y = load64(s + size - 16) ^ kPrime1;
  std::uint64_t z = load64(s + size - 56) ^ kPrime0;
  Pair v = weak_hash_32(s + size - 64, size, y);
  Pair w = weak_hash_32(s + size - 32, size * kPrime1, kPrime0);
  z += shift_mix(v.second) * kPrime1;
  x = std::rotr(z + x, 39) * kPrime1;
  y = std::rotr(y, 33) * kPrime1;
  for (size = (size - 1) & ~std::size_t{63}; size != 0; size -= 64, s += 64) {
    x = std::rotr(x + y + v.first + load64(s + 16), 37) * kPrime1;
    y = std::rotr(y + v.second + load64(s + 48), 42) * kPrime1;
    x ^= w.second;
    y ^= v.first;
    z = std::rotr(z ^ w.first, 33);
    v = weak_hash_32(s, v.second * kPrime1, x + w.first);
    w = weak_hash_32(s + 32, z + w.second, y);
    std::swap(z, x);
  }
  return mix(mix(v.first, w.first) + shift_mix(y) * kPrime1 + z, mix(v.second, w.second) + x);
}

}  // namespace wherry::engine
