// V1 requests and CloudEvents of any bytes: no crash, and whatever is accepted is a whole table of UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "protocol/test_schema.h"
#include "protocol/v1_events.h"
#include "protocol/v1_request.h"

namespace {

void check(const wherry::protocol::Schema& schema, const wherry::tensor::Table& table) {
  const std::size_t cells = table.rows * schema.columns().size();
  if (table.columns != schema.columns().size() || table.numbers.size() != cells) std::abort();
  if (!table.kinds.empty() && (table.kinds.size() != cells || table.texts.size() != cells)) std::abort();
  for (const std::string_view text : table.texts)
    if (!wherry::base::is_valid_utf8(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  using wherry::program::ColumnType;
  static const Schema kSchemas[] = {mixed_schema(), mixed_schema(true), matrix_schema(2),
                                    test_schema({{"text", ColumnType::kText}}, false),
                                    test_schema({{"record", ColumnType::kRecord}}, false)};
  static Request request;
  static V1Form form;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const RequestLimits limits{.depth = 20, .cells = 10'000};
  for (const Schema& schema : kSchemas) {
    if (read_v1_predict(body, schema, limits, request, form)) {
      check(schema, request.table);
      if (form.outputs.empty()) std::abort();
      for (const std::uint32_t output : form.outputs)
        if (output >= schema.outputs().size()) std::abort();
    }
    if (read_v1_examples(body, schema, limits, request)) check(schema, request.table);
  }
  if (const auto event = read_structured_event(body, 20))
    if (event->id.empty() || event->source.empty() || event->type.empty()) std::abort();
  return 0;
}
