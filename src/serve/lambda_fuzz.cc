// Reads arbitrary bytes as an event of AWS Lambda: what is taken must be a request the server could have got,
// and its answer must be JSON.
#include <cstdint>
#include <cstdlib>

#include "serve/lambda_event.h"
#include "text/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto event = serve::read_lambda_event({reinterpret_cast<const char*>(data), size});
  if (!event) return 0;
  if (!event->path.starts_with('/')) std::abort();
  if (event->kind == serve::LambdaEventKind::kPlain) return 0;
  http::Response response;
  response.body = event->body;
  response.add_header("X-Path", event->path);
  if (!text::parse_json(serve::lambda_answer(*event, response), "the answer", {.bytes = 1u << 30}))
    std::abort();
  return 0;
}
