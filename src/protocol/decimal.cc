#include "protocol/decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace wherry::protocol {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Wide {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

__extension__ using Product = unsigned __int128;

constexpr Wide multiply(std::uint64_t a, std::uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
}

// Powers of ten as 128 bits with the highest one set, rounded down: 10^k = (high, low) × 2^(log2(10^k) -
// 127).
constexpr int kLeastPower = -342;
constexpr int kMostPower = 324;
constexpr int kMostExactPower = 55;  // 5^55 has 128 bits

// Bits of an integer, the lowest limb first: wide enough for 5^324 and for 2^928.
class Limbs {
 public:
  constexpr explicit Limbs(std::size_t bit) { limbs_[bit / 32] = std::uint32_t{1} << (bit % 32); }

  constexpr void multiply_by_five() {
    std::uint64_t carry = 0;
    for (std::uint32_t& limb : limbs_) {
      carry += std::uint64_t{limb} * 5;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
  }
  constexpr void divide_by_five() {  // rounded down: so is the quotient by any power of five
    std::uint64_t rest = 0;
    for (std::size_t i = kCount; i-- > 0;) {
      rest = rest << 32 | limbs_[i];
      limbs_[i] = static_cast<std::uint32_t>(rest / 5);
      rest %= 5;
    }
  }
  // The highest 128 bits from the first one that is set on.
  constexpr Wide top() const {
    std::size_t i = kCount - 1;
    while (limbs_[i] == 0) --i;
    const int shift = std::countl_zero(limbs_[i]);
    std::array<std::uint64_t, 4> words{};
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint64_t both = std::uint64_t{at(i, k)} << 32 | at(i, k + 1);
      words[k] = both >> (32 - shift) & 0xffffffff;
    }
    return {words[0] << 32 | words[1], words[2] << 32 | words[3]};
  }

 private:
  static constexpr std::size_t kCount = 30;
  constexpr std::uint32_t at(std::size_t i, std::size_t below) const {
    return below <= i ? limbs_[i - below] : 0;
  }
  std::array<std::uint32_t, kCount> limbs_{};
};

using Powers = std::array<Wide, kMostPower - kLeastPower + 1>;

constexpr Powers make_powers() {
  Powers powers{};
  Limbs up(0), down(928);
  for (int k = 0; k <= kMostPower; ++k, up.multiply_by_five())
    powers[static_cast<std::size_t>(k - kLeastPower)] = up.top();
  for (int k = -1; k >= kLeastPower; --k) {
    down.divide_by_five();
    powers[static_cast<std::size_t>(k - kLeastPower)] = down.top();
  }
  return powers;
}

constexpr Powers kPowers = make_powers();

const Wide& power_of_ten(int k) {
  return kPowers[static_cast<std::size_t>(k - kLeastPower)];
}

// The same rounded up.
Wide power_above(int k) {
  Wide power = power_of_ten(k);
  if (k >= 0 && k <= kMostExactPower) return power;
  ++power.low;
  if (power.low == 0) ++power.high;
  return power;
}

constexpr int floor_log2_of_power(int k) {  // of 10^k, for |k| below 1233
  return (k * 1741647) >> 19;
}

// ---- decimal digits of an integer

// The eight digits of a number below 10^8, the first one in the lowest byte.
constexpr std::uint64_t eight_digits(std::uint32_t value) {
  const std::uint64_t fours = value / 10000 | std::uint64_t{value % 10000} << 32;
  const std::uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007f0000007fU;
  const std::uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
  const std::uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000fU;
  return tens | (twos - tens * 10) << 8;
}

constexpr std::uint64_t kZeros = 0x3030303030303030U;
constexpr std::uint64_t kTen8 = 100'000'000;
constexpr std::uint64_t kTen16 = kTen8 * kTen8;

struct Decimal {
  std::uint64_t digits;  // not 0, below 10^17
  int exponent;          // × 10^exponent
};

