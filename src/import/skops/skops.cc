#include "import/skops/skops.h"

#include "base/files.h"
#include "base/text.h"
#include "import/skops/nodes.h"
#include "import/zip/archive.h"
#include "text/json.h"

namespace wherry::skops {
namespace {

constexpr std::string_view kSchema = "schema.json";
constexpr text::JsonLimits kSchemaLimits{.bytes = std::size_t{1} << 30, .depth = 1'000};

zip::Limits zip_limits(const pickle::Limits& limits) {
  return {.decompressed_bytes = limits.decompressed_bytes,
          .decompressed_ratio = limits.decompressed_ratio,
          .decompressed_free_bytes = limits.decompressed_free_bytes};
}

}  // namespace

bool recognise(std::string_view content) {
  if (!content.starts_with("PK\x03\x04")) return false;
  const auto archive = zip::Archive::open(base::as_bytes(content));
  return archive && archive->has(kSchema);
}

base::Result<pickle::Document> read_bytes(base::Bytes bytes, const pickle::Limits& limits) {
  const zip::Limits bounds = zip_limits(limits);
  std::string stream;
  {
    TRY_ASSIGN(zip::Archive archive, zip::Archive::open(bytes, bounds));
    TRY_ASSIGN(const std::string schema_text, archive.read(kSchema));
    TRY_ASSIGN(const text::Json schema, text::parse_json(schema_text, kSchema, kSchemaLimits));
    TRY_ASSIGN(stream, to_pickle(schema, archive, bounds));
  }
  return pickle::read_string(std::move(stream), limits);
}

base::Result<pickle::Document> read_file(const std::filesystem::path& path, const pickle::Limits& limits) {
  TRY_ASSIGN(const base::MappedFile file, base::MappedFile::open(path));
  return read_bytes(file.bytes(), limits);
}

}  // namespace wherry::skops
