#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protobuf/wire.h"
#include "rpc/frame.h"

#include "http/test_exchange.h"
#include "protocol/v2_grpc_messages.h"
#include "serve/service.h"
#include "serve/testing_calls.h"

namespace wherry::serve {
namespace {

using protobuf::Field;
using protobuf::Reader;
using protobuf::Writer;
using ::testing::HasSubstr;
using namespace std::string_literals;

constexpr std::string_view kService = "/inference.GRPCInferenceService/";

std::string framed(std::string_view message) {
  std::string out;
  const std::size_t mark = rpc::begin_frame(out);
  out += message;
  rpc::end_frame(mark, out);
  return out;
}

void add_input(std::string_view name, std::string_view datatype, Writer& writer, std::string& out) {
  const std::size_t input = writer.begin(5);
  writer.bytes(1, name);
  writer.bytes(2, datatype);
  const std::size_t shape = writer.begin(3);
  out += '\1';
  writer.end(shape);
  writer.end(input);
}

// One row for the model of these tests: predicted "fraud".
std::string infer_request(std::string_view model = "fraud", std::string_view id = "7") {
  std::string out;
  Writer writer(out);
  writer.bytes(1, model);
  writer.bytes(3, id);
  add_input("amount", "FP32", writer, out);
  add_input("country", "BYTES", writer, out);
  const std::size_t output = writer.begin(6);
  writer.bytes(1, "predict");
  writer.end(output);
  writer.bytes(7, std::string("\0\0\x10\x41", 4));
  writer.bytes(7, "\2\0\0\0DE"s);
  return out;
}

// The first field of this number and of kind bytes.
std::string_view field(std::string_view message, std::uint32_t number) {
  Reader reader(message);
  for (Field found; reader.next(found);)
    if (found.key() == protobuf::key(number, protobuf::WireType::kBytes)) return found.bytes;
  return {};
}

class FakeStream final : public http::Stream {
 public:
  void begin(const http::Response&) override {}
  void write(std::string_view piece) override { written += piece; }
  void finish(const http::Response& last) override {
    ended = true;
    end = last.trailer_lines() + last.header_lines();
  }
  void reset() override { ended = true; }
  void consume(std::size_t bytes) override { consumed += bytes; }
  std::size_t queued() const override { return full ? kHighWater : 0; }
  void set_deadline(std::chrono::steady_clock::time_point when) override { deadline = when; }
  http::StreamPoster poster() override {
    return http::StreamPoster([this](std::function<void()> work) { posted.push_back(std::move(work)); });
  }

  std::vector<std::string> messages() const {
    std::vector<std::string> found;
    rpc::FrameReader reader(1 << 20);
    for (std::string_view rest = written; !rest.empty();)
      if (const auto frame = reader.next(rest); frame && *frame) found.emplace_back((*frame)->bytes);
    return found;
  }

  std::string written, end;
  std::size_t consumed = 0;
  bool ended = false, full = false;
  std::chrono::steady_clock::time_point deadline;
  std::vector<std::function<void()>> posted;
};

class GrpcTest : public ServedModel {
 protected:
  http::Request head(std::string_view path) {
    http::Request request;
    request.method = "POST";
    request.path = path;
    request.headers = headers_;
    request.version = http::Version::k2;
    request.received = std::chrono::steady_clock::now();
    return request;
  }
  // The status lines of a unary call; its message is then in message_.
  std::string call(std::string_view method, std::string_view message) {
    return call_body(std::string(kService) + std::string(method), framed(message));
  }
  std::string call_body(const std::string& path, const std::string& body) {
    http::Request request = head(path);
    request.body = body;
    response_.clear();
    http::TestExchange exchange(request);
    handler_->handle(request, response_, exchange);
    message_ = response_.body.size() < rpc::kFrameHead ? "" : response_.body.substr(rpc::kFrameHead);
    return response_.trailer_lines() + response_.header_lines();
  }
  std::unique_ptr<http::StreamHandler> open(std::string_view path) {
    return handler_->stream(head(path), stream_);
  }

