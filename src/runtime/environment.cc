#include "runtime/environment.h"

#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <mutex>

#include "runtime/library.h"

#include "base/cpus.h"
#include "base/text.h"

namespace wherry::runtime {
namespace {

using base::cat;
using base::Code;
namespace fs = std::filesystem;

constexpr std::string_view kHint =
    "get ONNX Runtime 1.20 or newer (pip download onnxruntime --no-deps, and take libonnxruntime.so.* out of "
    "the "
    "wheel) and set WHERRY_ONNXRUNTIME to the file's path";
constexpr const char* kName = kLibraryName.data();

// The library says in a status whatever is worth saying.
void be_silent(void*, int, const char*, const char*, const char*, const char*) {}

std::string first_line(std::string_view text) {
  constexpr std::size_t kMost = 300;
  text = text.substr(0, text.find('\n'));
  return std::string(text.substr(0, kMost));
}

// Where the loader found what was asked for by name.
fs::path file_of(void* handle, const fs::path& asked) {
  link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr || map->l_name == nullptr ||
      *map->l_name == '\0')
    return asked;
  return map->l_name;
}

base::Status make_environment(Library& library) {
  const Api& api = library.api;
  const auto opening = [&](OrtStatus* status) { return check(api, status, Phase::kOpening); };
  OrtThreadingOptions* threads = nullptr;
  TRY(opening(api.create_threading_options(&threads)));
  const int cpus = static_cast<int>(base::available_cpus());
  base::Status made = opening(api.set_intra_op_threads(threads, cpus));
  if (made) made = opening(api.set_inter_op_threads(threads, 1));
  if (made) made = opening(api.set_spinning(threads, 0));
  if (made) made = opening(api.create_env(&be_silent, nullptr, kSilent, "wherry", threads, &library.env));
  api.release_threading_options(threads);
  TRY(made);
  TRY(opening(api.disable_telemetry(library.env)));
  TRY(opening(api.create_cpu_memory_info(kArenaAllocator, kDefaultMemory, &library.memory)));
  TRY(opening(api.default_allocator(&library.allocator)));
  constexpr const char* kKeys[] = {"arena_extend_strategy"};
  constexpr std::size_t kValues[] = {1};  // kSameAsRequested: no doubling
  OrtArenaCfg* arena = nullptr;
  TRY(opening(api.create_arena_options(kKeys, kValues, std::size_t{1}, &arena)));
  made = opening(api.register_allocator(library.env, library.memory, arena));
  api.release_arena_options(arena);
  return made;
}

}  // namespace

base::Status check(const Api& api, OrtStatus* status, Phase phase) {
  if (status == nullptr) [[likely]]
    return {};
  const auto failure = static_cast<Failure>(api.get_error_code(status));
  std::string said = first_line(api.get_error_message(status));
  api.release_status(status);
  if (said.find("bad_alloc") != std::string::npos || said.find("Failed to allocate") != std::string::npos)
    return base::fail(Code::kUnavailable, "runtime.no_memory", cat("ONNX Runtime: ", said),
                      "give the service more memory, or send less at once");
  if (phase == Phase::kOpening)
    return base::fail(Code::kUnavailable, "runtime.not_usable", cat("ONNX Runtime: ", said),
                      std::string(kHint));
  if (failure == Failure::kNotImplemented)
    return base::fail(
        Code::kUnsupported, "runtime.unsupported", cat("ONNX Runtime: ", said),
        "a newer ONNX Runtime may implement it: set WHERRY_ONNXRUNTIME to its libonnxruntime.so.1");
  if (phase == Phase::kLoading)
    return base::fail(Code::kInvalidInput, "runtime.bad_model", cat("ONNX Runtime: ", said),
                      "export the model again; a newer ONNX Runtime takes newer models");
  return base::fail(Code::kInvalidInput, "runtime.failed", cat("the model cannot compute this: ", said),
                    "check the values and lengths of the inputs");
}

std::vector<fs::path> places() {
  if (const char* given = std::getenv("WHERRY_ONNXRUNTIME"); given != nullptr && *given != '\0')
    return {given};
  std::vector<fs::path> places;
  std::error_code failed;
  const fs::path folder = fs::read_symlink("/proc/self/exe", failed).parent_path();
  if (!failed) {
    places.push_back(folder / kName);
    places.push_back(folder.parent_path() / "lib" / kName);
  }
  places.push_back(kName);
  places.push_back(fs::path("/opt/wherry/lib") / kName);
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0')
    places.push_back(fs::path(cache) / "wherry/onnxruntime" / kName);
  else if (home != nullptr && *home != '\0')
    places.push_back(fs::path(home) / ".cache/wherry/onnxruntime" / kName);
  return places;
}

fs::path find_library() {
  std::error_code failed;
  for (const fs::path& place : places())
    if (place.has_parent_path() && fs::exists(place, failed)) return place;
  return {};
}

base::Result<std::unique_ptr<Environment>> Environment::open() {
  void* handle = nullptr;
  fs::path path;
  std::string why;
  std::error_code failed;
  for (const fs::path& place : places()) {
    handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    path = place;
    if (handle != nullptr) break;
    const char* said = ::dlerror();
    if (place.has_parent_path() && fs::exists(place, failed))
      why = cat(place.string(), ": ", said == nullptr ? "cannot be loaded" : said);
  }
  if (handle == nullptr && !why.empty())
    return base::fail(Code::kUnavailable, "runtime.not_usable", why, std::string(kHint));
  if (handle == nullptr)
    return base::fail(Code::kUnavailable, "runtime.not_found",
                      "neural networks are run by ONNX Runtime, and libonnxruntime.so.1 was not found",
                      std::string(kHint));
  const auto get_base = reinterpret_cast<GetApiBase>(::dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr)
    return base::fail(Code::kUnavailable, "runtime.not_usable", cat(path.string(), " is not ONNX Runtime"),
                      std::string(kHint));
  const ApiBase* base = get_base();
  auto environment = std::unique_ptr<Environment>(new Environment);
  environment->version_ = base->version();
  environment->path_ = file_of(handle, path);
  const void* const* table = base->get_api(kApiVersion);
  if (table == nullptr)
    return base::fail(Code::kUnavailable, "runtime.not_usable",
                      cat(path.string(), " is ONNX Runtime ", environment->version_, ", older than 1.20"),
                      std::string(kHint));
  environment->library_ = {new Library{.api = Api(table)}, [](Library* library) { delete library; }};
  TRY(make_environment(*environment->library_));
  return environment;
}

base::Result<const Environment*> Environment::get() {
  static std::mutex mutex;
  static const Environment* environment = nullptr;  // never freed: see the class
  const std::lock_guard lock(mutex);
  if (environment == nullptr) {
    TRY_ASSIGN(std::unique_ptr<Environment> opened, open());
    environment = opened.release();
  }
  return environment;
}

}  // namespace wherry::runtime
