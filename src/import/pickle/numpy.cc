// numpy's dtypes, arrays and scalars as pickles write them (numpy/_core/src/multiarray/descriptor.c
// arraydescr_reduce and arraydescr_setstate; methods.c array_reduce, array_reduce_ex_picklebuffer and
// array_setstate).
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>

#include "base/text.h"
#include "import/pickle/known.h"

namespace wherry::pickle {

namespace {

using Args = std::span<const Object* const>;

constexpr std::uint64_t kMostItemBytes = std::numeric_limits<std::int32_t>::max();  // numpy's own bound
constexpr std::uint64_t kMostEmptyItems = 1'000'000;  // elements of zero bytes cost nothing in the file
constexpr std::uint64_t kMostArrayBytes = std::uint64_t{1} << 62;
constexpr int kMostDtypeDepth = 32;

std::unexpected<base::Error> bad_dtype(std::string what) {
  return base::fail(base::Code::kInvalidInput, "pickle.bad_dtype", base::cat("numpy dtype: ", what));
}

std::unexpected<base::Error> bad_array(std::string what) {
  return base::fail(base::Code::kInvalidInput, "pickle.bad_array", base::cat("numpy array: ", what));
}

std::unexpected<base::Error> too_large(std::string what) {
  return base::fail(base::Code::kLimit, "pickle.limit_array", base::cat("numpy array: ", what),
                    "the file is damaged, or hostile");
}

struct BuiltinType {
  char kind;
  std::uint64_t size;
};

// Sizes that numpy has on some platform; longdouble is f12 or f16.
constexpr auto kBuiltins = std::to_array<BuiltinType>(
    {{'b', 1},  {'i', 1},  {'i', 2}, {'i', 4}, {'i', 8},  {'u', 1},  {'u', 2}, {'u', 4},
     {'u', 8},  {'f', 2},  {'f', 4}, {'f', 8}, {'f', 12}, {'f', 16}, {'c', 8}, {'c', 16},
     {'c', 24}, {'c', 32}, {'M', 8}, {'m', 8}, {'O', 8},  {'O', 4}});

bool has_byte_order(const Dtype& type) {
  if (type.kind == 'U') return true;
  return type.itemsize > 1 && std::string_view("iufcMm").contains(type.kind);
}

// "f8", "<i4", "U8", "V56", "|O", "?" …; nullopt for what is none of these.
std::optional<Dtype> parse_type(std::string_view text) {
  Dtype type;
  char order = '<';
  if (!text.empty() && std::string_view("<>=|").contains(text[0])) {
    order = text[0] == '>' ? '>' : '<';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  type.kind = text[0] == '?' ? 'b' : text[0] == 'a' ? 'S' : text[0];
  const std::string_view digits = text.substr(1);
  std::uint64_t size = text[0] == '?' || text[0] == 'b' ? 1 : text[0] == 'O' ? 8 : 0;
  if (!digits.empty()) {
    const auto number = base::parse_unsigned(digits);
    if (!number || *number > kMostItemBytes) return std::nullopt;
    size = *number;
  }
  type.itemsize = size;
  if (type.kind == 'U') type.itemsize = size * 4;
  if (std::string_view("SUV").contains(type.kind)) {
    if (type.itemsize > kMostItemBytes) return std::nullopt;
  } else if (std::ranges::none_of(kBuiltins, [&](const BuiltinType& row) {
               return row.kind == type.kind && row.size == size;
             })) {
    return std::nullopt;
  }
  type.has_objects = type.kind == 'O';
  type.byte_order = has_byte_order(type) ? order : '|';
  type.alignment = type.kind == 'U'                             ? 4
                   : std::string_view("SV").contains(type.kind) ? 1
                                                                : std::max<std::uint64_t>(1, type.itemsize);
  return type;
}

std::optional<std::int64_t> as_integer(const Object& object) {
  if (object.kind() == Kind::kInt || object.kind() == Kind::kBool) return object.integer();
  return std::nullopt;
}

// A shape is a tuple of int, or one int.
std::optional<std::vector<std::int64_t>> as_shape(const Object& object) {
  if (const auto one = as_integer(object)) return std::vector<std::int64_t>{*one};
  if (object.kind() != Kind::kTuple && object.kind() != Kind::kList) return std::nullopt;
  std::vector<std::int64_t> shape;
  for (const Object* item : object.items()) {
    const auto dimension = as_integer(*item);
    if (!dimension) return std::nullopt;
    shape.push_back(*dimension);
    if (shape.size() > 1024) break;  // refused by its number of dimensions anyway
  }
  return shape;
}

// fields is {name: (dtype, offset[, title])}.
base::Status read_fields(Dtype& type, const Object& names, const Object& fields) {
  if (names.kind() != Kind::kTuple || fields.kind() != Kind::kDict)
    return bad_dtype("its fields are not a tuple of names and a dict");
  std::map<std::string_view, const Object*> by_name;
  for (const Entry& entry : fields.mapping().entries)
    if (entry.key->kind() == Kind::kStr) by_name[entry.key->text()] = entry.value;
  for (const Object* field_name : names.items()) {
    if (field_name->kind() != Kind::kStr) return bad_dtype("a field name is not a str");
    const auto entry = by_name.find(field_name->text());
    if (entry == by_name.end())
      return bad_dtype(base::cat("field ", base::quoted(field_name->text()), " is missing"));
    const Object& value = *entry->second;
    if (value.kind() != Kind::kTuple || value.items().size() < 2 || value.items()[0]->kind() != Kind::kDtype)
      return bad_dtype(base::cat("field ", base::quoted(field_name->text()), " is not (dtype, offset)"));
    const auto offset = as_integer(*value.items()[1]);
    const Dtype& of_field = value.items()[0]->dtype();
    if (!offset || *offset < 0 || static_cast<std::uint64_t>(*offset) > type.itemsize ||
        of_field.itemsize > type.itemsize - static_cast<std::uint64_t>(*offset))
      return bad_dtype(base::cat("field ", base::quoted(field_name->text()), " lies outside of the record"));
    type.fields.push_back({field_name->text(), static_cast<std::uint64_t>(*offset), &of_field});
    type.has_objects = type.has_objects || of_field.has_objects;
    type.depth = std::max(type.depth, of_field.depth + 1);
  }
  return {};
}

base::Status read_subarray(const Limits& limits, Dtype& type, const Object& subarray) {
  if (subarray.kind() != Kind::kTuple || subarray.items().size() != 2 ||
      subarray.items()[0]->kind() != Kind::kDtype)
    return bad_dtype("its sub-array is not (dtype, shape)");
  const Dtype& element = subarray.items()[0]->dtype();
  TRY_ASSIGN(const NdArray layout, lay_out(limits, element, *subarray.items()[1], false));
  if (layout.count * element.itemsize != type.itemsize)
    return bad_dtype("its sub-array does not fill the item");
  type.element = &element;
  type.sub_shape = layout.shape;
  type.has_objects = element.has_objects;
  type.depth = element.depth + 1;
  return {};
}

// The last item of a version 4 state: (metadata, (unit, count, 1, 1)).
void read_time_unit(Dtype& type, const Object& metadata) {
  if (metadata.kind() != Kind::kTuple || metadata.items().size() != 2) return;
  const Object& unit = *metadata.items()[1];
  if (unit.kind() != Kind::kTuple || unit.items().size() < 2) return;
  const Object& name = *unit.items()[0];
  if (name.kind() != Kind::kStr && name.kind() != Kind::kBytes) return;
  type.time_unit = name.text() == "generic" ? std::string_view{} : name.text();
  type.time_count = as_integer(*unit.items()[1]).value_or(1);
}

struct StateItems {
  const Object* byte_order;
  const Object* subarray;
  const Object* names;
  const Object* fields;
  const Object* itemsize;
  const Object* alignment;
  const Object* metadata;  // null before version 4
};

base::Result<StateItems> split_dtype_state(const Object& state) {
  if (state.kind() != Kind::kTuple) return bad_dtype("its state is not a tuple");
  const Args items = state.items();
  if (items.size() < 7 || items.size() > 9)
    return base::fail(base::Code::kUnsupported, "pickle.unsupported_dtype",
                      base::cat("numpy dtype: its state has ", items.size(), " parts"),
                      "load the model with numpy 1.7 or newer and save it again");
  return StateItems{
      items[1], items[2], items[3], items[4], items[5], items[6], items.size() == 9 ? items[8] : nullptr};
}

base::Result<char> byte_order_of(const Dtype& type, const Object& text) {
  if ((text.kind() != Kind::kStr && text.kind() != Kind::kBytes) || text.text().size() != 1 ||
      !std::string_view("<>=|").contains(text.text()[0]))
    return bad_dtype("its byte order is none of < > = |");
  if (!has_byte_order(type)) return '|';
  return text.text()[0] == '>' ? '>' : '<';
}

void fill_strides(NdArray& array, bool fortran) {
  array.strides.resize(array.shape.size());
  auto stride = static_cast<std::int64_t>(array.dtype->itemsize);
  for (std::size_t k = 0; k < array.shape.size(); ++k) {
    const std::size_t axis = fortran ? k : array.shape.size() - 1 - k;
    array.strides[axis] = stride;
    if (array.count != 0) stride *= array.shape[axis];
  }
}

// The bytes behind an array: bytes, bytearray, or the Latin-1 text that Python 2 or protocol 0 made of them.
base::Result<std::optional<std::string_view>> raw_data(Heap& heap, const Object& data) {
  if (data.kind() == Kind::kBytes || data.kind() == Kind::kByteArray) return data.text();
  if (data.kind() != Kind::kStr) return std::nullopt;
  if (!heap.admit(data.text().size()))
    return base::fail(base::Code::kLimit, "pickle.limit_memory", "too much memory for copies of values");
  const auto bytes = to_latin1(data);
  if (!bytes) return std::nullopt;
  return heap.keep(*bytes);
}

base::Status attach_data(Heap& heap, NdArray& array, const Object& data) {
  if (array.dtype->has_objects) {
    if (data.kind() != Kind::kList && data.kind() != Kind::kTuple)
      return bad_array(base::cat("the elements of an object array are ", name(data.kind()), ", not a list"));
    if (data.items().size() != array.count)
      return bad_array(
          base::cat("shape asks for ", array.count, " elements, ", data.items().size(), " are there"));
    if (!heap.admit(data.items().size_bytes()))
      return base::fail(base::Code::kLimit, "pickle.limit_memory", "too much memory for copies of values");
    array.elements = heap.keep(data.items());
    return {};
  }
  TRY_ASSIGN(const std::optional<std::string_view> bytes, raw_data(heap, data));
  if (!bytes) return bad_array(base::cat("its data are ", name(data.kind()), ", not bytes"));
  if (bytes->size() != array.count * array.dtype->itemsize)
    return bad_array(base::cat("shape and dtype ask for ", array.count * array.dtype->itemsize, " bytes, ",
                               bytes->size(), " are there"));
  array.origin = reinterpret_cast<const std::byte*>(bytes->data());
  return {};
}

}  // namespace

base::Result<NdArray> lay_out(const Limits& limits, const Dtype& dtype, const Object& shape, bool fortran) {
  auto dimensions = as_shape(shape);
  if (!dimensions) return bad_array("its shape is not a tuple of int");
  if (dimensions->size() > limits.array_dimensions)
    return too_large(base::cat("more than ", limits.array_dimensions, " dimensions"));
  NdArray array;
  array.dtype = &dtype;
  array.shape = std::move(*dimensions);
  std::uint64_t product = 1;  // of the dimensions that are not zero: what numpy bounds too
  const std::uint64_t most =
      std::min(limits.array_elements, kMostArrayBytes / std::max<std::uint64_t>(1, dtype.itemsize));
  for (const std::int64_t dimension : array.shape) {
    if (dimension < 0) return bad_array(base::cat("dimension ", dimension, " is negative"));
    const auto size = static_cast<std::uint64_t>(dimension);
    if (size > most / product) return too_large(base::cat("its shape has more than ", most, " elements"));
    if (size == 0)
      array.count = 0;
    else
      product *= size;
  }
  if (array.count != 0) array.count = product;
  if (dtype.itemsize == 0 && array.count > kMostEmptyItems)
    return too_large(base::cat("more than ", kMostEmptyItems, " elements of no bytes"));
  fill_strides(array, fortran);
  return array;
}

base::Result<Object*> decode_dtype(Heap& heap, Args args, std::uint64_t offset) {
  if (args.empty() || (args[0]->kind() != Kind::kStr && args[0]->kind() != Kind::kBytes)) return nullptr;
  auto type = parse_type(args[0]->text());
  if (!type) return nullptr;
  return heap.dtype(std::move(*type), offset);
}

base::Status apply_dtype_state(Heap& heap, Object& object, const Object& state) {
  TRY_ASSIGN(const StateItems items, split_dtype_state(state));
  Dtype type = object.dtype();
  const auto itemsize = as_integer(*items.itemsize);
  const auto alignment = as_integer(*items.alignment);
  if (!itemsize || !alignment) return bad_dtype("its item size or alignment is not an int");
  if (*itemsize != -1) {
    if (*itemsize < 0 || static_cast<std::uint64_t>(*itemsize) > kMostItemBytes)
      return bad_dtype(base::cat("item size ", *itemsize));
    const bool flexible = std::string_view("SUV").contains(type.kind);
    if (flexible && (type.kind != 'U' || *itemsize % 4 == 0))
      type.itemsize = static_cast<std::uint64_t>(*itemsize);
    else if (static_cast<std::uint64_t>(*itemsize) != type.itemsize)
      return bad_dtype(base::cat("item size ", *itemsize, " for ", type.describe()));
  }
  if (*alignment > 0 && static_cast<std::uint64_t>(*alignment) <= kMostItemBytes)
    type.alignment = static_cast<std::uint64_t>(*alignment);
  TRY_ASSIGN(type.byte_order, byte_order_of(type, *items.byte_order));
  type.fields.clear();
  type.element = nullptr;
  type.sub_shape.clear();
  if (!items.names->is_none()) {
    if (type.kind != 'V') return bad_dtype("fields in a type that is no record");
    const std::size_t named = items.names->kind() == Kind::kTuple ? items.names->items().size() : 0;
    const std::size_t described =
        items.fields->kind() == Kind::kDict ? items.fields->mapping().entries.size() : 0;
    if (!heap.admit((named + described) * sizeof(Field)))
      return base::fail(base::Code::kLimit, "pickle.limit_memory", "too much memory for dtypes");
    TRY(read_fields(type, *items.names, *items.fields));
  }
  if (!items.subarray->is_none()) {
    if (type.kind != 'V') return bad_dtype("a sub-array in a type that is no record");
    TRY(read_subarray(heap.limits(), type, *items.subarray));
  }
  if (type.depth > kMostDtypeDepth) return bad_dtype(base::cat("nested deeper than ", kMostDtypeDepth));
  if (items.metadata != nullptr && (type.kind == 'M' || type.kind == 'm'))
    read_time_unit(type, *items.metadata);
  heap.become_dtype(object, std::move(type));
  return {};
}

base::Result<Object*> decode_scalar(Heap& heap, Args args, std::uint64_t offset) {
  if (args.size() != 2 || args[0]->kind() != Kind::kDtype) return nullptr;
  NdArray scalar;
  scalar.dtype = &args[0]->dtype();
  if (scalar.dtype->has_objects) {
    scalar.elements = heap.keep(args.subspan(1, 1));
  } else {
    TRY(attach_data(heap, scalar, *args[1]));
  }
  return heap.array(Kind::kScalar, std::move(scalar), offset);
}

// _frombuffer(buffer, dtype, shape, order[, axis_order]): protocol 5. Order 'K' holds the array with its axes
// sorted by stride; axis_order puts them back.
base::Result<Object*> decode_frombuffer(Heap& heap, Args args, std::uint64_t offset) {
  if (args.size() < 4 || args.size() > 5 || args[1]->kind() != Kind::kDtype ||
      args[3]->kind() != Kind::kStr || args[1]->dtype().has_objects)
    return nullptr;
  const std::string_view order = args[3]->text();
  const bool permuted = order == "K" && args.size() == 5 && !args[4]->is_none();
  if (order != "C" && order != "F" && order != "A" && !permuted) return nullptr;
  TRY_ASSIGN(NdArray array, lay_out(heap.limits(), args[1]->dtype(), *args[2], order == "F"));
  TRY(attach_data(heap, array, *args[0]));
  if (permuted) {
    const auto axes = as_shape(*args[4]);
    if (!axes || axes->size() != array.shape.size())
      return bad_array("its axis order does not fit its shape");
    const NdArray sorted = array;
    std::vector<char> seen(axes->size());
    for (std::size_t i = 0; i < axes->size(); ++i) {
      const auto axis = static_cast<std::size_t>((*axes)[i]);
      if (axis >= axes->size() || seen[axis]++ != 0) return bad_array("its axis order is no permutation");
      array.shape[i] = sorted.shape[axis];
      array.strides[i] = sorted.strides[axis];
    }
  }
  array.type = heap.well_known("numpy", "ndarray");
  return heap.array(Kind::kArray, std::move(array), offset);
}

// _reconstruct(class, (0,), b'b') then BUILD (1, shape, dtype, is_fortran, data); data is a list for object
// arrays.
base::Result<bool> decode_reconstruct_state(Heap& heap, Object& record, const Object& state) {
  if (state.kind() != Kind::kTuple || (state.items().size() != 5 && state.items().size() != 4)) return false;
  const Args items = state.items().last(4);
  if (items[1]->kind() != Kind::kDtype) return false;
  const auto fortran = as_integer(*items[2]);
  if (!fortran) return false;
  TRY_ASSIGN(NdArray array, lay_out(heap.limits(), items[1]->dtype(), *items[0], *fortran != 0));
  TRY(attach_data(heap, array, *items[3]));
  const Call& call = record.call();
  array.type = !call.args.empty() && call.args[0]->kind() == Kind::kGlobal
                   ? &call.args[0]->global()
                   : heap.well_known("numpy", "ndarray");
  heap.become_array(record, std::move(array));
  return true;
}

}  // namespace wherry::pickle
