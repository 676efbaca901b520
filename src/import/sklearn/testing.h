// Helpers of the tests of module sklearn: pickles of protocol 2 by hand.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/pickle/document.h"
#include "import/sklearn/sklearn.h"

namespace wherry::sklearn::testing {

using State = std::vector<std::pair<std::string, std::string>>;

inline std::string text(std::string_view value) {
  std::string out = "X";
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value.size() >> shift & 0xFF);
  return out + std::string(value);
}
inline std::string integer(int value) {
  return "I" + std::to_string(value) + "\n";
}
inline std::string number(double value) {
  return "F" + std::to_string(value) + "\n";
}
inline std::string list(const std::vector<std::string>& items) {
  std::string out = "](";
  for (const std::string& item : items) out += item;
  return out + "e";
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}
inline std::string dict(const State& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}
inline std::string instance(std::string_view module, std::string_view name, std::string_view state = "}") {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n)\x81" + std::string(state) + "b";
}
inline std::string estimator(std::string_view module, std::string_view name, State state = {}) {
  state.emplace_back("_sklearn_version", text("1.9.1"));
  return instance(module, name, dict(state));
}
// A numpy array of int64 in one dimension.
inline std::string integers(const std::vector<std::int64_t>& values) {
  std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int64_t));
  std::string out = "cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K";
  out += '\0';
  out += "tC\x01";
  out += "btR(K\x01(" + integer(static_cast<int>(values.size())) + "tcnumpy\ndtype\n(" + text("i8") +
         "\x89\x88tR(K\x03" + text("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK";
  out += '\0';
  out +=
      "tb\x89"
      "B";
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(bytes.size() >> shift & 0xFF);
  return out + bytes + "tb";
}
inline pickle::Document document(const std::string& body) {
  auto result = pickle::read_string("\x80\x03" + body + ".");
  EXPECT_TRUE(result) << base::describe(result.error());
  return *std::move(result);
}
inline base::Error refusal(const std::string& body) {
  const auto result = lower(document(body));
  EXPECT_FALSE(result);
  return result ? base::Error{} : result.error();
}

}  // namespace wherry::sklearn::testing
