#include "tftext/replace.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"

namespace wherry::tftext {
namespace {

// Steps of one match, about a tenth of a second; of memory for its backtracking, in KiB. RE2 needs neither.
constexpr std::uint32_t kMostSteps = 5'000'000;
constexpr std::uint32_t kMostHeap = 65'536;

struct Free {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};

std::unexpected<base::Error> unsupported(std::string_view pattern, std::string_view what) {
  return base::fail(base::Code::kUnsupported, "tftext.unsupported_pattern",
                    base::cat("the pattern ", base::quoted(pattern, 200), ": ", what), "");
}

// Bytes of the character at `place` of valid UTF-8.
std::size_t character(std::string_view text, std::size_t place) {
  std::size_t end = place + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - place;
}

}  // namespace

struct Replacement::State {
  std::unique_ptr<pcre2_code, Free> code;
  std::unique_ptr<pcre2_match_context, Free> context;
  std::string rewrite;
  std::uint32_t groups = 0;
  bool all = false;

  void append(std::string_view text, const PCRE2_SIZE* places, std::string& out) const {
    for (std::size_t i = 0; i < rewrite.size(); ++i) {
      if (rewrite[i] != '\\') {
        out += rewrite[i];
        continue;
      }
      const char next = rewrite[++i];  // checked by compile()
      if (next == '\\') {
        out += next;
        continue;
      }
      const auto group = static_cast<std::size_t>(next - '0');
      if (places[2 * group] != PCRE2_UNSET)
        out += text.substr(places[2 * group], places[2 * group + 1] - places[2 * group]);
    }
  }
};

base::Result<Replacement> Replacement::compile(std::string_view pattern, std::string_view rewrite, bool all) {
  TRY_ASSIGN(const std::string translated, translate(pattern));
  auto state = std::make_shared<State>();
  const std::unique_ptr<pcre2_compile_context, Free> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE place = 0;
  state->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                  PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &error, &place,
                                  context.get()));
  if (!state->code) return unsupported(pattern, base::cat("it is not valid at character ", place));
  pcre2_pattern_info(state->code.get(), PCRE2_INFO_CAPTURECOUNT, &state->groups);
  if (rewrite.size() > kLongest) return unsupported(pattern, "what it is replaced by is too long");
  for (std::size_t i = 0; i < rewrite.size(); ++i) {
    if (rewrite[i] != '\\') continue;
    const char next = ++i < rewrite.size() ? rewrite[i] : ' ';
    const bool is_group =
        next >= '0' && next <= '9' && static_cast<std::uint32_t>(next - '0') <= state->groups;
    if (next != '\\' && !is_group)
      return unsupported(pattern,
                         base::cat("it is replaced by ", base::quoted(rewrite, 200), ", which is not valid"));
  }
  state->rewrite = rewrite;
  state->all = all;
  state->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(state->context.get(), kMostSteps);
  pcre2_set_heap_limit(state->context.get(), kMostHeap);
  Replacement made;
  made.state_ = std::move(state);
  return made;
}

// re2.cc's GlobalReplace: after a match an empty one at its end does not count.
base::Status Replacement::apply(std::string_view text, std::string& out) const {
  if (!base::is_valid_utf8(text))
    return base::fail(base::Code::kInvalidInput, "tftext.bad_text",
                      base::cat("the text ", base::quoted(text, 100), " is not valid UTF-8"), "send UTF-8");
  const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(state_->groups + 1, nullptr));
  std::size_t at = 0;
  std::size_t last = std::string_view::npos;
  while (at <= text.size()) {
    const int matched = pcre2_match(state_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                    text.size(), at, PCRE2_NO_UTF_CHECK, data.get(), state_->context.get());
    if (matched == PCRE2_ERROR_NOMATCH) break;
    if (matched < 0)
      return base::fail(base::Code::kLimit, "tftext.pattern_limit",
                        base::cat("replacing in the text ", base::quoted(text, 100), " takes too many steps"),
                        "send a shorter text");
    const PCRE2_SIZE* const places = pcre2_get_ovector_pointer(data.get());
    const std::size_t begin = places[0];
    const std::size_t end = places[1];
    out += text.substr(at, begin - at);
    at = begin;
    if (begin == last && end == begin) {
      if (at >= text.size()) return {};
      const std::size_t length = character(text, at);
      out += text.substr(at, length);
      at += length;
      continue;
    }
    state_->append(text, places, out);
    at = last = end;
    if (!state_->all) break;
  }
  if (at < text.size()) out += text.substr(at);
  return {};
}

}  // namespace wherry::tftext
