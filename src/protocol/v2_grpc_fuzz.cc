// Any bytes as a ModelInferRequest: no crash, and whatever is accepted is a whole table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "protocol/test_schema.h"
#include "protocol/v2_grpc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  static const Schema kSchemas[] = {mixed_schema(), mixed_schema(true), matrix_schema(3), matrix_schema(1)};
  static Request request;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  (void)infer_target(message);
  for (const Schema& schema : kSchemas) {
    if (!read_infer_request(message, schema, {.cells = 10'000}, request)) continue;
    const auto& table = request.table;
    const std::size_t cells = table.rows * schema.columns().size();
    if (table.columns != schema.columns().size() || table.numbers.size() != cells) std::abort();
    if (!table.kinds.empty() && (table.kinds.size() != cells || table.texts.size() != cells)) std::abort();
    for (const std::string_view text : table.texts)
      if (!wherry::base::is_valid_utf8(text)) std::abort();
    if (request.forms.size() != request.tensors.size()) std::abort();
  }
  return 0;
}