// Seventeen digits without the zeros at the end, and the power of ten of the first one.
struct Digits {
  char text[40];  // what is behind `count` is copied, not read
  int count;
  int exponent;
};

Digits digits_of(Decimal decimal) {
  while (decimal.digits < kTen16 / 10) {
    decimal.digits *= 10;
    --decimal.exponent;
  }
  const bool is_short = decimal.digits < kTen16;
  decimal.digits *= is_short ? 10 : 1;
  decimal.exponent -= is_short ? 1 : 0;
  const auto first = static_cast<unsigned>(decimal.digits / kTen16);
  const std::uint64_t rest = decimal.digits - first * kTen16;
  const std::uint64_t high = eight_digits(static_cast<std::uint32_t>(rest / kTen8));
  const std::uint64_t low = eight_digits(static_cast<std::uint32_t>(rest % kTen8));
  Digits out;
  out.text[0] = static_cast<char>('0' + first);
  const std::uint64_t high_text = high | kZeros, low_text = low | kZeros;
  std::memcpy(out.text + 1, &high_text, 8);
  std::memcpy(out.text + 9, &low_text, 8);
  const int zeros = low != 0 ? std::countl_zero(low) / 8 : high != 0 ? 8 + std::countl_zero(high) / 8 : 16;
  out.count = 17 - zeros;
  out.exponent = decimal.exponent + 16;
  return out;
}

char* write_scientific(const Digits& digits, char* out) {
  *out++ = digits.text[0];
  if (digits.count > 1) {
    *out++ = '.';
    std::memcpy(out, digits.text + 1, 16);
    out += digits.count - 1;
  }
  *out++ = 'e';
  *out++ = digits.exponent < 0 ? '-' : '+';
  const int power = std::abs(digits.exponent);
  if (power >= 100) *out++ = static_cast<char>('0' + power / 100);
  *out++ = static_cast<char>('0' + power / 10 % 10);
  *out++ = static_cast<char>('0' + power % 10);
  return out;
}

// Whichever is shorter, fixed if both are equally long; of no integer, and the exponent is below 16.
char* write_digits(const Digits& digits, char* out) {
  const int zeros = -digits.exponent - 1;  // behind the point
  if (zeros < 0) {
    const int whole = digits.exponent + 1;
    std::memcpy(out, digits.text, 16);
    out[whole] = '.';
    std::memcpy(out + whole + 1, digits.text + whole, 16);
    return out + digits.count + 1;
  }
  if (zeros > 2 + (digits.count > 1 ? 1 : 0)) return write_scientific(digits, out);
  std::memcpy(out, "0.000", 5);
  std::memcpy(out + 2 + zeros, digits.text, 17);
  return out + 2 + zeros + digits.count;
}

// ---- the shortest digits

// The product's highest bits, the lowest of them telling whether any below is set.
std::uint64_t round_to_odd(const Wide& power, std::uint64_t value) {
  const Wide low = multiply(power.low, value);
  Wide high = multiply(power.high, value);
  high.low += low.high;
  if (high.low < low.high) ++high.high;
  return high.high | (high.low > 1 ? 1 : 0);
}

std::uint64_t round_to_odd(std::uint64_t power, std::uint32_t value) {
  const Wide product = multiply(power, value);
  return product.high | (product.low >> 32 > 1 ? 1 : 0);
}

