#include "import/pickle/array.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "base/text.h"

namespace wherry::pickle {

namespace {

std::unexpected<base::Error> wrong(std::string_view where, std::string_view expected, const NdArray& array) {
  return base::fail(base::Code::kInvalidInput, "pickle.wrong_type",
                    base::cat(where, ": expected ", expected, ", found ", array.describe()),
                    "the model was made by an unknown version of its framework, or is damaged");
}

std::unexpected<base::Error> lossy(std::string_view where, std::string_view what) {
  return base::fail(base::Code::kUnsupported, "pickle.lossy", base::cat(where, ": ", what),
                    "the model holds a number that wherry cannot represent");
}

// Calls visit(pointer) for every element in C order of the indices; stops at the first false.
template <class Visit>
bool for_each_element(const NdArray& array, const Visit& visit) {
  if (array.count == 0) return true;
  const std::size_t axes = array.shape.size();
  std::vector<std::int64_t> index(axes, 0);
  const std::byte* at = array.origin;
  while (true) {
    if (axes == 0) return visit(at);
    const std::int64_t last = array.shape[axes - 1];
    const std::int64_t stride = array.strides[axes - 1];
    for (std::int64_t i = 0; i < last; ++i)
      if (!visit(at + i * stride)) return false;
    std::size_t axis = axes - 1;
    while (axis-- > 0) {
      at += array.strides[axis];
      if (++index[axis] < array.shape[axis]) break;
      at -= array.strides[axis] * array.shape[axis];
      index[axis] = 0;
    }
    if (axis == std::size_t(-1)) return true;
  }
}

template <class T>
T load(const std::byte* at, bool swapped) {
  std::byte raw[sizeof(T)];
  std::memcpy(raw, at, sizeof(T));
  if (swapped)
    for (std::size_t i = 0; i < sizeof(T) / 2; ++i) std::swap(raw[i], raw[sizeof(T) - 1 - i]);
  T value;
  std::memcpy(&value, raw, sizeof(T));
  return value;
}

// IEEE 754 binary16; exact in double.
double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value = 0;
  if (exponent == 0x1f)
    value =
        mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(mantissa, -24);
  else
    value = std::ldexp(mantissa | 0x400, exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

// x87 extended precision in 12 or 16 bytes, the rest is padding: numpy's longdouble on x86. Rounded once, to
// nearest even.
double extended_to_double(const std::byte* at) {
  const auto mantissa = load<std::uint64_t>(at, false);
  const auto head = load<std::uint16_t>(at + 8, false);
  const int exponent = head & 0x7fff;
  double value = 0;
  if (exponent == 0x7fff)
    value = (mantissa << 1) == 0 ? std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::quiet_NaN();
  else if (exponent > 16383 - 1022)
    value = std::ldexp(static_cast<double>(mantissa), exponent - 16383 - 63);
  else  // denormal or zero as double: one rounding, in ldexp
    value = std::ldexp(static_cast<double>(mantissa & ~std::uint64_t{0x7ff}), exponent - 16383 - 63);
  return (head & 0x8000) != 0 ? -value : value;
}

using Loader = double (*)(const std::byte*, bool);

template <class T>
double load_as_double(const std::byte* at, bool swapped) {
  return static_cast<double>(load<T>(at, swapped));
}

Loader double_loader(const Dtype& type) {
  switch (type.kind) {
    case 'b':
      return [](const std::byte* at, bool) { return load<std::uint8_t>(at, false) != 0 ? 1.0 : 0.0; };
    case 'i':
      return type.itemsize == 1   ? load_as_double<std::int8_t>
             : type.itemsize == 2 ? load_as_double<std::int16_t>
             : type.itemsize == 4 ? load_as_double<std::int32_t>
                                  : load_as_double<std::int64_t>;
    case 'u':
      return type.itemsize == 1   ? load_as_double<std::uint8_t>
             : type.itemsize == 2 ? load_as_double<std::uint16_t>
             : type.itemsize == 4 ? load_as_double<std::uint32_t>
                                  : load_as_double<std::uint64_t>;
    case 'f':
      if (type.itemsize == 2)
        return [](const std::byte* at, bool swapped) {
          return half_to_double(load<std::uint16_t>(at, swapped));
        };
      if (type.itemsize == 4) return load_as_double<float>;
      if (type.itemsize == 8) return load_as_double<double>;
      if (type.byte_order == '>') return nullptr;
      return [](const std::byte* at, bool) { return extended_to_double(at); };
    default:
      return nullptr;
  }
}

bool is_swapped(const Dtype& type) {
  return type.byte_order == '>';
}

// A number in an object array: Python's or a numpy scalar.
std::optional<double> object_as_double(const Object& object) {
  switch (object.kind()) {
    case Kind::kFloat:
      return object.real();
    case Kind::kInt:
    case Kind::kBool:
      return static_cast<double>(object.integer());
    case Kind::kScalar: {
      const Loader loader = double_loader(*object.array().dtype);
      if (loader == nullptr) return std::nullopt;
      return loader(object.array().origin, is_swapped(*object.array().dtype));
    }
    default:
      return std::nullopt;
  }
}

using IntLoader = std::optional<std::int64_t> (*)(const std::byte*, bool);

template <class T>
std::optional<std::int64_t> load_as_int(const std::byte* at, bool swapped) {
  const T value = load<T>(at, swapped);
  if (!std::in_range<std::int64_t>(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

IntLoader int_loader(const Dtype& type) {
  switch (type.kind) {
    case 'b':
      return [](const std::byte* at, bool) -> std::optional<std::int64_t> {
        return load<std::uint8_t>(at, false) != 0 ? 1 : 0;
      };
    case 'i':
      return type.itemsize == 1   ? load_as_int<std::int8_t>
             : type.itemsize == 2 ? load_as_int<std::int16_t>
             : type.itemsize == 4 ? load_as_int<std::int32_t>
                                  : load_as_int<std::int64_t>;
    case 'u':
      return type.itemsize == 1   ? load_as_int<std::uint8_t>
             : type.itemsize == 2 ? load_as_int<std::uint16_t>
             : type.itemsize == 4 ? load_as_int<std::uint32_t>
                                  : load_as_int<std::uint64_t>;
    default:
      return nullptr;
  }
}

bool is_native_double(const NdArray& array) {
  return array.dtype->kind == 'f' && array.dtype->itemsize == 8 && !is_swapped(*array.dtype);
}

// UCS-4 code units up to the last one that is not NUL, as UTF-8 (lone surrogates kept); nullopt past
// U+10FFFF.
std::optional<std::string> ucs4_to_utf8(const std::byte* at, std::uint64_t units, bool swapped) {
  std::string out;
  while (units > 0 && load<std::uint32_t>(at + (units - 1) * 4, swapped) == 0) --units;
  for (std::uint64_t i = 0; i < units; ++i) {
    const auto point = load<std::uint32_t>(at + i * 4, swapped);
    if (point > 0x10ffff) return std::nullopt;
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xc0 | (point >> 6));
      out += static_cast<char>(0x80 | (point & 0x3f));
    } else {
      if (point < 0x10000) {
        out += static_cast<char>(0xe0 | (point >> 12));
      } else {
        out += static_cast<char>(0xf0 | (point >> 18));
        out += static_cast<char>(0x80 | ((point >> 12) & 0x3f));
      }
      out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (point & 0x3f));
    }
  }
  return out;
}

// What S and U hold at `at`.
std::optional<std::string> load_string(const std::byte* at, const Dtype& type) {
  if (type.kind == 'U') return ucs4_to_utf8(at, type.itemsize / 4, is_swapped(type));
  std::string_view text(reinterpret_cast<const char*>(at), type.itemsize);
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return std::string(text);
}

std::optional<std::string> object_as_string(const Object& object) {
  if (object.kind() == Kind::kStr) return std::string(object.text());
  if (object.kind() == Kind::kScalar && object.array().dtype->kind == 'U')
    return load_string(object.array().origin, *object.array().dtype);
  return std::nullopt;
}

}  // namespace

base::Result<std::vector<double>> to_doubles(const NdArray& array, std::string_view where) {
  std::vector<double> values;
  if (array.dtype->kind == 'O') {
    values.reserve(array.elements.size());
    for (const Object* element : array.elements) {
      const auto value = object_as_double(*element);
      if (!value) return wrong(where, base::cat("numbers (but one is ", name(element->kind()), ")"), array);
      values.push_back(*value);
    }
    return values;
  }
  const Loader loader = double_loader(*array.dtype);
  if (loader == nullptr) return wrong(where, "an array of numbers", array);
  if (is_native_double(array) && array.is_c_contiguous()) {
    values.resize(array.count);
    if (array.count != 0) std::memcpy(values.data(), array.origin, array.count * sizeof(double));
    return values;
  }
  values.reserve(array.count);
  const bool swapped = is_swapped(*array.dtype);
  for_each_element(array, [&](const std::byte* at) {
    values.push_back(loader(at, swapped));
    return true;
  });
  return values;
}

base::Result<std::vector<float>> to_floats(const NdArray& array, std::string_view where) {
  std::vector<float> values;
  if (array.dtype->kind == 'O') {
    TRY_ASSIGN(const std::vector<double> doubles, to_doubles(array, where));
    values.assign(doubles.begin(), doubles.end());
    return values;
  }
  const Loader loader = double_loader(*array.dtype);
  if (loader == nullptr) return wrong(where, "an array of numbers", array);
  values.reserve(array.count);
  const bool swapped = is_swapped(*array.dtype);
  for_each_element(array, [&](const std::byte* at) {
    values.push_back(static_cast<float>(loader(at, swapped)));
    return true;
  });
  return values;
}

base::Result<std::vector<std::int64_t>> to_int64s(const NdArray& array, std::string_view where) {
  std::vector<std::int64_t> values;
  if (array.dtype->kind == 'O') {
    for (const Object* element : array.elements) {
      const bool is_integer = element->kind() == Kind::kInt || element->kind() == Kind::kBool;
      const IntLoader loader =
          element->kind() == Kind::kScalar ? int_loader(*element->array().dtype) : nullptr;
      if (!is_integer && loader == nullptr)
        return wrong(where, base::cat("integers (but one is ", name(element->kind()), ")"), array);
      const auto value = is_integer ? std::optional(element->integer())
                                    : loader(element->array().origin, is_swapped(*element->array().dtype));
      if (!value) return lossy(where, "an integer is larger than 2^63 - 1");
      values.push_back(*value);
    }
    return values;
  }
  const IntLoader loader = int_loader(*array.dtype);
  if (loader == nullptr) return wrong(where, "an array of integers", array);
  values.reserve(array.count);
  const bool swapped = is_swapped(*array.dtype);
  const bool fits = for_each_element(array, [&](const std::byte* at) {
    const auto value = loader(at, swapped);
    if (value) values.push_back(*value);
    return value.has_value();
  });
  if (!fits) return lossy(where, "an integer is larger than 2^63 - 1");
  return values;
}

base::Result<std::vector<bool>> to_bools(const NdArray& array, std::string_view where) {
  std::vector<bool> values;
  if (array.dtype->kind == 'O') {
    for (const Object* element : array.elements) {
      const bool is_scalar = element->kind() == Kind::kScalar && element->array().dtype->kind == 'b';
      if (element->kind() != Kind::kBool && !is_scalar)
        return wrong(where, base::cat("bools (but one is ", name(element->kind()), ")"), array);
      values.push_back(is_scalar ? element->array().origin[0] != std::byte{0} : element->boolean());
    }
    return values;
  }
  if (array.dtype->kind != 'b') return wrong(where, "an array of bool", array);
  values.reserve(array.count);
  for_each_element(array, [&](const std::byte* at) {
    values.push_back(*at != std::byte{0});
    return true;
  });
  return values;
}

base::Result<std::vector<std::string>> to_strings(const NdArray& array, std::string_view where) {
  std::vector<std::string> values;
  values.reserve(array.count);
  if (array.dtype->kind == 'O') {
    for (const Object* element : array.elements) {
      auto value = object_as_string(*element);
      if (!value) return wrong(where, base::cat("strings (but one is ", name(element->kind()), ")"), array);
      values.push_back(std::move(*value));
    }
    return values;
  }
  if (array.dtype->kind != 'U' && array.dtype->kind != 'S') return wrong(where, "an array of strings", array);
  const bool valid = for_each_element(array, [&](const std::byte* at) {
    auto value = load_string(at, *array.dtype);
    if (value) values.push_back(std::move(*value));
    return value.has_value();
  });
  if (!valid) return lossy(where, "a string has a character past U+10FFFF");
  return values;
}

base::Result<NdArray> field(const NdArray& array, std::string_view name, std::string_view where) {
  const Field* const found = array.dtype->find(name);
  if (found == nullptr)
    return base::fail(base::Code::kInvalidInput, "pickle.missing_attribute",
                      base::cat(where, ": ", array.describe(), " has no field ", base::quoted(name)),
                      "the model was made by an unknown version of its framework, or is damaged");
  if (array.dtype->has_objects) return wrong(where, "a record array without Python objects", array);
  NdArray part = array;
  part.dtype = found->type;
  if (array.origin != nullptr) part.origin = array.origin + found->offset;
  if (part.dtype->element != nullptr) {
    const Dtype& block = *part.dtype;
    part.shape.insert(part.shape.end(), block.sub_shape.begin(), block.sub_shape.end());
    part.strides.resize(part.shape.size());
    auto stride = static_cast<std::int64_t>(block.element->itemsize);
    for (std::size_t i = part.shape.size(); i-- > array.shape.size();) {
      part.strides[i] = stride;
      stride *= part.shape[i];
      part.count *= static_cast<std::uint64_t>(part.shape[i]);
    }
    part.dtype = block.element;
  }
  return part;
}

base::Result<NdArray> row(const NdArray& array, std::int64_t index, std::string_view where) {
  if (array.shape.empty() || index < 0 || index >= array.shape[0])
    return base::fail(base::Code::kInvalidInput, "pickle.out_of_range",
                      base::cat(where, ": ", array.describe(), " has no row ", index),
                      "the model was made by an unknown version of its framework, or is damaged");
  NdArray part = array;
  part.shape.erase(part.shape.begin());
  part.strides.erase(part.strides.begin());
  part.count = array.count / static_cast<std::uint64_t>(array.shape[0]);
  const auto step = static_cast<std::uint64_t>(index);
  if (array.dtype->has_objects)
    part.elements = array.elements.subspan(step * part.count, part.count);
  else if (array.origin != nullptr)
    part.origin = array.origin + index * array.strides[0];
  return part;
}

base::Result<std::string> to_raw(const NdArray& array, std::string_view where) {
  if (array.dtype->has_objects) return wrong(where, "an array without Python objects", array);
  std::string raw;
  raw.reserve(array.count * array.dtype->itemsize);
  for_each_element(array, [&](const std::byte* at) {
    raw.append(reinterpret_cast<const char*>(at), array.dtype->itemsize);
    return true;
  });
  return raw;
}

}  // namespace wherry::pickle
