#include "base/error.h"

#include <array>

namespace wherry::base {
namespace {

struct CodeRow {
  Code code;
  std::string_view name;
  int exit_status;
  int http_status;
};

constexpr std::array<CodeRow, 8> kCodes{{
    {Code::kInvalidInput, "invalid_input", 1, 400},
    {Code::kUnsupported, "unsupported", 1, 501},
    {Code::kUsage, "usage", 2, 400},
    {Code::kNotFound, "not_found", 3, 404},
    {Code::kLimit, "limit", 1, 413},
    {Code::kUnavailable, "unavailable", 3, 503},
    {Code::kDenied, "denied", 3, 403},
    {Code::kInternal, "internal", 70, 500},
}};

const CodeRow& row_of(Code code) {
  for (const CodeRow& row : kCodes)
    if (row.code == code) return row;
  return kCodes.back();
}

}  // namespace

std::unexpected<Error> fail(Code code, std::string_view id, std::string message, std::string hint) {
  return std::unexpected(Error{code, std::string(id), std::move(message), std::move(hint), {}});
}

std::unexpected<Error> with_context(Error error, std::string circumstance) {
  error.context.push_back(std::move(circumstance));
  return std::unexpected(std::move(error));
}

std::string describe(const Error& error) {
  std::string text = error.message;
  for (const std::string& circumstance : error.context) text += " (" + circumstance + ")";
  return text;
}

int exit_status(Code code) {
  return row_of(code).exit_status;
}
int http_status(Code code) {
  return row_of(code).http_status;
}
std::string_view name(Code code) {
  return row_of(code).name;
}

}  // namespace wherry::base
