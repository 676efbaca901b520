#include "import/tensorflow/messages.h"

#include <algorithm>
#include <bit>

#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;
using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;

constexpr WireType kVarint = WireType::kVarint;
constexpr WireType kBytes = WireType::kBytes;
constexpr WireType kFixed32 = WireType::kFixed32;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_model", std::move(message),
                    "the file is damaged; save the model again or copy the whole folder again");
}

struct Entry {
  std::string_view name, value;
};

// A map<string, message> entry.
Result<Entry> read_entry(std::string_view message) {
  Entry entry;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
        entry.name = field.bytes;
        break;
      case key(2, kBytes):
        entry.value = field.bytes;
        break;
    }
  TRY(reader.status("a map of saved_model.pb"));
  return entry;
}

// The one field of an AttrValue (a oneof) if it is number `number`; the last one counts.
std::optional<Field> only(const std::string_view* value, std::uint32_t number, WireType type) {
  if (value == nullptr) return std::nullopt;
  std::optional<Field> found;
  Reader reader(*value);
  for (Field field; reader.next(field);)
    if (field.number == number && field.type == type) found = field;
  if (reader.failed()) return std::nullopt;
  return found;
}

constexpr std::uint32_t kList = 1, kText = 2, kInteger = 3, kReal = 4, kBoolean = 5, kType = 6, kShape = 7,
                        kTensor = 8, kFunction = 10, kListFunction = 9;

std::string_view name_of_function(std::string_view name_attr_list) {
  std::string_view name;
  Reader reader(name_attr_list);
  for (Field field; reader.next(field);)
    if (field.key() == key(1, kBytes)) name = field.bytes;
  return name;
}

std::vector<std::string_view> list_of_bytes(const std::string_view* value, std::uint32_t number) {
  std::vector<std::string_view> list;
  if (const auto field = only(value, kList, kBytes)) {
    Reader reader(field->bytes);
    for (Field item; reader.next(item);)
      if (item.number == number && item.type == kBytes) list.push_back(item.bytes);
  }
  return list;
}

Result<ArgDef> read_argument(std::string_view message) {
  ArgDef argument;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
        argument.name = field.bytes;
        break;
      case key(3, kVarint):
        argument.type = field.as_int64();
        break;
    }
  TRY(reader.status("an argument of a function"));
  return argument;
}

Status read_op(FunctionDef& function, std::string_view message) {
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
        function.name = field.bytes;
        break;
      case key(2, kBytes): {
        TRY_ASSIGN(const ArgDef argument, read_argument(field.bytes));
        function.input_index.emplace(argument.name, function.inputs.size());
        function.inputs.push_back(argument);
        break;
      }
      case key(3, kBytes): {
        TRY_ASSIGN(const ArgDef argument, read_argument(field.bytes));
        function.outputs.push_back(argument);
        break;
      }
    }
  return reader.status("the signature of a function");
}

Result<TensorInfo> read_tensor_info(std::string_view message) {
  TensorInfo info;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
        info.name = field.bytes;
        break;
      case key(2, kVarint):
        info.type = field.as_int64();
        break;
      case key(3, kBytes): {
        TRY_ASSIGN(info.shape, read_shape(field.bytes));
        break;
      }
      case key(4, kBytes):
      case key(5, kBytes):
        info.sparse = true;
        break;
    }
  TRY(reader.status("a signature's tensor"));
  return info;
}

Result<SignatureDef> read_signature(std::string_view message) {
  SignatureDef signature;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
      case key(2, kBytes): {
        TRY_ASSIGN(const Entry entry, read_entry(field.bytes));
        TRY_ASSIGN(TensorInfo info, read_tensor_info(entry.value));
        (field.number == 1 ? signature.inputs : signature.outputs)[entry.name] = std::move(info);
        break;
      }
      case key(3, kBytes):
        signature.method_name = field.bytes;
        break;
    }
  TRY(reader.status("a signature"));
  return signature;
}

