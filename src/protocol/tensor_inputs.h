// The tensors of one request to a tensor model, whatever form they come in: found by name, checked against
// the signature, put into the request's table. Private to module protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/model_tensors.h"
#include "protocol/request.h"
#include "protocol/schema.h"
#include "tensor/view.h"

namespace wherry::protocol {

struct V2Input;

// {"x": […], "y": […]} of a model's inputs, for hints.
std::string inputs_hint(const Schema& schema);

// Of a request in a form for rows of columns, such as CSV.
base::Error refuse_rows(const Schema& schema, std::string_view form);

// As `tensor` of a signature: its elements in memory.
tensor::ResultView view_of(const tensor::TensorCells& cells);

class TensorInputs {
 public:
  TensorInputs(const Schema& schema, Request& request) : schema_(schema), request_(request) {}

  // The position of the input of this name, given for the first time. Its cells hold nothing and have the
  // signature's dtype; their lengths are not known yet: -1.
  base::Result<std::uint32_t> begin(std::string_view name);
  // The same for one which announces datatype and shape: they must be what the model takes, and the lengths
  // are known. The caller has made sure that the request is long enough for in.count elements.
  base::Result<std::uint32_t> begin(const V2Input& in);

  // The elements of an input: borrowed where they are aligned for its dtype, else copied.
  void set_bytes(std::uint32_t position, base::Bytes bytes);

  // Whether all inputs were given with the lengths which the model takes, and equal ones where these must be.
  // Lengths inside of empty lists become the model's.
  base::Status finish();

  const Schema& schema() const { return schema_; }
  const program::InputTensor& input(std::uint32_t position) const { return schema_.inputs()[position]; }
  tensor::TensorCells& cells(std::uint32_t position) { return request_.table.tensors[position]; }

 private:
  base::Status check_equal_lengths() const;

  const Schema& schema_;
  Request& request_;
};

}  // namespace wherry::protocol
