// Tensors as the binary tensor data extension and gRPC's raw contents have them → cells.
#include <cstring>

#include "protocol/v2_input.h"
#include "tensor/half.h"

namespace wherry::protocol {
namespace {

std::unexpected<base::Error> bad_binary(std::string message, std::string hint) {
  return base::fail(base::Code::kInvalidInput, "protocol.bad_binary", std::move(message), std::move(hint));
}

// One pass from the body into the table.
template <class T, class Convert>
void store(std::string_view bytes, const Destination& destination, std::vector<double>& numbers,
           Convert convert) {
  const std::size_t count = bytes.size() / sizeof(T);
  const char* from = bytes.data();
  double* to = numbers.data() + destination.first;
  const auto run = [&](std::size_t stride) {
    for (std::size_t i = 0; i < count; ++i, from += sizeof(T), to += stride) {
      T value;
      std::memcpy(&value, from, sizeof value);
      *to = convert(value);
    }
  };
  if (destination.stride == 1)
    run(1);
  else
    run(destination.stride);
}

template <class T>
void store(std::string_view bytes, const Destination& destination, std::vector<double>& numbers) {
  store<T>(bytes, destination, numbers, [](T value) { return static_cast<double>(value); });
}

template <class Signed, class Unsigned>
void store_integers(bool is_signed, std::string_view bytes, const Destination& destination,
                    std::vector<double>& numbers) {
  if (is_signed)
    store<Signed>(bytes, destination, numbers);
  else
    store<Unsigned>(bytes, destination, numbers);
}

void store_numbers(const Datatype& type, std::string_view bytes, const Destination& destination,
                   std::vector<double>& numbers) {
  const bool is_signed = type.kind == DataKind::kSigned;
  switch (type.kind) {
    case DataKind::kFloat32:
      return store<float>(bytes, destination, numbers);
    case DataKind::kFloat64:
      return store<double>(bytes, destination, numbers);
    case DataKind::kFloat16:
      return store<std::uint16_t>(bytes, destination, numbers, tensor::half_to_double);
    case DataKind::kBfloat16:
      return store<std::uint16_t>(bytes, destination, numbers, tensor::bfloat_to_double);
    default:
      break;
  }
  switch (type.size) {
    case 8:
      return store_integers<std::int64_t, std::uint64_t>(is_signed, bytes, destination, numbers);
    case 4:
      return store_integers<std::int32_t, std::uint32_t>(is_signed, bytes, destination, numbers);
    case 2:
      return store_integers<std::int16_t, std::uint16_t>(is_signed, bytes, destination, numbers);
    default:
      return store_integers<std::int8_t, std::uint8_t>(is_signed, bytes, destination, numbers);
  }
}

base::Status check_bools(const V2Input& in, std::string_view bytes) {
  const std::size_t bad = bytes.find_first_not_of(std::string_view("\0\1", 2));
  if (bad == std::string_view::npos) return {};
  return bad_binary(
      base::cat("element ", bad, " of ", in.label(), " is ",
                static_cast<unsigned>(static_cast<unsigned char>(bytes[bad])), ", which is no BOOL"),
      "a BOOL is one byte, 0 or 1");
}

base::Status wrong_length(const V2Input& in, std::uint64_t given, std::uint64_t wanted) {
  return bad_binary(base::cat(in.label(), " has ", given, given == 1 ? " byte" : " bytes", "; its shape ",
                              in.shape_text(), " of ", in.datatype->name, " needs ", wanted),
                    "send as many bytes as the shape needs, little-endian and without gaps");
}

// take(text, i) for each of the elements, which stand behind their length each.
template <class Take>
base::Status each_text(const V2Input& in, std::string_view bytes, Take take) {
  for (std::uint64_t i = 0; i < in.count; ++i) {
    std::uint32_t length = 0;
    if (bytes.size() < sizeof length)
      return bad_binary(base::cat(in.label(), " ends before element ", i, " of ", in.count),
                        "a BYTES element is its length as 4 bytes, little-endian, and that many bytes");
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes.remove_prefix(sizeof length);
    if (length > bytes.size())
      return bad_binary(base::cat("element ", i, " of ", in.label(), " says it has ", length, " bytes, but ",
                                  bytes.size(), " are left"),
                        "a BYTES element is its length as 4 bytes, little-endian, and that many bytes");
    const std::string_view text = bytes.substr(0, length);
    bytes.remove_prefix(length);
    TRY(take(text, i));
  }
  if (bytes.empty()) return {};
  return bad_binary(base::cat(in.label(), " has ", bytes.size(), " bytes behind its ", in.count, " elements"),
                    "send as many elements as the product of \"shape\"");
}

base::Status not_utf8(std::string_view place) {
  return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8",
                    base::cat(place, ": the text is not valid UTF-8"), "send UTF-8 text");
}

base::Status read_texts(const V2Input& in, std::string_view bytes, const Destination& destination,
                        V2Inputs& inputs) {
  return each_text(in, bytes, [&](std::string_view text, std::size_t i) -> base::Status {
    if (destination.ignored) return {};
    const std::size_t cell = destination.first + i * destination.stride;
    if (!base::is_valid_utf8(text)) return not_utf8(inputs.place_of(in, cell));
    inputs.request().table.set_text(cell, text);
    return {};
  });
}

// Elements stay where they are in the request when they are aligned.
base::Status read_tensor(const V2Input& in, std::string_view bytes, V2Inputs& inputs) {
  TRY_ASSIGN(const std::uint32_t position, inputs.tensors().begin(in));
  tensor::TensorCells& cells = inputs.tensors().cells(position);
  if (in.datatype->kind == DataKind::kBytes)
    return each_text(in, bytes, [&](std::string_view text, std::size_t i) -> base::Status {
      if (!base::is_valid_utf8(text)) return not_utf8(base::cat(in.label(), ", element ", i));
      cells.texts.push_back(text);
      return {};
    });
  inputs.tensors().set_bytes(position, base::as_bytes(bytes));
  return {};
}

}  // namespace

base::Status read_raw(const V2Input& in, std::string_view bytes, V2Inputs& inputs) {
  const bool is_text = in.datatype->kind == DataKind::kBytes;
  const std::uint64_t wanted = is_text ? 4 * in.count : in.datatype->size * in.count;
  if (is_text ? bytes.size() < wanted : bytes.size() != wanted) return wrong_length(in, bytes.size(), wanted);
  if (in.datatype->kind == DataKind::kBool) TRY(check_bools(in, bytes));
  if (inputs.takes_tensors()) return read_tensor(in, bytes, inputs);
  TRY_ASSIGN(const Destination destination, inputs.place(in, !is_text));
  if (is_text) return read_texts(in, bytes, destination, inputs);
  if (!destination.ignored) store_numbers(*in.datatype, bytes, destination, inputs.request().table.numbers);
  return {};
}

}  // namespace wherry::protocol
