#include <gtest/gtest.h>

#include "base/counted_allocations.h"
#include "http/test_exchange.h"
#include "serve/service.h"
#include "serve/test_model.h"

namespace wherry::serve {
namespace {

using base::allocations;

TEST(WarmPredictions, OnTheIoThreadAllocateNothing) {
  auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  write_test_bundle(folder->path() / "bundle");
  repository::Settings settings;
  settings.inline_limit = std::chrono::seconds(1);  // whatever this machine measures
  auto model = load_test_model(folder->path() / "bundle", settings);
  ASSERT_TRUE(model) << model.error().message;
  Service service(1, false, 2, 2);
  schedule::Pool pool({.workers = 2});
  service.set_pool(&pool);
  service.set_model(std::move(*model));
  const auto handler = make_handler(service, 0);

  http::Request request;
  request.method = "POST";
  request.path = "/v2/models/fraud/versions/1/infer";
  request.body = R"({"id":"7","inputs":[{"name":"amount","datatype":"FP64","shape":[1],"data":[9]},)"
                 R"({"name":"country","datatype":"BYTES","shape":[1],"data":["DE"]}]})";
  const http::HeaderView headers[] = {{"Content-Type", "application/json"},
                                      {"X-Request-Timeout", "10s"},
                                      {"X-Request-Id", "one-that-is-longer-than-a-short-string"}};
  request.headers = headers;
  request.received = std::chrono::steady_clock::now();
  http::TestExchange exchange(request, handler.get());
  http::Response response;
  const auto send = [&] {
    response.clear();
    handler->handle(request, response, exchange);
  };
  for (int i = 0; i < 3; ++i) send();
  ASSERT_EQ(response.status, 200) << response.body;
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) send();
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_EQ(response.status, 200);
}

}  // namespace
}  // namespace wherry::serve
