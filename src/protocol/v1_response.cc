#include "protocol/v1_response.h"

#include <algorithm>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/json_writer.h"

namespace wherry::protocol {
namespace {

using tensor::NamedResult;
using tensor::ResultView;

struct NamedView {
  std::string_view name;
  const ResultView* view;
};

bool is_text(const ResultView& view) {
  return view.table == nullptr && view.dtype == tensor::DType::kString;
}

// The elements of a view from `axis` on, texts as base64 objects.
void append_base64(const ResultView& view, std::size_t axis, std::size_t& next, std::string& out) {
  if (axis == view.axes) {
    out += base::cat("{\"b64\":\"", base::base64_encode(view.texts[next++]), "\"}");
    return;
  }
  out += '[';
  for (std::int64_t i = 0; i < view.lengths[axis]; ++i) {
    if (i != 0) out += ',';
    append_base64(view, axis + 1, next, out);
  }
  out += ']';
}

void append_from(const NamedView& tensor, std::size_t axis, std::size_t& next, std::string& out) {
  if (is_text(*tensor.view) && tensor.name.ends_with("_bytes"))
    append_base64(*tensor.view, axis, next, out);
  else
    append_nested(*tensor.view, axis, next, NonFinite::kNull, out);
}

std::vector<NamedView> tensors_of(const Schema& schema, const V1Form& form,
                                  std::span<const NamedResult> results) {
  std::vector<NamedView> views;
  for (const std::uint32_t position : form.outputs) {
    const OutputSchema& output = schema.outputs()[position];
    for (const NamedResult& result : results)
      if (result.name == output.name)
        for (std::uint32_t k = 0; k < output.tensor_count && k < result.values.size(); ++k)
          views.push_back({schema.tensors()[output.first_tensor + k].name, &result.values[k]});
  }
  return views;
}

// Whether all tensors have the same number of rows, which come first: always, but for tensor models which are
// not batched.
bool have_rows(std::span<const NamedView> tensors) {
  for (const NamedView& tensor : tensors)
    if (tensor.view->axes == 0 || tensor.view->lengths[0] != tensors[0].view->lengths[0]) return false;
  return true;
}

// One element per row: a value, or an object of the tensors' values.
void append_rows(std::span<const NamedView> tensors, std::string& out) {
  const std::int64_t rows = tensors.empty() || tensors[0].view->axes == 0 ? 0 : tensors[0].view->lengths[0];
  std::vector<std::size_t> next(tensors.size());
  out += '[';
  for (std::int64_t row = 0; row < rows; ++row) {
    if (row != 0) out += ',';
    if (tensors.size() > 1) out += '{';
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      if (t != 0) out += ',';
      if (tensors.size() > 1) {
        append_string(tensors[t].name, out);
        out += ':';
      }
      append_from(tensors[t], 1, next[t], out);
    }
    if (tensors.size() > 1) out += '}';
  }
  out += ']';
}

void append_columns(std::span<const NamedView> tensors, std::string& out) {
  if (tensors.size() > 1) out += '{';
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (t != 0) out += ',';
    if (tensors.size() > 1) {
      append_string(tensors[t].name, out);
      out += ':';
    }
    std::size_t next = 0;
    append_from(tensors[t], 0, next, out);
  }
  if (tensors.size() > 1) out += '}';
}

struct TypeName {
  std::string_view datatype, name;
};
constexpr TypeName kTypeNames[] = {
    {"FP64", "DT_DOUBLE"},   {"FP32", "DT_FLOAT"},    {"FP16", "DT_HALF"},     {"BF16", "DT_BFLOAT16"},
    {"INT64", "DT_INT64"},   {"INT32", "DT_INT32"},   {"INT16", "DT_INT16"},   {"INT8", "DT_INT8"},
    {"UINT64", "DT_UINT64"}, {"UINT32", "DT_UINT32"}, {"UINT16", "DT_UINT16"}, {"UINT8", "DT_UINT8"},
    {"BOOL", "DT_BOOL"},
};

std::string_view type_name(std::string_view datatype) {
  for (const TypeName& row : kTypeNames)
    if (row.datatype == datatype) return row.name;
  return "DT_STRING";
}

void append_tensor_info(std::string_view name, std::string_view datatype, std::span<const std::int64_t> shape,
                        std::string& out) {
  append_string(name, out);
  out += base::cat(":{\"dtype\":\"", type_name(datatype), "\",\"tensor_shape\":{\"dim\":[");
  const bool is_any = program::is_any_shape(shape);
  for (std::size_t i = 0; !is_any && i < shape.size(); ++i)
    out += base::cat(i == 0 ? "" : ",", "{\"size\":\"", shape[i], "\",\"name\":\"\"}");
  out += base::cat("],\"unknown_rank\":", is_any ? "true" : "false", "},\"name\":");
  append_string(base::cat(name, ":0"), out);
  out += '}';
}

