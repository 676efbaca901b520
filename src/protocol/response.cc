#include "protocol/response.h"

#include <algorithm>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/json_writer.h"
#include "protocol/v2_output.h"

namespace wherry::protocol {
namespace {

using tensor::CellKind;
using tensor::DType;
using tensor::NamedResult;
using tensor::ResultView;

void append_data(const ResultView& view, NonFinite non_finite, std::string& out) {
  const std::size_t count = view.size();
  const bool texts_only = view.table != nullptr && has_text(*view.table);
  if (!texts_only) return append_elements(view, 0, count, non_finite, out);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    const bool as_text = texts_only && view.table->kind(i) == CellKind::kNumber;
    if (as_text) out += '"';
    append_element(view, i, as_text ? NonFinite::kPythonTokens : non_finite, out);
    if (as_text) out += '"';
  }
}

void append_tensor(std::string_view name, const ResultView& view, bool binary, NonFinite non_finite,
                   std::string& out) {
  out += "{\"name\":";
  append_string(name, out);
  out += ",\"datatype\":\"";
  out += datatype_of(view);
  out += "\",\"shape\":[";
  for (std::size_t axis = 0; axis < view.axes; ++axis) {
    if (axis != 0) out += ',';
    append_integer(view.lengths[axis], out);
  }
  if (binary) {
    out += "],\"parameters\":{\"binary_data_size\":";
    append_unsigned(raw_size(view), out);
    out += "}}";
  } else {
    out += "],\"data\":[";
    append_data(view, non_finite, out);
    out += "]}";
  }
}

void append_head(const ResponseHead& head, std::string& out) {
  out += "{\"model_name\":";
  append_string(head.model_name, out);
  if (!head.model_version.empty()) {
    out += ",\"model_version\":";
    append_string(head.model_version, out);
  }
  if (head.id) {
    out += ",\"id\":";
    append_string(*head.id, out);
  }
  out += ",\"outputs\":[";
}

// One value as it is, several as a list of arrays.
void append_result(const NamedResult& result, NonFinite non_finite, std::string& out) {
  if (result.values.size() != 1) out += '[';
  for (std::size_t k = 0; k < result.values.size(); ++k) {
    if (k != 0) out += ',';
    std::size_t next = 0;
    append_nested(result.values[k], 0, next, non_finite, out);
  }
  if (result.values.size() != 1) out += ']';
}

// {"name": result, …}
void append_object(std::span<const NamedResult> results, NonFinite non_finite, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i != 0) out += ',';
    append_string(results[i].name, out);
    out += ':';
    append_result(results[i], non_finite, out);
  }
  out += '}';
}

// One column of the flat forms.
struct FlatColumn {
  std::string name;
  const ResultView* view;
  std::size_t offset;
  std::size_t stride;
};

std::vector<FlatColumn> flat_columns(std::span<const NamedResult> results) {
  std::vector<FlatColumn> columns;
  for (const NamedResult& result : results)
    for (std::size_t k = 0; k < result.values.size(); ++k) {
      const ResultView& view = result.values[k];
      const std::string name =
          result.values.size() == 1 ? std::string(result.name) : base::cat(result.name, "_", k);
      std::size_t stride = 1;
      for (const std::int64_t length : view.shape().subspan(std::min<std::size_t>(1, view.axes)))
        stride *= static_cast<std::size_t>(length);
      for (std::size_t j = 0; j < stride; ++j) {
        const bool labelled = result.labels.size() == stride;
        columns.push_back({view.axes < 2 ? name
                           : labelled    ? base::cat(name, "_", result.labels[j])
                                         : base::cat(name, "_", j),
                           &view, j, stride});
      }
    }
  return columns;
}

std::size_t row_count(std::span<const FlatColumn> columns) {
  return columns.empty() || columns.front().view->axes == 0
             ? 0
             : static_cast<std::size_t>(columns.front().view->lengths[0]);
}

// What stands in a cell of a flat form; empty when missing.
std::string flat_cell(const FlatColumn& column, std::size_t row) {
  const std::size_t i = row * column.stride + column.offset;
  const ResultView& view = *column.view;
  if (view.table != nullptr && view.table->kind(i) == CellKind::kText)
    return std::string(view.table->texts[i]);
  if (view.table != nullptr && view.table->kind(i) == CellKind::kMissing) return "";
  if (view.table == nullptr && view.dtype == DType::kString) return std::string(view.texts[i]);
  std::string text;
  append_element(view, i, NonFinite::kPythonTokens, text);
  return text;
}

bool holds_numbers(const ResultView& view) {
  return view.table != nullptr ? view.table->is_numeric()
                               : view.dtype != DType::kString && view.dtype != DType::kBool;
}

