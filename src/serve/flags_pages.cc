#include "serve/flags.h"

namespace wherry::serve {

namespace {

std::string_view set_origins(Options& options, std::string_view value) {
  return parse_origins(value, options.cors)
             ? ""
             : "* or origins such as https://app.example.com, separated by commas";
}

}  // namespace

std::span<const Flag> page_flags() {
  static const std::vector<Flag> kFlags{
      {"--cors-origin",
       "ORIGIN,…",
       {"WHERRY_CORS_ORIGIN"},
       "pages of these origins may ask from a browser; * for all (none)",
       set_origins},
  };
  return kFlags;
}

}  // namespace wherry::serve
