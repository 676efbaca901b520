// Arrays as numpy.save writes them (numpy/lib/format.py, versions 1 to 3), as tensors of a model.
//
// Thread-safety: pure functions; a Request belongs to one thread.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "protocol/request.h"
#include "tensor/tensor.h"

namespace wherry::protocol {

struct NpyArray {
  tensor::DType dtype = tensor::DType::kFloat32;
  tensor::Shape shape;
  base::Bytes elements;        // row-major, little-endian; borrowed
  std::size_t characters = 0;  // of each text: kString elements are so many UCS-4 characters, or bytes
  bool is_bytes = false;       // texts are of dtype S, one byte per character
};

bool is_npy(std::string_view file);

// Errors: "protocol.bad_npy" for what is no such file, is cut off, or holds objects, records, numbers of
// other kinds, big-endian ones or columns first. Numbers of numpy's dtype V2 are bfloat16, as ml_dtypes saves
// it.
base::Result<NpyArray> read_npy(std::string_view file);

// A file under the name of the input it is for; empty: the only input. Names arr_0, arr_1, … (as numpy.savez
// gives them) are positions where the model has no inputs of these names.
struct NamedArray {
  std::string_view name;
  std::string_view file;
};

// The arrays as one request; elements are borrowed from the files where they are aligned. Errors: those of
// read_npy() and of requests.
base::Status read_arrays(std::span<const NamedArray> arrays, const Schema& schema, Request& request);

}  // namespace wherry::protocol
