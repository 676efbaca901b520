#include "protocol/npy.h"

#include <cstring>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/rows.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {
namespace {

using base::cat;
using base::quoted;
using tensor::DType;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeader = 64 << 10;

std::unexpected<base::Error> bad(std::string message,
                                 std::string hint = "save the array with numpy.save or numpy.savez") {
  return base::fail(base::Code::kInvalidInput, "protocol.bad_npy", std::move(message), std::move(hint));
}

struct Kind {
  std::string_view name;  // of the dtype, without the byte order
  DType dtype;
};
constexpr Kind kKinds[] = {
    {"b1", DType::kBool},     {"i1", DType::kInt8},    {"i2", DType::kInt16},   {"i4", DType::kInt32},
    {"i8", DType::kInt64},    {"u1", DType::kUint8},   {"u2", DType::kUint16},  {"u4", DType::kUint32},
    {"u8", DType::kUint64},   {"f2", DType::kFloat16}, {"f4", DType::kFloat32}, {"f8", DType::kFloat64},
    {"V2", DType::kBfloat16},
};

base::Status set_dtype(std::string_view descr, NpyArray& array) {
  if (descr.starts_with('>'))
    return bad(cat("the array's numbers are big-endian: ", quoted(descr, 20)),
               "save array.astype(array.dtype.newbyteorder(\"<\"))");
  const std::string_view kind = descr.empty() ? descr : descr.substr(1);
  for (const Kind& row : kKinds)
    if (row.name == kind) {
      array.dtype = row.dtype;
      return {};
    }
  const auto size =
      kind.starts_with('U') || kind.starts_with('S') ? base::parse_unsigned(kind.substr(1)) : std::nullopt;
  if (!size || *size > (std::uint64_t{1} << 28))
    return bad(cat("the array has dtype ", quoted(descr, 40)),
               "save numbers, booleans or texts (dtype U or S)");
  array.dtype = DType::kString;
  array.characters = static_cast<std::size_t>(*size);
  array.is_bytes = kind.starts_with('S');
  return {};
}

// {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }
class Header {
 public:
  explicit Header(std::string_view text) : text_(text) {}

  base::Status read(NpyArray& array) {
    bool has_descr = false, has_shape = false;
    if (!take("{")) return malformed();
    while (!take("}")) {
      TRY_ASSIGN(const std::string_view key, string());
      if (!take(":")) return malformed();
      if (key == "descr") {
        if (!at("'")) return bad("the array holds records", "save numbers, booleans or texts");
        TRY_ASSIGN(const std::string_view descr, string());
        TRY(set_dtype(descr, array));
        has_descr = true;
      } else if (key == "fortran_order") {
        if (take("True"))
          return bad("the array is stored column by column", "save numpy.ascontiguousarray(array)");
        if (!take("False")) return malformed();
      } else if (key == "shape") {
        TRY(shape(array.shape));
        has_shape = true;
      } else {
        return malformed();
      }
      if (!take(",") && !at("}")) return malformed();
    }
    if (!has_descr || !has_shape) return malformed();
    return {};
  }

 private:
  static std::unexpected<base::Error> malformed() { return bad("the header of the array is not numpy's"); }

  void skip() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }
  bool at(std::string_view word) {
    skip();
    return text_.starts_with(word);
  }
  bool take(std::string_view word) {
    if (!at(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  base::Result<std::string_view> string() {
    const std::size_t end = at("'") ? text_.find('\'', 1) : text_.npos;
    if (end == text_.npos) return malformed();
    const std::string_view value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return value;
  }
  base::Status shape(tensor::Shape& shape) {
    if (!take("(")) return malformed();
    while (!take(")")) {
      skip();
      const std::size_t end = text_.find_first_not_of("0123456789");
      const auto length = base::parse_unsigned(text_.substr(0, end));
      if (!length || *length > (std::uint64_t{1} << 40) || shape.size() == program::kMostAxes)
        return bad("the shape of the array has a length too many or too large");
      shape.push_back(static_cast<std::int64_t>(*length));
      text_.remove_prefix(std::min(end, text_.size()));
      if (!take(",") && !at(")")) return malformed();
    }
    return {};
  }

  std::string_view text_;
};

void append_utf8(std::uint32_t c, std::string& out) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xc0 | c >> 6), byte(0x80 | (c & 63));
  if (c < 0x10000) return byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63));
  byte(0xf0 | (c >> 18 & 7)), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63));
}

