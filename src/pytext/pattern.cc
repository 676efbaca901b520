#include "pytext/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"

namespace wherry::pytext {
namespace {

using base::cat;

// Steps of one match, about a tenth of a second; of memory for its backtracking, in KiB.
constexpr std::uint32_t kMostSteps = 5'000'000;
constexpr std::uint32_t kMostHeap = 65'536;

struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};

std::string message_of(int error) {
  PCRE2_UCHAR text[256];
  const int length = pcre2_get_error_message(error, text, sizeof text);
  return length < 0 ? cat("error ", error)
                    : std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
}

std::unexpected<base::Error> bad_pattern(std::string_view python, std::string_view what) {
  return base::fail(base::Code::kUnsupported, "pytext.unsupported_pattern",
                    cat("the pattern ", base::quoted(python, 200), ": ", what),
                    "write a simpler pattern, as the default (?u)\\b\\w\\w+\\b is");
}

}  // namespace

struct Matcher::Memory {
  std::unique_ptr<pcre2_match_data, FreeContext> data{pcre2_match_data_create(2, nullptr)};
  std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};
};

Matcher::Matcher() = default;
Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

struct Pattern::Code {
  std::unique_ptr<pcre2_code, FreeContext> code;
  std::uint32_t group = 0;  // what a match stands for
};

base::Result<Pattern> Pattern::compile(std::string_view python) {
  if (python.size() > kLongest) return bad_pattern(python, cat("longer than ", kLongest, " characters"));
  TRY_ASSIGN(const std::string pattern, translate(python));
  const std::unique_ptr<pcre2_compile_context, FreeContext> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE place = 0;
  auto code = std::make_shared<Code>();
  code->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &place, context.get()));
  if (!code->code) return bad_pattern(python, message_of(error));
  pcre2_pattern_info(code->code.get(), PCRE2_INFO_CAPTURECOUNT, &code->group);
  if (code->group > 1) return bad_pattern(python, "more than one capturing group");
  Pattern out;
  out.code_ = std::move(code);
  return out;
}

// Python's state.must_advance: after an empty match the next one must not be empty at the same place.
base::Status Pattern::find_all(std::string_view text, Matcher& matcher,
                               std::vector<std::string_view>& found) const {
  if (!matcher.memory_) {
    matcher.memory_ = std::make_unique<Matcher::Memory>();
    pcre2_set_match_limit(matcher.memory_->context.get(), kMostSteps);
    pcre2_set_heap_limit(matcher.memory_->context.get(), kMostHeap);
  }
  pcre2_match_data* const data = matcher.memory_->data.get();
  const auto* const subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::uint32_t options = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const int result = pcre2_match(code_->code.get(), subject, text.size(), at, options, data,
                                   matcher.memory_->context.get());
    if (result == PCRE2_ERROR_NOMATCH) return {};
    if (result <= PCRE2_ERROR_UTF8_ERR1 && result >= PCRE2_ERROR_UTF8_ERR21)
      return base::fail(base::Code::kInvalidInput, "pytext.bad_text", "a text is not valid UTF-8",
                        "send UTF-8");
    if (result < 0)
      return base::fail(
          base::Code::kLimit, "pytext.pattern_limit",
          cat("the model's token_pattern needs too many steps on this text (", message_of(result), ")"),
          "send a shorter text, or train with a pattern that has no repetitions within repetitions");
    const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(data);
    const PCRE2_SIZE first = ends[2 * code_->group];
    const PCRE2_SIZE last = ends[2 * code_->group + 1];
    const bool took_part =
        first != PCRE2_UNSET && (result == 0 || static_cast<std::uint32_t>(result) > code_->group);
    found.push_back(took_part ? text.substr(first, last - first) : std::string_view());
    options = PCRE2_NO_UTF_CHECK | (ends[1] == ends[0] ? PCRE2_NOTEMPTY_ATSTART : 0);
    at = ends[1];
  }
  return {};
}

}  // namespace wherry::pytext
