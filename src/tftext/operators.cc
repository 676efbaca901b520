#include "tftext/operators.h"

#include <charconv>
#include <cmath>

#include "tftext/farm_hash.h"
#include "tftext/replace.h"
#include "tftext/sip_hash.h"

#include "base/text.h"

namespace wherry::tftext {
namespace {

using Made = base::Result<std::unique_ptr<const TextOperator>>;

std::unexpected<base::Error> misuse() {
  return base::fail(base::Code::kInternal, "tftext.bad_text",
                    "an operator is asked for another kind of result");
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Maps text to text by a function that cannot fail.
template <class Map>
class Mapped : public TextOperator {
 public:
  explicit Mapped(Map map) : map_(map) {}
  base::Status to_texts(std::span<const std::string_view> texts, std::span<std::string> out) const override {
    for (std::size_t i = 0; i < texts.size(); ++i) map_(texts[i], out[i]);
    return {};
  }

 private:
  Map map_;
};
template <class Map>
Made mapped(Map map) {
  return std::make_unique<const Mapped<Map>>(map);
}

Made lower(const Attributes&) {
  return mapped([](std::string_view text, std::string& out) {
    out = text;
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  });
}
Made upper(const Attributes&) {
  return mapped([](std::string_view text, std::string& out) {
    out = text;
    for (char& c : out)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  });
}
Made strip(const Attributes&) {
  return mapped([](std::string_view text, std::string& out) { out = stripped(text); });
}

class Replace : public TextOperator {
 public:
  explicit Replace(Replacement replacement) : replacement_(std::move(replacement)) {}
  base::Status to_texts(std::span<const std::string_view> texts, std::span<std::string> out) const override {
    for (std::size_t i = 0; i < texts.size(); ++i) TRY(replacement_.apply(texts[i], out[i]));
    return {};
  }

 private:
  Replacement replacement_;
};
Made replace(const Attributes& attributes) {
  TRY_ASSIGN(auto replacement, Replacement::compile(attributes.text("pattern"), attributes.text("rewrite"),
                                                    attributes.number("all") != 0));
  return std::make_unique<const Replace>(std::move(replacement));
}

template <class Function>
class Hash : public TextOperator {
 public:
  explicit Hash(Function function) : function_(function) {}
  base::Status to_int64s(std::span<const std::string_view> texts,
                         std::span<std::int64_t> out) const override {
    for (std::size_t i = 0; i < texts.size(); ++i) out[i] = static_cast<std::int64_t>(function_(texts[i]));
    return {};
  }

 private:
  Function function_;
};
// What `function` gives, modulo the attribute "buckets".
template <class Function>
Made into_buckets(const Attributes& attributes, Function function) {
  const std::int64_t buckets = attributes.number("buckets");
  if (buckets < 1)
    return base::fail(base::Code::kInvalidInput, "tftext.bad_number",
                      base::cat("texts are to be hashed into ", buckets, " buckets"), "");
  const auto into = [function, count = static_cast<std::uint64_t>(buckets)](std::string_view text) {
    return function(text) % count;
  };
  return std::make_unique<const Hash<decltype(into)>>(into);
}
Made hash(const Attributes& attributes) {
  return into_buckets(attributes, fingerprint64);
}
Made hash_strongly(const Attributes& attributes) {
  const auto key = [&](const char* name) { return static_cast<std::uint64_t>(attributes.number(name)); };
  return into_buckets(attributes, [first = key("key_0"), second = key("key_1")](std::string_view text) {
    return sip_hash(first, second, text);
  });
}
Made fingerprint(const Attributes&) {
  return std::make_unique<const Hash<decltype(&fingerprint64)>>(fingerprint64);
}

std::unexpected<base::Error> no_number(std::string_view text) {
  return base::fail(base::Code::kInvalidInput, "tftext.bad_number",
                    base::cat("the text ", base::quoted(text, 100), " is no number"),
                    "send a number as text");
}

template <class T>
base::Status read_numbers(std::span<const std::string_view> texts, std::span<T> out) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string_view text = stripped(texts[i]);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out[i]);
    if (problem != std::errc() || end != text.data() + text.size()) return no_number(texts[i]);
  }
  return {};
}
class ToInt64 : public TextOperator {
 public:
  base::Status to_int64s(std::span<const std::string_view> texts,
                         std::span<std::int64_t> out) const override {
    return read_numbers(texts, out);
  }
};
class ToFloat32 : public TextOperator {
 public:
  base::Status to_floats(std::span<const std::string_view> texts, std::span<float> out) const override {
    return read_numbers(texts, out);
  }
};
Made to_int64(const Attributes&) {
  return std::make_unique<const ToInt64>();
}
Made to_float32(const Attributes&) {
  return std::make_unique<const ToFloat32>();
}

constexpr OperatorRow kRows[] = {
    {"TextLower", Kind::kText, lower},
    {"TextUpper", Kind::kText, upper},
    {"TextStrip", Kind::kText, strip},
    {"TextReplace", Kind::kText, replace},
    {"TextHash64", Kind::kInt64, hash},
    {"TextFingerprint64", Kind::kInt64, fingerprint},
    {"TextHashStrong", Kind::kInt64, hash_strongly},
    {"TextToInt64", Kind::kInt64, to_int64},
    {"TextToFloat32", Kind::kFloat32, to_float32},
};

}  // namespace

base::Status TextOperator::to_texts(std::span<const std::string_view>, std::span<std::string>) const {
  return misuse();
}
base::Status TextOperator::to_int64s(std::span<const std::string_view>, std::span<std::int64_t>) const {
  return misuse();
}
base::Status TextOperator::to_floats(std::span<const std::string_view>, std::span<float>) const {
  return misuse();
}

std::span<const OperatorRow> operators() {
  return kRows;
}

}  // namespace wherry::tftext
