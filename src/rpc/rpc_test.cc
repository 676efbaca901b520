#include <gtest/gtest.h>

#include "protobuf/wire.h"
#include "rpc/call.h"
#include "rpc/health.h"
#include "rpc/reflection.h"

namespace wherry::rpc {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using protobuf::Writer;

TEST(Timeouts, AreDigitsAndAUnit) {
  EXPECT_EQ(parse_timeout("2S"), 2s);
  EXPECT_EQ(parse_timeout("250m"), 250ms);
  EXPECT_EQ(parse_timeout("1H"), 1h);
  EXPECT_EQ(parse_timeout("3M"), 3min);
  EXPECT_EQ(parse_timeout("99999999u"), 99999999us);
  EXPECT_EQ(parse_timeout("0n"), 0ns);
  EXPECT_EQ(parse_timeout("99999999H"), std::chrono::hours(24 * 365)) << "longer than any call";
  for (const std::string_view bad : {"", "S", "1", "123456789m", "-1S", "1.5S", "1s", "1 S"})
    EXPECT_FALSE(parse_timeout(bad)) << bad;
}

http::Request request_with(std::span<const http::HeaderView> headers) {
  http::Request request;
  request.headers = headers;
  request.received = std::chrono::steady_clock::time_point(1s);
  return request;
}

TEST(Heads, HaveADeadlineAndAnEncoding) {
  const http::HeaderView headers[] = {{"grpc-timeout", "500m"}, {"grpc-encoding", "gzip"}};
  const auto head = read_head(request_with(headers));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->deadline, std::chrono::steady_clock::time_point(1500ms));
  EXPECT_EQ(head->coding, http::Coding::kGzip);
  const http::HeaderView unknown[] = {{"grpc-encoding", "snappy"}};
  EXPECT_EQ(read_head(request_with(unknown)).error().code, Code::kUnimplemented);
  const http::HeaderView timeless[] = {{"grpc-timeout", "soon"}};
  EXPECT_EQ(read_head(request_with(timeless)).error().code, Code::kInvalidArgument);
}

TEST(Heads, AreGrpcByTheirContentType) {
  for (const auto& [type, grpc] :
       {std::pair{"application/grpc", true}, std::pair{"application/grpc+proto", true},
        std::pair{"application/grpc; charset=x", true}, std::pair{"application/grpc+json", false},
        std::pair{"application/grpc-web", false}, std::pair{"application/json", false},
        std::pair{"", false}}) {
    const http::HeaderView headers[] = {{"content-type", type}};
    EXPECT_EQ(is_grpc(request_with(headers)), grpc) << type;
  }
}

std::string framed(std::string_view message) {
  std::string out;
  const std::size_t mark = begin_frame(out);
  out += message;
  end_frame(mark, out);
  return out;
}

TEST(Frames, OfAUnaryCallAreExactlyOne) {
  EXPECT_EQ(framed("abc"), "\0\0\0\0\3abc"s);
  EXPECT_EQ(only_frame(framed("abc"))->bytes, "abc");
  EXPECT_EQ(only_frame(framed(""))->bytes, "");
  for (const std::string& bad :
       {""s, "\0\0\0\0"s, "\0\0\0\0\4abc"s, "\2\0\0\0\0"s, framed("a") + framed("b")})
    EXPECT_EQ(only_frame(bad).error().code, Code::kInternal);
}

TEST(Frames, OfAStreamArriveInAnyPieces) {
  const std::string body = framed("one") + framed("") + framed(std::string(300, 'x'));
  for (std::size_t step = 1; step < body.size(); ++step) {
    FrameReader reader(1000);
    std::vector<std::string> got;
    for (std::size_t at = 0; at < body.size(); at += step) {
      std::string_view piece = std::string_view(body).substr(at, step);
      while (!piece.empty()) {
        const auto frame = reader.next(piece);
        ASSERT_TRUE(frame);
        if (*frame) got.emplace_back((*frame)->bytes);
      }
    }
    EXPECT_EQ(got, (std::vector<std::string>{"one", "", std::string(300, 'x')})) << step;
    EXPECT_TRUE(reader.at_boundary());
  }
}

TEST(Frames, BeyondTheLimitAreRefusedByTheirHead) {
  FrameReader reader(10);
  std::string_view piece("\0\0\0\0\x0b", 5);
  EXPECT_EQ(reader.next(piece).error().code, Code::kResourceExhausted);
}

