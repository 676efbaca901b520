// Which commit of each GitHub action generated workflows use. A tag can be moved to other code, a commit
// cannot (CVE-2025-30066). Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/spec.h"

namespace wherry::pipeline {

// The built-in table with `overrides` ("ACTION@SHA#VERSION", only actions of the table) put in.
// Error: "pipeline.invalid_pin".
base::Result<std::vector<Pin>> pins_with(std::span<const std::string> overrides);

// "ACTION@SHA" for `uses:`. `action` must be one of the table.
std::string pinned(const std::vector<Pin>& pins, std::string_view action);

// Puts "# VERSION" behind every line of `yaml` which uses a pinned action.
std::string annotate(std::string_view yaml, const std::vector<Pin>& pins);

}  // namespace wherry::pipeline