// numpy fills texts up with zeros, which do not belong to them.
base::Status add_texts(const NpyArray& array, std::string_view name, tensor::TensorCells& cells,
                       std::string& arena) {
  const std::size_t width = array.is_bytes ? 1 : 4;
  const std::size_t size = array.characters * width;
  const auto count = size == 0 ? *tensor::element_count(array.shape) : array.elements.size() / size;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t start = arena.size();
    for (std::size_t c = 0; c < array.characters; ++c) {
      std::uint32_t character = 0;
      std::memcpy(&character, array.elements.data() + i * size + c * width, width);
      if (array.is_bytes)
        arena += static_cast<char>(character);
      else
        append_utf8(character, arena);
    }
    std::size_t end = arena.size();
    while (end > start && arena[end - 1] == '\0') --end;
    const std::string_view text = std::string_view(arena).substr(start, end - start);
    if (!base::is_valid_utf8(text))
      return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8",
                        cat("input ", quoted(name), ", element ", i, ": the text is not valid UTF-8"),
                        "send UTF-8 text");
    cells.texts.push_back(text);
  }
  return {};
}

// The input which an array is for.
std::string_view input_name(std::string_view given, const Schema& schema) {
  if (given.empty() && schema.inputs().size() == 1) return schema.inputs()[0].name;
  if (schema.input(given) || !given.starts_with("arr_")) return given;
  const auto position = base::parse_unsigned(given.substr(4));
  return position && *position < schema.inputs().size() ? std::string_view(schema.inputs()[*position].name)
                                                        : given;
}

}  // namespace

bool is_npy(std::string_view file) {
  return file.starts_with(kMagic);
}

base::Result<NpyArray> read_npy(std::string_view file) {
  if (!is_npy(file) || file.size() < 12) return bad("the file is not an array of numpy's");
  const auto major = static_cast<unsigned char>(file[6]);
  if (major < 1 || major > 3)
    return bad(cat("the array has format version ", unsigned{major}, "; versions 1 to 3 are read"));
  const std::size_t length_size = major == 1 ? 2 : 4;
  std::uint32_t length = 0;
  std::memcpy(&length, file.data() + 8, length_size);
  const std::size_t start = 8 + length_size;
  if (length > kMostHeader || length > file.size() - start) return bad("the header of the array is cut off");
  NpyArray array;
  TRY(Header(file.substr(start, length)).read(array));
  const std::string_view data = file.substr(start + length);
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(array.shape));
  const bool is_text = array.dtype == DType::kString;
  const std::uint64_t size =
      is_text ? array.characters * (array.is_bytes ? 1 : 4) : tensor::info(array.dtype).size;
  const std::uint64_t most =
      size == 0 ? (std::uint64_t{1} << 24) : data.size() / size;  // empty texts take no bytes
  if (count > most || (size != 0 && count * size != data.size()))
    return bad(cat("the array has ", data.size(), " bytes of elements; its shape ",
                   tensor::to_string(array.shape), " needs ", count, " times ", size));
  if (array.dtype == DType::kBool && data.find_first_not_of(std::string_view("\0\1", 2)) != data.npos)
    return bad("a boolean of the array is neither 0 nor 1");
  array.elements = base::as_bytes(data);
  return array;
}

base::Status read_arrays(std::span<const NamedArray> arrays, const Schema& schema, Request& request) {
  if (!schema.takes_tensors())
    return base::fail(base::Code::kInvalidInput, "protocol.bad_form",
                      "arrays of numpy's hold tensors, but the model takes rows of columns",
                      "give the rows as JSON or CSV");
  TRY(start_request({}, schema, request));
  TensorInputs inputs(schema, request);
  std::size_t bytes = 0;
  for (const NamedArray& one : arrays) bytes += one.file.size();
  request.scratch.arena.clear();
  request.scratch.arena.reserve(bytes);  // texts are views into it, and never longer than in the file
  for (const NamedArray& one : arrays) {
    const std::string_view name = input_name(one.name, schema);
    if (name.empty())
      return base::fail(
          base::Code::kInvalidInput, "protocol.bad_form",
          cat("the model has ", schema.inputs().size(), " inputs, but the file is one array without a name"),
          "save all of them with numpy.savez(file, NAME=array, …)");
    TRY_ASSIGN(const NpyArray array, read_npy(one.file));
    TRY_ASSIGN(const std::uint32_t position, inputs.begin(name));
    const program::InputTensor& input = inputs.input(position);
    tensor::TensorCells& cells = inputs.cells(position);
    if (array.dtype != input.dtype)
      return base::fail(base::Code::kInvalidInput, "protocol.bad_datatype",
                        cat("input ", quoted(name), " is an array of ", tensor::info(array.dtype).numpy_name,
                            "; the model takes ", tensor::info(input.dtype).numpy_name),
                        cat("save array.astype(\"", tensor::info(input.dtype).numpy_name, "\")"));
    cells.shape = array.shape;
    if (array.dtype == DType::kString)
      TRY(add_texts(array, name, cells, request.scratch.arena));
    else
      inputs.set_bytes(position, array.elements);
  }
  return inputs.finish();
}

}  // namespace wherry::protocol
