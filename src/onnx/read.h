// Reads ONNX files (onnx.proto3 up to IR version 13; opset 7 and newer of the default domain), leaving the
// graph as it is: nodes pass through byte by byte, larger initializers are taken out. A ZipMap of an
// ai.onnx.ml classifier at an output is replaced by the probabilities it makes a map of, whose columns its
// class labels name.
//
// Thread-safety: pure functions.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onnx/write.h"

#include "base/bytes.h"
#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::onnx {

// An input or output. -1 in `shape` is a length which requests choose, `dims` its name in the file or "".
struct Port {
  std::string name;
  tensor::DType dtype = tensor::DType::kFloat32;
  bool has_shape = false;
  tensor::Shape shape;
  std::vector<std::string> dims;
  std::vector<std::string> labels;  // of the columns, where a ZipMap had them
};

struct File {
  Model model;
  std::vector<Port> inputs;  // without those which are initializers
  std::vector<Port> outputs;
  std::int64_t ir_version = 0;
  std::int64_t opset = 0;  // of the default domain
  std::string producer;    // "pytorch"
  std::string producer_version;
  std::string description;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::map<std::string, std::int64_t> operations;  // how often each occurs, subgraphs and functions included
  std::uint64_t weights = 0;                       // elements of all initializers
};

// `bytes` are kept alive by `owner`; weights stay in them where they are aligned. External data is read from
// files in `folder` or below it. Errors:
//   "protobuf.malformed", "onnx.bad_model"   the file breaks the format's rules
//   "onnx.external_data"                     a weight's file is missing, elsewhere or too short
//   "onnx.custom_operator"                   operators of other domains, all of them named
//   "onnx.opset"                             older than opset 7
//   "onnx.not_a_tensor"                      an input or output is a sequence, a map or optional
base::Result<File> read_model(base::Bytes bytes, std::shared_ptr<const void> owner,
                              const std::filesystem::path& folder);

}  // namespace wherry::onnx