void append_csv_field(std::string_view text, std::string& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::size_t display_width(std::string_view text) {  // code points
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string table_cell(const FlatColumn& column, std::size_t row) {
  const bool is_double = column.view->table != nullptr ? column.view->table->is_numeric()
                                                       : column.view->dtype == DType::kFloat64;
  if (is_double) {
    const std::size_t i = row * column.stride + column.offset;
    const double value =
        column.view->table != nullptr ? column.view->table->numbers[i] : column.view->as<double>()[i];
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", value);
    return buffer;
  }
  std::string text;
  for (const char c : flat_cell(column, row))
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;  // one line, no escapes
  return text;
}

}  // namespace

void append_nested(const ResultView& view, std::size_t axis, std::size_t& next, NonFinite non_finite,
                   std::string& out) {
  if (axis == view.axes) return append_element(view, next++, non_finite, out);
  out += '[';
  if (axis + 1 == view.axes) {
    const auto count = static_cast<std::size_t>(view.lengths[axis]);
    append_elements(view, next, count, non_finite, out);
    next += count;
    out += ']';
    return;
  }
  for (std::int64_t i = 0; i < view.lengths[axis]; ++i) {
    if (i != 0) out += ',';
    append_nested(view, axis + 1, next, non_finite, out);
  }
  out += ']';
}

void write_v2(const ResponseHead& head, const Schema& schema, std::span<const std::uint32_t> tensors,
              std::span<const NamedResult> results, std::string& out, NonFinite non_finite) {
  append_head(head, out);
  const std::size_t count = tensors.empty() ? schema.tensors().size() : tensors.size();
  bool is_first = true;
  for (std::size_t i = 0; i < count; ++i) {
    const OutputTensor& tensor = schema.tensors()[tensors.empty() ? i : tensors[i]];
    const ResultView* view = find_view(schema, tensor, results);
    if (view == nullptr) continue;
    if (!is_first) out += ',';
    is_first = false;
    append_tensor(tensor.name, *view, false, non_finite, out);
  }
  out += "]}";
}

std::size_t write_v2_answer(const ResponseHead& head, const Schema& schema, const Request& request,
                            std::span<const NamedResult> results, std::string& out, NonFinite non_finite) {
  const std::size_t start = out.size();
  append_head(head, out);
  bool is_first = true, any_binary = false;
  each_output(schema, request, results, [&](const OutputTensor& tensor, const ResultView& view, bool binary) {
    if (!is_first) out += ',';
    is_first = false;
    any_binary = any_binary || binary;
    append_tensor(tensor.name, view, binary, non_finite, out);
  });
  out += "]}";
  if (!any_binary) return 0;
  const std::size_t json_size = out.size() - start;
  each_output(schema, request, results, [&](const OutputTensor&, const ResultView& view, bool binary) {
    if (binary) append_raw(view, out);
  });
  return json_size;
}

void write_predictions(const NamedResult& result, std::string& out, NonFinite non_finite) {
  out += "{\"predictions\":";
  append_result(result, non_finite, out);
  out += '}';
}

void write_predictions(std::span<const NamedResult> results, std::string& out, NonFinite non_finite) {
  if (results.size() == 1) return write_predictions(results.front(), out, non_finite);
  out += "{\"predictions\":";
  append_object(results, non_finite, out);
  out += '}';
}

void write_outputs(std::span<const NamedResult> results, NonFinite non_finite, std::string& out) {
  out += "{\"outputs\":";
  append_object(results, non_finite, out);
  out += '}';
}

void write_csv(std::span<const NamedResult> results, std::string& out) {
  const std::vector<FlatColumn> columns = flat_columns(results);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (c != 0) out += ',';
    append_csv_field(columns[c].name, out);
  }
  out += '\n';
  for (std::size_t row = 0; row < row_count(columns); ++row) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c != 0) out += ',';
      append_csv_field(flat_cell(columns[c], row), out);
    }
    out += '\n';
  }
}

void write_text_table(std::span<const NamedResult> results, std::string& out) {
  const std::vector<FlatColumn> columns = flat_columns(results);
  const std::size_t rows = row_count(columns);
  std::vector<std::vector<std::string>> cells(columns.size());
  std::vector<std::size_t> widths(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    cells[c].push_back(columns[c].name);
    for (std::size_t row = 0; row < rows; ++row) cells[c].push_back(table_cell(columns[c], row));
    for (const std::string& cell : cells[c]) widths[c] = std::max(widths[c], display_width(cell));
  }
  for (std::size_t row = 0; row <= rows; ++row) {
    std::string line;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& cell = cells[c][row];
      const std::string padding(widths[c] - display_width(cell), ' ');
      if (c != 0) line += "  ";
      line += holds_numbers(*columns[c].view) ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line;
    out += '\n';
  }
}

std::string error_json(std::string_view message) {
  std::string out = "{\"error\":";
  append_string(message, out);
  out += '}';
  return out;
}

}  // namespace wherry::protocol
