#include "program/serialize.h"

#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "program/fields.h"

namespace wherry::program {
namespace {

using base::cat;
using text::Json;

constexpr std::int64_t kVersion = 1;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "program.bad_bundle", cat("program.json: ", message),
                    "make the bundle again with this version of wherry");
}

// The default-constructed operation of that name.
template <std::size_t... I>
bool make_op(std::string_view name, Op& op, std::index_sequence<I...>) {
  return ((std::variant_alternative_t<I, Op>::kName == name &&
           (op = std::variant_alternative_t<I, Op>{}, true)) ||
          ...);
}

base::Result<Op> op_from_json(const Json& node) {
  const std::string* kind = text::find_string(node, "op");
  Op op;
  if (kind == nullptr || !make_op(*kind, op, std::make_index_sequence<std::variant_size_v<Op>>{}))
    return bad(cat("unknown operation ", kind == nullptr ? "" : base::quoted(*kind)));
  FieldReader reader(node);
  std::visit([&](auto& o) { o.fields(reader); }, op);
  if (!reader.wrong_member().empty())
    return bad(cat("operation ", *kind, ": member ", base::quoted(reader.wrong_member())));
  return op;
}

base::Result<std::vector<ValueId>> ids_from_json(const Json& node, std::string_view key) {
  std::vector<std::int64_t> numbers;
  const Json* list = text::find_array(node, key);
  if (list == nullptr || !from_json(*list, numbers))
    return bad(cat("member ", base::quoted(key), " is not a list of values"));
  std::vector<ValueId> ids;
  for (std::int64_t number : numbers) {
    if (number < 0 || number > INT32_MAX) return bad("value number out of range");
    ids.push_back(static_cast<ValueId>(number));
  }
  return ids;
}

base::Result<Signature> signature_from_json(const Json* json) {
  Signature signature;
  if (json == nullptr) return bad("no signature");
  FieldReader reader(*json);
  reader("has_names", signature.has_names);
  reader("ignores_extra", signature.ignores_extra);
  if (!reader.wrong_member().empty())
    return bad(cat("signature: member ", base::quoted(reader.wrong_member())));
  const Json* columns = text::find_array(*json, "columns");
  if (columns == nullptr) return bad("signature: no columns");
  for (const Json& entry : *columns) {
    InputColumn column;
    FieldReader member(entry);
    member("name", column.name), member("type", column.type), member("required", column.required);
    if (!member.wrong_member().empty())
      return bad(cat("signature column: member ", base::quoted(member.wrong_member())));
    signature.columns.push_back(std::move(column));
  }
  if (const Json* tensors = text::find_array(*json, "tensors")) {
    reader("batched", signature.batched);
    if (!reader.wrong_member().empty()) return bad("signature: member \"batched\"");
    for (const Json& entry : *tensors) {
      InputTensor input;
      FieldReader member(entry);
      member("name", input.name), member("dtype", input.dtype), member("shape", input.shape);
      member("dims", input.dims);
      if (!member.wrong_member().empty())
        return bad(cat("signature tensor: member ", base::quoted(member.wrong_member())));
      signature.tensors.push_back(std::move(input));
    }
  }
  return signature;
}

base::Status add_weights(ProgramBuilder& builder, const Json& document, std::vector<Weight> stored) {
  std::unordered_map<std::string, tensor::Tensor> by_name;
  for (Weight& weight : stored) by_name.emplace(weight.name, std::move(weight.tensor));
  const Json* list = text::find_array(document, "weights");
  if (list == nullptr) return bad("no weights");
  for (const Json& entry : *list) {
    TRY_ASSIGN(std::string name, text::require_string(entry, "name", "program.json: weight"));
    if (const Json* strings = text::find_array(entry, "strings")) {
      std::vector<std::string> values;
      if (!from_json(*strings, values)) return bad(cat("weight ", base::quoted(name), ": not strings"));
      const auto count = static_cast<std::int64_t>(values.size());
      builder.weight(std::move(name), tensor::Tensor::of_strings({count}, std::move(values)));
      continue;
    }
    const auto found = by_name.find(name);
    if (found == by_name.end())
      return bad(cat("weight ", base::quoted(name), " is not in weights.safetensors"));
    builder.weight(std::move(name), found->second);
  }
  return {};
}

