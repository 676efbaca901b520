#include "cli/cmd_version.h"

#include <memory>

#include "base/text.h"
#include "cli/version.h"
#include "text/json.h"

namespace wherry::cli {

Action define_version(Options& options) {
  auto form = std::make_shared<std::string>("text");
  options.choice("--output,-o", *form, {"text", "json"}, "form of the answer");
  return [form](Context& context) -> base::Result<int> {
    if (*form == "json")
      context.terminal.data(text::write_json({{"version", kVersion}}) + "\n");
    else
      context.terminal.data(base::cat("wherry ", kVersion, "\n"));
    return 0;
  };
}

}  // namespace wherry::cli
