#include "protocol/metadata.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/json_writer.h"
#include "protocol/model_tensors.h"
#include "protocol/sample_tensors.h"

namespace wherry::protocol {
namespace {

using program::ColumnType;
using tensor::CellKind;
using tensor::Table;

void append_shape(std::span<const std::int64_t> shape, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) out += ',';
    append_integer(shape[i], out);
  }
  out += ']';
}

void append_tensors(std::span<const TensorMetadata> tensors, std::string& out) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (i != 0) out += ',';
    out += "{\"name\":";
    append_string(tensors[i].name, out);
    out += ",\"datatype\":\"";
    out += tensors[i].datatype;
    out += "\",\"shape\":";
    append_shape(tensors[i].shape, out);
    out += tensors[i].any_shape ? ",\"parameters\":{\"unknown_rank\":true}}" : "}";
  }
}

// A cell as JSON for a column: whole numbers of integer and bool columns as such.
void append_sample_cell(const Schema& schema, const Table& table, std::size_t row, std::size_t column,
                        std::string& out) {
  const std::size_t cell = row * table.columns + column;
  const ColumnType type = schema.columns()[column].type;
  const double value = table.numbers[cell];
  const bool is_whole =
      table.kind(cell) == CellKind::kNumber && value == std::trunc(value) && std::abs(value) < 1e15;
  if (is_whole && type == ColumnType::kInteger)
    append_integer(static_cast<std::int64_t>(value), out);
  else if (is_whole && type == ColumnType::kBool && (value == 0 || value == 1))
    out += value == 1 ? "true" : "false";
  else
    append_cell(table, cell, NonFinite::kNull, out);
}

// The datatype which can hold what the rows have in a column: a missing integer needs FP64, a number in a
// column of unknown type too.
std::string_view sample_datatype(const Schema& schema, const Table& table, std::size_t column) {
  const ColumnType type = schema.columns()[column].type;
  bool all_whole = true, all_bool = true, any_text = false;
  for (std::size_t row = 0; row < table.rows; ++row) {
    const std::size_t cell = row * table.columns + column;
    const double value = table.numbers[cell];
    any_text = any_text || table.kind(cell) == CellKind::kText;
    all_whole = all_whole && value == std::trunc(value) && std::abs(value) < 1e15;
    all_bool = all_bool && (value == 0 || value == 1);
  }
  if (type == ColumnType::kAny) return any_text ? "BYTES" : "FP64";
  if ((type == ColumnType::kInteger && !all_whole) || (type == ColumnType::kBool && !all_bool)) return "FP64";
  return datatype_of(type);
}

void append_sample_value(const Schema& schema, const Table& table, std::size_t row, std::size_t column,
                         std::string_view datatype, std::string& out) {
  if (datatype == "FP64")
    append_cell(table, row * table.columns + column, NonFinite::kNull, out);
  else
    append_sample_cell(schema, table, row, column, out);
}

void append_sample_input(const Schema& schema, const Table& table, std::size_t first, std::size_t count,
                         std::string_view name, std::string_view datatype, std::string& out) {
  out += "{\"name\":";
  append_string(name, out);
  out += ",\"shape\":[";
  append_unsigned(table.rows, out);
  if (count != 1 || table.columns == 1) {
    out += ',';
    append_unsigned(count, out);
  }
  out += base::cat("],\"datatype\":\"", datatype, "\",\"data\":[");
  for (std::size_t row = 0; row < table.rows; ++row)
    for (std::size_t c = first; c < first + count; ++c) {
      if (row != 0 || c != first) out += ',';
      append_sample_value(schema, table, row, c, datatype, out);
    }
  out += "]}";
}

void append_columns(const Schema& schema, std::string& out) {
  out += "\"columns\":";
  if (!schema.signature().has_names) {
    out += "null";
    return;
  }
  out += '[';
  for (std::size_t c = 0; c < schema.columns().size(); ++c) {
    if (c != 0) out += ',';
    append_string(schema.columns()[c].name, out);
  }
  out += ']';
}

void append_rows(const Schema& schema, const Table& table, std::string& out) {
  const auto is_record = [&](std::size_t column) {
    return schema.columns()[column].type == ColumnType::kRecord;
  };
  const bool is_row_record = !schema.signature().has_names && table.columns == 1 && is_record(0);
  out += '[';
  for (std::size_t row = 0; row < table.rows; ++row) {
    out += row == 0 ? "" : ",";
    out += is_row_record ? "" : "[";
    for (std::size_t c = 0; c < table.columns; ++c) {
      if (c != 0) out += ',';
      const std::size_t cell = row * table.columns + c;
      if (is_record(c) && table.kind(cell) == CellKind::kText)
        out += table.texts[cell];
      else
        append_sample_cell(schema, table, row, c, out);
    }
    out += is_row_record ? "" : "]";
  }
  out += ']';
}

}  // namespace

