// Files of any bytes as numpy arrays: no crash, and whatever is accepted is a whole tensor.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/npy.h"
#include "protocol/test_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  using wherry::tensor::DType;
  static const Schema kSchemas[] = {vector_schema(), vector_schema(DType::kInt64),
                                    vector_schema(DType::kString)};
  static Request request;
  const NamedArray array{"x", std::string_view(reinterpret_cast<const char*>(data), size)};
  for (const Schema& schema : kSchemas)
    if (read_arrays({&array, 1}, schema, request) && !is_whole(request.table, schema)) std::abort();
  return 0;
}
