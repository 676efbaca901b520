#include "protocol/openapi_schemas.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/openapi_tensors.h"

namespace wherry::protocol {
namespace {

using base::cat;
using program::ColumnType;
using text::Json;

constexpr std::size_t kMostEnum = 1000;  // categories written out

Json types(std::initializer_list<const char*> names) {
  Json list = Json::array();
  for (const char* name : names) list.push_back(name);
  return list;
}

Json category(const tensor::CellValue& value, ColumnType type) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || !std::isfinite(*number)) return nullptr;
  const bool whole = *number == std::trunc(*number) && std::abs(*number) < 1e15;
  if (type == ColumnType::kBool && (*number == 0 || *number == 1)) return *number == 1;
  return whole ? Json(static_cast<std::int64_t>(*number)) : Json(*number);
}

Json column_types(ColumnType type) {
  switch (type) {
    case ColumnType::kNumber:
      return types({"number"});
    case ColumnType::kInteger:
      return types({"integer"});
    case ColumnType::kBool:
      return types({"boolean"});
    case ColumnType::kText:
      return types({"string"});
    case ColumnType::kRecord:
      return types({"object", "array"});
    case ColumnType::kAny:
      break;
  }
  return types({"number", "string"});
}

Json cell_schema(const program::InputColumn& column, const ColumnFacts& facts) {
  Json schema = {{"type", column_types(column.type)}};
  if (facts.may_be_missing) schema["type"].push_back("null");
  if (schema["type"].size() == 1) schema["type"] = Json(schema["type"][0]);
  if (!facts.categories.empty() && facts.categories.size() <= kMostEnum) {
    Json values = Json::array();
    for (const tensor::CellValue& value : facts.categories) {
      Json one = category(value, column.type);
      if (std::find(values.begin(), values.end(), one) == values.end()) values.push_back(std::move(one));
    }
    if (facts.refuses_others) {
      if (facts.may_be_missing && std::find(values.begin(), values.end(), Json()) == values.end())
        values.push_back(nullptr);
      schema["enum"] = std::move(values);
    } else {
      schema["examples"] = std::move(values);
      schema["description"] = "a value beyond the examples is treated as unknown";
    }
  } else if (!std::isnan(facts.low)) {
    schema["description"] = cat("in the golden rows from ", facts.low, " to ", facts.high);
  }
  return schema;
}

bool is_described(const ApiModel& model) {
  return model.schema != nullptr && model.schema->columns().size() <= kMostDescribedColumns;
}

ColumnFacts facts_of(const ApiModel& model, std::size_t column) {
  return model.card != nullptr && column < model.card->columns.size() ? model.card->columns[column]
                                                                      : ColumnFacts();
}

const Json& any_cell() {
  static const Json kCell = {{"type", types({"number", "string", "boolean", "null"})}};
  return kCell;
}

bool takes_record_rows(const ApiModel& model) {
  return model.schema != nullptr && !model.schema->signature().has_names &&
         model.schema->columns().size() == 1 && model.schema->columns()[0].type == ColumnType::kRecord;
}

// A row as an object.
Json object_row(const ApiModel& model) {
  Json properties = Json::object(), required = Json::array();
  if (!is_described(model)) return {{"type", "object"}, {"additionalProperties", any_cell()}};
  const auto columns = model.schema->columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    properties[columns[c].name] = cell_schema(columns[c], facts_of(model, c));
    if (columns[c].required) required.push_back(columns[c].name);
  }
  Json row = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) row["required"] = std::move(required);
  row["additionalProperties"] = model.schema->signature().ignores_extra;
  return row;
}

// A row as a list.
Json list_row(const ApiModel& model) {
  Json row = {{"type", "array"}};
  if (model.schema == nullptr) {
    row["items"] = any_cell();
    return row;
  }
  const auto columns = model.schema->columns();
  row["minItems"] = columns.size();
  row["maxItems"] = columns.size();
  if (!is_described(model)) return row;
  Json cells = Json::array();
  for (std::size_t c = 0; c < columns.size(); ++c)
    cells.push_back(cell_schema(columns[c], facts_of(model, c)));
  const bool uniform = std::all_of(cells.begin(), cells.end(), [&](const Json& cell) {
    return cell.value("type", Json()) == cells[0].value("type", Json()) && !cell.contains("enum");
  });
  if (uniform && !cells.empty())
    row["items"] = {{"type", cells[0]["type"]}};
  else
    row["prefixItems"] = std::move(cells);
  return row;
}

Json array_of(Json items) {
  Json list = {{"type", "array"}};
  list["items"] = std::move(items);
  return list;
}

