// CSV of any bytes: no crash, and what is accepted is a whole table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/request.h"
#include "protocol/test_schema.h"

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
  for (const Schema& schema : kSchemas) {
    if (read_csv(body, schema, {.cells = 10'000}, request) && !is_whole(request.table, schema)) std::abort();
  }
  return 0;
}
