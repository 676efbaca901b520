#include "program/safetensors.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "text/json.h"

namespace wherry::program {
namespace {

using base::cat;
using tensor::DType;
using text::Json;

constexpr std::size_t kMostHeader = 100 << 20;  // the bound of the reference implementation

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(base::Code::kInvalidInput, "program.bad_safetensors", cat("weights: ", message),
                    "the file is corrupted; make the bundle again");
}

base::Result<DType> dtype_named(std::string_view name) {
  for (const tensor::DTypeInfo& row : tensor::dtypes())
    if (!row.safetensors_name.empty() && row.safetensors_name == name) return row.dtype;
  return bad(cat("unknown dtype ", base::quoted(name)));
}

base::Result<Weight> read_entry(const std::string& name, const Json& entry, base::Bytes data,
                                std::uint64_t& end, const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const std::string dtype_name, text::require_string(entry, "dtype", "weights"));
  TRY_ASSIGN(const DType dtype, dtype_named(dtype_name));
  const Json* sizes = text::find_array(entry, "shape");
  const Json* offsets = text::find_array(entry, "data_offsets");
  if (sizes == nullptr || offsets == nullptr || offsets->size() != 2 || sizes->size() > 8)
    return bad(cat(base::quoted(name), ": shape or data_offsets is missing"));
  tensor::Shape shape;
  for (const Json& size : *sizes) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
      return bad(cat(base::quoted(name), ": shape"));
    shape.push_back(static_cast<std::int64_t>(size.get<std::uint64_t>()));
  }
  if (!(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned())
    return bad(cat(base::quoted(name), ": data_offsets"));
  const auto begin = (*offsets)[0].get<std::uint64_t>();
  const auto stop = (*offsets)[1].get<std::uint64_t>();
  if (begin != end || stop < begin || stop > data.size())
    return bad(cat(base::quoted(name), ": data_offsets ", begin, " to ", stop,
                   " do not follow one another within ", data.size(), " bytes"));
  end = stop;
  TRY_ASSIGN(
      tensor::Tensor tensor,
      tensor::Tensor::borrow(
          dtype, std::move(shape),
          data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(stop - begin)), owner));
  return Weight{name, std::move(tensor)};
}

}  // namespace

std::string write_safetensors(std::span<const Weight> weights) {
  std::vector<const Weight*> order;
  for (const Weight& weight : weights)
    if (weight.tensor.dtype() != DType::kString) order.push_back(&weight);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const Weight* weight) { return tensor::info(weight->tensor.dtype()).size; });
  Json header = Json::object();
  std::uint64_t offset = 0;
  for (const Weight* weight : order) {
    const std::uint64_t end = offset + weight->tensor.bytes().size();
    header[weight->name] = {{"dtype", tensor::info(weight->tensor.dtype()).safetensors_name},
                            {"shape", weight->tensor.shape()},
                            {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string head = text::write_json(header);
  head.append((8 - head.size() % 8) % 8, ' ');
  const std::uint64_t length = head.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  file.reserve(sizeof length + head.size() + offset);
  file += head;
  for (const Weight* weight : order) file += base::as_text(weight->tensor.bytes());
  return file;
}

base::Result<std::vector<Weight>> read_safetensors(base::Bytes file, std::shared_ptr<const void> owner) {
  base::ByteReader reader(file);
  TRY_ASSIGN(const std::uint64_t length, reader.little<std::uint64_t>());
  if (length > kMostHeader) return bad(cat("header of ", length, " bytes"));
  TRY_ASSIGN(const base::Bytes head, reader.take(length));
  TRY_ASSIGN(const Json header,
             text::parse_json(base::as_text(head), "weights", {.bytes = kMostHeader, .depth = 4}));
  if (!header.is_object()) return bad("header is not an object");
  const base::Bytes data = file.subspan(reader.position());
  std::vector<std::pair<std::uint64_t, std::string>>
      order;  // by offset: the header may list them in any order
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const Json* offsets = text::find_array(entry, "data_offsets");
    if (offsets == nullptr || offsets->empty() || !(*offsets)[0].is_number_unsigned())
      return bad(cat(base::quoted(name), ": data_offsets"));
    order.emplace_back((*offsets)[0].get<std::uint64_t>(), name);
  }
  std::ranges::stable_sort(order, {}, [](const auto& item) { return item.first; });
  std::vector<Weight> weights;
  std::uint64_t end = 0;
  for (const auto& [offset, name] : order) {
    TRY_ASSIGN(Weight weight, read_entry(name, *text::find(header, name), data, end, owner));
    weights.push_back(std::move(weight));
  }
  if (end != data.size()) return bad(cat(data.size() - end, " bytes after the last tensor"));
  return weights;
}

}  // namespace wherry::program
