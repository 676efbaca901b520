// The table of the server's addresses: what is not in it does not exist.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/grant.h"

namespace wherry::http {
class Stream;
class StreamHandler;
}  // namespace wherry::http

namespace wherry::serve {

struct Call;
struct StreamCall;

// Takes a stream over; never null.
using StreamFunction = std::unique_ptr<http::StreamHandler> (*)(const StreamCall& call, http::Stream& stream);

using auth::Permission;  // checked before the answer is made, where callers are told apart

struct RouteRow {
  std::string_view name;     // label in /metrics; rows may share one
  std::string_view pattern;  // "/v2/models/{model}/versions/{version}/infer", "/v1/models/{model}:predict"
  std::string_view method;   // GET (HEAD included), POST, PUT, DELETE
  Permission permission = Permission::kNothing;
  void (*answer)(Call& call) = nullptr;
  // The model stands in the message: `answer` looks at the permission, not the handler.
  bool admits_itself = false;
  StreamFunction stream = nullptr;  // of a gRPC method whose messages are a stream
};

enum class Parameter : std::uint8_t { kModel, kVersion, kLabel };
inline constexpr std::size_t kParameterCount = 3;

struct Match {
  std::optional<std::size_t>
      row;                   // position in Routes::rows(); none: 404, or 405 where `allowed` says what is
  std::string_view allowed;  // "GET, HEAD, POST" of the path found; empty when there is no such path
  std::array<std::string_view, kParameterCount>
      parameters;  // as sent, percent-encoded; empty: not in the path

  std::string_view model() const { return parameters[static_cast<std::size_t>(Parameter::kModel)]; }
  std::string_view version() const { return parameters[static_cast<std::size_t>(Parameter::kVersion)]; }
  std::string_view label() const { return parameters[static_cast<std::size_t>(Parameter::kLabel)]; }
};

// A set of rows, prepared for looking up. Immutable once filled, then read from any thread.
class Routes {
 public:
  // Copies the texts. A parameter stands for one whole segment that is not empty, or for the part of it
  // before a literal end. A pattern given twice for one method is a bug: the first one stays.
  void add(std::span<const RouteRow> rows);

  // One slash at the end is ignored. Prefixes are not: "/v2/models/m/infer/x" is not found. Literal segments
  // go before parameters. Takes no lock and allocates nothing.
  Match find(std::string_view path, std::string_view method) const;

  std::span<const RouteRow> rows() const { return rows_; }

 private:
  struct Node {
    struct Literal {
      std::string_view segment;
      std::size_t child;
    };
    struct Captured {
      Parameter parameter;
      std::string_view end;
      std::size_t child;
    };
    std::vector<Literal> literals;
    std::vector<Captured> captured;  // the longest end first
    std::vector<std::size_t> rows;
    std::string allowed;
  };
  std::string_view keep(std::string_view text);
  std::size_t child_of(std::size_t node, std::string_view segment);
  const Node* descend(const Node& node, std::string_view rest, Match& match) const;

  std::deque<std::string> texts_;
  std::vector<RouteRow> rows_;
  std::vector<Node> nodes_{1};
};

}  // namespace wherry::serve
