#include "pipeline/pins.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using base::Code;
using base::fail;

struct PinRow {
  std::string_view action, commit, version;
};

// Each commit was compared in several independent public repositories which pin it with the same version.
constexpr std::array<PinRow, 6> kPins{{
    {"actions/checkout", "de0fac2e4500dabe0009e67214ff5f5447ce83dd", "v6.0.2"},
    {"actions/cache", "cdf6c1fa76f9f475f3d7449005a359c84ca0f306", "v5.0.3"},
    {"aws-actions/configure-aws-credentials", "8df5847569e6427dd6c4fb1cf565c83acfa8afa7", "v6.0.0"},
    {"google-github-actions/auth", "7c6bc770dae815cd3e89ee6cdf493a5fab2cc093", "v3.0.0"},
    {"google-github-actions/get-gke-credentials", "3da1e46a907576cefaa90c484278bb5b259dd395", "v3.0.0"},
    {"azure/login", "532459ea530d8321f2fb9bb10d1e0bcf23869a43", "v3.0.0"},
}};

bool is_commit(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_version(std::string_view text) {
  return text.size() >= 2 && text.size() <= 30 && text[0] == 'v' &&
         text.find_first_not_of("0123456789.", 1) == text.npos;
}

base::Result<Pin> parse_pin(std::string_view text) {
  const std::size_t at = text.find('@');
  const std::size_t hash = text.find('#', at == text.npos ? 0 : at);
  if (at != text.npos && hash != text.npos) {
    Pin pin{std::string(text.substr(0, at)), std::string(text.substr(at + 1, hash - at - 1)),
            std::string(text.substr(hash + 1))};
    if (is_commit(pin.commit) && is_version(pin.version)) return pin;
  }
  return fail(Code::kUsage, "pipeline.invalid_pin", cat(base::quoted(text), " is not ACTION@SHA#VERSION"),
              cat("for example ", kPins[0].action, "@", kPins[0].commit, "#", kPins[0].version));
}

}  // namespace

base::Result<std::vector<Pin>> pins_with(std::span<const std::string> overrides) {
  std::vector<Pin> pins;
  std::vector<std::string_view> known;
  for (const PinRow& row : kPins) {
    pins.push_back({std::string(row.action), std::string(row.commit), std::string(row.version)});
    known.push_back(row.action);
  }
  for (const std::string& text : overrides) {
    TRY_ASSIGN(Pin pin, parse_pin(text));
    const auto found = std::ranges::find(pins, pin.action, &Pin::action);
    if (found == pins.end()) {
      const auto close = base::nearest(pin.action, known);
      return fail(
          Code::kUsage, "pipeline.invalid_pin",
          cat("generated workflows do not use the action ", base::quoted(pin.action)),
          close ? cat("did you mean ", *close, "?") : "see 'wherry ci init github --print' for those used");
    }
    *found = std::move(pin);
  }
  return pins;
}

std::string pinned(const std::vector<Pin>& pins, std::string_view action) {
  const auto found = std::ranges::find(pins, action, &Pin::action);
  return found == pins.end() ? std::string(action) : cat(found->action, "@", found->commit);
}

std::string annotate(std::string_view yaml, const std::vector<Pin>& pins) {
  std::string out;
  if (yaml.ends_with('\n')) yaml.remove_suffix(1);
  for (const std::string_view line : base::split(yaml, '\n')) {
    out += line;
    for (const Pin& pin : pins)
      if (line.ends_with(cat("uses: ", pin.action, "@", pin.commit))) out += cat(" # ", pin.version);
    out += '\n';
  }
  return out;
}

}  // namespace wherry::pipeline
