#include "oci/service_image.h"

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "oci/elf.h"

namespace wherry::oci {
namespace {

namespace fs = std::filesystem;
using base::cat;
using base::Result;

constexpr std::uint64_t kWeightsFrom = 1 << 20;
constexpr std::size_t kMostLibraries = 512;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/:/sbin/nologin\n"
    "nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "nonroot:x:65532:\n";

struct Abi {
  std::string_view architecture;
  std::string_view triplet;  // Debian's multiarch folder, which its loader searches
};
constexpr std::array kAbis{Abi{"amd64", "x86_64-linux-gnu"}, Abi{"arm64", "aarch64-linux-gnu"}};

// The loader's built-in search order, Debian's and the others'.
std::vector<std::string> system_folders(std::string_view architecture) {
  std::vector<std::string> folders;
  for (const Abi& abi : kAbis) {
    if (abi.architecture != architecture) continue;
    folders.push_back(cat("lib/", abi.triplet));
    folders.push_back(cat("usr/lib/", abi.triplet));
  }
  for (const char* folder : {"lib64", "usr/lib64", "lib", "usr/lib"}) folders.emplace_back(folder);
  return folders;
}

Result<ElfFacts> facts_of(const fs::path& file) {
  TRY_ASSIGN(const base::MappedFile mapped, base::MappedFile::open(file));
  return read_elf(mapped.bytes(), file.string());
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Finds the transitive closure of needed libraries, each once, at the path it has in the image.
class Collector {
 public:
  Collector(const LibrarySearch& search, std::string architecture)
      : search_(search), architecture_(std::move(architecture)), folders_(system_folders(architecture_)) {}

  base::Status add_interpreter(const std::string& interpreter) {
    if (interpreter.empty()) return {};
    const std::string inside = interpreter.substr(interpreter.find_first_not_of('/'));
    const fs::path file = search_.root / inside;
    if (!is_file(file)) return missing(interpreter, "the program");
    put(fs::path(inside).filename().string(), inside, file);
    return {};
  }

  base::Status add_needed(const ElfFacts& facts, const fs::path& by) {
    for (const std::string& name : facts.needed) {
      if (found_.contains(name)) continue;
      if (name.empty() || name.find('/') != std::string::npos)
        return base::fail(
            base::Code::kUnsupported, "oci.library_missing",
            cat(by.string(), ": it needs ", base::quoted(name), ", which is not a plain library name"),
            "link it with -soname or statically");
      TRY(find(name, facts, by));
    }
    return {};
  }

  // A library which is loaded by path or name at run time; stands in the first system folder.
  void add_library(const fs::path& file, const std::string& name) {
    put(name, cat(folders_.front(), "/", name), file);
  }

  base::Status run() {
    while (!open_.empty()) {
      const fs::path file = std::move(open_.front());
      open_.pop_front();
      TRY_ASSIGN(const ElfFacts facts, facts_of(file));
      if (facts.architecture != architecture_)
        return base::fail(base::Code::kInvalidInput, "oci.elf_invalid",
                          cat(file.string(), ": it is for another processor than the server"),
                          "give libraries and server of the same architecture");
      TRY(add_needed(facts, file));
    }
    return {};
  }

  // Those found since the last call.
  std::vector<LayerEntry> take_entries() {
    std::vector<LayerEntry> entries;
    for (const auto& [name, place] : found_)
      if (taken_.insert(name).second) entries.push_back(file_entry(place.inside, place.file, 0755));
    return entries;
  }

 private:
  struct Place {
    std::string inside;
    fs::path file;
  };

  std::unexpected<base::Error> missing(std::string_view name, std::string_view by) const {
    return base::fail(base::Code::kUnavailable, "oci.library_missing",
                      cat(by, " needs ", base::quoted(name), ", which is not below ", search_.root.string()),
                      "install the package which has it, or build the server on this machine");
  }

  void put(const std::string& name, std::string inside, const fs::path& file) {
    if (found_.emplace(name, Place{std::move(inside), file}).second) open_.push_back(file);
  }

  base::Status find(const std::string& name, const ElfFacts& facts, const fs::path& by) {
    for (const std::string& folder : folders_) {
      const fs::path file = search_.root / folder / name;
      if (!is_file(file)) continue;
      put(name, cat(folder, "/", name), file);
      return found_.size() > kMostLibraries ? missing(name, "a library beyond the 512th") : base::Status{};
    }
    for (const std::string& entry : facts.run_path) {
      fs::path folder = entry;
      for (std::string_view origin : {"$ORIGIN", "${ORIGIN}"})
        if (entry.starts_with(origin))
          folder = by.parent_path() / fs::path(cat(".", entry.substr(origin.size())));
      if (!is_file(folder / name)) continue;
      add_library(folder / name, name);
      return {};
    }
    return missing(name, by.string());
  }

  const LibrarySearch& search_;
  std::string architecture_;
  std::vector<std::string> folders_;
  std::map<std::string, Place> found_;
  std::set<std::string> taken_;
  std::deque<fs::path> open_;
};

}  // namespace

Result<Runtime> runtime_files(const fs::path& server, const LibrarySearch& search) {
  TRY_ASSIGN(const ElfFacts facts, facts_of(server));
  if (facts.architecture.empty())
    return base::fail(base::Code::kUnsupported, "oci.elf_invalid",
                      cat(server.string(), ": it is for a processor which wherry makes no images for"),
                      "build the server for x86-64 or AArch64");
  Collector collector(search, facts.architecture);
  TRY(collector.add_interpreter(facts.interpreter));
  TRY(collector.add_needed(facts, server));
  TRY(collector.run());
  Runtime runtime{
      .platform = {.architecture = facts.architecture}, .entries = collector.take_entries(), .loaded = {}};
  for (const LoadedLibrary& library : search.libraries) collector.add_library(library.file, library.name);
  TRY(collector.run());
  runtime.loaded = collector.take_entries();
  if (facts.architecture == "arm64") runtime.platform.variant = "v8";
  runtime.entries.push_back(file_entry(std::string(kServerPath), server, 0755));
  runtime.entries.push_back(text_entry("etc/passwd", std::string(kPasswd)));
  runtime.entries.push_back(text_entry("etc/group", std::string(kGroup)));
  runtime.entries.push_back(folder_entry("tmp", 01777));
  return runtime;
}

Result<ModelFiles> model_files(const fs::path& bundle) {
  TRY_ASSIGN(std::vector<LayerEntry> all, entries_of_folder(bundle, kModelFolder));
  ModelFiles files;
  for (LayerEntry& entry : all) {
    std::error_code failure;
    const std::uint64_t size = fs::file_size(std::get<fs::path>(entry.source), failure);
    const bool large = !failure && size >= kWeightsFrom;
    (large ? files.weights : files.description).push_back(std::move(entry));
  }
  return files;
}

Result<ServiceFiles> service_files(const ServiceImageRequest& request) {
  TRY_ASSIGN(Runtime runtime, runtime_files(request.server, request.search));
  TRY_ASSIGN(ModelFiles model, model_files(request.bundle));
  ServiceFiles files;
  files.spec.platform = runtime.platform;
  files.spec.created = request.created;
  files.spec.entrypoint = {cat("/", kServerPath)};
  files.spec.command = request.command;
  files.spec.environment = request.environment;
  files.spec.labels = request.labels;
  files.groups.push_back({"runtime", std::move(runtime.entries)});
  files.groups.push_back({"libraries", std::move(runtime.loaded)});
  files.groups.push_back({"weights", std::move(model.weights)});
  files.groups.push_back({"model", std::move(model.description)});
  std::erase_if(files.groups, [](const LayerGroup& group) { return group.entries.empty(); });
  return files;
}

Result<Image> build_image(ServiceFiles files, const fs::path& store) {
  std::vector<Layer> layers;
  for (LayerGroup& group : files.groups) {
    const LayerOptions options{.modified = files.spec.created,
                               .created_by = cat("wherry build: ", group.name)};
    TRY_ASSIGN(Layer layer, build_layer(std::move(group.entries), options, store));
    layers.push_back(std::move(layer));
  }
  return assemble_image(std::move(files.spec), std::move(layers));
}

}  // namespace wherry::oci
