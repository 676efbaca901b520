#include "import/torch/safetensors.h"

#include <algorithm>

#include "base/text.h"
#include "import/torch/storage.h"
#include "text/json.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;

constexpr std::uint64_t kMostHeader = 100'000'000;  // the format's own bound

std::unexpected<base::Error> bad_file(std::string what) {
  return base::fail(base::Code::kInvalidInput, "torch.bad_file", cat("safetensors: ", what),
                    "the file is damaged; save the model again");
}

Result<std::vector<std::int64_t>> integers(const text::Json& object, std::string_view key,
                                           std::string_view name) {
  const text::Json* const list = text::find_array(object, key);
  if (list == nullptr) return bad_file(cat(base::quoted(name), " has no ", key));
  std::vector<std::int64_t> out;
  for (const text::Json& item : *list) {
    if (!item.is_number_integer() || item.get<double>() < 0 || item.get<double>() > 9e15)
      return bad_file(cat(key, " of ", base::quoted(name), " are not sizes"));
    out.push_back(item.get<std::int64_t>());
  }
  return out;
}

}  // namespace

bool is_safetensors(std::string_view content) {
  base::ByteReader reader(base::as_bytes(content));
  const auto size = reader.little<std::uint64_t>();
  return size && *size >= 2 && *size <= kMostHeader && *size <= reader.remaining() && content[8] == '{';
}

Result<NamedTensors> read_safetensors(base::Bytes bytes, const std::shared_ptr<const void>& owner) {
  base::ByteReader reader(bytes);
  TRY_ASSIGN(const auto size, reader.little<std::uint64_t>());
  if (size > kMostHeader) return bad_file(cat("a header of ", size, " bytes"));
  TRY_ASSIGN(const base::Bytes header, reader.take(size));
  TRY_ASSIGN(const text::Json json, text::parse_json(base::as_text(header), "the safetensors header",
                                                     {.bytes = kMostHeader, .depth = 8}));
  if (!json.is_object()) return bad_file("the header is no object");
  const base::Bytes data = bytes.subspan(reader.position());
  NamedTensors out;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") continue;
    const std::string* const type = text::find_string(entry, "dtype");
    const auto rows = tensor::dtypes();
    const auto row = std::ranges::find_if(rows, [&](const tensor::DTypeInfo& info) {
      return type != nullptr && !info.safetensors_name.empty() && info.safetensors_name == *type;
    });
    if (row == rows.end())
      return base::fail(base::Code::kUnsupported, "torch.unsupported_dtype",
                        cat("safetensors: ", base::quoted(name), " has the dtype ",
                            type != nullptr ? base::quoted(*type) : "None", ", which wherry does not read"),
                        "convert the weights to F32, F16 or BF16");
    Window window{.dtype = row->dtype};
    TRY_ASSIGN(window.sizes, integers(entry, "shape", name));
    TRY_ASSIGN(const auto offsets, integers(entry, "data_offsets", name));
    if (offsets.size() != 2 || offsets[0] > offsets[1] ||
        static_cast<std::uint64_t>(offsets[1]) > data.size())
      return bad_file(cat("the offsets of ", base::quoted(name), " lie outside of the file"));
    const auto start = static_cast<std::size_t>(offsets[0]);
    const auto length = static_cast<std::size_t>(offsets[1]) - start;
    window.strides = strides_in_order(window.sizes);
    TRY_ASSIGN(tensor::Tensor tensor, read_window({data.subspan(start, length), owner}, window, name));
    if (tensor.bytes().size() != length)
      return bad_file(
          cat(base::quoted(name), " has ", length, " bytes, its shape needs ", tensor.bytes().size()));
    out.emplace_back(name, std::move(tensor));
  }
  return out;
}

}  // namespace wherry::torch
