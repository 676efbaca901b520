// Neural networks as ONNX files for other tools.
//
// Thread-safety: pure functions; writes through the given file system only.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "program/program.h"

namespace wherry::app {

// Writes the program's graph with all its weights to `path`; beyond the 2 GiB which one file may have the
// weights go into PATH.data beside it. Errors: "app.no_network" for a program which is no neural network or
// more than one, "app.own_operators" when it uses operators only wherry has, those of onnx::embed and of
// writing.
base::Status write_onnx(const program::Program& program, const std::filesystem::path& path,
                        base::FileSystem& files);

}  // namespace wherry::app
