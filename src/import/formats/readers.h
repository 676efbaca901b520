// Readers of the rows in formats.cc which have a file of their own. Private to module formats.
#pragma once

#include <filesystem>

#include "import/formats/formats.h"

namespace wherry::formats {

// read_onnx.cc
base::Result<Inspection> read_onnx(const std::filesystem::path& path, const Options& options);
// read_tensorflow.cc
base::Result<Inspection> read_saved_model(const std::filesystem::path& path, const Options& options);

// read_torch.cc: every file of PyTorch's
bool is_torch(const Subject& subject);
base::Result<Inspection> read_torch(const std::filesystem::path& path, const Options& options);

// read_keras.cc
base::Result<Inspection> read_keras(const std::filesystem::path& path, const Options& options);

}  // namespace wherry::formats