TEST(Messages, AreInflatedWithinALimit) {
  http::Coder coder;
  http::Response zipped;
  zipped.body = std::string(100'000, 'a');
  const http::HeaderView accept[] = {{"accept-encoding", "gzip"}};
  coder.encode(accept, zipped);
  ASSERT_LT(zipped.body.size(), 1000U);
  Inflater inflater;
  const Frame frame{true, zipped.body};
  EXPECT_EQ(inflater.message(frame, http::Coding::kGzip, 1 << 20)->size(), 100'000U);
  EXPECT_EQ(inflater.message(frame, http::Coding::kGzip, 1000).error().code, Code::kResourceExhausted);
  EXPECT_EQ(inflater.message(frame, http::Coding::kIdentity, 1 << 20).error().code, Code::kInternal);
  EXPECT_EQ(inflater.message({true, "no gzip"}, http::Coding::kGzip, 1 << 20).error().code, Code::kInternal);
  EXPECT_EQ(*inflater.message({false, "plain"}, http::Coding::kGzip, 1 << 20), "plain");
}

TEST(Answers, EndInTrailersBehindAMessageAndInHeadersWithoutOne) {
  http::Response answer;
  answer.body = framed("x");
  finish(answer, {});
  EXPECT_EQ(answer.trailer_lines(), "grpc-status: 0\r\n");
  EXPECT_EQ(answer.content_type, "application/grpc");
  http::Response refusal;
  finish(refusal, {Code::kNotFound, "no model 'é' at 100%"});
  EXPECT_EQ(refusal.status, 200);
  EXPECT_EQ(refusal.header_lines(), "grpc-status: 5\r\ngrpc-message: no model '%C3%A9' at 100%25\r\n");
  EXPECT_TRUE(refusal.trailer_lines().empty());
}

TEST(Statuses, FollowErrorsAndHttp) {
  EXPECT_EQ(status_of({base::Code::kNotFound, "x", "message", "hint", {}}).message, "message; hint");
  EXPECT_EQ(code_of(base::Code::kInvalidInput), Code::kInvalidArgument);
  EXPECT_EQ(code_of(base::Code::kLimit), Code::kResourceExhausted);
  EXPECT_EQ(code_of_http(429), Code::kResourceExhausted);
  EXPECT_EQ(code_of_http(401), Code::kUnauthenticated);
  EXPECT_EQ(code_of_http(418), Code::kInvalidArgument);
}

TEST(HealthMessages, AreReadAndWritten) {
  EXPECT_EQ(read_health_request("\x0a\x01m"), "m");
  EXPECT_EQ(read_health_request(""), "");
  EXPECT_EQ(read_health_request("\x0a\x05").error().code, Code::kInvalidArgument);
  std::string out;
  write_health(Health::kServing, out);
  EXPECT_EQ(out, "\x08\x01");
  out.clear();
  const ServiceHealth rows[] = {{"", Health::kServing}, {"m", Health::kNotServing}};
  write_health_list(rows, out);
  EXPECT_EQ(out, "\x0a\x04\x12\x02\x08\x01\x0a\x07\x0a\x01m\x12\x02\x08\x02");
}

std::string asked(std::uint32_t field, std::string_view value) {
  const std::span<const protobuf::ProtoFile> files[] = {own_proto_files()};
  std::string request, answer;
  Writer(request).bytes(field, value);
  Reflection(files).answer(request, answer);
  return answer;
}

TEST(Reflections, FindFilesBySymbolAndName) {
  const std::string_view health = own_proto_files()[0].descriptor;
  for (const std::string_view symbol :
       {"grpc.health.v1.Health", "grpc.health.v1.Health.Check", "grpc.health.v1.HealthCheckResponse",
        "grpc.health.v1.HealthCheckResponse.ServingStatus"})
    EXPECT_NE(asked(4, symbol).find(health), std::string::npos) << symbol;
  EXPECT_NE(asked(3, "grpc/health/v1/health.proto").find(health), std::string::npos);
  for (const std::string_view unknown :
       {"grpc.health.v1.Healt", "grpc.health.v1", "Health", "grpc.health.v1.Health.X"})
    EXPECT_NE(asked(4, unknown).find("this server has no '" + std::string(unknown)), std::string::npos)
        << unknown;
}

TEST(Reflections, ListAllServices) {
  const std::string list = asked(7, "*");
  for (const std::string_view service : {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                         "grpc.reflection.v1alpha.ServerReflection"})
    EXPECT_NE(list.find(service), std::string::npos) << service;
}

TEST(Reflections, AnswerEveryErrorInTheStream) {
  EXPECT_NE(asked(6, "x").find("no extensions"), std::string::npos);
  const std::span<const protobuf::ProtoFile> files[] = {own_proto_files()};
  std::string answer;
  Reflection(files).answer("\x0a\x05", answer);
  EXPECT_NE(answer.find("not a valid"), std::string::npos);
}

}  // namespace
}  // namespace wherry::rpc