// FunctionDef.signature.name without reading the rest.
Result<std::string_view> read_function_name(std::string_view message) {
  std::string_view name;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() != key(1, kBytes)) continue;
    Reader signature(field.bytes);
    for (Field part; signature.next(part);)
      if (part.key() == key(1, kBytes)) name = part.bytes;
    TRY(signature.status("the signature of a function"));
  }
  TRY(reader.status("a function"));
  return name;
}

Status read_graph(MetaGraph& graph, std::string_view message) {
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes): {
        TRY_ASSIGN(NodeDef node, read_node(field.bytes));
        if (!graph.node_index.emplace(node.name, graph.nodes.size()).second)
          return bad(cat("two nodes are named ", base::quoted(node.name)));
        graph.nodes.push_back(std::move(node));
        break;
      }
      case key(2, kBytes): {
        Reader library(field.bytes);
        for (Field part; library.next(part);) {
          if (part.key() != key(1, kBytes)) continue;
          TRY_ASSIGN(const std::string_view name, read_function_name(part.bytes));
          if (!graph.functions.emplace(name, part.bytes).second)
            return bad(cat("two functions are named ", base::quoted(name)));
        }
        TRY(library.status("the functions of saved_model.pb"));
        break;
      }
    }
  return reader.status("the graph of saved_model.pb");
}

Status read_meta_info(MetaGraph& graph, std::string_view message) {
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(4, kBytes):
        graph.tags.push_back(field.bytes);
        break;
      case key(5, kBytes):
        graph.tensorflow_version = field.bytes;
        break;
    }
  return reader.status("the meta information of saved_model.pb");
}

Status read_asset(MetaGraph& graph, std::string_view message) {
  std::string_view node, file;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes): {
        TRY_ASSIGN(const TensorInfo info, read_tensor_info(field.bytes));
        node = info.name.substr(0, info.name.find(':'));
        break;
      }
      case key(2, kBytes):
        file = field.bytes;
        break;
    }
  TRY(reader.status("an asset of saved_model.pb"));
  graph.assets[node] = file;
  return {};
}

Status read_saver(MetaGraph& graph, std::string_view message) {
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(3, kBytes)) graph.restore_op = field.bytes;
  return reader.status("the saver of saved_model.pb");
}

// The parts beside the graph itself.
Status read_part(MetaGraph& graph, const Field& field) {
  switch (field.key()) {
    case key(1, kBytes):
      return read_meta_info(graph, field.bytes);
    case key(2, kBytes):
      return read_graph(graph, field.bytes);
    case key(3, kBytes):
      return read_saver(graph, field.bytes);
    case key(5, kBytes): {
      TRY_ASSIGN(const Entry entry, read_entry(field.bytes));
      TRY_ASSIGN(graph.signatures[entry.name], read_signature(entry.value));
      return {};
    }
    case key(6, kBytes):
      return read_asset(graph, field.bytes);
    case key(7, kBytes):
      graph.object_graph = field.bytes;
      return {};
    default:
      return {};
  }
}

Result<MetaGraph> read_meta_graph(std::string_view message) {
  MetaGraph graph;
  Reader reader(message);
  for (Field field; reader.next(field);) TRY(read_part(graph, field));
  TRY(reader.status("a meta graph of saved_model.pb"));
  return graph;
}

// Tags only: a file may hold several large graphs (serve, train, eval).
Result<std::vector<std::string_view>> read_tags(std::string_view message) {
  MetaGraph graph;
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(1, kBytes)) TRY(read_meta_info(graph, field.bytes));
  TRY(reader.status("a meta graph of saved_model.pb"));
  return std::move(graph.tags);
}

}  // namespace

