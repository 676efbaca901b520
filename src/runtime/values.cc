#include "runtime/values.h"

#include <memory>

namespace wherry::runtime {
namespace {

struct InfoEnd {
  Api api;
  void operator()(OrtTensorTypeAndShapeInfo* info) const { api.release_type_and_shape(info); }
};

}  // namespace

OrtStatus* read_type(const Api& api, const OrtValue* value, ValueType& type) {
  OrtTensorTypeAndShapeInfo* made = nullptr;
  if (OrtStatus* failed = api.type_and_shape(value, &made)) return failed;
  const std::unique_ptr<OrtTensorTypeAndShapeInfo, InfoEnd> owner(made, InfoEnd{api});
  const OrtTensorTypeAndShapeInfo* info = made;
  std::size_t axes = 0;
  if (OrtStatus* failed = api.element_type(info, &type.element)) return failed;
  if (OrtStatus* failed = api.axes(info, &axes)) return failed;
  type.lengths.resize(axes);
  return api.lengths(info, type.lengths.data(), axes);
}

OrtStatus* read_texts(const Api& api, const OrtValue* value, std::size_t count, Texts& texts) {
  std::size_t size = 0;
  if (OrtStatus* failed = api.string_bytes(value, &size)) return failed;
  texts.bytes.resize(size);
  texts.offsets.resize(count);
  texts.elements.resize(count);
  if (count == 0) return nullptr;
  if (OrtStatus* failed = api.string_content(value, texts.bytes.data(), size, texts.offsets.data(), count))
    return failed;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? texts.offsets[i + 1] : size;
    texts.elements[i] = std::string_view(texts.bytes).substr(texts.offsets[i], end - texts.offsets[i]);
  }
  return nullptr;
}

}  // namespace wherry::runtime