// Section 9.3 of Giulietti's paper: `below`, `middle` and `above` are four times the bounds of the interval
// that rounds to the number and the number itself, in units of 10^exponent; `even`: the bounds belong to it.
Decimal choose(std::uint64_t below, std::uint64_t middle, std::uint64_t above, bool even, int exponent) {
  const std::uint64_t lower = below + (even ? 0 : 1);
  const std::uint64_t upper = above - (even ? 0 : 1);
  const std::uint64_t s = middle / 4;
  if (s >= 10) {
    const std::uint64_t tens = s / 10;
    const bool down_fits = lower <= 40 * tens;
    const bool up_fits = 40 * tens + 40 <= upper;
    if (down_fits != up_fits) return {tens + (up_fits ? 1 : 0), exponent + 1};
  }
  const bool down_fits = lower <= 4 * s;
  const bool up_fits = 4 * s + 4 <= upper;
  if (down_fits != up_fits) return {s + (up_fits ? 1 : 0), exponent};
  const std::uint64_t half = 4 * s + 2;
  const bool up = middle > half || (middle == half && s % 2 != 0);
  return {s + (up ? 1 : 0), exponent};
}

// The power of ten just below the distance of two neighbours, which is 2^exponent, or 3/4 of it.
constexpr int decimal_exponent(int exponent, bool lower_is_nearer) {
  return (exponent * 1262611 - (lower_is_nearer ? 524031 : 0)) >> 22;
}

template <class Power, class Value>
Decimal schubfach(const Power& power, Value significand, int shift, bool lower_is_nearer, int exponent) {
  const Value middle = significand * 4;
  return choose(round_to_odd(power, static_cast<Value>((middle - 2 + (lower_is_nearer ? 1 : 0)) << shift)),
                round_to_odd(power, static_cast<Value>(middle << shift)),
                round_to_odd(power, static_cast<Value>((middle + 2) << shift)), significand % 2 == 0,
                exponent);
}

// `significand` × 2^`exponent`. One product instead of three decides most numbers: the distances to the
// neighbouring multiples of ten, and to half, are compared with half the distance of two doubles; where they
// are within the error of the product, the exact way decides.
Decimal shortest(std::uint64_t significand, int exponent, bool lower_is_nearer) {
  const int k = decimal_exponent(exponent, lower_is_nearer);
  const int shift = exponent + floor_log2_of_power(-k) + 1;
  const Wide power = power_above(-k);
  if (!lower_is_nearer && significand >> 52 != 0) {
    const std::uint64_t value = significand << shift;
    const Wide low = multiply(power.low, value);
    Wide product = multiply(power.high, value);
    product.low += low.high;
    if (product.low < low.high) ++product.high;
    const std::uint64_t tens = product.high / 10;
    // In units of 2^-60, each at most one from the truth.
    const std::uint64_t down = (product.high - tens * 10) << 60 | product.low >> 4;
    const std::uint64_t up = (std::uint64_t{10} << 60) - down;
    const std::uint64_t half = power.high >> (5 - shift);
    constexpr std::uint64_t kError = 4;
    // Nothing is branched on but what is rare: how numbers end cannot be predicted.
    const std::uint64_t down_fits = down + kError < half ? 1 : 0, up_fits = up + kError < half ? 1 : 0;
    const std::uint64_t neither = down > half + kError && up > half + kError ? 1 : 0;
    constexpr std::uint64_t kMiddle = std::uint64_t{1} << 63;
    const std::uint64_t off_middle = product.low + kError - kMiddle > 2 * kError ? 1 : 0;
    if ((down_fits | up_fits | (neither & off_middle)) != 0) {
      const std::uint64_t rounded = product.high + (product.low >> 63);
      return {neither != 0 ? rounded : (tens + up_fits) * 10, k};
    }
  }
  return schubfach(power, significand, shift, lower_is_nearer, k);
}

Decimal shortest(std::uint32_t significand, int exponent, bool lower_is_nearer) {
  const int k = decimal_exponent(exponent, lower_is_nearer);
  const int shift = exponent + floor_log2_of_power(-k) + 1;
  const Wide power = power_of_ten(-k);
  const bool exact = power.low == 0 && k <= 0;
  return schubfach(power.high + (exact ? 0 : 1), significand, shift, lower_is_nearer, k);
}

// Beyond, std::to_chars writes the exponent or all digits of large integers, whichever is shorter.
constexpr double kMostFixed = 1e15;

