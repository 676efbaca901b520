// CSV of any bytes: no crash, and what is accepted is a whole table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "protocol/request.h"
#include "protocol/test_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  static const Schema kSchemas[] = {mixed_schema(), mixed_schema(true), matrix_schema(3), matrix_schema(1)};
  static Request request;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const Schema& schema : kSchemas) {
    if (!read_csv(body, schema, {.cells = 10'000}, request)) continue;
    const auto& table = request.table;
    const std::size_t cells = table.rows * schema.columns().size();
    if (table.numbers.size() != cells || (!table.kinds.empty() && table.texts.size() != cells)) std::abort();
    for (const std::string_view text : table.texts)
      if (!wherry::base::is_valid_utf8(text)) std::abort();
  }
  return 0;
}
