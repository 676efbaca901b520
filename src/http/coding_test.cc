#include "http/coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <vector>
#include <zstd.h>

#include "http/test_deflate.h"

namespace wherry::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string zstd_frame(std::string_view plain, int level = 3, bool with_size = true, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  if (window_log > 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(plain.size()) + 64, '\0');
  ZSTD_inBuffer in{plain.data(), plain.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  if (with_size) {
    to.pos = ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size());
  } else {
    // As a client does that streams: the size of the whole is not known at the beginning.
    ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush);
    ZSTD_compressStream2(context, &to, &in, ZSTD_e_end);
  }
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

std::string some_json(std::size_t rows) {
  std::string text = "[";
  for (std::size_t i = 0; i < rows; ++i)
    text += std::to_string(static_cast<double>(i * 7919 % 1000) / 8) + ",";
  return text + "0]";
}

struct Decoding {
  DecodeOutcome outcome;
  std::string body;
};
Decoding decode(std::string_view body, std::vector<HeaderView> headers, const DecodeLimits& limits = {}) {
  Coder coder;
  DecodedBody decoded;
  Request request{.body = body, .headers = headers};
  const DecodeOutcome outcome = coder.decode(request, limits, decoded);
  return {outcome, std::string(request.body)};
}
Decoding decode(std::string_view body, std::string_view coding, const DecodeLimits& limits = {}) {
  return decode(body, std::vector<HeaderView>{{"Content-Encoding", coding}}, limits);
}

Coding preferred(std::string_view accept) {
  const HeaderView header{"accept-encoding", accept};
  return preferred_coding({&header, 1});
}

Response encoded(std::string_view body, std::string_view accept, std::string_view type = "application/json") {
  Coder coder;
  Response response;
  response.body = body;
  response.content_type = type;
  const HeaderView header{"Accept-Encoding", accept};
  coder.encode({&header, 1}, response);
  return response;
}

TEST(PreferredCoding, IsIdentityWithoutTheHeader) {
  EXPECT_EQ(preferred_coding({}), Coding::kIdentity);
  EXPECT_EQ(preferred(""), Coding::kIdentity);
}
TEST(PreferredCoding, TakesTheGreatestWeight) {
  EXPECT_EQ(preferred("zstd;q=0.1, gzip;q=0.8, deflate;q=0.799"), Coding::kGzip);
  EXPECT_EQ(preferred("gzip;q=0.5, identity"), Coding::kIdentity);
}
TEST(PreferredCoding, OrdersEqualWeightsByWhatTheyCost) {
  EXPECT_EQ(preferred("gzip, deflate, br, zstd"), Coding::kZstd);
  EXPECT_EQ(preferred("deflate, gzip"), Coding::kGzip);
  EXPECT_EQ(preferred("identity, deflate"), Coding::kDeflate);
}
TEST(PreferredCoding, NeverTakesWhatHasWeightZero) {
  EXPECT_EQ(preferred("gzip;q=0"), Coding::kIdentity);
  EXPECT_EQ(preferred("*, zstd;q=0, gzip;q=0.0"), Coding::kDeflate);
  EXPECT_EQ(preferred("*;q=0, deflate"), Coding::kDeflate);
}
TEST(PreferredCoding, KnowsOldNamesAndAnyCase) {
  EXPECT_EQ(preferred("X-GZip"), Coding::kGzip);
}
TEST(PreferredCoding, LeavesMalformedElementsOut) {
  EXPECT_EQ(preferred("gzip;q=1.5, deflate;q=0.2"), Coding::kDeflate);
  EXPECT_EQ(preferred("gzip;q=x,,;,zstd;level=3"), Coding::kIdentity);
  EXPECT_EQ(preferred("gzip;q=0.1234, deflate ; q=1.000"), Coding::kDeflate);
}
TEST(PreferredCoding, ReadsEveryHeaderLine) {
  const HeaderView lines[] = {{"Accept-Encoding", "br"}, {"Host", "zstd"}, {"Accept-Encoding", "gzip"}};
  EXPECT_EQ(preferred_coding(lines), Coding::kGzip);
}