// Rows as `instances` and `dataframe_records` take them.
Json any_row(const ApiModel& model) {
  if (takes_record_rows(model)) return cell_schema(model.schema->columns()[0], facts_of(model, 0));
  Json forms = Json::array();
  if (model.schema == nullptr || model.schema->signature().has_names)
    forms.push_back(reference(component(model, "Row")));
  forms.push_back(list_row(model));
  if (is_described(model) && model.schema->columns().size() == 1)
    forms.push_back(cell_schema(model.schema->columns()[0], facts_of(model, 0)));
  return forms.size() == 1 ? Json(forms[0]) : Json{{"anyOf", std::move(forms)}};
}

Json element_schema(const program::ValueType& type) {
  if (type.kind == program::ValueKind::kTable) return any_cell();
  switch (type.dtype) {
    case tensor::DType::kString:
      return {{"type", "string"}};
    case tensor::DType::kBool:
      return {{"type", "boolean"}};
    case tensor::DType::kFloat64:
    case tensor::DType::kFloat32:
      return {{"type", types({"number", "null"})}};  // NaN and infinities are null
    default:
      return {{"type", "integer"}};
  }
}

// One row's part of a tensor, `axis` from 1.
Json nested_schema(const program::ValueType& type, std::size_t axis) {
  if (program::is_any_shape(type.shape)) return Json::object();
  if (axis >= type.shape.size()) return element_schema(type);
  Json list = array_of(nested_schema(type, axis + 1));
  if (type.shape[axis] >= 0) {
    list["minItems"] = type.shape[axis];
    list["maxItems"] = type.shape[axis];
  }
  return list;
}

Json predictions(const ApiModel& model) {
  Json items = Json::array();
  if (model.schema != nullptr)
    for (const OutputSchema& output : model.schema->outputs()) {
      if (output.tensor_count != 1) return {{"type", "array"}};  // a list of arrays: any shape
      Json item = nested_schema(model.schema->tensors()[output.first_tensor].type, 1);
      if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(std::move(item));
    }
  if (items.empty()) return {{"type", "array"}};
  return array_of(items.size() == 1 ? Json(items[0]) : Json{{"anyOf", std::move(items)}});
}

Json object_of(Json properties, std::initializer_list<const char*> required) {
  Json object = {{"type", "object"}, {"properties", std::move(properties)}};
  if (required.size() != 0) object["required"] = types(required);
  return object;
}

Json closed(Json object) {
  object["additionalProperties"] = false;
  return object;
}

Json outputs_enum(const ApiModel& model) {
  Json schema = {{"type", "string"}};
  if (model.schema == nullptr) return schema;
  schema["enum"] = Json::array();
  for (const OutputSchema& output : model.schema->outputs()) schema["enum"].push_back(output.name);
  return schema;
}

Json parameters(const ApiModel& model) {
  return object_of({{"predict_method", outputs_enum(model)}}, {});
}

// {"column": [value, …], …}
Json column_lists(const ApiModel& model) {
  if (!is_described(model)) return {{"type", "object"}, {"additionalProperties", array_of(any_cell())}};
  Json row = object_row(model);
  for (auto& [name, cell] : row["properties"].items()) cell = array_of(cell);
  return row;
}

Json invocations(const ApiModel& model) {
  const Json params = parameters(model);
  const auto form = [&](const char* member, Json rows) {
    Json schema = object_of({{member, std::move(rows)}, {"params", params}}, {});
    schema["required"] = Json::array({member});
    schema["title"] = member;
    return closed(std::move(schema));
  };
  const bool named = model.schema == nullptr || model.schema->signature().has_names;
  Json columns = {{"type", types({"array", "null"})}};
  columns["items"] = {{"type", types({"string", "integer"})}};
  const Json rows = takes_record_rows(model) ? any_row(model) : list_row(model);
  Json forms = Json::array();
  forms.push_back(form("dataframe_split", closed(object_of({{"columns", std::move(columns)},
                                                            {"data", array_of(rows)},
                                                            {"index", {{"type", "array"}}}},
                                                           {"data"}))));
  if (named) forms.push_back(form("dataframe_records", array_of(reference(component(model, "Row")))));
  forms.push_back(form("instances", array_of(any_row(model))));
  if (named) forms.push_back(form("inputs", column_lists(model)));
  return {{"oneOf", std::move(forms)}};
}

