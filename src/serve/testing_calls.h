// A fixture for tests of this module: the model of test_model.h behind a handler, asked without a socket.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/test_exchange.h"
#include "serve/service.h"
#include "serve/test_model.h"
#include "text/json.h"

namespace wherry::serve {

class ServedModel : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    write_test_bundle(folder->path() / "bundle");
    auto model = load_test_model(folder->path() / "bundle");
    ASSERT_TRUE(model) << model.error().message;
    service_.set_model(std::move(*model));
  }
  const http::Response& send(std::string_view method, std::string_view path, std::string_view body = "",
                             std::vector<http::HeaderView> headers = {}) {
    http::Request request;
    request.method = method;
    const std::size_t question = path.find('?');
    request.path = path.substr(0, question);
    if (question != path.npos) request.query = path.substr(question + 1);
    request.body = body;
    if (method == "POST" && headers.empty()) headers = {{"content-type", "application/json"}};
    request.headers = headers;
    request.received = std::chrono::steady_clock::now();
    response_.clear();
    http::TestExchange exchange(request);
    handler_->handle(request, response_, exchange);
    return response_;
  }
  // The message of an error answer.
  std::string error() {
    const auto document = text::parse_json(response_.body, "answer");
    return document && text::find_string(*document, "error") != nullptr
               ? *text::find_string(*document, "error")
               : "no error: " + response_.body;
  }

  Service service_{1, false, 2};
  std::unique_ptr<http::Handler> handler_ = make_handler(service_, 0);
  http::Response response_;
};

}  // namespace wherry::serve
