// The callables whose result is data and which the reader therefore decodes. Internal to module pickle.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/pickle/heap.h"

namespace wherry::pickle {

// Decodes callable(*args). Null: these arguments are unusual, keep the call as a record.
using DecodeCall = base::Result<Object*> (*)(Heap& heap, std::span<const Object* const> args,
                                             std::uint64_t offset);

// What BUILD means for the record of a call to this callable. False: nothing special, the state is only kept.
using DecodeState = base::Result<bool> (*)(Heap& heap, Object& record, const Object& state);

struct KnownCallable {
  std::string_view module;
  std::string_view name;
  DecodeCall call = nullptr;
  DecodeState state = nullptr;
};

// By canonical names; null for everything else.
const KnownCallable* find_known(std::string_view module, std::string_view name);

struct CanonicalName {
  std::string module;
  std::string name;
};

// Whether Python 3 renames this global when it reads a pickle of protocol 2 or less (Lib/_compat_pickle.py).
bool is_python2_name(std::string_view module, std::string_view name);

// Present-day spelling of a global; `python2` applies that renaming first.
CanonicalName canonical_name(std::string_view module, std::string_view name, bool python2);

// Python's str.encode("latin-1"); nullopt when there are characters past U+00FF.
std::optional<std::string> to_latin1(const Object& text);

// numpy's part of the table.
base::Result<Object*> decode_dtype(Heap& heap, std::span<const Object* const> args, std::uint64_t offset);
base::Result<Object*> decode_scalar(Heap& heap, std::span<const Object* const> args, std::uint64_t offset);
base::Result<Object*> decode_frombuffer(Heap& heap, std::span<const Object* const> args,
                                        std::uint64_t offset);
base::Result<bool> decode_reconstruct_state(Heap& heap, Object& record, const Object& state);

// The dtype `object` with the state tuple of its BUILD applied.
base::Status apply_dtype_state(Heap& heap, Object& object, const Object& state);

// dtype and shape of an array about to be filled: count, strides (C or Fortran order) and limits.
// Errors: "pickle.bad_array" (negative or non-integer dimensions), "pickle.limit_array".
base::Result<NdArray> lay_out(const Limits& limits, const Dtype& dtype, const Object& shape, bool fortran);

}  // namespace wherry::pickle
