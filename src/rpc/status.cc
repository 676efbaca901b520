#include "rpc/status.h"

#include "base/text.h"

namespace wherry::rpc {
namespace {

struct HttpRow {
  int status;
  Code code;
};
constexpr HttpRow kHttpRows[] = {
    {400, Code::kInvalidArgument},   {401, Code::kUnauthenticated}, {403, Code::kPermissionDenied},
    {404, Code::kNotFound},          {405, Code::kUnimplemented},   {409, Code::kAborted},
    {413, Code::kResourceExhausted}, {415, Code::kInvalidArgument}, {429, Code::kResourceExhausted},
    {500, Code::kInternal},          {501, Code::kUnimplemented},   {503, Code::kUnavailable},
    {504, Code::kDeadlineExceeded},
};

}  // namespace

Code code_of(base::Code code) {
  switch (code) {
    case base::Code::kInvalidInput:
    case base::Code::kUsage:
      return Code::kInvalidArgument;
    case base::Code::kUnsupported:
      return Code::kUnimplemented;
    case base::Code::kNotFound:
      return Code::kNotFound;
    case base::Code::kLimit:
      return Code::kResourceExhausted;
    case base::Code::kUnavailable:
      return Code::kUnavailable;
    case base::Code::kDenied:
      return Code::kPermissionDenied;
    case base::Code::kInternal:
      break;
  }
  return Code::kInternal;
}

Code code_of_http(int status) {
  if (status < 400) return Code::kOk;
  for (const HttpRow& row : kHttpRows)
    if (row.status == status) return row.code;
  return status < 500 ? Code::kInvalidArgument : Code::kUnknown;
}

Status status_of(const base::Error& error) {
  std::string text = base::describe(error);
  if (!error.hint.empty()) text += base::cat("; ", error.hint);
  return {code_of(error.code), std::move(text)};
}

std::string percent_encode(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

}  // namespace wherry::rpc
