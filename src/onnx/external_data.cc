#include "onnx/external_data.h"

#include "base/text.h"

namespace wherry::onnx {
namespace {

using base::cat;
namespace fs = std::filesystem;

std::unexpected<base::Error> refuse(std::string message) {
  return base::fail(base::Code::kInvalidInput, "onnx.external_data", std::move(message),
                    "keep the model's files together as they were saved, or save it in one file");
}

// Whether it names a file in the folder or below, by its text alone.
bool stays_inside(const fs::path& location) {
  if (location.empty() || location.is_absolute()) return false;
  for (const fs::path& part : location)
    if (part == "..") return false;
  return true;
}

}  // namespace

base::Result<std::shared_ptr<const base::MappedFile>> ExternalData::open(std::string_view location) {
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  const fs::path relative(location);
  if (!stays_inside(relative))
    return refuse(cat("the model's weights lie in ", base::quoted(location), ", which is not in its folder"));
  // A link may lead elsewhere.
  std::error_code failed;
  const fs::path folder = fs::canonical(folder_.empty() ? fs::path(".") : folder_, failed);
  const fs::path real = failed ? fs::path() : fs::canonical(folder / relative, failed);
  if (failed)
    return refuse(cat("the model's weights lie in ", base::quoted(location), ", which is not beside it"));
  const fs::path inside = real.lexically_relative(folder);
  if (inside.empty() || *inside.begin() == "..")
    return refuse(cat(base::quoted(location), " leads out of the model's folder"));
  TRY_ASSIGN(base::MappedFile file, base::MappedFile::open(real));
  auto shared = std::make_shared<const base::MappedFile>(std::move(file));
  files_.emplace(std::string(location), shared);
  return shared;
}

base::Result<tensor::Tensor> ExternalData::load(const TensorParts& parts, tensor::DType dtype) {
  TRY_ASSIGN(const auto file, open(parts.location));
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(parts.shape));
  const std::uint64_t needed = count * tensor::info(dtype).size;
  const std::uint64_t size = file->bytes().size();
  if (parts.has_length && parts.length != needed)
    return refuse(
        cat("weight ", base::quoted(parts.name), " has ", parts.length, " bytes instead of ", needed));
  if (parts.offset > size || needed > size - parts.offset)
    return refuse(
        cat("weight ", base::quoted(parts.name), " lies beyond the end of ", base::quoted(parts.location)));
  return tensor_of(
      parts, dtype,
      file->bytes().subspan(static_cast<std::size_t>(parts.offset), static_cast<std::size_t>(needed)), file);
}

}  // namespace wherry::onnx
