#include "import/torch/saved.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;
using pickle::CallKind;
using pickle::Kind;
using pickle::Object;
using pickle::View;

constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

std::unexpected<base::Error> bad_file(std::string what) {
  return base::fail(base::Code::kInvalidInput, "torch.bad_file", std::move(what),
                    "the file is damaged; save the model again");
}

pickle::Limits with_persistent_ids(pickle::Limits limits) {
  limits.persistent_ids = true;
  return limits;
}

// What a persistent id says: ('storage', type, key, location, number of elements).
struct StorageId {
  std::string key;
  std::optional<tensor::DType> dtype;  // nullopt: untyped, the number counts bytes
  std::int64_t count = 0;
};

const Object* persistent_id(const Object& object) {
  if (object.kind() != Kind::kCall || object.call().kind != CallKind::kPersistent) return nullptr;
  return object.call().args[0];
}

Result<StorageId> storage_id(const View& view) {
  const Object* const id = persistent_id(view.object());
  if (id == nullptr || id->kind() != Kind::kTuple || id->items().size() < 5 ||
      id->items()[0]->kind() != Kind::kStr || id->items()[0]->text() != "storage")
    return view.wrong("a storage");
  const auto items = id->items();
  const View type(*items[1], view.path());
  StorageId out;
  if (items[2]->kind() == Kind::kStr)
    out.key = std::string(items[2]->text());
  else if (items[2]->kind() == Kind::kInt)
    out.key = pickle::decimal(*items[2]);
  else
    return view.wrong("a storage with a key");
  if (items[4]->kind() != Kind::kInt || items[4]->integer() < 0) return view.wrong("a storage with a size");
  out.count = items[4]->integer();
  std::string name = type.global_name();
  if (name.empty()) return view.wrong("a storage with a type");
  name = name.substr(name.rfind('.') + 1);
  if (name == "UntypedStorage" || name == "_UntypedStorage") return out;
  out.dtype = dtype_of_name(name);
  if (!out.dtype)
    return base::fail(
        base::Code::kUnsupported, "torch.unsupported_dtype",
        cat(view.where(), ": its elements are in a ", base::quoted(name), ", which wherry does not read"),
        "convert the model to float32 before saving it: model.float()");
  return out;
}

struct Rebuild {
  std::string_view name;
  std::size_t inner;  // the argument that is a tensor itself; 0 with `window`: this one has the storage
  bool window;
};
constexpr auto kRebuilds = std::to_array<Rebuild>({
    {"torch._utils._rebuild_tensor", 0, true},
    {"torch._utils._rebuild_tensor_v2", 0, true},
    {"torch._utils._rebuild_tensor_v3", 0, true},
    {"torch._utils._rebuild_parameter", 0, false},
    {"torch._utils._rebuild_parameter_with_state", 0, false},
});

const Rebuild* find_rebuild(const View& view) {
  if (!view.is(Kind::kCall)) return nullptr;
  const pickle::Call& call = view.object().call();
  if (call.callee->kind() != Kind::kGlobal) return nullptr;
  const std::string name = call.callee->global().qualified();
  const auto row = std::ranges::find(kRebuilds, name, &Rebuild::name);
  return row != kRebuilds.end() ? &*row : nullptr;
}

// torch._tensor._rebuild_from_type_v2(function, type, args, state): the arguments of the function.
bool is_typed_rebuild(const View& view) {
  return view.is(Kind::kCall) && view.object().call().callee->kind() == Kind::kGlobal &&
         view.object().call().callee->global().is("torch._tensor", "_rebuild_from_type_v2");
}

struct Parts {
  View storage;
  View offset;
  View sizes;
  View strides;
  std::optional<View> dtype;
};

Result<Parts> parts_of(const View& view) {
  if (is_typed_rebuild(view)) {
    TRY_ASSIGN(const View args, view.argument(2));
    const auto at = [&](std::size_t i) { return args.item(i); };
    TRY_ASSIGN(const View storage, at(0));
    TRY_ASSIGN(const View offset, at(1));
    TRY_ASSIGN(const View sizes, at(2));
    TRY_ASSIGN(const View strides, at(3));
    return Parts{storage, offset, sizes, strides, std::nullopt};
  }
  TRY_ASSIGN(const View storage, view.argument(0));
  TRY_ASSIGN(const View offset, view.argument(1));
  TRY_ASSIGN(const View sizes, view.argument(2));
  TRY_ASSIGN(const View strides, view.argument(3));
  Parts parts{storage, offset, sizes, strides, std::nullopt};
  if (view.object().call().callee->global().name == "_rebuild_tensor_v3") {
    TRY_ASSIGN(parts.dtype, view.argument(6));
  }
  return parts;
}

