#include "import/torch/pt2_names.h"

#include "base/text.h"
#include "text/json.h"

namespace wherry::torch {
namespace {

using base::cat;

constexpr std::size_t kMostLeaves = 10'000;

// The names of a node's children: those which its context lists, else numbers.
std::vector<std::string> child_names(const text::Json& node, std::size_t count) {
  std::vector<std::string> out;
  const std::string* const context = text::find_string(node, "context");
  const std::string* const type = text::find_string(node, "type");
  if (context != nullptr && type != nullptr && *type != "builtins.tuple" && *type != "builtins.list") {
    const auto parsed = text::parse_json(*context, "context", {.bytes = 1 << 20, .depth = 8});
    // dict: ["a", "b"]; OrderedDict the same; dataclasses [["a", "b"], …] or {"…": ["a", "b"]}
    const text::Json* keys = parsed ? &*parsed : nullptr;
    if (keys != nullptr && keys->is_array() && !keys->empty() && keys->front().is_array())
      keys = &keys->front();
    if (keys != nullptr && keys->is_array() && keys->size() == count)
      for (const text::Json& key : *keys) {
        if (key.is_string())
          out.push_back(key.get<std::string>());
        else if (key.is_number_integer())
          out.push_back(cat(key.get<std::int64_t>()));
      }
  }
  if (out.size() == count) return out;
  out.clear();
  for (std::size_t i = 0; i < count; ++i) out.push_back(cat(i));
  return out;
}

void collect(const text::Json& node, const std::string& prefix, std::vector<std::string>& out) {
  const text::Json* const children = text::find_array(node, "children_spec");
  const text::Json* const type = text::find(node, "type");
  if (out.size() > kMostLeaves) return;
  if (children == nullptr || type == nullptr || type->is_null()) {
    out.push_back(prefix.empty() ? "output" : prefix);
    return;
  }
  const bool sequence =
      text::find_string(node, "type") != nullptr && (*text::find_string(node, "type") == "builtins.tuple" ||
                                                     *text::find_string(node, "type") == "builtins.list");
  const std::vector<std::string> names = child_names(node, children->size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (prefix.empty() && sequence && names.size() == 1)
      collect((*children)[i], "", out);  // (tensor,)
    else if (prefix.empty())
      collect((*children)[i], sequence ? cat("output_", names[i]) : names[i], out);
    else
      collect((*children)[i], cat(prefix, "_", names[i]), out);
  }
}

}  // namespace

std::vector<std::string> output_names(std::string_view spec) {
  std::vector<std::string> out;
  const auto json = text::parse_json(spec, "out_spec", {.bytes = 16 << 20, .depth = 100});
  if (json && json->is_array() && json->size() == 2) collect((*json)[1], "", out);
  return out;
}

}  // namespace wherry::torch
