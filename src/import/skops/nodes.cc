// skops/io/_general.py, _numpy.py, _scipy.py, _sklearn.py: what each node holds and what it stands for.
#include "import/skops/nodes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/numbers.h"
#include "base/text.h"
#include "import/skops/npy.h"
#include "import/skops/pickle_writer.h"

namespace wherry::skops {
namespace {

using base::cat;
using base::Result;
using base::Status;
using text::Json;

constexpr int kDeepest = 200;

std::unexpected<base::Error> bad(std::string_view path, std::string_view what) {
  return base::fail(base::Code::kInvalidInput, "skops.bad_schema", cat("schema.json", path, ": ", what),
                    "the file is damaged; save the model again with skops.io.dump");
}

// Writes one node after the other; `path` is where in the schema it stands.
class Writer {
 public:
  Writer(zip::Archive& archive, const zip::Limits& limits) : archive_(archive), limits_(limits) {}

  Status node(const Json& node, const std::string& path);
  std::string finish() && { return std::move(out_).finish(); }

 private:
  using Write = Status (Writer::*)(const Json& node, const std::string& path);
  struct Loader {
    std::string_view name;
    Write write;
  };
  static const Loader kLoaders[];

  // --- parts of nodes
  static Result<const Json*> part(const Json& node, std::string_view key, const std::string& path) {
    const Json* found = text::find(node, key);
    if (found == nullptr) return bad(path, cat("no ", base::quoted(key)));
    return found;
  }
  Status child(const Json& node, std::string_view key, const std::string& path) {
    TRY_ASSIGN(const Json* found, part(node, key, path));
    return this->node(*found, cat(path, ".", key));
  }
  Status children(const Json& node, std::string_view key, const std::string& path) {
    TRY_ASSIGN(const Json* found, part(node, key, path));
    if (!found->is_array()) return bad(path, cat(base::quoted(key), " is no list"));
    for (std::size_t i = 0; i < found->size(); ++i)
      TRY(this->node((*found)[i], cat(path, ".", key, "[", i, "]")));
    return {};
  }
  // The class a node is of.
  Status type(const Json& node, const std::string& path) {
    TRY_ASSIGN(const auto names, class_of(node, path));
    out_.global(*names.first, *names.second);
    return {};
  }
  static Result<std::pair<const std::string*, const std::string*>> class_of(const Json& node,
                                                                            const std::string& path) {
    const std::string* module = text::find_string(node, "__module__");
    const std::string* name = text::find_string(node, "__class__");
    if (module == nullptr || name == nullptr) return bad(path, "a node without __module__ and __class__");
    return std::pair(module, name);
  }
  static bool is_builtin(const Json& node, std::string_view name) {
    const std::string* module = text::find_string(node, "__module__");
    const std::string* own = text::find_string(node, "__class__");
    return module != nullptr && own != nullptr && *module == "builtins" && *own == name;
  }
  Result<std::string> file(const Json& node, const std::string& path) {
    const std::string* name = text::find_string(node, "file");
    if (name == nullptr) return bad(path, "no file");
    return archive_.read(*name);
  }
  void empty_instance(const std::string& module) {
    out_.empty_tuple();
    module == "collections" ? out_.reduce() : out_.new_object();
  }

  // --- nodes
  Status json(const Json& node, const std::string& path);
  Status scalar(const Json& value, const std::string& path);
  Status key(const std::string& text, const Json& key_type, const std::string& path);
  Status entries(const Json& node, const std::string& path);
  Status dict(const Json& node, const std::string& path);
  Status default_dict(const Json& node, const std::string& path);
  Status list(const Json& node, const std::string& path);
  Status tuple(const Json& node, const std::string& path);
  Status set(const Json& node, const std::string& path);
  Status slice(const Json& node, const std::string& path);
  Status function(const Json& node, const std::string& path) { return type(node, path); }
  Status partial(const Json& node, const std::string& path);
  Status method(const Json& node, const std::string& path);
  Status operator_function(const Json& node, const std::string& path);
  Status constructed(const Json& node, const std::string& path);
  Status object(const Json& node, const std::string& path);
  Status reduced(const Json& node, const std::string& path);
  Status state_of_call(const Json& node, const std::string& path);
  Status array(const Json& node, const std::string& path);
  Status object_array(const Json& node, const std::string& path);
  Status elements(const Json& list, const std::vector<std::int64_t>& shape, std::size_t axis,
                  const std::string& path);
  Status masked_array(const Json& node, const std::string& path);
  Status dtype(const Json& node, const std::string& path);
  Status sparse_matrix(const Json& node, const std::string& path);
  Status bytes(const Json& node, const std::string& path);
  Status bytearray(const Json& node, const std::string& path);
  Status old_dict(const Json& node, const std::string& path);
  Status write_once(const Json& node, const std::string& path);

