// Small verbs on strings which the standard library lacks. Pure functions.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wherry::base {

namespace internal {
inline void append(std::string& out, std::string_view text) {
  out += text;
}
inline void append(std::string& out, char c) {
  out += c;
}
template <class T>
  requires std::is_arithmetic_v<T> && (!std::same_as<T, char>)
void append(std::string& out, T number) {
  if constexpr (std::same_as<T, bool>) {
    out += number ? "true" : "false";
  } else {
    char buffer[32];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
  }
}
}  // namespace internal

// cat("layer ", 3, " of ", n): the parts one after another; numbers in their shortest round-trip form.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (internal::append(out, parts), ...);
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator);  // "" gives one empty part
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);  // ASCII white space on both sides
std::string to_lower(std::string_view text);   // ASCII only

// The candidate with the least edit distance to `word`, if it is close enough to be a spelling mistake
// (at most a third of its length, and at most 3 edits).
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

// `text` in single quotes, control characters escaped, cut in the middle past `most` bytes: for untrusted
// text in messages.
std::string quoted(std::string_view text, std::size_t most = 80);

// "812 B", "7.4 kB", "3.1 MB" (decimal units).
std::string human_size(std::uint64_t bytes);

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(
    std::string_view text);  // standard or URL alphabet, padding optional

// Whole-string number; nullopt for anything else (sign, space, overflow, trailing text).
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

bool is_valid_utf8(std::string_view text);

// Appends `text` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

constexpr bool is_ascii_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace wherry::base