  std::vector<http::HeaderView> headers_{{"content-type", "application/grpc"}, {"te", "trailers"}};
  std::string message_;
  FakeStream stream_;
};

TEST_F(GrpcTest, TellsThatItLivesAndIsReady) {
  EXPECT_THAT(call("ServerLive", ""), HasSubstr("grpc-status: 0\r\n"));
  EXPECT_EQ(message_, "\x08\x01");
  call("ServerReady", "");
  EXPECT_EQ(message_, "\x08\x01");
  call("ModelReady",
       "\x0a\x05"
       "fraud");
  EXPECT_EQ(message_, "\x08\x01");
  EXPECT_THAT(call("ModelReady", "\x0a\x01x"), HasSubstr("grpc-status: 0\r\n"));
  EXPECT_EQ(message_, "") << "a model which there is not is not ready";
  service_.begin_drain();
  call("ServerReady", "");
  EXPECT_EQ(message_, "");
}

TEST_F(GrpcTest, DescribesServerAndModel) {
  call("ServerMetadata", "");
  EXPECT_EQ(field(message_, 1), "wherry");
  call("ModelMetadata",
       "\x0a\x05"
       "fraud");
  EXPECT_EQ(field(message_, 1), "fraud");
  EXPECT_EQ(field(field(message_, 4), 1), "amount");
  EXPECT_THAT(call("ModelMetadata", "\x0a\x01x"),
              HasSubstr("grpc-status: 5\r\ngrpc-message: there is no model 'x'"));
}

TEST_F(GrpcTest, TellsConfigurationStatisticsAndIndex) {
  call("ModelInfer", infer_request());
  call("ModelConfig",
       "\x0a\x05"
       "fraud");
  EXPECT_EQ(field(field(message_, 1), 1), "fraud");
  EXPECT_EQ(field(field(message_, 1), 17), "wherry");
  call("ModelStatistics", "");
  EXPECT_EQ(field(field(message_, 1), 1), "fraud");
  EXPECT_EQ(field(field(field(message_, 1), 6), 1).front(), '\x08') << "a request has succeeded";
  EXPECT_THAT(call("ModelStatistics", "\x0a\x01x"), HasSubstr("grpc-status: 5\r\n"));
  call("RepositoryIndex", "");
  EXPECT_EQ(field(field(message_, 1), 3), "READY");
}

TEST_F(GrpcTest, LoadsOnlyWhereModelsAreManaged) {
  EXPECT_THAT(call("RepositoryModelLoad",
                   "\x12\x05"
                   "fraud"),
              HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(call("RepositoryModelUnload",
                   "\x12\x05"
                   "fraud"),
              HasSubstr("--model-control"));
}

TEST_F(GrpcTest, PredictsFromRawContents) {
  EXPECT_THAT(call("ModelInfer", infer_request()), HasSubstr("grpc-status: 0\r\n"));
  EXPECT_EQ(field(message_, 1), "fraud");
  EXPECT_EQ(field(message_, 2), "1");
  EXPECT_EQ(field(message_, 3), "7");
  EXPECT_EQ(field(message_, 6), "\5\0\0\0fraud"s);
}

TEST_F(GrpcTest, EndsWrongCallsWithTheirStatus) {
  EXPECT_THAT(call("ModelInfer", infer_request("nothing")), HasSubstr("grpc-status: 5\r\n"));
  EXPECT_THAT(call("ModelInfer", "\xff\xff"), HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(call("ModelInfer", infer_request() + "\x3a\x01x"), HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(call("Nothing", ""), HasSubstr("grpc-status: 12\r\n"));
  EXPECT_THAT(call_body("/no.Service/Method", framed("")), HasSubstr("grpc-status: 12\r\n"));
  EXPECT_THAT(call_body(std::string(kService) + "ServerLive", "\0\0\0\0\5"s),
              HasSubstr("grpc-status: 13\r\n"));
  headers_.push_back({"grpc-encoding", "snappy"});
  EXPECT_THAT(call("ServerLive", ""), HasSubstr("grpc-accept-encoding: identity"));
}

TEST_F(GrpcTest, DoesNotComputeWhatIsTooLate) {
  headers_.push_back({"grpc-timeout", "1n"});
  EXPECT_THAT(call("ModelInfer", infer_request()), HasSubstr("grpc-status: 4\r\n"));
}

TEST_F(GrpcTest, NeedsHttp2AndGrpcsContentType) {
  http::Request request = head("/inference.GRPCInferenceService/ServerLive");
  request.version = http::Version::k1_1;
  http::TestExchange exchange(request);
  handler_->handle(request, response_, exchange);
  EXPECT_EQ(response_.status, 426);
  headers_ = {{"content-type", "application/json"}};
  call("ServerLive", "");
  EXPECT_EQ(response_.status, 415);
}

TEST_F(GrpcTest, TellsHealthOfServerServicesAndModels) {
  for (const std::string_view service : {"", "inference.GRPCInferenceService", "fraud"}) {
    std::string request;
    Writer(request).bytes(1, service);
    call_body("/grpc.health.v1.Health/Check", framed(request));
    EXPECT_EQ(message_, "\x08\x01") << service;
  }
  EXPECT_THAT(call_body("/grpc.health.v1.Health/Check", framed("\x0a\x01x")),
              HasSubstr("grpc-status: 5\r\n"));
  service_.begin_drain();
  call_body("/grpc.health.v1.Health/Check", framed(""));
  EXPECT_EQ(message_, "\x08\x02");
  call_body("/grpc.health.v1.Health/List", framed(""));
  EXPECT_THAT(message_, HasSubstr("inference.GRPCInferenceService"));
}

TEST_F(GrpcTest, WatchesHealthUntilTheClientGoes) {
  const auto watch = open("/grpc.health.v1.Health/Watch");
  watch->data(framed(""));
  watch->end();
  EXPECT_EQ(stream_.messages(), (std::vector<std::string>{"\x08\x01"}));
  watch->expired();
  EXPECT_EQ(stream_.messages().size(), 1U) << "only changes are told";
  service_.begin_drain();
  watch->expired();
  EXPECT_EQ(stream_.messages().back(), "\x08\x02");
  EXPECT_FALSE(stream_.ended);
  watch->closed();
}

TEST_F(GrpcTest, ReflectsItsServices) {
  for (const char* version : {"v1", "v1alpha"}) {
    stream_ = FakeStream();
    const auto reflection = open("/grpc.reflection."s + version + ".ServerReflection/ServerReflectionInfo");
    reflection->data(framed("\x3a\x01*"));
    reflection->end();
    EXPECT_THAT(stream_.messages().at(0), HasSubstr("inference.GRPCInferenceService"));
    EXPECT_THAT(stream_.end, HasSubstr("grpc-status: 0\r\n"));
  }
}

TEST_F(GrpcTest, AnswersAStreamInOrderWithErrorsInBetween) {
  const auto infer = open("/inference.GRPCInferenceService/ModelStreamInfer");
  const std::string body = framed(infer_request("fraud", "a")) + framed(infer_request("nothing", "b")) +
                           framed(infer_request("fraud", "c"));
  for (const char byte : body) infer->data({&byte, 1});
  EXPECT_EQ(stream_.consumed, body.size());
  infer->end();
  const auto answers = stream_.messages();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(field(field(answers[0], 2), 3), "a");
  EXPECT_THAT(field(field(answers[0], 2), 4), HasSubstr("triton_final_response"));
  EXPECT_THAT(field(answers[1], 1), HasSubstr("there is no model 'nothing'"));
  EXPECT_EQ(field(field(answers[1], 2), 3), "b");
  EXPECT_EQ(field(field(answers[2], 2), 3), "c");
  EXPECT_THAT(stream_.end, HasSubstr("grpc-status: 0\r\n"));
}

TEST_F(GrpcTest, EndsAStreamAtAnErrorWhereItsClientWantsThat) {
  headers_.push_back({"triton_grpc_error", "true"});
  const auto infer = open("/inference.GRPCInferenceService/ModelStreamInfer");
  infer->data(framed(infer_request("nothing")) + framed(infer_request()));
  EXPECT_THAT(stream_.end, HasSubstr("grpc-status: 5\r\n"));
  EXPECT_TRUE(stream_.messages().empty());
}

TEST_F(GrpcTest, TakesNoFurtherMessagesWhileAnswersWait) {
  const auto infer = open("/inference.GRPCInferenceService/ModelStreamInfer");
  stream_.full = true;
  infer->data(framed(infer_request()));
  EXPECT_EQ(stream_.consumed, 0U);
  stream_.full = false;
  infer->writable();
  EXPECT_EQ(stream_.messages().size(), 1U);
}

TEST_F(GrpcTest, EndsACutStreamAndALateOne) {
  const auto cut = open("/inference.GRPCInferenceService/ModelStreamInfer");
  cut->data(framed(infer_request()).substr(0, 20));
  cut->end();
  EXPECT_THAT(stream_.end, HasSubstr("grpc-status: 13\r\n"));
  stream_ = FakeStream();
  headers_.push_back({"grpc-timeout", "5S"});
  const auto late = open("/inference.GRPCInferenceService/ModelStreamInfer");
  EXPECT_NE(stream_.deadline, std::chrono::steady_clock::time_point());
  late->expired();
  EXPECT_THAT(stream_.end, HasSubstr("grpc-status: 4\r\n"));
}

TEST_F(GrpcTest, RefusalsOfTheServerAreStatusesToo) {
  http::Response refusal;
  refusal.set_error(413, "the request body is too large");
  handler_->refusing(head("/inference.GRPCInferenceService/ModelInfer"), refusal);
  EXPECT_THAT(refusal.header_lines(),
              HasSubstr("grpc-status: 8\r\ngrpc-message: the request body is too large"));
}

}  // namespace
}  // namespace wherry::serve
