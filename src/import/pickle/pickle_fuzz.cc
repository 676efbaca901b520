// Reads arbitrary bytes and uses whatever comes out as the lowering would.
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "import/pickle/document.h"

namespace {

using namespace wherry;

constexpr std::size_t kMostVisits = 2'000;
constexpr std::uint64_t kMostElements = 10'000;

void use_array(const pickle::View& view) {
  const pickle::NdArray& array = view->array();
  static_cast<void>(array.describe());
  if (array.count > kMostElements || array.count * array.dtype->itemsize > (1 << 20)) return;
  static_cast<void>(view.doubles());
  static_cast<void>(view.int64s());
  static_cast<void>(view.strings());
  static_cast<void>(view.bools());
  static_cast<void>(view.matrix());
  static_cast<void>(pickle::to_floats(array, "array"));
  static_cast<void>(pickle::to_raw(array, "array"));
  static_cast<void>(pickle::row(array, 0, "array"));
  for (const pickle::Field& field : array.dtype->fields)
    if (const auto part = pickle::field(array, field.name, "array"); part && part->count <= kMostElements)
      static_cast<void>(pickle::to_doubles(*part, "field"));
}

void use(const pickle::View& view) {
  static_cast<void>(view.describe());
  static_cast<void>(view.attribute_names());
  static_cast<void>(view.as_double());
  static_cast<void>(view.as_int());
  static_cast<void>(view.as_bool());
  static_cast<void>(view.as_string());
  static_cast<void>(view.as_slice());
  static_cast<void>(view.sparse());
  if (view.is(pickle::Kind::kArray) || view.is(pickle::Kind::kScalar)) use_array(view);
  if (view.is(pickle::Kind::kInt) || view.is(pickle::Kind::kBigInt))
    static_cast<void>(pickle::decimal(view.object()));
}

std::vector<pickle::View> children(const pickle::View& view) {
  std::vector<pickle::View> all;
  if (auto items = view.items()) all = *std::move(items);
  if (const auto entries = view.entries())
    for (const auto& [key, value] : *entries) all.push_back(value);
  for (const std::string_view name : view.attribute_names()) all.push_back(*view.find(name));
  if (const auto argument = view.argument(0)) all.push_back(*argument);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pickle::Limits limits;
  limits.decompressed_bytes = 4 << 20;
  limits.memory_bytes = 32 << 20;
  const auto document = pickle::read_bytes(std::as_bytes(std::span(data, size)), nullptr, limits);
  if (!document) return 0;
  for (const pickle::GlobalUse& global : document->imports()) static_cast<void>(global.qualified());
  std::vector<pickle::View> open{document->view()};
  std::unordered_set<const pickle::Object*> seen;
  while (!open.empty() && seen.size() < kMostVisits) {
    const pickle::View view = std::move(open.back());
    open.pop_back();
    if (view.path().size() > 500 || !seen.insert(&view.object()).second) continue;
    use(view);
    for (pickle::View& child : children(view)) open.push_back(std::move(child));
  }
  return 0;
}
