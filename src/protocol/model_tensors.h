// The tensors a model takes and answers, as every metadata document announces them.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/schema.h"

namespace wherry::protocol {

struct TensorMetadata {
  std::string name;
  std::string_view datatype;  // "FP64"
  tensor::Shape shape;        // -1 stands for the rows, which come first; of tensor models for any length
  bool any_shape = false;     // any number of axes: V2 has no way to say so, the shape is [-1] then
};

// A model fitted with column names has one input [-1] per column (BYTES where the type is not known), others
// one input "input" [-1, columns]. A tensor model has its own inputs.
std::vector<TensorMetadata> input_tensors(const Schema& schema);
std::vector<TensorMetadata> output_tensors(const Schema& schema);

// "[batch, 3, -1]": the shape an input takes, lengths which a request chooses by their names where they have
// some. "[…]" where it may have any number of axes.
std::string shape_text(const program::InputTensor& input);

// Whether one matrix stands for the inputs: a model without column names, one datatype holding all columns.
bool has_matrix_input(const Schema& schema);

}  // namespace wherry::protocol
