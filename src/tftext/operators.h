// Operators on texts which ONNX does not have, by name and attributes: those of domain ai.wherry in a tensor
// graph. Each maps every element of a tensor of texts on its own.
//
// Thread-safety: operators are immutable; any number of threads use one at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wherry::tftext {

enum class Kind : std::uint8_t { kText, kInt64, kFloat32 };  // of the results

class TextOperator {
 public:
  virtual ~TextOperator() = default;
  // One of the two, by Kind; `out` has as many elements as `texts`, and its texts are empty. Errors are those
  // of a text.
  virtual base::Status to_texts(std::span<const std::string_view> texts, std::span<std::string> out) const;
  virtual base::Status to_int64s(std::span<const std::string_view> texts, std::span<std::int64_t> out) const;
  virtual base::Status to_floats(std::span<const std::string_view> texts, std::span<float> out) const;
};

// An attribute's text, empty where there is none; its number, 0 where there is none.
struct Attributes {
  std::function<std::string(const char* name)> text;
  std::function<std::int64_t(const char* name)> number;
};

// One row per operator:
//   TextLower, TextUpper   ASCII letters (StringLower with encoding "")
//   TextStrip              without white space (C's isspace) at both ends (StringStrip)
//   TextReplace            pattern, rewrite, all: RegexReplace
//   TextHash64             buckets: Fingerprint64 modulo buckets (StringToHashBucketFast)
//   TextFingerprint64      Fingerprint64, its bits as int64
//   TextHashStrong         buckets, key_0, key_1: SipHash modulo buckets (StringToHashBucketStrong)
//   TextToInt64, TextToFloat32   decimal numbers (StringToNumber)
struct OperatorRow {
  const char* name;
  Kind kind;
  base::Result<std::unique_ptr<const TextOperator>> (*make)(const Attributes& attributes);
};
std::span<const OperatorRow> operators();

}  // namespace wherry::tftext
