// Reads skops files (skops/io, protocols 0 to 2: a zip archive of schema.json, .npy and .npz): the objects
// they describe become the same inert Document that a pickle of the model would be, so that one lowering
// serves both. Nothing is imported or called, so there are no "trusted types".
//
// Thread-safety: pure functions.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/pickle/document.h"

namespace wherry::skops {

// Whether the content of a file is a zip archive with a schema.json.
bool recognise(std::string_view content);

// Errors: "base.file_*", "zip.*", "skops.*" and "pickle.*" of the limits. Limits count as for a pickle: the
// bytes of all files in the archive as decompressed, and the pickle made of them as the stream.
base::Result<pickle::Document> read_file(const std::filesystem::path& path,
                                         const pickle::Limits& limits = {});
base::Result<pickle::Document> read_bytes(base::Bytes bytes, const pickle::Limits& limits = {});

}  // namespace wherry::skops