Result<PartialShape> read_shape(std::string_view message) {
  std::vector<std::int64_t> sizes;
  bool unknown_rank = false;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(2, kBytes): {
        std::int64_t size = 0;
        Reader dimension(field.bytes);
        for (Field part; dimension.next(part);)
          if (part.key() == key(1, kVarint)) size = part.as_int64();
        TRY(dimension.status("a shape"));
        if (size < -1) return bad(cat("a shape has the size ", size));
        sizes.push_back(size);
        break;
      }
      case key(3, kVarint):
        unknown_rank = field.as_bool();
        break;
    }
  TRY(reader.status("a shape"));
  if (unknown_rank) return PartialShape();
  if (sizes.size() > 254) return bad(cat("a shape has ", sizes.size(), " axes"));
  return PartialShape(std::move(sizes));
}

Status Attributes::add(std::string_view map_entry) {
  TRY_ASSIGN(const Entry entry, read_entry(map_entry));
  entries_.emplace_back(entry.name, entry.value);
  return {};
}

const std::string_view* Attributes::find(std::string_view name) const {
  for (const auto& [own, value] : entries_)
    if (own == name) return &value;
  return nullptr;
}

std::optional<std::int64_t> Attributes::integer(std::string_view name) const {
  const std::string_view* value = find(name);
  auto field = only(value, kInteger, kVarint);
  if (!field) field = only(value, kType, kVarint);
  return field ? std::optional(field->as_int64()) : std::nullopt;
}

std::optional<bool> Attributes::boolean(std::string_view name) const {
  const auto field = only(find(name), kBoolean, kVarint);
  return field ? std::optional(field->as_bool()) : std::nullopt;
}

std::optional<float> Attributes::real(std::string_view name) const {
  const auto field = only(find(name), kReal, kFixed32);
  return field ? std::optional(std::bit_cast<float>(static_cast<std::uint32_t>(field->value))) : std::nullopt;
}

std::optional<std::string_view> Attributes::text(std::string_view name) const {
  const auto field = only(find(name), kText, kBytes);
  return field ? std::optional(field->bytes) : std::nullopt;
}

std::optional<std::string_view> Attributes::function(std::string_view name) const {
  const auto field = only(find(name), kFunction, kBytes);
  return field ? std::optional(name_of_function(field->bytes)) : std::nullopt;
}

std::optional<std::string_view> Attributes::tensor(std::string_view name) const {
  const auto field = only(find(name), kTensor, kBytes);
  return field ? std::optional(field->bytes) : std::nullopt;
}

std::optional<std::string_view> Attributes::shape(std::string_view name) const {
  const auto field = only(find(name), kShape, kBytes);
  return field ? std::optional(field->bytes) : std::nullopt;
}

std::vector<std::int64_t> Attributes::integers(std::string_view name) const {
  std::vector<std::int64_t> list;
  if (const auto field = only(find(name), kList, kBytes)) {
    Reader reader(field->bytes);
    for (Field item; reader.next(item);) {
      if (item.number != kInteger && item.number != kType) continue;
      const bool whole = protobuf::each_element(item, kVarint, [&](std::uint64_t value) {
        list.push_back(static_cast<std::int64_t>(value));
        return true;
      });
      if (!whole) return {};
    }
  }
  return list;
}

std::vector<float> Attributes::reals(std::string_view name) const {
  std::vector<float> list;
  if (const auto field = only(find(name), kList, kBytes)) {
    Reader reader(field->bytes);
    for (Field item; reader.next(item);) {
      if (item.number != kReal) continue;
      const bool whole = protobuf::each_element(item, kFixed32, [&](std::uint64_t value) {
        list.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(value)));
        return true;
      });
      if (!whole) return {};
    }
  }
  return list;
}

std::vector<std::string_view> Attributes::texts(std::string_view name) const {
  return list_of_bytes(find(name), kText);
}

std::vector<std::string_view> Attributes::shapes(std::string_view name) const {
  return list_of_bytes(find(name), kShape);
}

std::vector<std::string_view> Attributes::functions(std::string_view name) const {
  std::vector<std::string_view> names = list_of_bytes(find(name), kListFunction);
  for (std::string_view& each : names) each = name_of_function(each);
  return names;
}