Json v1_request(const ApiModel& model) {
  const bool named = model.schema == nullptr || model.schema->signature().has_names;
  Json signature = outputs_enum(model);
  if (signature.contains("enum")) signature["enum"].push_back("serving_default");
  Json method = Json{{"anyOf", {outputs_enum(model), array_of(outputs_enum(model))}}};
  method["anyOf"][1]["minItems"] = 1;
  method["anyOf"][1]["uniqueItems"] = true;
  const Json params = object_of({{"predict_method", std::move(method)}}, {});
  Json forms = Json::array();
  const auto form = [&](const char* member, Json rows) {
    Json schema =
        object_of({{member, std::move(rows)}, {"signature_name", signature}, {"parameters", params}}, {});
    schema["required"] = Json::array({member});
    schema["title"] = member;
    // One of the two chooses the output.
    schema["dependentSchemas"] = {
        {"signature_name", Json{{"properties", Json{{"parameters", Json{{"maxProperties", 0}}}}}}}};
    return schema;
  };
  forms.push_back(form("instances", array_of(any_row(model))));
  forms.push_back(form("inputs", named ? column_lists(model) : array_of(any_row(model))));
  return {{"oneOf", std::move(forms)}};
}

Json v1_examples(const ApiModel& model) {
  Json example = object_row(model);
  Json feature = any_cell();
  Json context = {{"type", "object"}, {"description", "features of every example which lacks them"}};
  if (is_described(model)) context["properties"] = example["properties"];
  context["additionalProperties"] = model.schema == nullptr || model.schema->signature().ignores_extra;
  return object_of({{"context", std::move(context)},
                    {"examples", array_of(std::move(example))},
                    {"signature_name", {{"type", "string"}, {"enum", {"serving_default"}}}}},
                   {"examples"});
}

Json shape_schema() {
  Json lengths = array_of({{"type", "integer"}, {"minimum", 0}});
  lengths["minItems"] = 1;
  return lengths;
}

// One input of a V2 request: the name, what datatypes it may have, and its elements.
Json input_tensor(std::string_view name, Json datatypes, Json element) {
  Json data = array_of(std::move(element));
  data["description"] = "row-major, flat or nested as the shape says";
  Json properties = {{"name", {{"const", std::string(name)}}},
                     {"shape", shape_schema()},
                     {"datatype", {{"type", "string"}, {"enum", std::move(datatypes)}}},
                     {"parameters", {{"type", "object"}}},
                     {"data", std::move(data)}};
  return object_of(std::move(properties), {"name", "shape", "datatype"});
}

