// V2 requests of any bytes, as JSON and with a binary part: no crash, and whatever is accepted is a whole
// table.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/request.h"
#include "protocol/test_schema.h"

namespace {

using namespace wherry::protocol;

void check(const Request& request, const Schema& schema) {
  if (!is_whole(request.table, schema) || request.forms.size() != request.tensors.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Schema kSchemas[] = {mixed_schema(),
                                    mixed_schema(true),
                                    matrix_schema(3),
                                    matrix_schema(1),
                                    vector_schema(),
                                    several_schema(),
                                    vector_schema(wherry::tensor::DType::kString)};
  static Request request;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::size_t json_size =
      std::min(body.size(), body.find("]}") == body.npos ? 0 : body.rfind("]}") + 2);
  for (const Schema& schema : kSchemas) {
    const RequestLimits limits{.depth = 20, .cells = 10'000, .nan_tokens = size % 2 == 0};
    if (read_v2(body, schema, limits, request)) check(request, schema);
    if (read_v2_binary(body, json_size, schema, limits, request)) check(request, schema);
  }
  return 0;
}
