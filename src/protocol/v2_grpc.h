// ModelInfer of inference.GRPCInferenceService (proto/grpc_service.proto): protobuf → cells, results →
// protobuf. The rules are those of request.h and of the REST form; what is the same is read by the same code.
//
// Thread-safety: pure functions; one Request per thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/request.h"
#include "protocol/response.h"

namespace wherry::protocol {

// Which model a ModelInferRequest is for; looks at the outermost fields only. Borrowed from the message.
struct InferTarget {
  std::string_view model_name;
  std::string_view model_version;  // empty: not given
  std::string_view id;
};
base::Result<InferTarget> infer_target(std::string_view message);

// A ModelInferRequest. Tensors come either all as raw_input_contents, one for each input in order (as binary
// tensors: FP16 and BF16 too), or all as typed contents, whose field must be the one of the datatype;
// integers are range-checked. Errors: "protocol.*", "protobuf.malformed". Texts are borrowed from `message`.
base::Status read_infer_request(std::string_view message, const Schema& schema, const RequestLimits& limits,
                                Request& request);

// A ModelInferResponse, with raw_output_contents as Triton answers. `is_stream`: with parameter
// "triton_final_response", as streams have it.
void write_infer_response(const ResponseHead& head, const Schema& schema, const Request& request,
                          std::span<const tensor::NamedResult> results, bool is_stream, std::string& out);

// Messages of ModelStreamInfer around it. The answer is begun, then written, then ended.
std::size_t begin_stream_response(std::string& out);
void end_stream_response(std::size_t mark, std::string& out);
// An error as a stream carries it, with the request's id.
void write_stream_error(std::string_view message, std::string_view id, std::string& out);

}  // namespace wherry::protocol
