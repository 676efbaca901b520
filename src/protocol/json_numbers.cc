// The numbers of JsonCursor. Plain ones, as tables of features hold them, are read sixteen characters at
// once.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/text.h"
#include "protocol/decimal.h"
#include "protocol/json_cursor.h"

namespace wherry::protocol {
namespace {

static_assert(std::endian::native == std::endian::little);

// Powers of ten which are doubles exactly.
constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t kExactIntegers = std::uint64_t{1} << 53;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::uint64_t of_bytes(std::uint8_t byte) {
  return std::uint64_t{byte} * 0x0101010101010101U;
}

std::uint64_t load(const char* p) {
  std::uint64_t eight;
  std::memcpy(&eight, p, sizeof eight);
  return eight;
}

// The highest bit of each of eight characters which is no digit; which is none of `byte`.
std::uint64_t not_digits(std::uint64_t eight) {
  const std::uint64_t values = eight ^ of_bytes('0');
  return (((values & of_bytes(0x7f)) + of_bytes(0x7f - 9)) | values) & of_bytes(0x80);
}
std::uint64_t others_than(char byte, std::uint64_t eight) {
  const std::uint64_t values = eight ^ of_bytes(static_cast<std::uint8_t>(byte));
  return (((values & of_bytes(0x7f)) + of_bytes(0x7f)) | values) & of_bytes(0x80);
}

// These bits together, the first character's the lowest.
unsigned gathered(std::uint64_t highest_bits) {
  return static_cast<unsigned>((highest_bits >> 7) * 0x0102040810204080U >> 56);
}

// What eight digits say, each the value 0 to 9, the first one in the lowest byte.
std::uint64_t value_of_eight(std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  const std::uint64_t even = (digits & 0x000000ff000000ffU) * (100 + (std::uint64_t{1'000'000} << 32));
  const std::uint64_t odd = (digits >> 16 & 0x000000ff000000ffU) * (1 + (std::uint64_t{10'000} << 32));
  return (even + odd) >> 32;
}

// Bytes from `at` on move one place down, over the byte there. `at` is below 8.
std::uint64_t without_byte(std::uint64_t eight, std::uint64_t from_the_next, unsigned at) {
  const std::uint64_t before = (std::uint64_t{1} << (8 * at)) - 1;
  return (eight & before) | (from_the_next & ~before);
}

constexpr std::ptrdiff_t kWindow = 16;
constexpr std::ptrdiff_t kRoom = 2 * kWindow;  // behind what is loaded from any place within a window

constexpr unsigned kStop = 1U << kWindow;  // no search goes farther

// A number from its sign on: its characters, where the point stands among them (or their number), and 1 for
// each of what it has. Everything is computed, nothing branched on: what numbers look like cannot be
// predicted.
struct Plain {
  unsigned length;
  unsigned point;
  unsigned has_sign;
  unsigned has_point;
};

// False: not plain. From `p` on kRoom bytes are in the text.
bool find_plain(const char* p, Plain& out) {
  const std::uint64_t low = load(p), high = load(p + 8);
  const std::uint64_t low_others = not_digits(low), high_others = not_digits(high);
  const unsigned has_sign = *p == '-' ? 1 : 0;
  const unsigned others = (gathered(low_others) | (gathered(high_others) << 8) | kStop) & ~has_sign;
  const unsigned ends = (gathered(low_others & others_than('.', low)) |
                         (gathered(high_others & others_than('.', high)) << 8) | kStop) &
                        ~has_sign;
  const auto point = static_cast<unsigned>(std::countr_zero(others));
  const auto end = static_cast<unsigned>(std::countr_zero(ends));
  const unsigned points = others & ((1U << end) - 1);
  const unsigned whole = point - has_sign;
  const unsigned bad = (end - point == 1 ? 1U : 0U) | (end >= kWindow ? 1U : 0U) | (whole == 0 ? 1U : 0U) |
                       (points & (points - 1)) | ((whole > 1 ? 1U : 0U) & (p[has_sign] == '0' ? 1U : 0U));
  out = {end, point, has_sign, point != end ? 1U : 0U};
  return bad == 0;
}

// At most 15 digits: exact, and so is the power of ten, so that the one division rounds correctly.
double value_of_plain(const char* p, const Plain& plain) {
  const char* const start = p + plain.has_sign;
  const unsigned length = plain.length - plain.has_sign;
  const unsigned point = plain.point - plain.has_sign;
  const unsigned digits = length - plain.has_point;
  const std::uint64_t first = load(start);
  std::uint64_t mantissa;
  if (digits <= 8) {
    const std::uint64_t packed = point < 8 ? without_byte(first, load(start + 1), point) : first;
    mantissa = value_of_eight((packed ^ of_bytes('0')) << (64 - 8 * digits));
  } else {
    std::uint64_t low = first, high = load(start + 8);
    if (point < 8) {
      low = without_byte(low, load(start + 1), point);
      high = load(start + 9);
    } else if (plain.has_point != 0) {
      high = without_byte(high, load(start + 9), point - 8);
    }
    const unsigned spare = 64 - 8 * (digits - 8);  // 8 to 56 bits: the digits move up by them
    low ^= of_bytes('0');
    high ^= of_bytes('0');
    mantissa =
        value_of_eight(low << spare) * 100'000'000 + value_of_eight((high << spare) | (low >> (64 - spare)));
  }
  const double value = static_cast<double>(mantissa) / kExactPowers[length - point - plain.has_point];
  // -0 is the integer 0, -0.0 is not.
  const std::uint64_t sign = plain.has_sign & (plain.has_point | (mantissa != 0 ? 1U : 0U));
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) | sign << 63);
}

}  // namespace

std::size_t JsonCursor::plain_numbers(double* out, std::size_t stride, std::size_t most, bool& ended) {
  skip_space();
  const char* p = p_;
  std::size_t count = 0;
  ended = false;
  Plain plain;
  while (count < most && end_ - p >= kRoom && find_plain(p, plain)) {
    const char behind = p[plain.length];
    if (behind != ',' && behind != ']') break;
    out[stride * count++] = value_of_plain(p, plain);
    p += plain.length;
    if (behind == ']') {
      ended = true;
      break;
    }
    ++p;
    if (*p == ' ') ++p;
  }
  p_ = p;
  return count;
}

bool JsonCursor::number(JsonNumber& out) {
  if (peek() != Kind::kNumber) return fail_syntax("a number is expected");
  const char* p = p_;
  const bool negative = *p == '-';
  p += negative;
  const char* const digits = p;
  std::uint64_t mantissa = 0;
  const auto take_digits = [&] {
    while (end_ - p >= 8 && not_digits(load(p)) == 0) {
      mantissa = mantissa * 100'000'000 + value_of_eight(load(p) ^ of_bytes('0'));
      p += 8;
    }
    for (; p < end_ && is_digit(*p); ++p) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
  };
  take_digits();
  auto count = p - digits;
  if (count == 0) return special_number(negative, out);
  if (*digits == '0' && count > 1) return fail_syntax("a number must not start with 0");
  bool integer = true;
  std::int64_t exponent = 0;
  if (p < end_ && *p == '.') {
    integer = false;
    const char* const fraction = ++p;
    take_digits();
    exponent = fraction - p;
    if (exponent == 0) return fail_syntax("a digit is expected after the point of a number");
    if (count == 1 && *digits == '0') count = 0;
    count -= exponent;
  }
  if (p < end_ && (*p == 'e' || *p == 'E')) {
    integer = false;
    ++p;
    const bool minus = p < end_ && *p == '-';
    if (p < end_ && (*p == '-' || *p == '+')) ++p;
    const char* const power = p;
    std::int64_t written = 0;
    for (; p < end_ && is_digit(*p); ++p)
      written = std::min<std::int64_t>(written * 10 + (*p - '0'), 100'000);
    if (p == power) return fail_syntax("a digit is expected in the exponent of a number");
    exponent += minus ? -written : written;
  }
  out.is_integer = integer;
  out.is_negative = negative;
  out.fits = integer && count <= 19;
  out.magnitude = mantissa;
  if (count > 19) return huge_number(p, out);
  double value = 0;
  if (mantissa <= kExactIntegers && exponent >= -22 && exponent <= 22) {
    // Both operands are exact, so the one operation rounds correctly (Clinger's fast path).
    const double whole = static_cast<double>(mantissa);
    value = exponent < 0 ? whole / kExactPowers[-exponent] : whole * kExactPowers[exponent];
  } else if (const auto known = decimal_to_double(mantissa, exponent)) {
    value = *known;
  } else {
    return huge_number(p, out);
  }
  out.value = negative && !(integer && mantissa == 0) ? -value : value;  // -0 is the integer 0, -0.0 is not
  p_ = p;
  return true;
}

// More digits, or a larger or smaller power of ten than the fast ways take.
bool JsonCursor::huge_number(const char* end, JsonNumber& out) {
  const auto [stop, code] = std::from_chars(p_, end, out.value);
  const bool in_range = code == std::errc() && stop == end && std::isfinite(out.value);
  if (!in_range) {
    // A tiny number is zero; only huge ones are refused.
    const std::string text(p_, end);
    out.value = std::strtod(text.c_str(), nullptr);
    if (!std::isfinite(out.value))
      return fail({base::Code::kInvalidInput,
                   "protocol.number_range",
                   base::cat("the number ", base::quoted(text, 40), " is beyond the range of a double"),
                   "send a number below 1.8e308",
                   {}});
  }
  if (out.is_integer && !out.fits) {
    std::uint64_t magnitude = 0;
    const auto parsed = std::from_chars(p_ + out.is_negative, end, magnitude);
    out.fits = parsed.ec == std::errc();
    out.magnitude = magnitude;
  }
  p_ = end;
  return true;
}

bool JsonCursor::special_number(bool negative, JsonNumber& out) {
  const std::string_view rest(p_ + negative, static_cast<std::size_t>(end_ - p_) - negative);
  const bool nan = !negative && rest.starts_with("NaN");
  const bool infinite = rest.starts_with("Infinity");
  if (!nan && !infinite)
    return fail_syntax(negative ? "a digit is expected after '-'" : "a value is expected");
  if (!options_.nan_tokens)
    return fail_syntax("NaN and Infinity are not JSON; write null for a missing value");
  out = JsonNumber{.value = nan        ? std::numeric_limits<double>::quiet_NaN()
                            : negative ? -std::numeric_limits<double>::infinity()
                                       : std::numeric_limits<double>::infinity(),
                   .is_negative = negative};
  p_ += negative + (nan ? 3 : 8);
  return true;
}

}  // namespace wherry::protocol
