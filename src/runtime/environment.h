// ONNX Runtime itself: the library, loaded when the first model needs it, and its one environment per
// process.
//
// Thread-safety: all functions may be called from any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wherry::runtime {

// What the library is called when it is loaded.
inline constexpr std::string_view kLibraryName = "libonnxruntime.so.1";

struct Library;  // library.h; private to module runtime

// A loaded library with its environment: a pool of as many threads as the process has processors
// (base::available_cpus), which do not spin, shared by all sessions as is one arena of memory that grows by
// what is asked for. Lives until the process ends, since ONNX Runtime allows one environment per process and
// its threads may outlive any scope.
class Environment {
 public:
  // The process's one; made by the first call. Errors, which the next call tries again: "runtime.not_found",
  // "runtime.not_usable".
  static base::Result<const Environment*> get();

  // "1.32.0"
  const std::string& version() const { return version_; }
  const std::filesystem::path& path() const { return path_; }  // of the file, found wherever it was
  const Library& library() const { return *library_; }

 private:
  static base::Result<std::unique_ptr<Environment>> open();
  std::unique_ptr<Library, void (*)(Library*)> library_{nullptr, nullptr};
  std::string version_;
  std::filesystem::path path_;
};

// Where the library is looked for, in this order. $WHERRY_ONNXRUNTIME, the path of the file, comes alone.
// A name without folder is looked for where the system has its libraries.
std::vector<std::filesystem::path> places();

// The file among these places that exists; empty where none does. Loads nothing.
std::filesystem::path find_library();

}  // namespace wherry::runtime
