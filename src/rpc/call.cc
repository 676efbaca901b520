#include "rpc/call.h"

#include <charconv>

#include "base/text.h"

namespace wherry::rpc {
namespace {

struct Unit {
  char letter;
  std::chrono::nanoseconds length;
};
constexpr Unit kUnits[] = {
    {'H', std::chrono::hours(1)},        {'M', std::chrono::minutes(1)},
    {'S', std::chrono::seconds(1)},      {'m', std::chrono::milliseconds(1)},
    {'u', std::chrono::microseconds(1)}, {'n', std::chrono::nanoseconds(1)},
};
constexpr std::size_t kMostDigits = 8;

struct Encoding {
  std::string_view name;
  http::Coding coding;
};
constexpr Encoding kKnown[] = {
    {"identity", http::Coding::kIdentity},
    {"gzip", http::Coding::kGzip},
    {"deflate", http::Coding::kDeflate},
};

}  // namespace

bool is_grpc(const http::Request& request) {
  constexpr std::string_view kType = "application/grpc";
  const std::string_view type = request.header("content-type");
  if (type.size() < kType.size() || !http::equal_without_case(type.substr(0, kType.size()), kType))
    return false;
  const std::string_view rest = type.substr(kType.size());
  return rest.empty() || rest.front() == ';' || rest == "+proto" || rest.starts_with("+proto;");
}

std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::nullopt;
  const auto count = base::parse_unsigned(text.substr(0, text.size() - 1));
  if (!count) return std::nullopt;
  for (const Unit& unit : kUnits)
    if (unit.letter == text.back()) {
      constexpr auto kMost = std::chrono::hours(24 * 365);  // 99999999 H would overflow
      if (*count > static_cast<std::uint64_t>(kMost / unit.length)) return kMost;
      return unit.length * static_cast<std::int64_t>(*count);
    }
  return std::nullopt;
}

Result<CallHead> read_head(const http::Request& request) {
  CallHead head;
  if (const std::string_view timeout = request.header("grpc-timeout"); !timeout.empty()) {
    const auto length = parse_timeout(timeout);
    if (!length)
      return std::unexpected(Status{Code::kInvalidArgument,
                                    base::cat("grpc-timeout ", base::quoted(timeout, 20), " is no time")});
    head.deadline = request.received + *length;
  }
  const std::string_view encoding = request.header("grpc-encoding");
  if (encoding.empty()) return head;
  for (const Encoding& known : kKnown) {
    if (known.name != encoding) continue;
    head.coding = known.coding;
    return head;
  }
  return std::unexpected(
      Status{Code::kUnimplemented, base::cat("grpc-encoding ", base::quoted(encoding, 20),
                                             " is not understood; it is one of ", kEncodings)});
}

Result<std::string_view> Inflater::message(const Frame& frame, http::Coding coding, std::size_t most) {
  if (!frame.compressed) return frame.bytes;
  if (coding == http::Coding::kIdentity)
    return std::unexpected(
        Status{Code::kInternal, "a message is compressed, but the call has no grpc-encoding which says how"});
  const http::HeaderView headers[] = {{"content-encoding", http::name_of(coding)}};
  http::Request request;
  request.headers = headers;
  request.body = frame.bytes;
  const http::DecodeOutcome outcome = coder_.decode(request, {.most_bytes = most}, decoded_);
  if (outcome) return request.body;
  const Code code = outcome.status == 413   ? Code::kResourceExhausted
                    : outcome.status == 503 ? Code::kUnavailable
                                            : Code::kInternal;
  return std::unexpected(Status{code, std::string(outcome.reason)});
}

namespace {

template <class Add>
void add_status(const Status& status, Add add) {
  char code[4];
  const auto end = std::to_chars(code, code + sizeof code, static_cast<unsigned>(status.code)).ptr;
  add("grpc-status", std::string_view(code, static_cast<std::size_t>(end - code)));
  if (!status.message.empty()) add("grpc-message", percent_encode(status.message));
}

}  // namespace

void add_trailers(http::Response& response, const Status& status) {
  add_status(status,
             [&](std::string_view name, std::string_view value) { response.add_trailer(name, value); });
}

void finish(http::Response& response, const Status& status) {
  response.status = 200;
  response.content_type = "application/grpc";
  if (status.code == Code::kUnimplemented) response.add_header("grpc-accept-encoding", kEncodings);
  if (!response.body.empty()) return add_trailers(response, status);
  add_status(status,
             [&](std::string_view name, std::string_view value) { response.add_header(name, value); });
}

}  // namespace wherry::rpc
