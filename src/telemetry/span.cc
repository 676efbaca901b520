#include "telemetry/span.h"

#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::telemetry {

using base::cat;
using protobuf::Writer;

namespace {

// Field numbers of opentelemetry/proto/{collector/trace,trace,resource,common}/v1.
enum Field : std::uint32_t {
  kRequestResourceSpans = 1,
  kResourceSpansResource = 1,
  kResourceSpansScopeSpans = 2,
  kResourceAttributes = 1,
  kScopeSpansScope = 1,
  kScopeSpansSpans = 2,
  kScopeName = 1,
  kSpanTraceId = 1,
  kSpanId = 2,
  kSpanTraceState = 3,
  kSpanParentId = 4,
  kSpanName = 5,
  kSpanKind = 6,
  kSpanStart = 7,
  kSpanEnd = 8,
  kSpanAttributes = 9,
  kSpanStatus = 15,
  kSpanFlags = 16,
  kStatusCode = 3,
  kKeyValueKey = 1,
  kKeyValueValue = 2,
  kAnyString = 1,
  kAnyInteger = 3,
};
constexpr std::uint64_t kKindInternal = 1, kKindServer = 2;
constexpr std::uint64_t kStatusError = 2;

class Encoder {
 public:
  Encoder(std::chrono::system_clock::time_point wall, SteadyTime steady)
      : offset_(std::chrono::duration_cast<std::chrono::nanoseconds>(wall.time_since_epoch()) -
                std::chrono::duration_cast<std::chrono::nanoseconds>(steady.time_since_epoch())) {}

  void resource(const Attributes& attributes) {
    const std::size_t mark = write_.begin(kResourceSpansResource);
    for (const auto& [name, value] : attributes) text(kResourceAttributes, name, value);
    write_.end(mark);
  }

  void request(const RequestSpan& span, Ids& ids) {
    const std::size_t mark = write_.begin(kScopeSpansSpans);
    const bool is_rpc = !span.rpc_method.empty();
    identity(span, span.id, span.parent);
    write_.text_unless_empty(kSpanTraceState, span.state);
    write_.bytes(kSpanName, is_rpc               ? cat(span.rpc_service, "/", span.rpc_method)
                            : span.route.empty() ? span.method
                                                 : cat(span.method, " ", span.route));
    write_.varint(kSpanKind, kKindServer);
    times(span.begin, span.end);
    if (is_rpc) {
      rpc_attributes(span);
    } else {
      http_attributes(span);
    }
    text(kSpanAttributes, "network.protocol.version", span.protocol_version);
    model_attributes(span);
    write_.end(mark);
    for (std::size_t i = 0; i < kPhaseCount; ++i)
      if (span.phases[i].end > span.phases[i].begin) phase(span, i, ids.next());
  }

  std::string out;

  std::size_t begin(Field field) { return write_.begin(field); }
  void end(std::size_t mark) { write_.end(mark); }
  void scope() {
    const std::size_t mark = write_.begin(kScopeSpansScope);
    write_.bytes(kScopeName, "wherry");
    write_.end(mark);
  }

 private:
  void http_attributes(const RequestSpan& span) {
    text(kSpanAttributes, "http.request.method", span.method);
    text(kSpanAttributes, "url.path", span.path);
    text(kSpanAttributes, "url.scheme", span.scheme);
    if (!span.route.empty()) text(kSpanAttributes, "http.route", span.route);
    integer("http.response.status_code", span.status);
    if (span.status >= 500) failed(cat(span.status));  // a client's mistake is no error of this span
  }

  void rpc_attributes(const RequestSpan& span) {
    text(kSpanAttributes, "rpc.system", "grpc");
    text(kSpanAttributes, "rpc.service", span.rpc_service);
    text(kSpanAttributes, "rpc.method", span.rpc_method);
    integer("rpc.grpc.status_code", span.status);
    // UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: semantic conventions, RPC.
    for (const int code : {2, 4, 12, 13, 14, 15})
      if (span.status == code) failed(cat(code));
  }

  void model_attributes(const RequestSpan& span) {
    if (span.model.empty()) return;
    text(kSpanAttributes, "wherry.model.name", span.model);
    text(kSpanAttributes, "wherry.model.version", span.version);
    integer("wherry.rows", static_cast<std::int64_t>(span.rows));
  }

  void phase(const RequestSpan& span, std::size_t i, std::uint64_t id) {
    const std::size_t mark = write_.begin(kScopeSpansSpans);
    identity(span, id, span.id);
    write_.bytes(kSpanName, kPhaseNames[i]);
    write_.varint(kSpanKind, kKindInternal);
    times(span.phases[i].begin, span.phases[i].end);
    write_.end(mark);
  }

  void identity(const RequestSpan& span, std::uint64_t id, std::uint64_t parent) {
    write_.bytes_header(kSpanTraceId, 16);
    big_endian(span.trace_high);
    big_endian(span.trace_low);
    write_.bytes_header(kSpanId, 8);
    big_endian(id);
    if (parent == 0) return;
    write_.bytes_header(kSpanParentId, 8);
    big_endian(parent);
  }

  void times(SteadyTime begin, SteadyTime end) {
    fixed64(kSpanStart, begin);
    fixed64(kSpanEnd, end);
  }

  void failed(std::string_view type) {
    text(kSpanAttributes, "error.type", type);
    const std::size_t mark = write_.begin(kSpanStatus);
    write_.varint(kStatusCode, kStatusError);
    write_.end(mark);
  }

  void text(std::uint32_t field, std::string_view name, std::string_view value) {
    const std::size_t mark = write_.begin(field);
    write_.bytes(kKeyValueKey, name);
    const std::size_t inner = write_.begin(kKeyValueValue);
    write_.bytes(kAnyString, base::is_valid_utf8(value) ? value : "(not UTF-8)");
    write_.end(inner);
    write_.end(mark);
  }

  void integer(std::string_view name, std::int64_t value) {
    const std::size_t mark = write_.begin(kSpanAttributes);
    write_.bytes(kKeyValueKey, name);
    const std::size_t inner = write_.begin(kKeyValueValue);
    write_.int64(kAnyInteger, value);
    write_.end(inner);
    write_.end(mark);
  }

  void big_endian(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  }

  void fixed64(Field field, SteadyTime time) {
    const auto nanoseconds =
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()) + offset_;
    write_.raw_varint(protobuf::key(field, protobuf::WireType::kFixed64));
    for (int shift = 0; shift < 64; shift += 8)
      out += static_cast<char>(static_cast<std::uint64_t>(nanoseconds.count()) >> shift & 0xff);
  }

  std::chrono::nanoseconds offset_;
  Writer write_{out};
};

}  // namespace

std::string encode_spans(std::span<const RequestSpan> spans, const Attributes& resource,
                         std::chrono::system_clock::time_point wall, SteadyTime steady, Ids& ids) {
  Encoder encoder(wall, steady);
  const std::size_t request = encoder.begin(kRequestResourceSpans);
  encoder.resource(resource);
  const std::size_t scope = encoder.begin(kResourceSpansScopeSpans);
  encoder.scope();
  for (const RequestSpan& span : spans) encoder.request(span, ids);
  encoder.end(scope);
  encoder.end(request);
  return std::move(encoder.out);
}

}  // namespace wherry::telemetry
