// Sample requests for tensor models. Private to module protocol: metadata.h has the public functions.
#pragma once

#include <span>
#include <string>

#include "protocol/schema.h"
#include "tensor/table.h"

namespace wherry::protocol {

// {"inputs": [{"name", "shape", "datatype", "data"}], "outputs": …}, data flat.
std::string sample_tensor_v2(const Schema& schema, const tensor::Table& table,
                             std::span<const std::string> outputs);

// {"inputs": {"x": [[…]], …}}
std::string sample_tensor_inputs(const Schema& schema, const tensor::Table& table);

// {"instances": [{"x": […], …}, …]}, without names where there is one input. The model is batched.
std::string sample_tensor_instances(const Schema& schema, const tensor::Table& table);

}  // namespace wherry::protocol
