#include "serve/page.h"

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "serve/page_parts.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;
using text::Json;

namespace {

// Wider models get one text area for the row instead of a field per column.
constexpr std::size_t kMostFields = 200;
constexpr std::size_t kMostExamples = 20;

Json cell_json(const tensor::CellValue& cell) {
  if (const auto* number = std::get_if<double>(&cell))
    return *number == *number ? Json(*number) : Json(nullptr);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return nullptr;
}

// The golden rows with their cells in the signature's order.
Json example_rows(const PageRequest& request) {
  Json rows = Json::array();
  const auto columns = request.schema.columns();
  for (const protocol::GoldenExample& example : request.golden.examples) {
    if (rows.size() == kMostExamples) break;
    Json row = Json::array();
    for (std::size_t i = 0; i < columns.size(); ++i) row.push_back(nullptr);
    for (std::size_t i = 0; i < example.row.size(); ++i) {
      const auto position = i < example.columns.size()
                                ? request.schema.column(example.columns[i])
                                : std::optional<std::uint32_t>(static_cast<std::uint32_t>(i));
      if (position && *position < columns.size()) row[*position] = cell_json(example.row[i]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json page_data(const PageRequest& request) {
  Json columns = Json::array(), outputs = Json::array();
  for (const program::InputColumn& column : request.schema.columns())
    columns.push_back({{"name", column.name},
                       {"type", program::kColumnTypeNames[static_cast<std::size_t>(column.type)]},
                       {"required", column.required}});
  for (const protocol::OutputSchema& output : request.schema.outputs())
    outputs.push_back({{"name", output.name}, {"labels", output.labels}});
  const std::size_t golden = request.golden.examples.size();
  return {{"name", request.labels.name},
          {"framework", request.labels.framework},
          {"framework_version", request.labels.framework_version},
          {"digest", request.labels.digest},
          {"server_version", request.server_version},
          {"has_names", request.schema.signature().has_names},
          {"columns", std::move(columns)},
          {"outputs", std::move(outputs)},
          {"default_output", request.schema.outputs()[request.schema.default_output()].name},
          {"most_fields", kMostFields},
          {"golden",
           {{"count", golden},
            {"source", golden == 0 ? std::string_view("none") : protocol::name(request.golden.source)},
            {"summary", request.golden_summary}}},
          {"examples", example_rows(request)}};
}

// Inside a script element "<" could end it.
std::string embeddable(const Json& data) {
  std::string out;
  for (const char c : text::write_json(data)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string hash_source(std::string_view content) {
  const std::string hex = base::sha256_hex(content);
  std::string raw;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    raw += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return cat("'sha256-", base::base64_encode(raw), "'");
}

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

}  // namespace

Page make_page(const PageRequest& request) {
  Page page;
  page.html = cat(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
      escaped_html(request.labels.name),
      " · wherry</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<style>",
      kPageStyle, "</style>\n</head>\n", kPageBody, "<script type=\"application/json\" id=\"model\">",
      embeddable(page_data(request)), "</script>\n<script>", kPageScript, "</script>\n</body>\n</html>\n");
  page.policy = cat(
      "default-src 'none'; script-src ", hash_source(kPageScript), "; style-src ", hash_source(kPageStyle),
      "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  return page;
}

}  // namespace wherry::serve
