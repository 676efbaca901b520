// page.css, page.body.html and page.js as the build embeds them.
#pragma once

#include <string_view>

namespace wherry::serve {

extern const std::string_view kPageStyle;
extern const std::string_view kPageBody;  // from <body> on, without the scripts
extern const std::string_view kPageScript;

}  // namespace wherry::serve
