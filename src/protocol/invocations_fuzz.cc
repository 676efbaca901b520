// Invocation and friendly JSON of any bytes: no crash; what is accepted is a whole table; and what the cursor
// takes for JSON is what the JSON library takes for it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "protocol/json_cursor.h"
#include "protocol/request.h"
#include "protocol/test_schema.h"
#include "text/json.h"

namespace {

using namespace wherry;

constexpr std::size_t kDepth = 10'000;  // more than an input of the fuzzer can nest

bool cursor_takes(std::string_view body) {
  std::string arena;
  if (!base::is_valid_utf8(body)) return false;
  protocol::JsonCursor cursor(body, {.depth = kDepth}, arena);
  return cursor.skip_value() && cursor.finish();
}

}  // namespace

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
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (cursor_takes(body) != text::parse_json(body, "body", {.bytes = 1 << 24, .depth = kDepth}).has_value())
    std::abort();
  for (const Schema& schema : kSchemas) {
    const RequestLimits limits{.depth = 20, .cells = 10'000, .nan_tokens = size % 2 == 0};
    if (read_invocations(body, schema, limits, request) && !is_whole(request.table, schema)) std::abort();
    if (read_rows(body, schema, limits, request) && !is_whole(request.table, schema)) std::abort();
  }
  return 0;
}
