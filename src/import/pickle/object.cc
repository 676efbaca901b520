#include "import/pickle/object.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace wherry::pickle {

std::string_view name(Kind kind) {
  static constexpr std::array<std::string_view, 19> kNames = {
      "None",     "bool",  "int",       "int",         "float",
      "complex",  "bytes", "bytearray", "str",         "list",
      "tuple",    "set",   "frozenset", "dict",        "class or function",
      "instance", "dtype", "array",     "numpy scalar"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string Global::qualified() const {
  return base::cat(module, ".", name);
}

namespace {

constexpr std::size_t kMostNamedFields = 8;  // in messages

// Callables whose first argument is the class of what they return.
bool first_argument_is_class(const Global& callee) {
  if (callee.module == "copyreg")
    return callee.name == "_reconstructor" || callee.name == "__newobj__" || callee.name == "__newobj_ex__";
  return callee.name == "newObj" || callee.name.starts_with("__pyx_unpickle_");
}

const Object* first_global(std::span<const Object* const> args) {
  return !args.empty() && args[0]->kind() == Kind::kGlobal ? args[0] : nullptr;
}

// Protocols 2 and 3 write cls.__new__(cls, *args, **kwargs) as functools.partial(getattr(cls, "__new__"),
// cls, …)().
const Object* class_of_partial(const Object& callee) {
  if (callee.kind() != Kind::kCall) return nullptr;
  const Call& partial = callee.call();
  if (partial.callee->kind() != Kind::kGlobal || !partial.callee->global().is("functools", "partial") ||
      partial.args.size() < 2)
    return nullptr;
  return first_global(partial.args.subspan(1));
}

}  // namespace

const Global* Call::type() const {
  const Object* found = callee;
  if (callee->kind() != Kind::kGlobal)
    found = class_of_partial(*callee);
  else if (first_argument_is_class(callee->global()))
    found = first_global(args);
  return found != nullptr ? &found->global() : nullptr;
}

const Field* Dtype::find(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &Field::name);
  return found != fields.end() ? &*found : nullptr;
}

std::string Dtype::describe() const {
  const std::uint64_t bits = itemsize * 8;
  switch (kind) {
    case 'b':
      return "bool";
    case 'i':
      return base::cat("int", bits);
    case 'u':
      return base::cat("uint", bits);
    case 'f':
      return base::cat("float", bits);
    case 'c':
      return base::cat("complex", bits);
    case 'S':
      return base::cat("S", itemsize);
    case 'U':
      return base::cat(byte_order, "U", itemsize / 4);
    case 'O':
      return "object";
    case 'M':
    case 'm': {
      std::string text = kind == 'M' ? "datetime64" : "timedelta64";
      if (!time_unit.empty())
        text += time_count == 1 ? base::cat("[", time_unit, "]") : base::cat("[", time_count, time_unit, "]");
      return text;
    }
    default:
      break;
  }
  if (element != nullptr) return base::cat("sub-array of ", element->describe());
  if (fields.empty()) return base::cat("V", itemsize);
  std::string text = "record(";
  for (std::size_t i = 0; i < std::min(fields.size(), kMostNamedFields); ++i)
    text += base::cat(i == 0 ? "" : ", ", base::quoted(fields[i].name, 40));
  return text + (fields.size() > kMostNamedFields ? ", …)" : ")");
}

bool NdArray::is_c_contiguous() const {
  if (count == 0) return true;
  auto expected = static_cast<std::int64_t>(dtype->itemsize);
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

std::string NdArray::describe() const {
  std::string text = base::cat(dtype->describe(), " array (");
  for (std::size_t i = 0; i < shape.size(); ++i) text += base::cat(i == 0 ? "" : ", ", shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::span<const Object* const> Object::items() const {
  if (kind() == Kind::kTuple) return {value_.tuple.data, value_.tuple.size};
  if (value_.sequence == nullptr) return {};
  return *value_.sequence;
}

const Mapping& Object::mapping() const {
  static const Mapping kEmpty;
  return value_.mapping != nullptr ? *value_.mapping : kEmpty;
}

std::string decimal(const Object& integer) {
  if (integer.kind() == Kind::kInt) return base::cat(integer.integer());
  __extension__ using Wide = unsigned __int128;
  constexpr std::uint64_t kChunk = 1'000'000'000'000'000'000U;  // 18 digits at a time
  const std::string_view bytes = integer.text();
  const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
  std::vector<std::uint64_t> words((bytes.size() + 7) / 8, negative ? ~std::uint64_t{0} : 0);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  if (negative) {
    bool carry = true;
    for (std::uint64_t& word : words) {
      word = ~word + (carry ? 1 : 0);
      carry = carry && word == 0;
    }
  }
  std::vector<std::uint64_t> chunks;
  while (!words.empty()) {
    std::uint64_t rest = 0;
    for (std::size_t i = words.size(); i-- > 0;) {
      const Wide value = (Wide{rest} << 64) | words[i];
      words[i] = static_cast<std::uint64_t>(value / kChunk);
      rest = static_cast<std::uint64_t>(value % kChunk);
    }
    chunks.push_back(rest);
    while (!words.empty() && words.back() == 0) words.pop_back();
  }
  if (chunks.empty()) return "0";
  std::string text = base::cat(negative ? "-" : "", chunks.back());
  for (std::size_t i = chunks.size() - 1; i-- > 0;) {
    const std::string digits = base::cat(chunks[i]);
    text.append(18 - digits.size(), '0');
    text += digits;
  }
  return text;
}

}  // namespace wherry::pickle