  PickleWriter out_;
  zip::Archive& archive_;
  const zip::Limits& limits_;
  std::unordered_map<std::int64_t, std::uint32_t> known_;  // __id__ → memo
  int depth_ = 0;
};

const Writer::Loader Writer::kLoaders[] = {
    {"ObjectNode", &Writer::object},
    {"JsonNode", &Writer::json},
    {"DictNode", &Writer::dict},
    {"DefaultDictNode", &Writer::default_dict},
    {"ListNode", &Writer::list},
    {"TupleNode", &Writer::tuple},
    {"SetNode", &Writer::set},
    {"SliceNode", &Writer::slice},
    {"FunctionNode", &Writer::function},
    {"TypeNode", &Writer::function},
    {"PartialNode", &Writer::partial},
    {"MethodNode", &Writer::method},
    {"OperatorFuncNode", &Writer::operator_function},
    {"ConstructorFromReduceNode", &Writer::constructed},
    {"TreeNode", &Writer::reduced},
    {"LossNode", &Writer::reduced},
    {"SGDNode", &Writer::reduced},
    {"QuantileForestNode", &Writer::reduced},
    {"NdArrayNode", &Writer::array},
    {"MaskedArrayNode", &Writer::masked_array},
    {"DTypeNode", &Writer::dtype},
    {"RandomStateNode", &Writer::state_of_call},
    {"RandomGeneratorNode", &Writer::state_of_call},
    {"SparseMatrixNode", &Writer::sparse_matrix},
    {"BytesNode", &Writer::bytes},
    {"BytearrayNode", &Writer::bytearray},
    {"_DictWithDeprecatedKeysNode", &Writer::old_dict},
};

// An object that was written before is named by its number again, with or without its parts.
Status Writer::node(const Json& node, const std::string& path) {
  if (!node.is_object()) return bad(path, "is no node");
  const auto id = text::find_integer(node, "__id__");
  if (const auto found = id ? known_.find(*id) : known_.end(); found != known_.end()) {
    out_.get(found->second);
    return {};
  }
  if (depth_ >= kDeepest)
    return base::fail(base::Code::kLimit, "skops.too_deep",
                      cat("schema.json", path.substr(0, 200), "…: objects nested deeper than ", kDeepest),
                      "no model is nested so deeply; save it again");
  ++depth_;
  Status status = write_once(node, path);
  --depth_;
  TRY(std::move(status));
  if (!id) return {};
  const auto index = static_cast<std::uint32_t>(known_.size());
  known_.emplace(*id, index);
  out_.put(index);
  return {};
}

Status Writer::write_once(const Json& node, const std::string& path) {
  const std::string* loader = text::find_string(node, "__loader__");
  if (loader == nullptr) return bad(path, "a node without __loader__");
  const auto* row = std::ranges::find(kLoaders, *loader, &Loader::name);
  if (row != std::end(kLoaders)) return (this->*row->write)(node, path);
  if (*loader == "CachedNode") return bad(path, "names an object which does not stand before it");
  const auto names = class_of(node, path);
  return base::fail(base::Code::kUnsupported, "skops.unknown_node",
                    cat("schema.json", path, ": ",
                        names ? cat("an object of class ", *names->first, ".", *names->second, ", ") : "",
                        "stored as ", base::quoted(*loader), ", which wherry does not know"),
                    "save the model without it, or with joblib.dump");
}

// --- values
// -------------------------------------------------------------------------------------------------

Status Writer::scalar(const Json& value, const std::string& path) {
  if (value.is_null()) return out_.none(), Status();
  if (value.is_boolean()) return out_.boolean(value.get<bool>()), Status();
  if (value.is_number_integer() && value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return out_.decimal(cat(value.get<std::uint64_t>())), Status();
  if (value.is_number_integer()) return out_.integer(value.get<std::int64_t>()), Status();
  if (value.is_number_float()) return out_.real(value.get<double>()), Status();
  if (value.is_string()) return out_.text(value.get_ref<const std::string&>()), Status();
  return bad(path, "is no plain value");
}

bool is_digits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// JSON as Python writes it: with NaN and infinities, and integers of any size.
Status Writer::json(const Json& node, const std::string& path) {
  const std::string* content = text::find_string(node, "content");
  if (content == nullptr) return bad(path, "no content");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (*content == "NaN") return out_.real(std::nan("")), Status();
  if (*content == "Infinity") return out_.real(kInfinity), Status();
  if (*content == "-Infinity") return out_.real(-kInfinity), Status();
  constexpr std::size_t kLongInteger = 18;
  if (content->size() > kLongInteger && is_digits(*content)) return out_.decimal(*content), Status();
  TRY_ASSIGN(const Json value, text::parse_json(*content, cat("schema.json", path), {.depth = 1}));
  return scalar(value, path);
}

// Keys of a dict are texts in JSON; the type says what they were.
Status Writer::key(const std::string& text, const Json& key_type, const std::string& path) {
  const std::string* name = text::find_string(key_type, "__class__");
  if (name == nullptr || *name == "str" || *name == "str_") return out_.text(text), Status();
  if (*name == "bool" || *name == "bool_") return out_.boolean(text == "true" || text == "True"), Status();
  if (*name == "NoneType") return out_.none(), Status();
  if (name->find("int") != std::string::npos && is_digits(text)) {
    out_.decimal(text);
    return {};
  }
  if (name->find("float") != std::string::npos)
    if (const auto number = base::parse_python_float(text)) return out_.real(*number), Status();
  return bad(path, cat("the key ", base::quoted(text), " of type ", base::quoted(*name)));
}

// MARK, keys and values, SETITEMS
Status Writer::entries(const Json& node, const std::string& path) {
  const Json* content = text::find_object(node, "content");
  const Json* types = text::find(node, "key_types");
  const Json* listed = types != nullptr ? text::find_array(*types, "content") : nullptr;
  if (content == nullptr || listed == nullptr || listed->size() != content->size())
    return bad(path, "a dict whose keys and values do not fit");
  out_.mark();
  std::size_t i = 0;
  for (const auto& [name, value] : content->items()) {
    TRY(key(name, (*listed)[i++], path));
    TRY(this->node(value, cat(path, ".", name)));
  }
  out_.set_items();
  return {};
}

Status Writer::dict(const Json& node, const std::string& path) {
  if (is_builtin(node, "dict")) {
    out_.empty_dict();
  } else {
    TRY_ASSIGN(const auto names, class_of(node, path));
    out_.global(*names.first, *names.second);
    empty_instance(*names.first);
  }
  return entries(node, path);
}

Status Writer::default_dict(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  TRY_ASSIGN(const Json* main, part(*content, "main", path));
  out_.global("collections", "defaultdict");
  out_.mark();
  TRY(child(*content, "default_factory", path));
  out_.tuple();
  out_.reduce();
  return entries(*main, cat(path, ".main"));
}

Status Writer::old_dict(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  TRY_ASSIGN(const Json* main, part(*content, "main", path));
  out_.empty_dict();
  return entries(*main, cat(path, ".main"));
}

Status Writer::list(const Json& node, const std::string& path) {
  if (is_builtin(node, "list")) {
    out_.empty_list();
  } else {
    TRY_ASSIGN(const auto names, class_of(node, path));
    out_.global(*names.first, *names.second);
    empty_instance(*names.first);
  }
  out_.mark();
  TRY(children(node, "content", path));
  out_.appends();
  return {};
}

Status Writer::tuple(const Json& node, const std::string& path) {
  const bool named = !is_builtin(node, "tuple");
  if (named) TRY(type(node, path));
  out_.mark();
  TRY(children(node, "content", path));
  out_.tuple();
  if (named) out_.new_object();
  return {};
}

Status Writer::set(const Json& node, const std::string& path) {
  const bool frozen = is_builtin(node, "frozenset");
  if (!frozen) out_.empty_set();
  out_.mark();
  TRY(children(node, "content", path));
  frozen ? out_.frozen_set() : out_.add_items();
  return {};
}

Status Writer::slice(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  out_.global("builtins", "slice");
  out_.mark();
  for (const std::string_view bound : {"start", "stop", "step"}) {
    TRY_ASSIGN(const Json* value, part(*content, bound, path));
    TRY(scalar(*value, path));
  }
  out_.tuple();
  out_.reduce();
  return {};
}

Status Writer::bytes(const Json& node, const std::string& path) {
  TRY_ASSIGN(const std::string content, file(node, path));
  out_.bytes(content);
  return {};
}

Status Writer::bytearray(const Json& node, const std::string& path) {
  TRY_ASSIGN(const std::string content, file(node, path));
  out_.bytearray(content);
  return {};
}

// --- calls and instances
// ------------------------------------------------------------------------------------

// functools.partial.__reduce__
Status Writer::partial(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  out_.global("functools", "partial");
  out_.mark();
  TRY(child(*content, "func", path));
  out_.tuple();
  out_.reduce();
  out_.mark();
  for (const std::string_view part : {"func", "args", "kwds", "namespace"}) TRY(child(*content, part, path));
  out_.tuple();
  out_.build();
  return {};
}

// A method of an object is nothing a model can be asked through: only its name and object are kept.
Status Writer::method(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  const std::string* name = text::find_string(*content, "func");
  if (name == nullptr) return bad(path, "a method without a name");
  out_.global("skops.io._general", "MethodNode");
  out_.mark();
  out_.text(*name);
  TRY(child(*content, "obj", path));
  out_.tuple();
  out_.reduce();
  return {};
}

Status Writer::operator_function(const Json& node, const std::string& path) {
  TRY(type(node, path));
  TRY(child(node, "attrs", path));
  out_.reduce();
  return {};
}

Status Writer::constructed(const Json& node, const std::string& path) {
  TRY(type(node, path));
  TRY(child(node, "content", path));
  out_.reduce();
  return {};
}

Status Writer::object(const Json& node, const std::string& path) {
  TRY(type(node, path));
  out_.empty_tuple();
  out_.new_object();
  const Json* content = text::find(node, "content");
  if (content == nullptr) return {};
  TRY(this->node(*content, path));
  out_.build();
  return {};
}

// The constructor is that of the class, whatever the file says.
Status Writer::reduced(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* reduce, part(node, "__reduce__", path));
  TRY(type(node, path));
  TRY(child(*reduce, "args", path));
  out_.reduce();
  TRY(child(node, "content", path));
  out_.build();
  return {};
}

Status Writer::state_of_call(const Json& node, const std::string& path) {
  TRY(type(node, path));
  out_.empty_tuple();
  out_.new_object();
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  if (content->contains("__loader__")) {
    TRY(this->node(*content, path));
  } else {  // of a Generator: its parts side by side
    out_.empty_dict();
    out_.mark();
    for (const auto& [name, value] : content->items()) {
      out_.text(name);
      TRY(this->node(value, cat(path, ".", name)));
    }
    out_.set_items();
  }
  out_.build();
  return {};
}

// --- arrays
// -------------------------------------------------------------------------------------------------

Status Writer::array(const Json& node, const std::string& path) {
  const std::string* kind = text::find_string(node, "type");
  if (kind == nullptr || (*kind != "numpy" && *kind != "json"))
    return bad(path, "an array stored in an unknown way");
  if (*kind == "json") return object_array(node, path);
  TRY_ASSIGN(const std::string content, file(node, path));
  TRY_ASSIGN(const Npy npy, read_npy(content, path));
  TRY_ASSIGN(const auto names, class_of(node, path));
  const bool scalar = npy.shape.empty() && *names.second != "ndarray";
  return scalar ? write_scalar(out_, npy, path) : write_array(out_, npy, path);
}

Status Writer::object_array(const Json& node, const std::string& path) {
  const Json* content = text::find_array(node, "content");
  const Json* shape_node = text::find(node, "shape");
  const Json* dimensions = shape_node != nullptr ? text::find_array(*shape_node, "content") : nullptr;
  if (content == nullptr || dimensions == nullptr || dimensions->empty())
    return bad(path, "an array of objects without a shape");
  std::vector<std::int64_t> shape;
  for (const Json& dimension : *dimensions) {
    const std::string* text = text::find_string(dimension, "content");
    const auto number = text != nullptr ? base::parse_unsigned(*text) : std::nullopt;
    if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return bad(path, "a shape that is not of integers");
    shape.push_back(static_cast<std::int64_t>(*number));
  }
  begin_object_array(out_, shape);
  TRY(elements(*content, shape, 0, path));
  end_object_array(out_);
  return {};
}

// numpy's tolist(): lists of lists, as many as there are dimensions.
Status Writer::elements(const Json& list, const std::vector<std::int64_t>& shape, std::size_t axis,
                        const std::string& path) {
  if (!list.is_array() || static_cast<std::int64_t>(list.size()) != shape[axis])
    return bad(path, "an array of objects of another shape than it says");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = cat(path, "[", i, "]");
    if (axis + 1 == shape.size()) {
      TRY(node(list[i], at));
      continue;
    }
    TRY_ASSIGN(const Json* inner, part(list[i], "content", at));
    TRY(elements(*inner, shape, axis + 1, at));
  }
  return {};
}

Status Writer::masked_array(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  out_.global("numpy.ma.core", "MaskedArray");
  out_.mark();
  TRY(child(*content, "data", path));
  TRY(child(*content, "mask", path));
  out_.tuple();
  out_.reduce();
  return {};
}

// Stored as an empty array of the dtype.
Status Writer::dtype(const Json& node, const std::string& path) {
  TRY_ASSIGN(const Json* content, part(node, "content", path));
  const std::string* kind = text::find_string(*content, "type");
  if (kind != nullptr && *kind == "json") {
    out_.global("numpy", "dtype");
    out_.mark(), out_.text("O8"), out_.boolean(false), out_.boolean(true), out_.tuple();
    out_.reduce();
    return {};
  }
  TRY_ASSIGN(const std::string bytes, file(*content, path));
  TRY_ASSIGN(const Npy npy, read_npy(bytes, path));
  return write_dtype(out_, npy.descr, path);
}

// scipy.sparse.save_npz: an archive in the archive.
Status Writer::sparse_matrix(const Json& node, const std::string& path) {
  TRY_ASSIGN(const std::string bytes, file(node, path));
  TRY_ASSIGN(zip::Archive parts, zip::Archive::open(base::as_bytes(bytes), limits_));
  TRY(type(node, path));
  out_.empty_tuple();
  out_.new_object();
  out_.empty_dict();
  out_.mark();
  for (const std::string_view name : parts.names()) {
    if (!name.ends_with(".npy")) continue;
    const std::string_view stem = name.substr(0, name.size() - 4);
    if (stem == "format" || stem == "_is_array") continue;
    TRY_ASSIGN(const std::string part, parts.read(name));
    const std::string where = cat(path, ".", stem);
    TRY_ASSIGN(const Npy npy, read_npy(part, where));
    if (stem != "shape") {
      out_.text(stem);
      TRY(write_array(out_, npy, where));
      continue;
    }
    TRY_ASSIGN(const std::vector<std::int64_t> shape, integers_of(npy, where));
    out_.text("_shape");
    out_.mark();
    for (const std::int64_t dimension : shape) out_.integer(dimension);
    out_.tuple();
  }
  out_.set_items();
  out_.build();
  return {};
}

}  // namespace

Result<std::string> to_pickle(const Json& schema, zip::Archive& archive, const zip::Limits& limits) {
  Writer writer(archive, limits);
  TRY(writer.node(schema, ""));
  return std::move(writer).finish();
}

}  // namespace wherry::skops
