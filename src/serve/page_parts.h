// page.css, page.body.html, page.js, docs.body.html and docs.js as the build embeds them.
#pragma once

#include <string_view>

namespace wherry::serve {

extern const std::string_view kPageStyle;  // of both pages
extern const std::string_view kPageBody;   // from <body> on, without the scripts
extern const std::string_view kPageScript;
extern const std::string_view kDocsBody;
extern const std::string_view kDocsScript;

}  // namespace wherry::serve
