#include "serve/routes.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::serve {

namespace {

struct ParameterName {
  std::string_view text;
  Parameter parameter;
};
constexpr ParameterName kParameterNames[] = {
    {"{model}", Parameter::kModel}, {"{version}", Parameter::kVersion}, {"{label}", Parameter::kLabel}};

// "a/b/c" → "a", leaving "b/c".
std::string_view take_segment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
  return segment;
}

bool serves(const RouteRow& row, std::string_view method) {
  return method == row.method || (method == "HEAD" && row.method == "GET");
}

std::string_view without_slashes(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

std::string_view Routes::keep(std::string_view text) {
  return texts_.emplace_back(text);
}

std::size_t Routes::child_of(std::size_t node, std::string_view segment) {
  const std::size_t made = nodes_.size();
  for (const ParameterName& name : kParameterNames) {
    if (!segment.starts_with(name.text)) continue;
    const std::string_view end = segment.substr(name.text.size());
    auto& captured = nodes_[node].captured;
    for (const Node::Captured& child : captured)
      if (child.parameter == name.parameter && child.end == end) return child.child;
    captured.push_back({name.parameter, end, made});
    std::ranges::stable_sort(captured, std::ranges::greater{}, [](const auto& c) { return c.end.size(); });
    nodes_.emplace_back();
    return made;
  }
  for (const Node::Literal& child : nodes_[node].literals)
    if (child.segment == segment) return child.child;
  nodes_[node].literals.push_back({segment, made});
  nodes_.emplace_back();
  return made;
}

void Routes::add(std::span<const RouteRow> rows) {
  for (RouteRow row : rows) {
    row.pattern = keep(row.pattern);
    row.name = keep(row.name);
    std::size_t node = 0;
    for (std::string_view rest = without_slashes(row.pattern); !rest.empty();)
      node = child_of(node, take_segment(rest));
    Node& end = nodes_[node];
    if (std::ranges::any_of(end.rows, [&](std::size_t i) { return rows_[i].method == row.method; })) continue;
    end.rows.push_back(rows_.size());
    end.allowed += base::cat(end.allowed.empty() ? "" : ", ", row.method == "GET" ? "GET, HEAD" : row.method);
    rows_.push_back(row);
  }
}

const Routes::Node* Routes::descend(const Node& node, std::string_view rest, Match& match) const {
  if (rest.empty()) return node.rows.empty() ? nullptr : &node;
  const std::string_view segment = take_segment(rest);
  if (segment.empty()) return nullptr;
  for (const Node::Literal& child : node.literals)
    if (child.segment == segment)
      if (const Node* found = descend(nodes_[child.child], rest, match)) return found;
  for (const Node::Captured& child : node.captured) {
    if (segment.size() <= child.end.size() || !segment.ends_with(child.end)) continue;
    std::string_view& captured = match.parameters[static_cast<std::size_t>(child.parameter)];
    const std::string_view before = captured;
    captured = segment.substr(0, segment.size() - child.end.size());
    if (const Node* found = descend(nodes_[child.child], rest, match)) return found;
    captured = before;
  }
  return nullptr;
}

Match Routes::find(std::string_view path, std::string_view method) const {
  Match match;
  if (!path.starts_with('/')) return match;
  path = without_slashes(path);
  const Node* node = path.ends_with('/') ? nullptr : descend(nodes_.front(), path, match);
  if (node == nullptr) return match;
  match.allowed = node->allowed;
  for (const std::size_t row : node->rows)
    if (serves(rows_[row], method)) match.row = row;
  return match;
}

}  // namespace wherry::serve