std::span<const std::string_view> extensions() {
  static constexpr std::string_view kExtensions[] = {
      "binary_tensor_data", "classification",  "model_configuration", "model_repository",
      "parameters",         "schedule_policy", "statistics"};
  return kExtensions;
}

std::string server_metadata(std::string_view name, std::string_view version) {
  std::string out = "{\"name\":";
  append_string(name, out);
  out += ",\"version\":";
  append_string(version, out);
  out += ",\"extensions\":[";
  for (const std::string_view extension : extensions())
    out += base::cat(extension == extensions().front() ? "" : ",", "\"", extension, "\"");
  out += "]}";
  return out;
}

std::string model_metadata(const Schema& schema, std::string_view name, std::span<const std::string> versions,
                           std::string_view framework) {
  std::string out = "{\"name\":";
  append_string(name, out);
  out += ",\"versions\":[";
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (i != 0) out += ',';
    append_string(versions[i], out);
  }
  out += "],\"platform\":";
  append_string(base::cat("wherry_", framework), out);
  out += ",\"inputs\":[";
  append_tensors(input_tensors(schema), out);
  out += "],\"outputs\":[";
  append_tensors(output_tensors(schema), out);
  out += "]}";
  return out;
}

std::string sample_v2(const Schema& schema, const Table& table, std::span<const std::string> outputs) {
  if (schema.takes_tensors()) return sample_tensor_v2(schema, table, outputs);
  const bool any_text =
      std::find(table.kinds.begin(), table.kinds.end(), CellKind::kText) != table.kinds.end();
  const bool any_number =
      std::find(table.kinds.begin(), table.kinds.end(), CellKind::kNumber) != table.kinds.end();
  const bool is_matrix =
      has_matrix_input(schema) && (any_text ? schema.takes_texts() && !any_number : schema.takes_numbers());
  std::string out = "{\"inputs\":[";
  if (is_matrix) {
    append_sample_input(schema, table, 0, table.columns, "input", any_text ? "BYTES" : "FP64", out);
  } else {
    for (std::size_t c = 0; c < table.columns; ++c) {
      if (c != 0) out += ',';
      append_sample_input(schema, table, c, 1, schema.columns()[c].name, sample_datatype(schema, table, c),
                          out);
    }
  }
  out += ']';
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    out += i == 0 ? ",\"outputs\":[{\"name\":" : ",{\"name\":";
    append_string(outputs[i], out);
    out += '}';
  }
  if (!outputs.empty()) out += ']';
  out += '}';
  return out;
}

std::string sample_invocations(const Schema& schema, const Table& table) {
  if (schema.takes_tensors()) return sample_tensor_inputs(schema, table);
  std::string out = "{\"dataframe_split\":{";
  append_columns(schema, out);
  out += ",\"data\":";
  append_rows(schema, table, out);
  out += "}}";
  return out;
}

std::string sample_rows(const Schema& schema, const Table& table) {
  if (schema.takes_tensors()) return sample_tensor_inputs(schema, table);
  std::string out = "{";
  append_columns(schema, out);
  out += ",\"rows\":";
  append_rows(schema, table, out);
  out += '}';
  return out;
}

std::string sample_csv(const Schema& schema, const Table& table) {
  std::string out;
  const auto field = [&](std::string_view text, bool quote) {
    if (!quote && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out += text;
      return;
    }
    out += '"';
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  };
  for (std::size_t c = 0; c < table.columns; ++c) {
    if (c != 0) out += ',';
    field(schema.columns()[c].name, false);
  }
  out += '\n';
  for (std::size_t row = 0; row < table.rows; ++row) {
    for (std::size_t c = 0; c < table.columns; ++c) {
      const std::size_t cell = row * table.columns + c;
      if (c != 0) out += ',';
      if (table.kind(cell) == CellKind::kText) {
        field(table.texts[cell], table.texts[cell].empty());
      } else if (table.kind(cell) == CellKind::kNumber && !std::isnan(table.numbers[cell])) {
        append_sample_cell(schema, table, row, c, out);
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace wherry::protocol