// --- archives ----------------------------------------------------------------------------------------------

Result<Saved> read_archive(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                           const pickle::Limits& limits) {
  TRY_ASSIGN(zip::Archive archive, zip::Archive::open(bytes));
  const auto prefix = find_prefix(archive, "data.pkl");
  if (!prefix) return bad_file("the archive has no data.pkl");
  return read_record(archive, *prefix, "data", "data", owner, limits);
}

// --- the stream before PyTorch 1.6 -------------------------------------------------------------------------

// Every storage that the pickle names, with the number of bytes of one of its elements.
Result<std::map<std::string, std::size_t, std::less<>>> element_sizes(const Object& root) {
  std::map<std::string, std::size_t, std::less<>> out;
  std::unordered_set<const Object*> seen;
  std::vector<const Object*> open{&root};
  const auto visit = [&](const Object* object) {
    if (object != nullptr && seen.insert(object).second) open.push_back(object);
  };
  while (!open.empty()) {
    const Object& object = *open.back();
    open.pop_back();
    switch (object.kind()) {
      case Kind::kList:
      case Kind::kTuple:
      case Kind::kSet:
      case Kind::kFrozenSet:
        for (const Object* item : object.items()) visit(item);
        break;
      case Kind::kDict:
        for (const auto& [key, value] : object.mapping().entries) visit(key), visit(value);
        for (const Object* state : object.mapping().states) visit(state);
        break;
      case Kind::kCall: {
        if (persistent_id(object) != nullptr && persistent_id(object)->kind() == Kind::kTuple &&
            persistent_id(object)->items().size() >= 5) {
          TRY_ASSIGN(const StorageId id, storage_id(View(object, "")));
          out.emplace(id.key, id.dtype ? tensor::info(*id.dtype).size : 1);
          break;
        }
        const pickle::Call& call = object.call();
        visit(call.callee);
        for (const Object* argument : call.args) visit(argument);
        for (const Object* state : call.states) visit(state);
        for (const Object* item : call.items) visit(item);
        for (const auto& [key, value] : call.entries) visit(key), visit(value);
        break;
      }
      default:
        break;
    }
  }
  return out;
}

Result<pickle::Document> next_pickle(base::ByteReader& reader, base::Bytes bytes,
                                     const std::shared_ptr<const void>& owner, const pickle::Limits& limits) {
  TRY_ASSIGN(pickle::Document document, pickle::read_bytes(bytes.subspan(reader.position()), owner, limits));
  TRY(reader.take(document.stream_bytes() - document.trailing_bytes()));
  return document;
}

Result<Saved> read_legacy(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                          const pickle::Limits& limits) {
  base::ByteReader reader(bytes);
  TRY(reader.take(kLegacyMagic.size()));
  TRY(next_pickle(reader, bytes, owner, limits));  // protocol version
  TRY_ASSIGN(const pickle::Document system, next_pickle(reader, bytes, owner, limits));
  if (const auto little = system.view().find_key("little_endian");
      little && little->is(Kind::kBool) && !little->object().boolean())
    return bad_file("the file was written on a big-endian machine");
  TRY_ASSIGN(pickle::Document document, next_pickle(reader, bytes, owner, limits));
  TRY_ASSIGN(const pickle::Document keys, next_pickle(reader, bytes, owner, limits));
  TRY_ASSIGN(const auto sizes, element_sizes(document.root()));
  Saved out{std::move(document), {}};
  TRY_ASSIGN(const std::vector<View> listed, keys.view().items());
  for (const View& key : listed) {
    TRY_ASSIGN(const std::string name, key.as_string());
    TRY_ASSIGN(const auto count, reader.little<std::int64_t>());
    const auto size = sizes.find(name);
    if (size == sizes.end()) return bad_file(cat("no tensor uses the storage ", base::quoted(name)));
    if (count < 0 || static_cast<std::uint64_t>(count) > reader.remaining() / size->second)
      return base::fail(base::Code::kInvalidInput, "torch.bad_storage",
                        cat("storage ", base::quoted(name), " has ", count, " elements, more than the file"),
                        "copy the file again, completely");
    TRY_ASSIGN(const base::Bytes content, reader.take(static_cast<std::uint64_t>(count) * size->second));
    out.storages[name] = {content, owner};
  }
  return out;
}

}  // namespace

bool is_legacy_stream(std::string_view content) {
  return content.starts_with(kLegacyMagic);
}

