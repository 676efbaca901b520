// The safetensors file format (huggingface/safetensors README "Format"): u64 header length, JSON header
// {name: {dtype, shape, data_offsets}}, then the data without holes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "program/program.h"

namespace wherry::program {

// The file of the given tensors (none of strings); tensors with larger elements come first, so that all are
// aligned when the file is mapped. Pure: equal input gives equal bytes.
std::string write_safetensors(std::span<const Weight> weights);

// The tensors of a file, borrowing from `file`, which `owner` keeps alive; in header order. Every offset is
// checked against what is there; holes and overlaps are refused. Errors: "program.bad_safetensors".
base::Result<std::vector<Weight>> read_safetensors(base::Bytes file, std::shared_ptr<const void> owner);

}  // namespace wherry::program
