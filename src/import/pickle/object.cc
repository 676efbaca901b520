#include "import/pickle/object.h"

#include <algorithm>
#include <array>

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
  for (const Field& field : fields) text += base::cat(&field == fields.data() ? "" : ", ", field.name);
  return text + ")";
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
  const base::Bytes bytes = integer.bytes();
  std::vector<std::uint8_t> magnitude(bytes.size());
  const bool negative = !bytes.empty() && (std::to_integer<int>(bytes.back()) & 0x80) != 0;
  int carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int byte =
        (negative ? ~std::to_integer<int>(bytes[i]) & 0xff : std::to_integer<int>(bytes[i])) + carry;
    magnitude[i] = static_cast<std::uint8_t>(byte & 0xff);
    carry = byte >> 8;
  }
  std::string digits;
  while (!magnitude.empty()) {
    int rest = 0;
    for (std::size_t i = magnitude.size(); i-- > 0;) {
      const int value = rest * 256 + magnitude[i];
      magnitude[i] = static_cast<std::uint8_t>(value / 10);
      rest = value % 10;
    }
    digits += static_cast<char>('0' + rest);
    while (!magnitude.empty() && magnitude.back() == 0) magnitude.pop_back();
  }
  if (digits.empty()) digits = "0";
  if (negative) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

}  // namespace wherry::pickle