std::string inputs_info(const Schema& schema) {
  std::string out;
  for (const program::InputTensor& input : schema.inputs()) {
    if (!out.empty()) out += ',';
    append_tensor_info(input.name, datatype_of(input.dtype), input.shape, out);
  }
  if (schema.takes_tensors()) return out;
  const bool is_matrix = !schema.signature().has_names && (schema.takes_numbers() || schema.takes_texts());
  if (is_matrix) {
    const std::int64_t shape[] = {-1, static_cast<std::int64_t>(schema.columns().size())};
    append_tensor_info("input", schema.takes_numbers() ? "FP64" : "BYTES", shape, out);
    return out;
  }
  constexpr std::int64_t kShape[] = {-1};
  for (const program::InputColumn& column : schema.columns()) {
    if (!out.empty()) out += ',';
    append_tensor_info(column.name, datatype_of(column.type), kShape, out);
  }
  return out;
}

void append_signature(const Schema& schema, std::string_view name, const OutputSchema& output,
                      std::string_view inputs, std::string& out) {
  append_string(name, out);
  out += base::cat(":{\"inputs\":{", inputs, "},\"outputs\":{");
  for (std::uint32_t k = 0; k < output.tensor_count; ++k) {
    const OutputTensor& tensor = schema.tensors()[output.first_tensor + k];
    const bool is_table = tensor.type.kind == program::ValueKind::kTable;
    if (k != 0) out += ',';
    append_tensor_info(tensor.name, is_table ? "BYTES" : datatype_of(tensor.type.dtype), tensor.type.shape,
                       out);
  }
  out += "},\"method_name\":\"tensorflow/serving/predict\"}";
}

}  // namespace

void write_v1_predictions(const Schema& schema, const V1Form& form, std::span<const NamedResult> results,
                          std::string& out) {
  const std::vector<NamedView> tensors = tensors_of(schema, form, results);
  out += '{';
  if (form.layout != V1Layout::kColumns) {
    out += "\"predictions\":";
    if (have_rows(tensors))
      append_rows(tensors, out);
    else
      append_columns(tensors, out);
  }
  if (form.layout == V1Layout::kLists) out += ',';
  if (form.layout != V1Layout::kRows) {
    out += "\"outputs\":";
    append_columns(tensors, out);
  }
  out += '}';
}

void write_v1_classes(const NamedResult& result, std::string& out) {
  out += "{\"result\":[";
  if (!result.values.empty() && result.values[0].axes == 2) {
    const ResultView& view = result.values[0];
    const auto classes = static_cast<std::size_t>(view.lengths[1]);
    std::vector<std::string> labels(classes);
    for (std::size_t c = 0; c < classes; ++c)
      append_string(result.labels.size() == classes ? result.labels[c] : base::cat(c), labels[c]);
    for (std::size_t i = 0; i < view.size(); ++i) {
      const std::size_t c = i % classes;
      out += c != 0 ? "," : i == 0 ? "[" : "],[";
      out += base::cat('[', labels[c], ',');
      append_element(view, i, NonFinite::kNull, out);
      out += ']';
    }
    if (view.size() != 0) out += ']';
  }
  out += "]}";
}

void write_v1_regression(const NamedResult& result, std::string& out) {
  out += "{\"result\":";
  std::size_t next = 0;
  append_nested(result.values[0], 0, next, NonFinite::kNull, out);
  out += '}';
}

std::string v1_metadata(const Schema& schema, std::string_view model, std::string_view version) {
  std::string out = "{\"model_spec\":{\"name\":";
  append_string(model, out);
  out += ",\"signature_name\":\"\",\"version\":";
  append_string(version, out);
  out += "},\"metadata\":{\"signature_def\":{\"signature_def\":{";
  const std::string inputs = inputs_info(schema);
  append_signature(schema, "serving_default", schema.outputs()[schema.default_output()], inputs, out);
  for (const OutputSchema& output : schema.outputs()) {
    out += ',';
    append_signature(schema, output.name, output, inputs, out);
  }
  out += "}}}}";
  return out;
}

std::string v1_model_status(std::string_view model, bool ready, std::span<const V1VersionStatus> versions) {
  std::string out = "{\"name\":";
  append_string(model, out);
  out += base::cat(",\"ready\":", ready, ",\"model_version_status\":[");
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const V1VersionStatus& row = versions[i];
    out += i == 0 ? "{\"version\":" : ",{\"version\":";
    append_string(row.version, out);
    out += base::cat(",\"state\":\"", row.state, "\",\"status\":{\"error_code\":\"",
                     row.error.empty() ? "OK" : "UNKNOWN", "\",\"error_message\":");
    append_string(row.error, out);
    out += "}}";
  }
  return out + "]}";
}

std::string v1_model_list(std::span<const std::string_view> models) {
  std::string out = "{\"models\":[";
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (i != 0) out += ',';
    append_string(models[i], out);
  }
  return out + "]}";
}

}  // namespace wherry::protocol