TEST(DecodeBody, UndoesEveryCoding) {
  const std::string plain = some_json(5000);
  EXPECT_EQ(decode(gzipped(plain), "gzip").body, plain);
  EXPECT_EQ(decode(gzipped(plain), "x-gzip").body, plain);
  EXPECT_EQ(decode(deflated(plain, 15), "deflate").body, plain);
  EXPECT_EQ(decode(deflated(plain, -15), "Deflate").body, plain);
  EXPECT_EQ(decode(zstd_frame(plain), "zstd").body, plain);
  EXPECT_EQ(decode(zstd_frame(plain, 3, false), "zstd").body, plain);
}
TEST(DecodeBody, LeavesPlainBodiesWhereTheyAre) {
  const std::string plain = some_json(10);
  EXPECT_EQ(decode(plain, "identity").body, plain);
  EXPECT_EQ(decode(plain, std::vector<HeaderView>{}).body, plain);
}
TEST(DecodeBody, LeavesAnEmptyBodyEmpty) {
  EXPECT_TRUE(decode("", "gzip").outcome);
}
TEST(DecodeBody, UndoesTwoCodingsFromTheLast) {
  const std::string plain = some_json(300);
  EXPECT_EQ(decode(zstd_frame(gzipped(plain)), "gzip, zstd").body, plain);
  const Decoding two_lines = decode(
      gzipped(deflated(plain, 15)),
      std::vector<HeaderView>{{"Content-Encoding", "deflate"}, {"Content-Encoding", "identity, gzip"}});
  EXPECT_EQ(two_lines.body, plain);
}
TEST(DecodeBody, RefusesMoreThanTwoCodings) {
  EXPECT_EQ(decode("x", "gzip, gzip, gzip").outcome.status, 415);
}
TEST(DecodeBody, RefusesUnknownCodingsAndNamesTheKnown) {
  const DecodeOutcome outcome = decode("x", "br").outcome;
  ASSERT_EQ(outcome.status, 415);
  Response response;
  Coder::refuse(outcome, response);
  EXPECT_THAT(response.header_lines(), HasSubstr("Accept-Encoding: zstd, gzip, deflate\r\n"));
  EXPECT_THAT(response.body, HasSubstr(R"({"error":"Content-Encoding is not understood)"));
}
TEST(DecodeBody, RefusesTruncatedBodiesAtEveryOffset) {
  const std::string plain = some_json(40);
  for (const auto& [coding, body] : {std::pair<std::string_view, std::string>{"gzip", gzipped(plain)},
                                     {"deflate", deflated(plain, 15)},
                                     {"deflate", deflated(plain, -15)},
                                     {"zstd", zstd_frame(plain)}})
    for (std::size_t size = 1; size < body.size(); ++size)
      EXPECT_EQ(decode(std::string_view(body).substr(0, size), coding).outcome.status, 400) << coding << size;
}
TEST(DecodeBody, RefusesWhatIsNotCodedAtAll) {
  for (const std::string_view coding : {"gzip", "zstd"})
    EXPECT_EQ(decode(R"({"inputs":[]})", coding).outcome.status, 400) << coding;
}
TEST(DecodeBody, RefusesDamagedChecksums) {
  std::string body = gzipped(some_json(40));
  body[body.size() - 6] ^= 1;
  EXPECT_EQ(decode(body, "gzip").outcome.status, 400);
}
TEST(DecodeBody, RefusesBytesBehindTheStream) {
  EXPECT_EQ(decode(gzipped("1") + "x", "gzip").outcome.status, 400);
  EXPECT_EQ(decode(deflated("1", 15) + "x", "deflate").outcome.status, 400);
  EXPECT_EQ(decode(zstd_frame("1") + "x", "zstd").outcome.status, 400);
}
TEST(DecodeBody, JoinsMembersAndFrames) {
  EXPECT_EQ(decode(gzipped("[1,") + gzipped("2]"), "gzip").body, "[1,2]");
  EXPECT_EQ(decode(zstd_frame("[1,") + zstd_frame("2]"), "zstd").body, "[1,2]");
}
TEST(DecodeBody, TakesABodyOfExactlyTheLimit) {
  const std::string plain = some_json(10'000);
  const DecodeLimits limits{.most_bytes = plain.size()};
  EXPECT_EQ(decode(gzipped(plain), "gzip", limits).body, plain);
  EXPECT_EQ(decode(zstd_frame(plain, 3, false), "zstd", limits).body, plain);
}
TEST(DecodeBody, RefusesOneByteMoreThanTheLimit) {
  const std::string plain = some_json(10'000);
  const DecodeLimits limits{.most_bytes = plain.size() - 1};
  EXPECT_EQ(decode(gzipped(plain), "gzip", limits).outcome.status, 413);
  EXPECT_EQ(decode(deflated(plain, -15), "deflate", limits).outcome.status, 413);
  EXPECT_EQ(decode(zstd_frame(plain), "zstd", limits).outcome.status, 413);
  EXPECT_EQ(decode(zstd_frame(plain, 3, false), "zstd", limits).outcome.status, 413);
}
TEST(DecodeBody, EndsBombsByTheirRatio) {
  const std::string zeros(32u << 20, '0');
  EXPECT_EQ(decode(gzipped(zeros), "gzip").outcome.status, 413);
  EXPECT_EQ(decode(zstd_frame(zeros), "zstd").outcome.status, 413);
  EXPECT_EQ(decode(gzipped(gzipped(zeros)), "gzip, gzip").outcome.status, 413);
}
TEST(DecodeBody, AllowsAnyRatioWhileTheResultIsSmall) {
  EXPECT_TRUE(decode(zstd_frame(std::string(3u << 20, '0')), "zstd").outcome);
}
TEST(DecodeBody, RefusesWindowsOverEightMebibytes) {
  const DecodeOutcome outcome =
      decode(zstd_frame(some_json(3'000'000), 1, false, 27), "zstd", {.most_bytes = 1u << 30}).outcome;
  EXPECT_EQ(outcome.status, 400);
  EXPECT_THAT(outcome.reason, HasSubstr("window"));
}
TEST(DecodeBody, CountsLargeResultsUntilTheyAreReleased) {
  const std::string plain = some_json(40'000), body = gzipped(plain);
  const auto memory = std::make_shared<MemoryBudget>(1u << 30);
  {
    Coder coder;
    DecodedBody decoded;
    const HeaderView header{"Content-Encoding", "gzip"};
    Request request{.body = body, .headers = {&header, 1}};
    ASSERT_TRUE(coder.decode(request, {.memory = memory}, decoded));
    EXPECT_GE(memory->used(), plain.size());
  }
  EXPECT_EQ(memory->used(), 0u);
}
TEST(DecodeBody, IsRefusedWhenAllLargeBodiesTogetherAreTooMuch) {
  const auto memory = std::make_shared<MemoryBudget>(100'000);
  EXPECT_EQ(decode(gzipped(some_json(40'000)), "gzip", {.memory = memory}).outcome.status, 503);
  EXPECT_EQ(memory->used(), 0u);
}
TEST(DecodeBody, ServesOneRequestAfterTheOther) {
  Coder coder;
  DecodedBody decoded;
  for (int round = 0; round < 3; ++round)
    for (const std::string_view coding : {"gzip", "zstd", "deflate"}) {
      const std::string plain = some_json(static_cast<std::size_t>(round) * 20'000 + 1);
      const std::string body = coding == "gzip"   ? gzipped(plain)
                               : coding == "zstd" ? zstd_frame(plain)
                                                  : deflated(plain, -15);
      const HeaderView header{"Content-Encoding", coding};
      Request request{.body = body, .headers = {&header, 1}};
      ASSERT_TRUE(coder.decode(request, {}, decoded));
      EXPECT_EQ(request.body, plain);
      decoded.clear();
    }
}

TEST(EncodeBody, GivesWhatDecodesToTheSame) {
  const std::string plain = some_json(500);
  for (const std::string_view coding : {"gzip", "deflate", "zstd"}) {
    const Response response = encoded(plain, coding);
    EXPECT_LT(response.body.size(), plain.size());
    EXPECT_THAT(response.header_lines(), HasSubstr("Content-Encoding: " + std::string(coding) + "\r\n"));
    EXPECT_EQ(decode(response.body, coding).body, plain);
  }
}
TEST(EncodeBody, LeavesSmallAnswersAlone) {
  const Response response = encoded(std::string(Coder::kLeastCoded - 1, '0'), "gzip");
  EXPECT_EQ(response.header_lines(), "");
}
TEST(EncodeBody, SaysThatTheAnswerVariesEvenWhenItIsPlain) {
  const Response response = encoded(some_json(500), "br");
  EXPECT_EQ(response.header_lines(), "Vary: Accept-Encoding\r\n");
  EXPECT_EQ(response.body, some_json(500));
}
TEST(EncodeBody, LeavesAloneWhatDoesNotShrink) {
  std::mt19937 random(1);
  std::string noise(10'000, ' ');
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::string_view coding : {"gzip", "zstd"}) {
    const Response response = encoded(noise, coding, "application/octet-stream");
    EXPECT_TRUE(response.body == noise);
    EXPECT_THAT(response.header_lines(), Not(HasSubstr("Content-Encoding")));
  }
}
TEST(EncodeBody, LeavesOtherTypesAlone) {
  EXPECT_EQ(encoded(some_json(500), "gzip", "application/grpc").header_lines(), "");
  EXPECT_EQ(encoded(some_json(500), "gzip", "image/png").header_lines(), "");
}
TEST(EncodeBody, LeavesCodedAnswersAlone) {
  Coder coder;
  Response response;
  response.body = some_json(500);
  response.add_header("Content-Encoding", "gzip");
  const HeaderView accept{"Accept-Encoding", "zstd"};
  coder.encode({&accept, 1}, response);
  EXPECT_EQ(response.body, some_json(500));
}

}  // namespace
}  // namespace wherry::http
