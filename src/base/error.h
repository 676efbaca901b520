// What can go wrong, as a value. Every fallible function of wherry returns Result<T>; nothing of ours throws.
//
// Thread-safety: values without shared state; as safe as std::string.
#pragma once

#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::base {

// How a caller should react. One table (error.cc) maps a code to exit status, HTTP status and gRPC status.
enum class Code {
  kInvalidInput,  // the model file, request or answer is malformed or violates its own rules
  kUnsupported,   // well-formed, but wherry (or the model) does not do this
  kUsage,         // the command line, a flag or a configuration file is wrong
  kNotFound,      // the named thing does not exist at the place asked
  kLimit,         // a configured bound on size, depth, items, memory or time was reached
  kUnavailable,   // network, registry, cluster, disk: may work when tried again or elsewhere
  kDenied,        // credentials are missing or not sufficient
  kInternal,      // a bug of ours
};

// `id` is stable, lower-case and dotted ("pickle.truncated"); `wherry explain ID` describes it, so each one
// stands in a kErrorIds table. `message` says what and where, `hint` what to do; both are single lines
// without trailing full stop. `context` lists outer circumstances, innermost first.
struct Error {
  Code code = Code::kInternal;
  std::string id;
  std::string message;
  std::string hint;
  std::vector<std::string> context;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// One row of a module's table of error ids.
struct ErrorId {
  std::string_view id;
  std::string_view explanation;
};

std::unexpected<Error> fail(Code code, std::string_view id, std::string message, std::string hint = {});

// Adds an outer circumstance ("while pushing layer 2 of 3") and passes the error on.
std::unexpected<Error> with_context(Error error, std::string circumstance);

// "message (circumstance; circumstance)": what is printed behind "error:" and put into {"error": …}.
std::string describe(const Error& error);

int exit_status(Code code);        // 1, 2, 3 or 70
int http_status(Code code);        // 4xx or 5xx
std::string_view name(Code code);  // "invalid_input"

}  // namespace wherry::base

#define WHERRY_CONCAT_(a, b) a##b
#define WHERRY_CONCAT(a, b) WHERRY_CONCAT_(a, b)

// TRY(expr): returns the error of a Result or Status; the value is discarded.
#define TRY(expr)                                                   \
  do {                                                              \
    if (auto result_of_try = (expr); !result_of_try) [[unlikely]]   \
      return ::std::unexpected(::std::move(result_of_try).error()); \
  } while (false)

// TRY_ASSIGN(auto x, expr): as TRY, and binds the value.
#define TRY_ASSIGN(declaration, expr) TRY_ASSIGN_(WHERRY_CONCAT(result_of_try_, __LINE__), declaration, expr)
#define TRY_ASSIGN_(result, declaration, expr)             \
  auto result = (expr);                                    \
  if (!result) [[unlikely]]                                \
    return ::std::unexpected(::std::move(result).error()); \
  declaration = ::std::move(*result)
