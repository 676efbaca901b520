#include "oci/dockerfile.h"

#include <sys/stat.h>
#include <variant>
#include <vector>

#include "base/file_stream.h"
#include "base/files.h"
#include "base/text.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;
using base::cat;
using base::Status;

// A double-quoted word of a Dockerfile: no line breaks, no variables.
std::string quoted_word(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '$') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

std::string assignment(std::string_view key, std::string_view value) {
  return cat(quoted_word(key), "=", quoted_word(value));
}

Status set_mode(const fs::path& path, std::uint32_t mode) {
  if (::chmod(path.c_str(), mode) == 0) return {};
  return base::fail(base::Code::kUnavailable, "base.file_unwritable",
                    cat(path.string(), ": its mode cannot be set"),
                    "use a folder on a file system with Unix permissions");
}

Status copy_content(const fs::path& from, const fs::path& to) {
  TRY_ASSIGN(base::FileReader reader, base::FileReader::open(from));
  TRY_ASSIGN(base::FileWriter writer, base::FileWriter::create_in(to.parent_path()));
  std::vector<std::byte> piece(256 << 10);
  for (;;) {
    TRY_ASSIGN(const std::size_t count, reader.read(piece));
    if (count == 0) return writer.commit(to);
    TRY(writer.write(base::Bytes(piece).first(count)));
  }
}

Status write_entry(const LayerEntry& entry, const fs::path& folder) {
  const fs::path path = folder / entry.path;
  if (entry.type == TarType::kFolder) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure)
      return base::fail(base::Code::kUnavailable, "base.file_unwritable",
                        cat(path.string(), ": ", failure.message()), "check the permissions of the folder");
  } else if (const auto* content = std::get_if<std::string>(&entry.source)) {
    TRY(base::real_files().write(path, *content));
  } else {
    TRY(copy_content(std::get<fs::path>(entry.source), path));
  }
  return set_mode(path, entry.mode);
}

}  // namespace

std::string dockerfile(const ServiceFiles& files) {
  const ImageSpec& spec = files.spec;
  std::string out = cat("# The image which `wherry build` makes, for ", to_string(spec.platform),
                        "; the folders beside this file are its layers.\nFROM scratch\n");
  for (const LayerGroup& group : files.groups) out += cat("COPY ", group.name, "/ /\n");
  for (const std::string& entry : spec.environment) {
    const std::size_t equals = entry.find('=');
    if (equals != std::string::npos)
      out += cat("ENV ", assignment(entry.substr(0, equals), entry.substr(equals + 1)), "\n");
  }
  for (const auto& [key, value] : spec.labels) out += cat("LABEL ", assignment(key, value), "\n");
  for (const std::string& port : spec.exposed_ports) out += cat("EXPOSE ", port, "\n");
  if (!spec.working_directory.empty()) out += cat("WORKDIR ", spec.working_directory, "\n");
  if (!spec.user.empty()) out += cat("USER ", spec.user, "\n");
  if (!spec.stop_signal.empty()) out += cat("STOPSIGNAL ", spec.stop_signal, "\n");
  out += cat("ENTRYPOINT ", text::write_json(text::Json(spec.entrypoint)), "\n");
  if (!spec.command.empty()) out += cat("CMD ", text::write_json(text::Json(spec.command)), "\n");
  return out;
}

Status write_docker_context(const ServiceFiles& files, const fs::path& folder) {
  std::error_code failure;
  if (fs::exists(folder, failure) && !fs::is_empty(folder, failure))
    return base::fail(base::Code::kUsage, "oci.output_exists", cat(folder.string(), ": it is not empty"),
                      "name a folder which does not exist yet");
  for (const LayerGroup& group : files.groups)
    for (const LayerEntry& entry : group.entries) TRY(write_entry(entry, folder / group.name));
  return base::real_files().write(folder / "Dockerfile", dockerfile(files));
}

}  // namespace wherry::oci
