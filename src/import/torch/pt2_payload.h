// The weights and constants of an exported program. Internal to module torch.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "import/zip/archive.h"
#include "tensor/tensor.h"
#include "text/json.h"

namespace wherry::torch {

struct ProgramFiles {
  text::Json program;
  std::map<std::string, tensor::Tensor, std::less<>> weights;  // parameters and buffers by qualified name
  std::map<std::string, tensor::Tensor, std::less<>>
      constants;  // tensor constants and buffers that are not saved
};

// JSON as Python writes it: with the words Infinity and NaN, which become strings.
base::Result<text::Json> parse_program(std::string_view text, std::string_view name);

base::Result<ProgramFiles> read_program_files(base::Bytes bytes, const std::shared_ptr<const void>& owner);

}  // namespace wherry::torch
