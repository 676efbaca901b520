// Datatypes, dataspaces, elements and attributes (specification IV.A.2.b, d, m; III.E for the global heap).
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "import/hdf5/source.h"

namespace wherry::hdf5 {

using base::Bytes;
using base::cat;
using base::Result;
using base::Status;
using tensor::DType;
using tensor::Tensor;

namespace {

std::optional<DType> integer(std::uint32_t size, bool is_signed) {
  switch (size) {
    case 1:
      return is_signed ? DType::kInt8 : DType::kUint8;
    case 2:
      return is_signed ? DType::kInt16 : DType::kUint16;
    case 4:
      return is_signed ? DType::kInt32 : DType::kUint32;
    case 8:
      return is_signed ? DType::kInt64 : DType::kUint64;
    default:
      return std::nullopt;
  }
}

// IEEE floats: where the exponent lies and how it is biased tells them apart from others of their size.
Result<DType> floating(Source& source, std::uint32_t size, Bytes properties, std::string_view what) {
  Cursor cursor(properties, source);
  TRY(cursor.skip(4));  // bit offset, precision
  TRY_ASSIGN(const std::uint64_t exponent_at, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t exponent_bits, cursor.number(1));
  TRY(cursor.skip(2));  // mantissa
  TRY_ASSIGN(const std::uint64_t bias, cursor.number(4));
  struct Row {
    std::uint32_t size, exponent_at, exponent_bits, bias;
    DType dtype;
  };
  static constexpr Row kRows[] = {{2, 10, 5, 15, DType::kFloat16},
                                  {2, 7, 8, 127, DType::kBfloat16},
                                  {4, 23, 8, 127, DType::kFloat32},
                                  {8, 52, 11, 1023, DType::kFloat64}};
  for (const Row& row : kRows)
    if (row.size == size && row.exponent_at == exponent_at && row.exponent_bits == exponent_bits &&
        row.bias == bias)
      return row.dtype;
  return unsupported(cat("floats of ", size, " bytes in an unknown format (", what, ")"));
}

Result<Bytes> heap_object(Source& source, std::uint64_t address, std::uint64_t index) {
  if (!source.heaps.contains(address)) {
    TRY_ASSIGN(const Bytes bytes, source.at(address));
    Cursor head(bytes, source);
    TRY(head.expect("GCOL"));
    TRY(head.skip(4));
    TRY_ASSIGN(const std::uint64_t size, head.length());
    TRY_ASSIGN(const Bytes collection, source.at(address, size));
    Cursor cursor(collection, source);
    TRY(cursor.skip(head.position()));
    std::map<std::uint16_t, Bytes> objects;
    while (cursor.left() >= 8U + source.length_size) {
      TRY(source.count(1));
      TRY_ASSIGN(const std::uint64_t number, cursor.number(2));
      TRY(cursor.skip(6));
      TRY_ASSIGN(const std::uint64_t length, cursor.length());
      if (number == 0) break;  // free space
      TRY_ASSIGN(const Bytes object, cursor.take(length));
      TRY(cursor.skip(std::min<std::uint64_t>((8 - length % 8) % 8, cursor.left())));
      objects.emplace(static_cast<std::uint16_t>(number), object);
    }
    source.heaps.emplace(address, std::move(objects));
  }
  const auto& objects = source.heaps.at(address);
  const auto found = objects.find(static_cast<std::uint16_t>(index));
  if (index > 0xffff || found == objects.end()) return bad("a string lies outside its heap");
  return found->second;
}

Result<std::string> variable_text(Source& source, Bytes element) {
  Cursor cursor(element, source);
  TRY_ASSIGN(const std::uint64_t length, cursor.number(4));
  TRY_ASSIGN(const std::uint64_t address, cursor.offset());
  TRY_ASSIGN(const std::uint64_t index, cursor.number(4));
  if (length == 0 || is_undefined(address, source) || address == 0) return std::string();
  TRY_ASSIGN(const Bytes object, heap_object(source, address, index));
  if (length > object.size()) return bad("a string is longer than its place in the heap");
  if (length > source.limits.text_bytes)
    return base::fail(base::Code::kLimit, "hdf5.limit", cat("HDF5: a string of ", base::human_size(length)));
  std::string_view text = base::as_text(object.first(length));
  return std::string(text.substr(0, text.find('\0')));
}

std::string fixed_text(const Type& type, Bytes element) {
  std::string_view text = base::as_text(element);
  text = text.substr(0, text.find('\0'));
  if (type.space_padded)
    while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

Result<Tensor> make_texts(Source& source, const Type& type, const Space& space, Bytes raw) {
  TRY(source.count(space.count));
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < space.count; ++i) {
    const Bytes element = raw.subspan(i * type.size, type.size);
    if (type.kind == Class::kFixedText) {
      texts.push_back(fixed_text(type, element));
    } else {
      TRY_ASSIGN(std::string text, variable_text(source, element));
      texts.push_back(std::move(text));
    }
    TRY(source.count_decoded(texts.back().size() + sizeof(std::string)));
  }
  return Tensor::of_strings(space.shape, std::move(texts));
}

struct RawAttribute {
  std::string_view name;
  Bytes type, space, data;
};

// Attribute messages of version 1 pad their parts to eight bytes.
Result<RawAttribute> parse_attribute(Source& source, Bytes message) {
  Cursor cursor(message, source);
  TRY_ASSIGN(const std::uint64_t version, cursor.number(1));
  if (version < 1 || version > 3) return unsupported(cat("an attribute of version ", version));
  TRY_ASSIGN(const std::uint64_t flags, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t name_size, cursor.number(2));
  TRY_ASSIGN(const std::uint64_t type_size, cursor.number(2));
  TRY_ASSIGN(const std::uint64_t space_size, cursor.number(2));
  if (version == 3) TRY(cursor.skip(1));  // character set
  const auto part = [&](std::uint64_t size) -> Result<Bytes> {
    TRY_ASSIGN(const Bytes bytes, cursor.take(size));
    if (version == 1) TRY(cursor.skip((8 - size % 8) % 8));
    return bytes;
  };
  RawAttribute attribute;
  TRY_ASSIGN(const Bytes name, part(name_size));
  attribute.name = base::as_text(name);
  attribute.name = attribute.name.substr(0, attribute.name.find('\0'));
  TRY_ASSIGN(attribute.type, part(type_size));
  TRY_ASSIGN(attribute.space, part(space_size));
  if (version > 1 && (flags & 3) != 0)
    return unsupported(cat("the type of attribute ", base::quoted(attribute.name), " is shared"));
  TRY_ASSIGN(attribute.data, cursor.take(cursor.left()));
  return attribute;
}

Result<Tensor> attribute_value(Source& source, const RawAttribute& attribute) {
  const std::string what = cat("attribute ", base::quoted(attribute.name));
  TRY_ASSIGN(const Type type, read_type(source, attribute.type, what));
  TRY_ASSIGN(const Space space, read_space(source, attribute.space, what));
  if (space.count > attribute.data.size() / type.size) return bad(cat(what, " is longer than its message"));
  return make_tensor(source, type, space, attribute.data.first(space.count * type.size), source.owner, what);
}

}  // namespace

Result<Type> read_type(Source& source, Bytes message, std::string_view what) {
  Cursor cursor(message, source);
  TRY_ASSIGN(const std::uint64_t head, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t bits, cursor.number(3));
  Type type;
  TRY_ASSIGN(const std::uint64_t size, cursor.number(4));
  type.size = static_cast<std::uint32_t>(size);
  if (type.size == 0) return bad(cat("elements of no bytes (", what, ")"));
  TRY_ASSIGN(const Bytes properties, cursor.take(cursor.left()));
  switch (head & 15) {
    case 0: {
      const auto dtype = integer(type.size, (bits & 8) != 0);
      if (!dtype) return unsupported(cat("integers of ", type.size, " bytes (", what, ")"));
      type.dtype = *dtype;
      type.swapped = (bits & 1) != 0;
      return type;
    }
    case 1: {
      TRY_ASSIGN(type.dtype, floating(source, type.size, properties, what));
      type.swapped = (bits & 1) != 0;
      return type;
    }
    case 3:
      type.kind = Class::kFixedText;
      type.space_padded = (bits & 15) == 2;
      return type;
    case 5:
      type.kind = Class::kOpaque;
      return type;
    case 8: {  // h5py's booleans are an enumeration of int8
      TRY_ASSIGN(const Type base, read_type(source, properties, what));
      if (base.kind != Class::kNumber || base.size != 1 || type.size != 1)
        return unsupported(cat("an enumeration (", what, ")"));
      type.dtype = DType::kBool;
      return type;
    }
    case 9:
      if ((bits & 15) != 1) return unsupported(cat("lists of variable length (", what, ")"));
      if (type.size != 8U + source.offset_size)
        return bad(cat("strings of ", type.size, " bytes (", what, ")"));
      type.kind = Class::kText;
      return type;
    default:
      return unsupported(cat("elements of class ", head & 15, " (", what, ")"));
  }
}

Result<Space> read_space(Source& source, Bytes message, std::string_view what) {
  Cursor cursor(message, source);
  TRY_ASSIGN(const std::uint64_t version, cursor.number(1));
  TRY_ASSIGN(const std::uint64_t axes, cursor.number(1));
  if (version != 1 && version != 2)
    return unsupported(cat("a dataspace of version ", version, " (", what, ")"));
  TRY(cursor.skip(1));  // flags
  TRY_ASSIGN(const std::uint64_t kind, cursor.number(1));
  if (version == 1) TRY(cursor.skip(4));
  Space space;
  if (version == 2 && kind == 2) {  // null
    space.shape = {0};
    space.count = 0;
    return space;
  }
  for (std::uint64_t i = 0; i < axes; ++i) {
    TRY_ASSIGN(const std::uint64_t length, cursor.length());
    if (length > std::uint64_t{1} << 48) return bad(cat("the shape of ", what, " is too large"));
    space.shape.push_back(static_cast<std::int64_t>(length));
  }
  const auto count = tensor::element_count(space.shape);
  if (!count) return bad(cat("the shape of ", what, " is too large"));
  space.count = *count;
  return space;
}

Result<Tensor> make_tensor(Source& source, const Type& type, const Space& space, Bytes raw,
                           std::shared_ptr<const void> owner, std::string_view what) {
  if (type.kind == Class::kFixedText || type.kind == Class::kText)
    return make_texts(source, type, space, raw);
  DType dtype = type.dtype;
  if (type.kind == Class::kOpaque) {
    if (type.size != 2) return unsupported(cat("opaque elements of ", type.size, " bytes (", what, ")"));
    dtype = DType::kBfloat16;
  }
  const bool aligned = reinterpret_cast<std::uintptr_t>(raw.data()) % type.size == 0;
  if (aligned && !type.swapped && dtype != DType::kBool)
    return Tensor::borrow(dtype, space.shape, raw, owner);
  TRY(source.count_decoded(raw.size()));
  auto copy = std::make_shared<std::vector<std::uint64_t>>((raw.size() + 7) / 8);
  auto* data = reinterpret_cast<std::byte*>(copy->data());
  if (!raw.empty()) std::memcpy(data, raw.data(), raw.size());
  if (type.swapped)
    for (std::size_t i = 0; i < raw.size(); i += type.size) std::reverse(data + i, data + i + type.size);
  if (dtype == DType::kBool)
    for (std::size_t i = 0; i < raw.size(); ++i)
      data[i] = data[i] == std::byte{0} ? std::byte{0} : std::byte{1};
  return Tensor::borrow(dtype, space.shape, Bytes(data, raw.size()), copy);
}

Result<std::optional<Tensor>> read_attribute(Source& source, const Object& object, std::string_view name) {
  const auto try_one = [&](Bytes message) -> Result<std::optional<Tensor>> {
    TRY_ASSIGN(const RawAttribute attribute, parse_attribute(source, message));
    if (attribute.name != name) return std::nullopt;
    TRY_ASSIGN(Tensor value, attribute_value(source, attribute));
    return value;
  };
  for (const Message& message : object.messages) {
    if (message.type != kAttribute) continue;
    TRY_ASSIGN(auto value, try_one(message.body));
    if (value) return value;
  }
  if (const Message* info = find_message(object, kAttributeInfo)) {
    Cursor cursor(info->body, source);
    TRY(cursor.skip(1));
    TRY_ASSIGN(const std::uint64_t flags, cursor.number(1));
    if (flags & 1) TRY(cursor.skip(2));
    TRY_ASSIGN(const std::uint64_t heap, cursor.offset());
    TRY_ASSIGN(const std::uint64_t tree, cursor.offset());
    if (is_undefined(heap, source)) return std::nullopt;
    TRY_ASSIGN(const auto messages, read_dense(source, heap, tree, 0));
    for (const Bytes message : messages) {
      TRY_ASSIGN(auto value, try_one(message));
      if (value) return value;
    }
  }
  return std::nullopt;
}

}  // namespace wherry::hdf5
