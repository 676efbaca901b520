// V1 requests and CloudEvents of any bytes: no crash, and whatever is accepted is a whole table of UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/test_schema.h"
#include "protocol/v1_events.h"
#include "protocol/v1_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  using wherry::program::ColumnType;
  static const Schema kSchemas[] = {mixed_schema(),
                                    mixed_schema(true),
                                    matrix_schema(2),
                                    test_schema({{"text", ColumnType::kText}}, false),
                                    test_schema({{"record", ColumnType::kRecord}}, false),
                                    vector_schema(),
                                    several_schema(),
                                    vector_schema(wherry::tensor::DType::kString)};
  static Request request;
  static V1Form form;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const RequestLimits limits{.depth = 20, .cells = 10'000};
  for (const Schema& schema : kSchemas) {
    if (read_v1_predict(body, schema, limits, request, form)) {
      if (!is_whole(request.table, schema) || form.outputs.empty()) std::abort();
      for (const std::uint32_t output : form.outputs)
        if (output >= schema.outputs().size()) std::abort();
    }
    if (read_v1_examples(body, schema, limits, request) && !is_whole(request.table, schema)) std::abort();
  }
  if (const auto event = read_structured_event(body, 20))
    if (event->id.empty() || event->source.empty() || event->type.empty()) std::abort();
  return 0;
}
