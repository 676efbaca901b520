// How gRPC calls end (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md).
//
// Thread-safety: values, pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::rpc {

enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct Status {
  Code code = Code::kOk;
  std::string message;  // UTF-8
};

template <class T>
using Result = std::expected<T, Status>;

Code code_of(base::Code code);
// What an HTTP answer would mean as the end of a call: 429 → RESOURCE_EXHAUSTED, 504 → DEADLINE_EXCEEDED …
Code code_of_http(int status);

// Message and hint of an error.
Status status_of(const base::Error& error);

// grpc-message: bytes other than printable ASCII, and '%', as %XX.
std::string percent_encode(std::string_view message);

}  // namespace wherry::rpc
