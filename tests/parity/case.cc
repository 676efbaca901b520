#include "case.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <rapidjson/document.h>
#include <sstream>

namespace wherry::parity {
namespace {

using Json = rapidjson::Value;

rapidjson::Document parse(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNanAndInfFlag | rapidjson::kParseFullPrecisionFlag>(text.str().c_str());
  if (document.HasParseError()) {
    std::cerr << path << ": not JSON\n";
    std::abort();
  }
  return document;
}

Value value_of(const Json& json) {
  if (json.IsNull()) return {};
  if (json.IsBool()) return json.GetBool();
  if (json.IsNumber()) return json.GetDouble();
  if (json.IsString()) return std::string(json.GetString(), json.GetStringLength());
  return std::string("(a list or an object)");
}

void flatten(const Json& json, std::size_t depth, Expected& out) {
  if (!json.IsArray()) {
    out.leaves.push_back(value_of(json));
    return;
  }
  if (out.shape.size() <= depth) out.shape.push_back(json.Size());
  for (const Json& item : json.GetArray()) flatten(item, depth + 1, out);
}

Rows rows_of(const Json& json) {
  Rows out;
  if (const Json& columns = json["columns"]; columns.IsArray()) {
    out.columns.emplace();
    for (const Json& name : columns.GetArray())
      out.columns->emplace_back(name.GetString(), name.GetStringLength());
  }
  for (const Json& row : json["rows"].GetArray()) {
    std::vector<Value> cells;
    for (const Json& cell : row.GetArray()) cells.push_back(value_of(cell));
    out.rows.push_back(std::move(cells));
  }
  return out;
}

bool is_list_of_matrices(const Json& json) {
  return json.IsArray() && !json.Empty() && json[0].IsArray() && !json[0].Empty() && json[0][0].IsArray();
}

}  // namespace

Case read_case(const std::filesystem::path& folder) {
  Case out;
  for (const char* name : {"model.joblib", "model.pkl"})
    if (std::filesystem::exists(folder / name)) out.model = folder / name;
  const rapidjson::Document expected = parse(folder / "expected.json");
  out.rows = rows_of(expected);
  for (const auto& output : expected["outputs"].GetObject()) {
    std::vector<Expected>& parts = out.outputs[output.name.GetString()];
    if (is_list_of_matrices(output.value)) {
      for (const Json& part : output.value.GetArray()) flatten(part, 0, parts.emplace_back());
    } else {
      flatten(output.value, 0, parts.emplace_back());
    }
  }
  if (expected.HasMember("feature_names_out"))
    for (const Json& name : expected["feature_names_out"].GetArray())
      out.feature_names_out.emplace_back(name.GetString());
  if (std::filesystem::exists(folder / "expected_errors.json")) {
    const rapidjson::Document errors = parse(folder / "expected_errors.json");
    for (const Json& error : errors.GetArray())
      out.refusals.push_back({error["method"].GetString(), rows_of(error), error["error"].GetString()});
  }
  return out;
}

}  // namespace wherry::parity
