#include "import/pickle/known.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace wherry::pickle {

namespace {

using Args = std::span<const Object* const>;
using Decoded = base::Result<Object*>;

std::unexpected<base::Error> no_memory() {
  return base::fail(base::Code::kLimit, "pickle.limit_memory", "too much memory for copies of values",
                    "the file may be hostile; if it is trusted, raise the limit named by the error id");
}

// set([…]) and its relatives: the items of one list or tuple, copied.
Decoded collection(Heap& heap, Kind kind, Args args, std::uint64_t offset) {
  if (args.size() > 1) return nullptr;
  if (args.empty()) return heap.sequence(kind, {}, offset);
  const Kind source = args[0]->kind();
  if (source != Kind::kList && source != Kind::kTuple && source != Kind::kSet && source != Kind::kFrozenSet)
    return nullptr;
  const Args items = args[0]->items();
  if (!heap.admit(items.size_bytes())) return no_memory();
  return heap.sequence(kind, items, offset);
}

Decoded set(Heap& heap, Args args, std::uint64_t offset) {
  return collection(heap, Kind::kSet, args, offset);
}
Decoded frozen_set(Heap& heap, Args args, std::uint64_t offset) {
  return collection(heap, Kind::kFrozenSet, args, offset);
}

// UTF-8 text of characters up to U+00FF as Latin-1 bytes; nullopt when it has others.
std::optional<std::string> latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += text[i];
    } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < text.size()) {
      const auto next = static_cast<unsigned char>(text[++i]);
      out += static_cast<char>(((byte & 0x03) << 6) | (next & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return out;
}

bool is_latin1_name(const Object& codec) {
  if (codec.kind() != Kind::kStr) return false;
  return codec.text() == "latin1" || codec.text() == "latin-1" || codec.text() == "iso-8859-1";
}

// str.encode('latin1'): how Python 3 writes bytes in protocols 0 to 2.
Decoded latin1_bytes(Heap& heap, Kind kind, Args args, std::uint64_t offset) {
  if (args.size() != 2 || args[0]->kind() != Kind::kStr || !is_latin1_name(*args[1])) return nullptr;
  if (!heap.admit(args[0]->text().size())) return no_memory();
  const auto bytes = latin1(args[0]->text());
  if (!bytes) return nullptr;
  return heap.text(kind, heap.keep(*bytes), offset);
}

Decoded codecs_encode(Heap& heap, Args args, std::uint64_t offset) {
  return latin1_bytes(heap, Kind::kBytes, args, offset);
}

Decoded bytes(Heap& heap, Args args, std::uint64_t offset) {
  if (args.empty()) return heap.text(Kind::kBytes, {}, offset);
  return latin1_bytes(heap, Kind::kBytes, args, offset);
}

Decoded byte_array(Heap& heap, Args args, std::uint64_t offset) {
  if (args.empty()) return heap.text(Kind::kByteArray, {}, offset);
  if (args.size() == 1 && (args[0]->kind() == Kind::kBytes || args[0]->kind() == Kind::kByteArray))
    return heap.text(Kind::kByteArray, args[0]->text(), offset);
  return latin1_bytes(heap, Kind::kByteArray, args, offset);
}

std::optional<double> number(const Object& object) {
  if (object.kind() == Kind::kFloat) return object.real();
  if (object.kind() == Kind::kInt || object.kind() == Kind::kBool)
    return static_cast<double>(object.integer());
  return std::nullopt;
}

Decoded complex(Heap& heap, Args args, std::uint64_t offset) {
  if (args.size() != 2) return nullptr;
  const auto real = number(*args[0]);
  const auto imaginary = number(*args[1]);
  if (!real || !imaginary) return nullptr;
  return heap.complex(*real, *imaginary, offset);
}

// OrderedDict(), OrderedDict([[key, value], …]) of Python 2, Counter({…}): a dict of its own with the same
// entries.
Decoded dict_like(Heap& heap, Args args, std::uint64_t offset, std::string_view module,
                  std::string_view name) {
  if (args.size() > 1) return nullptr;
  std::vector<Entry> entries;
  if (args.size() == 1 && args[0]->kind() == Kind::kDict) {
    const std::vector<Entry>& source = args[0]->mapping().entries;
    if (!heap.admit(source.size() * sizeof(Entry))) return no_memory();
    entries = source;
  } else if (args.size() == 1) {
    if (args[0]->kind() != Kind::kList && args[0]->kind() != Kind::kTuple) return nullptr;
    if (!heap.admit(args[0]->items().size() * sizeof(Entry))) return no_memory();
    for (const Object* pair : args[0]->items()) {
      if ((pair->kind() != Kind::kList && pair->kind() != Kind::kTuple) || pair->items().size() != 2)
        return nullptr;
      entries.push_back({pair->items()[0], pair->items()[1]});
    }
  }
  Object* const dict = heap.dict(offset);
  Mapping& mapping = heap.mapping(*dict);
  mapping.entries = std::move(entries);
  mapping.type = heap.well_known(module, name);
  return dict;
}

Decoded ordered_dict(Heap& heap, Args args, std::uint64_t offset) {
  return dict_like(heap, args, offset, "collections", "OrderedDict");
}
Decoded counter(Heap& heap, Args args, std::uint64_t offset) {
  return dict_like(heap, args, offset, "collections", "Counter");
}

Decoded default_dict(Heap& heap, Args args, std::uint64_t offset) {
  if (args.size() > 2) return nullptr;
  TRY_ASSIGN(Object* const dict,
             dict_like(heap, args.empty() ? args : args.subspan(1), offset, "collections", "defaultdict"));
  if (dict != nullptr && !args.empty()) heap.mapping(*dict).default_factory = args[0];
  return dict;
}

constexpr auto kKnown = std::to_array<KnownCallable>({
    {"builtins", "set", set},
    {"builtins", "frozenset", frozen_set},
    {"builtins", "bytes", bytes},
    {"builtins", "bytearray", byte_array},
    {"builtins", "complex", complex},
    {"_codecs", "encode", codecs_encode},
    {"collections", "OrderedDict", ordered_dict},
    {"collections", "defaultdict", default_dict},
    {"collections", "Counter", counter},
    {"numpy", "dtype", decode_dtype},
    {"numpy._core.multiarray", "scalar", decode_scalar},
    {"numpy._core.numeric", "_frombuffer", decode_frombuffer},
    {"numpy._core.multiarray", "_reconstruct", nullptr, decode_reconstruct_state},
});

}  // namespace

const KnownCallable* find_known(std::string_view module, std::string_view name) {
  const auto found = std::ranges::find_if(
      kKnown, [&](const KnownCallable& row) { return row.module == module && row.name == name; });
  return found != kKnown.end() ? &*found : nullptr;
}

std::optional<std::string> to_latin1(const Object& text) {
  return latin1(text.text());
}

}  // namespace wherry::pickle