char* write_large(double magnitude, bool is_double, char* out) {
  char* const most = out + kLongestDecimal;
  char* const end = is_double ? std::to_chars(out, most, magnitude).ptr
                              : std::to_chars(out, most, static_cast<float>(magnitude)).ptr;
  if (std::find_if(out, end, [](char c) { return c == '.' || c == 'e'; }) != end) return end;
  std::memcpy(end, ".0", 2);
  return end + 2;
}

template <class T, class Bits, int kFractionBits, int kBias>
char* write(T value, char* out) {
  const Bits bits = std::bit_cast<Bits>(value);
  if (bits >> (sizeof(Bits) * 8 - 1) != 0) *out++ = '-';
  const T magnitude = std::abs(value);
  if (magnitude >= static_cast<T>(kMostFixed))
    return write_large(magnitude, sizeof(T) == sizeof(double), out);
  const auto whole = static_cast<std::int64_t>(magnitude);
  if (static_cast<T>(whole) == magnitude) {
    char* const end = std::to_chars(out, out + kLongestDecimal, whole).ptr;
    std::memcpy(end, ".0", 2);
    return end + 2;
  }
  constexpr Bits kHidden = Bits{1} << kFractionBits;
  const Bits fraction = bits & (kHidden - 1);
  const int raised =
      static_cast<int>(bits >> kFractionBits) & ((1 << (sizeof(Bits) * 8 - 1 - kFractionBits)) - 1);
  const bool normal = raised != 0;
  const auto decimal = shortest(normal ? fraction | kHidden : fraction,
                                (normal ? raised : 1) - kBias - kFractionBits, fraction == 0 && raised > 1);
  return write_digits(digits_of(decimal), out);
}

}  // namespace

char* write_shortest(double value, char* out) {
  return write<double, std::uint64_t, 52, 1023>(value, out);
}

char* write_shortest(float value, char* out) {
  return write<float, std::uint32_t, 23, 127>(value, out);
}

std::optional<double> decimal_to_double(std::uint64_t digits, std::int64_t exponent) {
  if (digits == 0) return 0.0;
  if (exponent < kLeastPower || exponent > 308) return std::nullopt;
  const int power = static_cast<int>(exponent);
  const int zeros = std::countl_zero(digits);
  const std::uint64_t value = digits << zeros;
  // Small negative powers rounded up: the paper's proof that ties are seen needs it.
  constexpr int kLeastTiePower = -27;
  const Wide ten = power < 0 && power >= kLeastTiePower ? power_above(power) : power_of_ten(power);
  Wide product = multiply(value, ten.high);
  constexpr std::uint64_t kUndecided = ~std::uint64_t{0} >> (52 + 3);
  if ((product.high & kUndecided) == kUndecided) {
    const Wide below = multiply(value, ten.low);
    product.low += below.high;
    if (product.low < below.high) ++product.high;
    if (product.low == ~std::uint64_t{0} && (power < kLeastTiePower || power > kMostExactPower))
      return std::nullopt;
  }
  const int upper = static_cast<int>(product.high >> 63);
  const int shift = upper + 64 - 52 - 3;
  std::uint64_t mantissa = product.high >> shift;
  int binary = floor_log2_of_power(power) + 63 + upper - zeros + 1023;
  if (binary <= 0) return std::nullopt;
  const bool may_be_tie = product.low <= 1 && power >= -4 && power <= 23 && (mantissa & 3) == 1;
  if (may_be_tie && mantissa << shift == product.high) mantissa &= ~std::uint64_t{1};
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= std::uint64_t{2} << 52) {
    mantissa = std::uint64_t{1} << 52;
    ++binary;
  }
  if (binary >= 0x7ff) return std::nullopt;
  return std::bit_cast<double>((mantissa & ~(std::uint64_t{1} << 52)) | static_cast<std::uint64_t>(binary)
                                                                            << 52);
}

}  // namespace wherry::protocol
