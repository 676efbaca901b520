// Weights of an ONNX model which lie in files beside it. Private to module onnx.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "onnx/read_parts.h"

#include "base/files.h"

namespace wherry::onnx {

// Maps each file once. Not thread-safe.
class ExternalData {
 public:
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // "onnx.external_data" for a file which is missing, too short or not in the folder.
  base::Result<tensor::Tensor> load(const TensorParts& parts, tensor::DType dtype);

 private:
  base::Result<std::shared_ptr<const base::MappedFile>> open(std::string_view location);

  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const base::MappedFile>, std::less<>> files_;
};

}  // namespace wherry::onnx