base::Status add_outputs(ProgramBuilder& builder, const Json& document) {
  const Json* list = text::find_array(document, "outputs");
  if (list == nullptr) return bad("no outputs");
  for (const Json& entry : *list) {
    Output output;
    TRY_ASSIGN(output.values, ids_from_json(entry, "values"));
    FieldReader reader(entry);
    reader("name", output.name);
    reader("labels", output.labels);
    if (!reader.wrong_member().empty())
      return bad(cat("output: member ", base::quoted(reader.wrong_member())));
    TRY(builder.output(std::move(output)));
  }
  return {};
}

}  // namespace

Json signature_to_json(const Signature& signature) {
  Json columns = Json::array();
  for (const InputColumn& column : signature.columns)
    columns.push_back({{"name", column.name}, {"type", to_json(column.type)}, {"required", column.required}});
  Json json = {
      {"has_names", signature.has_names}, {"ignores_extra", signature.ignores_extra}, {"columns", columns}};
  if (!signature.takes_tensors()) return json;
  json["batched"] = signature.batched;
  Json& tensors = json["tensors"] = Json::array();
  for (const InputTensor& input : signature.tensors)
    tensors.push_back({{"name", input.name},
                       {"dtype", to_json(input.dtype)},
                       {"shape", input.shape},
                       {"dims", input.dims}});
  return json;
}

Json program_to_json(const Program& program) {
  Json weights = Json::array();
  for (const Weight& weight : program.weights()) {
    Json entry = {{"name", weight.name}};
    if (weight.tensor.dtype() == tensor::DType::kString) {
      entry["strings"] = Json::array();
      for (const std::string& text : weight.tensor.as_strings()) entry["strings"].push_back(text);
    }
    weights.push_back(std::move(entry));
  }
  Json nodes = Json::array();
  for (const Node& node : program.nodes()) {
    FieldWriter writer;
    writer("op", std::string(name(node.op)));
    writer("inputs", node.inputs);
    std::visit([&](const auto& op) { const_cast<std::remove_cvref_t<decltype(op)>&>(op).fields(writer); },
               node.op);
    nodes.push_back(std::move(writer.object));
  }
  Json outputs = Json::array();
  for (const Output& output : program.outputs())
    outputs.push_back({{"name", output.name}, {"values", output.values}, {"labels", output.labels}});
  return {{"version", kVersion},
          {"signature", signature_to_json(program.signature())},
          {"weights", weights},
          {"nodes", nodes},
          {"outputs", outputs}};
}

base::Result<Program> program_from_json(const Json& document, std::vector<Weight> weights) {
  TRY_ASSIGN(const std::int64_t version, text::require_integer(document, "version", "program.json"));
  if (version != kVersion) return bad(cat("version ", version, "; this wherry reads version ", kVersion));
  TRY_ASSIGN(Signature signature, signature_from_json(text::find_object(document, "signature")));
  ProgramBuilder builder(std::move(signature));
  TRY(add_weights(builder, document, std::move(weights)));
  const Json* nodes = text::find_array(document, "nodes");
  if (nodes == nullptr) return bad("no nodes");
  for (const Json& node : *nodes) {
    TRY_ASSIGN(Op op, op_from_json(node));
    TRY_ASSIGN(std::vector<ValueId> inputs, ids_from_json(node, "inputs"));
    TRY(builder.add(std::move(op), std::move(inputs)));
  }
  TRY(add_outputs(builder, document));
  return std::move(builder).build();
}

}  // namespace wherry::program
