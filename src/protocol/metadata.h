// The Open Inference Protocol's metadata documents, and sample requests for a model.
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/schema.h"
#include "tensor/table.h"

namespace wherry::protocol {

// What of Triton's extensions of the protocol this server speaks, by their names there.
std::span<const std::string_view> extensions();

// GET /v2: {"name", "version", "extensions": ["binary_tensor_data", …]}.
std::string server_metadata(std::string_view name, std::string_view version);

// GET /v2/models/M: {"name", "versions", "platform": "wherry_FRAMEWORK", "inputs", "outputs"}. A model fitted
// with column names has one input [-1] per column (FP64, INT64, BOOL or BYTES; BYTES where the type is not
// known), others one input "input" [-1, columns]; a tensor model has its own.
std::string model_metadata(const Schema& schema, std::string_view name, std::span<const std::string> versions,
                           std::string_view framework);

// Request bodies which ask for the rows of `table` (as a Request holds them). `outputs`: tensor names to
// ask for; empty: no filter. Valid JSON: NaN becomes null.
std::string sample_v2(const Schema& schema, const tensor::Table& table,
                      std::span<const std::string> outputs = {});
std::string sample_invocations(const Schema& schema, const tensor::Table& table);  // dataframe_split
std::string sample_rows(const Schema& schema, const tensor::Table& table);         // {"columns", "rows"}
// Of a tensor model both are {"inputs": {"x": [[…]]}}, and there is no CSV.
std::string sample_csv(const Schema& schema, const tensor::Table& table);

// Whether tensors are few enough numbers for an example in JSON.
inline constexpr std::size_t kMostSampleElements = 2000;
bool is_short_example(const tensor::Table& table);

}  // namespace wherry::protocol