Json datatypes_for(ColumnType type) {
  if (type == ColumnType::kText || type == ColumnType::kRecord) return types({"BYTES"});
  Json list = types(
      {"FP64", "FP32", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8", "BOOL"});
  if (type == ColumnType::kAny) list.push_back("BYTES");
  return list;
}

Json infer_inputs(const ApiModel& model) {
  if (!is_described(model)) return {{"type", "object"}, {"required", types({"name", "shape", "datatype"})}};
  const Schema& schema = *model.schema;
  Json forms = Json::array();
  const bool is_matrix = !schema.signature().has_names && (schema.takes_numbers() || schema.takes_texts());
  if (is_matrix)
    forms.push_back(input_tensor("input", datatypes_for(schema.columns()[0].type),
                                 {{"type", types({"number", "string", "boolean", "null", "array"})}}));
  else
    for (std::size_t c = 0; c < schema.columns().size(); ++c) {
      const program::InputColumn& column = schema.columns()[c];
      Json element = column.type == ColumnType::kRecord ? Json{{"type", "string"}}
                                                        : cell_schema(column, facts_of(model, c));
      if (element["type"].is_string()) element["type"] = Json::array({element["type"]});
      if (column.type == ColumnType::kNumber || column.type == ColumnType::kInteger)
        element["type"].push_back("boolean");
      if (column.type == ColumnType::kBool) element["type"].push_back("number");
      forms.push_back(input_tensor(column.name, datatypes_for(column.type), std::move(element)));
    }
  return forms.size() == 1 ? Json(forms[0]) : Json{{"anyOf", std::move(forms)}};
}

Json tensor_names(const ApiModel& model) {
  Json schema = {{"type", "string"}};
  if (model.schema == nullptr) return schema;
  schema["enum"] = Json::array();
  for (const OutputTensor& tensor : model.schema->tensors()) schema["enum"].push_back(tensor.name);
  return schema;
}

Json infer_request(const ApiModel& model) {
  Json inputs = array_of(infer_inputs(model));
  inputs["minItems"] = 1;
  Json outputs =
      array_of(object_of({{"name", tensor_names(model)}, {"parameters", {{"type", "object"}}}}, {"name"}));
  return object_of({{"id", {{"type", "string"}}},
                    {"parameters", {{"type", "object"}}},
                    {"inputs", std::move(inputs)},
                    {"outputs", std::move(outputs)}},
                   {"inputs"});
}

Json infer_response(const ApiModel& model) {
  Json shape = shape_schema();
  Json tensor = object_of({{"name", tensor_names(model)},
                           {"datatype", {{"type", "string"}}},
                           {"shape", std::move(shape)},
                           {"parameters", {{"type", "object"}}},
                           {"data", array_of(any_cell())}},
                          {"name", "datatype", "shape"});
  return object_of({{"model_name", {{"type", "string"}}},
                    {"model_version", {{"type", "string"}}},
                    {"id", {{"type", "string"}}},
                    {"parameters", {{"type", "object"}}},
                    {"outputs", array_of(std::move(tensor))}},
                   {"model_name", "outputs"});
}

Json text_schema() {
  return {{"type", "string"}};
}

}  // namespace

std::string component(const ApiModel& model, std::string_view what) {
  std::string name;
  for (const char c : model.schema == nullptr ? std::string_view("Any") : model.name)
    name += base::is_ascii_alphanumeric(c) || c == '-' || c == '_' ? c : '_';
  return cat(name, ".", what);
}

Json reference(std::string_view component_name) {
  return {{"$ref", cat("#/components/schemas/", component_name)}};
}

void add_model_schemas(const ApiModel& model, Json& schemas) {
  if (model.schema != nullptr && model.schema->takes_tensors()) {
    add_tensor_schemas(model, schemas);
    schemas[component(model, "InferResponse")] = infer_response(model);
    return;
  }
  schemas[component(model, "Row")] = object_row(model);
  schemas[component(model, "Predictions")] =
      object_of({{"predictions", predictions(model)}}, {"predictions"});
  schemas[component(model, "Invocations")] = invocations(model);
  schemas[component(model, "V1Request")] = v1_request(model);
  schemas[component(model, "V1Examples")] = v1_examples(model);
  schemas[component(model, "InferRequest")] = infer_request(model);
  schemas[component(model, "InferResponse")] = infer_response(model);
}

void add_common_schemas(Json& schemas) {
  const Json boolean = {{"type", "boolean"}};
  const Json any_list = {{"type", "array"}};
  schemas["Error"] = object_of({{"error", text_schema()}}, {"error"});
  schemas["Error"]["description"] = "what is wrong, where, and what to do";
  schemas["Live"] = object_of({{"live", boolean}}, {"live"});
  schemas["Ready"] = object_of({{"live", boolean}, {"ready", boolean}}, {"ready"});
  schemas["ModelReady"] = object_of({{"name", text_schema()}, {"ready", boolean}}, {"ready"});
  schemas["ServerMetadata"] = object_of(
      {{"name", text_schema()}, {"version", text_schema()}, {"extensions", array_of(text_schema())}},
      {"name", "extensions"});
  Json tensor = object_of(
      {{"name", text_schema()}, {"datatype", text_schema()}, {"shape", array_of({{"type", "integer"}})}},
      {"name", "datatype", "shape"});
  schemas["ModelMetadata"] = object_of({{"name", text_schema()},
                                        {"versions", array_of(text_schema())},
                                        {"platform", text_schema()},
                                        {"inputs", array_of(tensor)},
                                        {"outputs", array_of(tensor)}},
                                       {"name", "platform"});
  schemas["V1Predictions"] = object_of({{"predictions", any_list}, {"outputs", Json::object()}}, {});
  schemas["V1Predictions"]["minProperties"] = 1;
  Json pair = array_of({{"type", types({"string", "number", "null"})}});  // a label and its score
  pair["minItems"] = 2;
  pair["maxItems"] = 2;
  schemas["V1Classes"] = object_of({{"result", array_of(array_of(std::move(pair)))}}, {"result"});
  schemas["V1Regression"] =
      object_of({{"result", array_of({{"type", types({"number", "null"})}})}}, {"result"});
  schemas["V1Models"] = object_of({{"models", array_of(text_schema())}}, {"models"});
  schemas["V1Status"] = object_of(
      {{"name", text_schema()}, {"ready", boolean}, {"model_version_status", array_of({{"type", "object"}})}},
      {"name", "ready", "model_version_status"});
  schemas["V1Metadata"] = object_of(
      {{"model_spec", {{"type", "object"}}}, {"metadata", {{"type", "object"}}}}, {"model_spec", "metadata"});
  schemas["Any"] = Json::object();
}

}  // namespace wherry::protocol
