#include "import/tensorflow/tensor_proto.h"

#include <cstring>
#include <string>
#include <vector>

#include "protobuf/wire.h"

#include "base/text.h"
#include "import/tensorflow/messages.h"
#include "import/tensorflow/types.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using protobuf::Field;
using protobuf::key;
using protobuf::WireType;
using tensor::DType;
using tensor::Tensor;

constexpr std::uint64_t kMostFilled = std::uint64_t{1} << 28;

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "tensorflow.bad_model", std::move(message),
                    "the file is damaged; save the model again or copy the whole folder again");
}

// Which field holds the elements of a dtype one by one, and how each is written.
struct ElementField {
  DType dtype;
  std::uint32_t number;
  WireType type;
};
constexpr ElementField kElementFields[] = {
    {DType::kFloat32, 5, WireType::kFixed32}, {DType::kFloat64, 6, WireType::kFixed64},
    {DType::kInt32, 7, WireType::kVarint},    {DType::kUint8, 7, WireType::kVarint},
    {DType::kInt16, 7, WireType::kVarint},    {DType::kInt8, 7, WireType::kVarint},
    {DType::kUint16, 7, WireType::kVarint},   {DType::kString, 8, WireType::kBytes},
    {DType::kInt64, 10, WireType::kVarint},   {DType::kBool, 11, WireType::kVarint},
    {DType::kFloat16, 13, WireType::kVarint}, {DType::kBfloat16, 13, WireType::kVarint},
    {DType::kUint32, 16, WireType::kVarint},  {DType::kUint64, 17, WireType::kVarint},
};

const ElementField& element_field(DType dtype) {
  for (const ElementField& row : kElementFields)
    if (row.dtype == dtype) return row;
  __builtin_unreachable();
}

struct Message {
  DType dtype = DType::kFloat32;
  tensor::Shape shape;
  std::uint64_t count = 0;
  std::string_view content;
};

Result<Message> read_head(std::string_view message) {
  Message head;
  std::int64_t type = 0;
  protobuf::Reader reader(message);
  for (Field field; reader.next(field);) switch (field.key()) {
      case key(1, WireType::kVarint):
        type = field.as_int64();
        break;
      case key(2, WireType::kBytes): {
        TRY_ASSIGN(PartialShape shape, read_shape(field.bytes));
        if (!shape) return bad("a constant has no shape");
        head.shape = std::move(*shape);
        break;
      }
      case key(4, WireType::kBytes):
        head.content = field.bytes;
        break;
    }
  TRY(reader.status("a constant"));
  const auto dtype = to_dtype(type);
  if (!dtype)
    return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                      cat("a constant is of ", type_name(type)),
                      "wherry reads numbers, booleans and strings only");
  head.dtype = *dtype;
  TRY_ASSIGN(head.count, tensor::element_count(head.shape));
  return head;
}

Result<Tensor> read_strings(const Message& head, std::string_view message) {
  if (head.count > kMostFilled / 8)
    return base::fail(base::Code::kLimit, "tensorflow.too_large",
                      cat("a constant has ", head.count, " strings"), "the file is damaged");
  std::vector<std::string> texts;
  protobuf::Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(8, WireType::kBytes)) texts.emplace_back(field.bytes);
  if (texts.size() > head.count) return bad(cat("a constant of ", head.count, " strings has ", texts.size()));
  const std::string last = texts.empty() ? std::string() : texts.back();
  if (last.size() * (head.count - texts.size()) > kMostFilled)
    return base::fail(base::Code::kLimit, "tensorflow.too_large",
                      "a constant repeats a long string too often", "the file is damaged");
  texts.resize(head.count, last);
  return Tensor::of_strings(head.shape, std::move(texts));
}

// Elements one by one, the last one filling the rest.
Result<Tensor> read_elements(const Message& head, std::string_view message) {
  const std::size_t width = tensor::info(head.dtype).size;
  const ElementField& row = element_field(head.dtype);
  auto elements = std::make_shared<std::string>();
  protobuf::Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.number != row.number) continue;
    const bool whole = protobuf::each_element(field, row.type, [&](std::uint64_t value) {
      if (elements->size() / width >= head.count) return false;
      elements->append(reinterpret_cast<const char*>(&value), width);
      return true;
    });
    if (!whole) return bad(cat("a constant of shape ", tensor::to_string(head.shape), " has other elements"));
  }
  if (head.dtype == DType::kBool)
    for (char& each : *elements) each = each != 0 ? 1 : 0;
  const std::uint64_t given = elements->size() / width;
  if (given < head.count) {
    if (head.count > kMostFilled)
      return base::fail(base::Code::kLimit, "tensorflow.too_large",
                        cat("a constant fills ", head.count, " elements"), "the file is damaged");
    const std::string last =
        given == 0 ? std::string(width, '\0') : elements->substr(elements->size() - width);
    elements->reserve(head.count * width);
    for (std::uint64_t i = given; i < head.count; ++i) *elements += last;
  }
  return tensor_of(head.dtype, head.shape, base::as_bytes(*elements), elements);
}

}  // namespace

Result<Tensor> tensor_of(DType dtype, tensor::Shape shape, base::Bytes bytes,
                         const std::shared_ptr<const void>& owner) {
  const std::size_t width = tensor::info(dtype).size;
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(shape));
  if (count * width != bytes.size())
    return bad(cat("a tensor of shape ", tensor::to_string(shape), " and type ",
                   tensor::info(dtype).numpy_name, " has ", bytes.size(), " bytes"));
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % width == 0)
    return Tensor::borrow(dtype, std::move(shape), bytes, owner);
  auto copy = std::make_shared<std::vector<std::uint64_t>>((bytes.size() + 7) / 8);
  std::memcpy(copy->data(), bytes.data(), bytes.size());
  const base::Bytes copied = std::as_bytes(std::span<const std::uint64_t>(*copy)).first(bytes.size());
  return Tensor::borrow(dtype, std::move(shape), copied, std::move(copy));
}

Result<Tensor> read_tensor(std::string_view message, const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const Message head, read_head(message));
  if (head.dtype == DType::kString) return read_strings(head, message);
  if (head.content.empty()) return read_elements(head, message);
  if (head.dtype == DType::kBool)
    for (const char each : head.content)
      if (static_cast<unsigned char>(each) > 1) return bad("a boolean constant is neither 0 nor 1");
  const std::size_t width = tensor::info(head.dtype).size;
  // Tensor::CompressTensorProtoInPlace: content may be cut too, its last element fills the rest.
  if (head.content.size() % width == 0 && head.content.size() / width < head.count) {
    if (head.count > kMostFilled)
      return base::fail(base::Code::kLimit, "tensorflow.too_large",
                        cat("a constant fills ", head.count, " elements"), "the file is damaged");
    auto elements = std::make_shared<std::string>(head.content);
    const std::string last = elements->substr(elements->size() - width);
    elements->reserve(head.count * width);
    while (elements->size() < head.count * width) *elements += last;
    return tensor_of(head.dtype, head.shape, base::as_bytes(*elements), elements);
  }
  return tensor_of(head.dtype, head.shape, base::as_bytes(head.content), owner);
}

}  // namespace wherry::tensorflow
