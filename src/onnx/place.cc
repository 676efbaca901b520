// Puts the weights beside a model back into it, or into a file of their own.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "onnx/write.h"
#include "protobuf/onnx_fields.h"
#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::onnx {

using namespace protobuf::onnx;  // numbers of fields
namespace {

using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;

constexpr std::size_t kMostProto = (std::size_t{1} << 31) - 1;
constexpr std::size_t kAlignment = 64;

// The name of a TensorProto whose data stands beside the model; nullopt for all others.
std::optional<std::string_view> beside_name(std::string_view tensor) {
  std::string_view name;
  bool beside = false;
  Reader reader(tensor);
  for (Field field; reader.next(field);) {
    if (field.key() == key(tensor_field::kName, WireType::kBytes)) name = field.bytes;
    if (field.key() == key(tensor_field::kExternalData, WireType::kBytes))
      beside = beside || field.bytes.find(kBeside) != std::string_view::npos;
  }
  return beside ? std::optional(name) : std::nullopt;
}

void copy(Writer& writer, const Field& field) {
  switch (field.type) {
    case WireType::kVarint:
      return writer.varint(field.number, field.value);
    case WireType::kBytes:
      return writer.bytes(field.number, field.bytes);
    case WireType::kFixed32:
      return writer.fixed32(field.number, static_cast<std::uint32_t>(field.value));
    case WireType::kFixed64:
      return writer.float64(field.number, field.as_double());
  }
}

// All but the reference to external data.
void copy_head(Writer& writer, std::string_view tensor) {
  Reader reader(tensor);
  for (Field field; reader.next(field);)
    if (field.number != tensor_field::kExternalData && field.number != tensor_field::kDataLocation)
      copy(writer, field);
}

// Rewrites a ModelProto: `place(writer, tensor)` writes the data of each weight that stands beside it.
// `more`: about as many bytes as that adds.
template <class Place>
base::Result<std::string> rewrite(const Model& model, std::size_t more, Place place) {
  std::map<std::string_view, const tensor::Tensor*> weights;
  for (const Initializer& weight : model.weights) weights[weight.name] = &weight.tensor;
  constexpr std::size_t kHeads = 64;  // of a weight: the lengths of its messages
  std::string out;
  out.reserve(model.proto.size() + more + model.weights.size() * kHeads + kHeads);
  Writer writer(out);
  Reader reader(model.proto);
  for (Field field; reader.next(field);) {
    if (field.key() != key(model_field::kGraph, WireType::kBytes)) {
      copy(writer, field);
      continue;
    }
    const std::size_t mark = writer.begin(model_field::kGraph);
    Reader inner(field.bytes);
    for (Field part; inner.next(part);) {
      const bool is_weight = part.key() == key(graph_field::kInitializer, WireType::kBytes);
      const auto name = is_weight ? beside_name(part.bytes) : std::nullopt;
      if (!name) {
        copy(writer, part);
        continue;
      }
      const auto at = weights.find(*name);
      if (at == weights.end())
        return base::fail(base::Code::kInvalidInput, "onnx.no_weight",
                          base::cat("the model's weight '", *name, "' is missing"), "");
      const std::size_t tensor = writer.begin(graph_field::kInitializer);
      copy_head(writer, part.bytes);
      place(writer, *at->second);
      writer.end(tensor);
    }
    TRY(inner.status("the ONNX graph"));
    writer.end(mark);
  }
  TRY(reader.status("the ONNX model"));
  return out;
}

void external(Writer& writer, std::string_view name, std::string_view value) {
  const std::size_t mark = writer.begin(tensor_field::kExternalData);
  writer.bytes(entry_field::kKey, name);
  writer.bytes(entry_field::kValue, value);
  writer.end(mark);
}

}  // namespace

bool is_for_wherry_only(std::string_view proto) {
  Reader reader(proto);
  for (Field field; reader.next(field);) {
    if (field.key() != key(model_field::kOpsetImport, WireType::kBytes)) continue;
    Reader opset(field.bytes);
    for (Field part; opset.next(part);)
      if (part.key() == key(opset_field::kDomain, WireType::kBytes) && part.bytes == graph::kOwnDomain)
        return true;
  }
  return false;
}

base::Result<std::string> embed(const Model& model) {
  std::size_t weights = 0;
  for (const Initializer& weight : model.weights) weights += weight.tensor.bytes().size();
  const std::size_t size = model.proto.size() + weights;
  if (size > kMostProto)
    return base::fail(base::Code::kLimit, "onnx.too_large",
                      base::cat("the model has ", size, " bytes, an ONNX file at most ", kMostProto),
                      "write its weights to a file of their own");
  return rewrite(model, weights, [](Writer& writer, const tensor::Tensor& tensor) {
    writer.bytes(tensor_field::kRawData, base::as_text(tensor.bytes()));
  });
}

base::Result<TwoFiles> split(const Model& model, std::string_view location) {
  static constexpr std::array<std::byte, kAlignment> kZeros{};
  TwoFiles files;
  std::size_t offset = 0;
  TRY_ASSIGN(files.proto, rewrite(model, 0, [&](Writer& writer, const tensor::Tensor& tensor) {
               const std::size_t gap = (kAlignment - offset % kAlignment) % kAlignment;
               if (gap != 0) files.data.push_back(base::Bytes(kZeros).first(gap));
               offset += gap;
               external(writer, "location", location);
               external(writer, "offset", base::cat(offset));
               external(writer, "length", base::cat(tensor.bytes().size()));
               writer.int64(tensor_field::kDataLocation, 1);
               files.data.push_back(tensor.bytes());
               offset += tensor.bytes().size();
             }));
  return files;
}

}  // namespace wherry::onnx