std::optional<std::string> find_prefix(const zip::Archive& archive, std::string_view file) {
  std::optional<std::string> best;
  for (const std::string_view name : archive.names()) {
    if (!name.ends_with(file)) continue;
    const std::string_view prefix = name.substr(0, name.size() - file.size());
    if (!prefix.empty() && (prefix.back() != '/' || prefix.find('/') != prefix.size() - 1)) continue;
    if (!best || prefix.size() < best->size()) best = std::string(prefix);
  }
  return best;
}

Result<Storage> read_entry(zip::Archive& archive, std::string_view name,
                           const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const std::optional<base::Bytes> stored, archive.borrow(name));
  if (stored) return Storage{*stored, owner};
  TRY_ASSIGN(std::string expanded, archive.read(name));
  const auto kept = std::make_shared<const std::string>(std::move(expanded));
  return Storage{base::as_bytes(*kept), kept};
}

Result<Saved> read_record(zip::Archive& archive, std::string_view prefix, std::string_view name,
                          std::string_view folder, const std::shared_ptr<const void>& owner,
                          const pickle::Limits& limits) {
  if (archive.has(cat(prefix, "byteorder"))) {
    TRY_ASSIGN(const std::string order, archive.read(cat(prefix, "byteorder")));
    if (base::trim(order) == "big") return bad_file("the file was written on a big-endian machine");
  }
  TRY_ASSIGN(const Storage records, read_entry(archive, cat(prefix, name, ".pkl"), owner));
  TRY_ASSIGN(pickle::Document document,
             pickle::read_bytes(records.bytes, records.owner, with_persistent_ids(limits)));
  Saved out{std::move(document), {}};
  const std::string inside = cat(prefix, folder, "/");
  const std::vector<std::string_view> names = archive.names();
  for (auto at = std::ranges::lower_bound(names, inside); at != names.end() && at->starts_with(inside);
       ++at) {
    const std::string_view key = at->substr(inside.size());
    if (key.empty() || key.find('/') != std::string_view::npos) continue;
    TRY_ASSIGN(out.storages[std::string(key)], read_entry(archive, *at, owner));
  }
  return out;
}

Result<Saved> read_saved(base::Bytes bytes, const std::shared_ptr<const void>& owner,
                         const pickle::Limits& limits) {
  if (is_legacy_stream(base::as_text(bytes))) return read_legacy(bytes, owner, with_persistent_ids(limits));
  return read_archive(bytes, owner, limits);
}

bool Saved::is_tensor(const View& view) {
  return find_rebuild(view) != nullptr || is_typed_rebuild(view);
}

Result<tensor::Tensor> Saved::tensor(const View& view) const {
  View at = view;
  for (int depth = 0; depth < 4; ++depth) {  // a parameter of a parameter is none
    const Rebuild* const rebuild = find_rebuild(at);
    if (rebuild == nullptr || rebuild->window) break;
    TRY_ASSIGN(at, at.argument(rebuild->inner));
  }
  if (!is_tensor(at)) return at.wrong("a tensor");
  TRY_ASSIGN(const Parts parts, parts_of(at));
  TRY_ASSIGN(const StorageId id, storage_id(parts.storage));
  Window window;
  window.dtype = id.dtype.value_or(tensor::DType::kUint8);
  if (parts.dtype) {
    const auto dtype = dtype_of_name(parts.dtype->global_name());
    if (!dtype)
      return base::fail(base::Code::kUnsupported, "torch.unsupported_dtype",
                        cat(view.where(), ": a dtype which wherry does not read"));
    window.dtype = *dtype;
  }
  TRY_ASSIGN(window.offset, parts.offset.as_int());
  TRY_ASSIGN(window.sizes, parts.sizes.int64s());
  TRY_ASSIGN(window.strides, parts.strides.int64s());
  const auto storage = storages.find(id.key);
  if (storage == storages.end())
    return base::fail(base::Code::kInvalidInput, "torch.bad_storage",
                      cat(view.where(), ": the file has no storage ", base::quoted(id.key)),
                      "the file is damaged; save the model again");
  const std::uint64_t size = id.dtype ? tensor::info(*id.dtype).size : 1;
  if (static_cast<std::uint64_t>(id.count) > storage->second.bytes.size() / size)
    return base::fail(base::Code::kInvalidInput, "torch.bad_storage",
                      cat(view.where(), ": its storage has ", storage->second.bytes.size(),
                          " bytes instead of ", id.count, " elements"),
                      "the file is damaged; save the model again");
  return read_window(storage->second, window, view.where());
}

}  // namespace wherry::torch
