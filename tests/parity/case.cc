#include "case.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "text/json.h"

namespace wherry::parity {
namespace {

using text::Json;

// Python's NaN, Infinity and -Infinity as strings which no fixture has.
constexpr std::string_view kMark = "\x7f";

std::string with_marked_tokens(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    out += c;
    if (in_string && c == '\\') out += json[++i];
    if (c == '"') in_string = !in_string;
    if (in_string || (c != 'N' && c != 'I')) continue;
    const bool negative = c == 'I' && out.size() > 1 && out[out.size() - 2] == '-';
    out.resize(out.size() - (negative ? 2 : 1));
    const std::string_view token = c == 'N' ? "NaN" : "Infinity";
    out += '"';
    out += kMark;
    out += negative ? "-" : "";
    out += token;
    out += '"';
    i += token.size() - 1;
  }
  return out;
}

Json parse(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  auto document = text::parse_json(with_marked_tokens(content.str()), path.string());
  if (!document) {
    std::cerr << document.error().message << "\n";
    std::abort();
  }
  return *std::move(document);
}

// A record: its JSON with Python's tokens.
std::string json_text(const Json& json) {
  std::string out = text::write_json(json);
  for (const std::string_view token : {"NaN", "Infinity", "-Infinity"}) {
    const std::string marked = "\"" + std::string(kMark) + std::string(token) + "\"";
    for (std::size_t at = out.find(marked); at != std::string::npos; at = out.find(marked, at))
      out.replace(at, marked.size(), token);
  }
  return out;
}

Value value_of(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return json.get<double>();
  if (!json.is_string()) return json_text(json);
  const auto& value = json.get_ref<const std::string&>();
  for (const std::string_view token : {"NaN", "Infinity", "-Infinity"})
    if (value.starts_with(kMark) && std::string_view(value).substr(kMark.size()) == token)
      return std::strtod(token.data(), nullptr);
  return value;
}

void flatten(const Json& json, std::size_t depth, Expected& out) {
  if (!json.is_array()) {
    out.leaves.push_back(value_of(json));
    return;
  }
  if (out.shape.size() <= depth) out.shape.push_back(json.size());
  for (const Json& item : json) flatten(item, depth + 1, out);
}

Rows rows_of(const Json& json) {
  Rows out;
  if (const Json& columns = json.at("columns"); columns.is_array())
    out.columns = columns.get<std::vector<std::string>>();
  for (const Json& row : json.at("rows")) {
    std::vector<Value> cells;
    if (json.value("records", false))
      cells.push_back(json_text(row));
    else if (row.is_array())
      for (const Json& cell : row) cells.push_back(value_of(cell));
    else
      cells.push_back(value_of(row));
    out.rows.push_back(std::move(cells));
  }
  return out;
}

bool is_list_of_matrices(const Json& json) {
  return json.is_array() && !json.empty() && json[0].is_array() && !json[0].empty() && json[0][0].is_array();
}

}  // namespace

Case read_case(const std::filesystem::path& folder) {
  Case out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().stem() == "model") out.model = entry.path();
  const Json expected = parse(folder / "expected.json");
  out.rows = rows_of(expected);
  out.tolerance = expected.value("tolerance", out.tolerance);
  out.because = expected.value("because", out.because);
  for (const auto& [name, answer] : expected.at("outputs").items()) {
    std::vector<Expected>& parts = out.outputs[name];
    if (is_list_of_matrices(answer)) {
      for (const Json& part : answer) flatten(part, 0, parts.emplace_back());
    } else {
      flatten(answer, 0, parts.emplace_back());
    }
  }
  if (expected.contains("feature_names_out"))
    out.feature_names_out = expected.at("feature_names_out").get<std::vector<std::string>>();
  if (std::filesystem::exists(folder / "expected_errors.json"))
    for (const Json& error : parse(folder / "expected_errors.json"))
      out.refusals.push_back({error.at("method"), rows_of(error), error.at("error")});
  return out;
}

}  // namespace wherry::parity
