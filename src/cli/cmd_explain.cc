#include "cli/cmd_explain.h"

#include <memory>

#include "base/text.h"
#include "cli/error_table.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;

struct ExplainOptions {
  std::string id;
  std::string output = "text";
};

base::Result<int> explain(const ExplainOptions& options, Context& context) {
  std::vector<base::ErrorId> found;
  const std::vector<base::ErrorId> rows = all_error_ids();
  for (const base::ErrorId& row : rows)
    if (options.id.empty() || row.id == options.id) found.push_back(row);
  if (found.empty()) {
    std::vector<std::string_view> ids;
    for (const base::ErrorId& row : rows) ids.push_back(row.id);
    const auto close = base::nearest(options.id, ids);
    return base::fail(base::Code::kUsage, "cli.unknown_error_id",
                      cat("no error id ", base::quoted(options.id)),
                      close ? cat("did you mean ", *close, "?") : "'wherry explain' lists all of them");
  }
  if (options.output == "json") {
    text::Json list = text::Json::array();
    for (const base::ErrorId& row : found) list.push_back({{"id", row.id}, {"explanation", row.explanation}});
    context.terminal.data(text::write_json(list, 2) + "\n");
    return 0;
  }
  for (const base::ErrorId& row : found) context.terminal.data(cat(row.id, "\n  ", row.explanation, "\n"));
  return 0;
}

}  // namespace

Action define_explain(Options& options) {
  auto given = std::make_shared<ExplainOptions>();
  options.positional("id", given->id, "the id printed in brackets behind an error; all when left out", false)
      .choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return explain(*given, context); };
}

}  // namespace wherry::cli
