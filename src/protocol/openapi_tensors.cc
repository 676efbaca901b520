#include "protocol/openapi_tensors.h"

#include <limits>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/openapi_schemas.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {
namespace {

using base::cat;
using program::InputTensor;
using tensor::DType;
using text::Json;

Json element(DType dtype) {
  const Datatype* type = find_datatype(datatype_of(dtype));
  switch (type->kind) {
    case DataKind::kBytes:
      return {{"type", "string"}};
    case DataKind::kBool:
      return {{"type", "boolean"}};
    case DataKind::kSigned:
    case DataKind::kUnsigned:
      return {{"type", "integer"}, {"minimum", type->low}, {"maximum", type->high}};
    default:
      return {{"type", "number"}};
  }
}

// Answers may hold what is not finite, as null.
Json answered(DType dtype) {
  Json schema = element(dtype);
  schema.erase("minimum");
  schema.erase("maximum");
  if (schema["type"] == "number") schema["type"] = Json::array({"number", "null"});
  return schema;
}

// Lists in lists for the axes from `axis` on.
Json nested(const tensor::Shape& shape, std::size_t axis, const Json& inner) {
  if (program::is_any_shape(shape)) {
    const Json lists = {{"type", "array"}};
    return {{"anyOf", Json::array({inner, lists})}};
  }
  if (axis >= shape.size()) return inner;
  Json list = {{"type", "array"}, {"items", nested(shape, axis + 1, inner)}};
  if (shape[axis] >= 0) {
    list["minItems"] = shape[axis];
    list["maxItems"] = shape[axis];
  }
  return list;
}

Json nested_input(const InputTensor& input, std::size_t axis) {
  Json schema = nested(input.shape, axis, element(input.dtype));
  schema["description"] = cat(datatype_of(input.dtype), " ", shape_text(input));
  return schema;
}

Json closed_object(Json properties, Json required) {
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

// {"x": […], "y": […]}, each from `axis` on.
Json object_of_inputs(const Schema& schema, std::size_t axis) {
  Json properties = Json::object(), required = Json::array();
  for (const InputTensor& input : schema.inputs()) {
    properties[input.name] = nested_input(input, axis);
    required.push_back(input.name);
  }
  return closed_object(std::move(properties), std::move(required));
}

// The object, or the only tensor itself.
Json any_of_inputs(const Schema& schema, std::size_t axis) {
  Json object = object_of_inputs(schema, axis);
  if (schema.inputs().size() != 1) return object;
  Json forms = Json::array();
  forms.push_back(nested_input(schema.inputs()[0], axis));
  forms.push_back(std::move(object));
  return {{"anyOf", std::move(forms)}};
}

bool has_instances(const Schema& schema) {
  for (const InputTensor& input : schema.inputs())
    if (input.shape.empty() || program::is_any_shape(input.shape)) return false;
  return true;
}

Json names_of_outputs(const Schema& schema) {
  Json names = Json::array();
  for (const OutputSchema& output : schema.outputs()) names.push_back(output.name);
  return {{"type", "string"}, {"enum", std::move(names)}};
}

// {"instances": …} or {"inputs": …}, with `others` beside them.
Json forms_of(const Schema& schema, const Json& others) {
  Json forms = Json::array();
  const auto form = [&](const char* member, Json value) {
    Json properties = others;
    properties[member] = std::move(value);
    Json one = {
        {"type", "object"}, {"properties", std::move(properties)}, {"required", Json::array({member})}};
    one["title"] = member;
    forms.push_back(std::move(one));
  };
  if (has_instances(schema)) {
    Json rows = {{"type", "array"}, {"items", any_of_inputs(schema, 1)}};
    form("instances", std::move(rows));
  }
  form("inputs", any_of_inputs(schema, 0));
  return {{"oneOf", std::move(forms)}};
}

Json predictions(const Schema& schema) {
  Json properties = Json::object(), first;
  for (const OutputSchema& output : schema.outputs()) {
    const program::ValueType& type = schema.tensors()[output.first_tensor].type;
    Json one = nested(type.shape, 0, answered(type.dtype));
    if (properties.empty()) first = one;
    properties[output.name] = std::move(one);
  }
  Json whole = {{"type", "object"}, {"properties", std::move(properties)}};
  return {{"anyOf", Json::array({std::move(first), std::move(whole)})}};
}

Json shape_schema(const InputTensor& input) {
  if (program::is_any_shape(input.shape))
    return {{"type", "array"},
            {"items", {{"type", "integer"}, {"minimum", 0}}},
            {"maxItems", program::kMostAxes},
            {"description", "any number of axes"}};
  Json lengths = Json::array();
  for (const std::int64_t length : input.shape)
    lengths.push_back(length < 0 ? Json{{"type", "integer"}, {"minimum", 0}} : Json{{"const", length}});
  Json schema = {{"type", "array"}, {"minItems", lengths.size()}, {"maxItems", lengths.size()}};
  if (!lengths.empty()) schema["prefixItems"] = std::move(lengths);
  schema["description"] = shape_text(input);
  return schema;
}

// `data` may be left out where the tensor follows as binary data.
Json infer_input(const InputTensor& input) {
  Json flat_or_list = element(input.dtype);
  if (input.shape.size() > 1 || program::is_any_shape(input.shape))
    flat_or_list["type"] = Json::array({flat_or_list["type"], "array"});
  Json data = {{"type", "array"}, {"items", std::move(flat_or_list)}};
  data["description"] = "row-major, flat or nested as the shape says";
  return {{"type", "object"},
          {"properties",
           {{"name", {{"const", input.name}}},
            {"shape", shape_schema(input)},
            {"datatype", {{"const", std::string(datatype_of(input.dtype))}}},
            {"parameters", {{"type", "object"}}},
            {"data", std::move(data)}}},
          {"required", Json::array({"name", "shape", "datatype"})}};
}

Json infer_request(const Schema& schema) {
  Json each = Json::array(), names = Json::array();
  for (const InputTensor& input : schema.inputs()) each.push_back(infer_input(input));
  for (const OutputTensor& tensor : schema.tensors()) names.push_back(tensor.name);
  Json inputs = {{"type", "array"},
                 {"items", each.size() == 1 ? Json(each[0]) : Json{{"anyOf", std::move(each)}}},
                 {"minItems", schema.inputs().size()},
                 {"maxItems", schema.inputs().size()}};
  Json output = {
      {"type", "object"},
      {"properties",
       {{"name", {{"type", "string"}, {"enum", std::move(names)}}}, {"parameters", {{"type", "object"}}}}},
      {"required", Json::array({"name"})}};
  return {{"type", "object"},
          {"properties",
           {{"id", {{"type", "string"}}},
            {"parameters", {{"type", "object"}}},
            {"inputs", std::move(inputs)},
            {"outputs", {{"type", "array"}, {"items", std::move(output)}}}}},
          {"required", Json::array({"inputs"})}};
}

}  // namespace

void add_tensor_schemas(const ApiModel& model, Json& schemas) {
  const Schema& schema = *model.schema;
  const Json method = names_of_outputs(schema);
  Json several = {{"type", "array"}, {"items", method}, {"minItems", 1}, {"uniqueItems", true}};
  const Json one_method = {{"type", "object"}, {"properties", {{"predict_method", method}}}};
  Json any_method = {{"type", "object"}};
  any_method["properties"]["predict_method"] = {{"anyOf", Json::array({method, std::move(several)})}};
  Json signature = method;
  signature["enum"].push_back("serving_default");
  schemas[component(model, "Row")] = object_of_inputs(schema, has_instances(schema) ? 1 : 0);
  Json answer = {{"type", "object"}, {"required", Json::array({"predictions"})}};
  answer["properties"]["predictions"] = predictions(schema);
  schemas[component(model, "Predictions")] = std::move(answer);
  schemas[component(model, "Invocations")] = forms_of(schema, {{"params", one_method}});
  schemas[component(model, "V1Request")] =
      forms_of(schema, {{"signature_name", std::move(signature)}, {"parameters", std::move(any_method)}});
  schemas[component(model, "V1Examples")] = {{"not", Json::object()}};
  schemas[component(model, "InferRequest")] = infer_request(schema);
}

std::string large_example_text(const ApiModel& model) {
  std::string shapes;
  for (const InputTensor& input : model.schema->inputs())
    shapes +=
        cat(shapes.empty() ? "" : "; ", input.name, ": ", datatype_of(input.dtype), " ", shape_text(input));
  return cat(
      "An example would be thousands of numbers long (", shapes,
      "). Send tensors of this size as binary data, without JSON numbers: POST to /v2/models/", model.name,
      "/infer a JSON head with \"parameters\": {\"binary_data_size\": BYTES} in the place of \"data\", the "
      "little-endian bytes behind it, and the size of the head as Inference-Header-Content-Length. "
      "tritonclient and gRPC do so by themselves.");
}

}  // namespace wherry::protocol
