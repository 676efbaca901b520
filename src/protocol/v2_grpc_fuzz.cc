// Any bytes as a ModelInferRequest: no crash, and whatever is accepted is a whole table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocol/test_schema.h"
#include "protocol/v2_grpc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  static const Schema kSchemas[] = {mixed_schema(),
                                    mixed_schema(true),
                                    matrix_schema(3),
                                    matrix_schema(1),
                                    vector_schema(),
                                    several_schema(),
                                    vector_schema(wherry::tensor::DType::kString)};
  static Request request;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  (void)infer_target(message);
  for (const Schema& schema : kSchemas) {
    if (!read_infer_request(message, schema, {.cells = 10'000}, request)) continue;
    if (!is_whole(request.table, schema) || request.forms.size() != request.tensors.size()) std::abort();
  }
  return 0;
}