Result<NodeDef> read_node(std::string_view message) {
  NodeDef node;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
        node.name = field.bytes;
        break;
      case key(2, kBytes):
        node.op = field.bytes;
        break;
      case key(3, kBytes):
        node.inputs.push_back(field.bytes);
        break;
      case key(5, kBytes):
        TRY(node.attributes.add(field.bytes));
        break;
    }
  TRY(reader.status("a node of saved_model.pb"));
  return node;
}

Result<FunctionDef> read_function(std::string_view message) {
  FunctionDef function;
  std::unordered_map<std::string_view, std::string_view> results;
  Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, kBytes):
        TRY(read_op(function, field.bytes));
        break;
      case key(3, kBytes): {
        TRY_ASSIGN(NodeDef node, read_node(field.bytes));
        if (!function.node_index.emplace(node.name, function.nodes.size()).second)
          return bad(cat("two nodes of function ", base::quoted(function.name), " are named ",
                         base::quoted(node.name)));
        function.nodes.push_back(std::move(node));
        break;
      }
      case key(4, kBytes): {
        TRY_ASSIGN(const Entry entry, read_entry(field.bytes));
        results[entry.name] = entry.value;
        break;
      }
      case key(5, kBytes):
        TRY(function.attributes.add(field.bytes));
        break;
      case key(6, kBytes): {
        TRY_ASSIGN(const Entry entry, read_entry(field.bytes));
        function.control_results.push_back(entry.value);
        break;
      }
    }
  TRY(reader.status("a function of saved_model.pb"));
  for (const ArgDef& output : function.outputs) {
    const auto found = results.find(output.name);
    if (found == results.end())
      return bad(cat("function ", base::quoted(function.name), " does not compute its output ",
                     base::quoted(output.name)));
    function.results.push_back(found->second);
  }
  return function;
}

Result<MetaGraph> read_saved_model(std::string_view content) {
  std::vector<std::string_view> messages;
  Reader reader(content);
  for (Field field; reader.next(field);)
    if (field.key() == key(2, kBytes)) messages.push_back(field.bytes);
  TRY(reader.status("saved_model.pb"));
  if (messages.empty()) return bad("saved_model.pb has no graph");
  std::string_view chosen = messages.front();
  if (messages.size() > 1) {
    for (const std::string_view message : messages) {
      TRY_ASSIGN(const auto tags, read_tags(message));
      if (std::ranges::find(tags, "serve") == tags.end()) continue;
      chosen = message;
      if (tags.size() == 1) break;  // rather than "serve" with "gpu" or "tpu"
    }
  }
  return read_meta_graph(chosen);
}

Result<std::map<std::string, std::int64_t>> read_object_kinds(std::string_view object_graph) {
  std::map<std::string, std::int64_t> kinds;
  Reader reader(object_graph);
  for (Field field; reader.next(field);) {
    if (field.key() != key(1, kBytes)) continue;
    Reader object(field.bytes);
    for (Field part; object.next(part);) {
      if (part.key() != key(4, kBytes)) continue;
      std::string_view identifier, metadata;
      Reader user(part.bytes);
      for (Field item; user.next(item);) switch (item.key()) {
          case key(1, kBytes):
            identifier = item.bytes;
            break;
          case key(3, kBytes):
            metadata = item.bytes;
            break;
        }
      TRY(user.status("an object of saved_model.pb"));
      std::string kind(identifier);
      constexpr std::string_view kClass = "\"class_name\": \"";
      if (const std::size_t at = metadata.find(kClass); at != metadata.npos) {
        const std::string_view rest = metadata.substr(at + kClass.size());
        kind = rest.substr(0, rest.find('"'));
      }
      ++kinds[kind];
    }
    TRY(object.status("an object of saved_model.pb"));
  }
  TRY(reader.status("the objects of saved_model.pb"));
  return kinds;
}

}  // namespace wherry::tensorflow
