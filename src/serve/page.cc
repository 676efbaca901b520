#include "serve/page.h"

#include <cmath>

#include "base/digest.h"
#include "base/text.h"
#include "protocol/metadata.h"
#include "protocol/model_tensors.h"
#include "serve/page_parts.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;
using protocol::ApiModel;
using text::Json;

namespace {

// Wider models get one text area for the row instead of a field per column.
constexpr std::size_t kMostFields = 300;
constexpr std::size_t kMostExamples = 20;
constexpr std::size_t kMostCategories = 1000;  // of one column

Json number_json(double number) {
  if (!std::isfinite(number)) return nullptr;
  const bool whole = number == std::trunc(number) && std::abs(number) < 1e15;
  return whole ? Json(static_cast<std::int64_t>(number)) : Json(number);
}

Json cell_json(const tensor::CellValue& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return number_json(*number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return nullptr;
}

Json column_json(const program::InputColumn& column, const protocol::ColumnFacts& facts) {
  Json json = {{"name", column.name},
               {"type", program::kColumnTypeNames[static_cast<std::size_t>(column.type)]},
               {"required", column.required},
               {"missing", facts.may_be_missing}};
  if (!facts.categories.empty() && facts.categories.size() <= kMostCategories) {
    Json values = Json::array();
    for (const tensor::CellValue& value : facts.categories)
      if (Json one = cell_json(value); !one.is_null()) values.push_back(std::move(one));
    json["categories"] = std::move(values);
    json["closed"] = facts.refuses_others;
  } else if (!std::isnan(facts.low)) {
    json["low"] = facts.low;
    json["high"] = facts.high;
  }
  return json;
}

// Cells of a record column are objects, not the texts which hold them.
Json row_json(const ApiModel& model, const std::vector<tensor::CellValue>& row) {
  Json cells = Json::array();
  for (std::size_t c = 0; c < row.size(); ++c) {
    cells.push_back(cell_json(row[c]));
    const bool is_record = model.schema->columns()[c].type == program::ColumnType::kRecord;
    if (!is_record || !cells.back().is_string()) continue;
    if (auto record = text::parse_json(cells.back().get<std::string>(), "record"))
      cells.back() = std::move(*record);
  }
  return cells;
}

Json outputs_json(const protocol::Schema& schema) {
  Json outputs = Json::array();
  for (const protocol::OutputSchema& output : schema.outputs()) {
    Json tensors = Json::array();
    for (std::uint32_t k = 0; k < output.tensor_count; ++k)
      tensors.push_back(schema.tensors()[output.first_tensor + k].name);
    outputs.push_back({{"name", output.name}, {"labels", output.labels}, {"tensors", std::move(tensors)}});
  }
  return outputs;
}

// The inputs of a tensor model, each with an example where one is short enough to be typed.
Json tensors_json(const ApiModel& model) {
  const protocol::Schema& schema = *model.schema;
  Json examples;
  if (!model.card->tensors.tensors.empty() && protocol::is_short_example(model.card->tensors))
    if (auto sample = text::parse_json(protocol::sample_rows(schema, model.card->tensors), "example"))
      examples = std::move((*sample)["inputs"]);
  Json tensors = Json::array();
  const auto metadata = protocol::input_tensors(schema);
  for (std::size_t i = 0; i < metadata.size() && i < schema.inputs().size(); ++i) {
    Json one = {{"name", metadata[i].name},
                {"datatype", std::string(metadata[i].datatype)},
                {"shape", metadata[i].shape},
                {"shape_text", protocol::shape_text(schema.inputs()[i])}};
    if (examples.contains(metadata[i].name)) one["example"] = std::move(examples[metadata[i].name]);
    tensors.push_back(std::move(one));
  }
  return tensors;
}

std::string hash_source(std::string_view content) {
  const std::string hex = base::sha256_hex(content);
  std::string raw;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    raw += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return cat("'sha256-", base::base64_encode(raw), "'");
}

Page assemble(std::string_view title, std::string_view body, std::string_view script) {
  Page page;
  page.html =
      cat("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>", title,
          "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<style>",
          kPageStyle, "</style>\n</head>\n", body, "<script>", script, "</script>\n</body>\n</html>\n");
  page.policy =
      cat("default-src 'none'; script-src ", hash_source(script), "; style-src ", hash_source(kPageStyle),
          "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  return page;
}

}  // namespace

Json page_data(const ApiModel& model, std::span<const ApiModel> all, std::string_view server_version) {
  const protocol::Schema& schema = *model.schema;
  const protocol::ModelCard& card = *model.card;
  Json columns = Json::array(), rows = Json::array(), names = Json::array();
  for (std::size_t c = 0; c < schema.columns().size(); ++c)
    columns.push_back(column_json(schema.columns()[c],
                                  c < card.columns.size() ? card.columns[c] : protocol::ColumnFacts()));
  for (const auto& row : card.rows)
    if (rows.size() < kMostExamples) rows.push_back(row_json(model, row));
  for (const ApiModel& one : all) names.push_back(std::string(one.name));
  return {{"name", std::string(model.name)},
          {"models", std::move(names)},
          {"versions", model.versions},
          {"framework", card.framework},
          {"framework_version", card.framework_version},
          {"digest", card.digest},
          {"server_version", std::string(server_version)},
          {"fidelity", card.fidelity},
          {"notes", card.notes},
          {"has_names", schema.signature().has_names},
          {"columns", std::move(columns)},
          {"tensors", schema.takes_tensors() ? tensors_json(model) : Json::array()},
          {"outputs", outputs_json(schema)},
          {"default_output", schema.outputs()[schema.default_output()].name},
          {"most_fields", kMostFields},
          {"golden",
           {{"count", card.golden_count}, {"source", card.golden_source}, {"summary", card.golden_summary}}},
          {"examples", std::move(rows)}};
}

Page make_page() {
  return assemble("wherry", kPageBody, kPageScript);
}

Page make_docs_page() {
  return assemble("API · wherry", kDocsBody, kDocsScript);
}

}  // namespace wherry::serve
