// Reads the Open Inference Protocol's infer request from JSON, with or without binary tensors behind it.
// Private to module protocol: v2_request.cc has its document, v2_data.cc what its elements mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/v2_input.h"

namespace wherry::protocol {

// The functions of one request, top down; false: cursor_.failed().
class V2Reader {
 public:
  // `binary`: what stands behind the JSON; nothing: the request has no binary part.
  V2Reader(std::string_view json, std::optional<std::string_view> binary, const Schema& schema,
           const RequestLimits& limits, Request& request)
      : cursor_(json, cursor_options(limits), request.scratch.arena),
        json_(json),
        binary_(binary),
        schema_(schema),
        request_(request),
        inputs_(schema, limits, request) {}

  base::Status read();

 private:
  bool document();
  bool id();
  bool parameter_value(V2Value& value);
  template <class Target>
  bool parameters(Target& target, std::string_view owner);
  bool inputs();
  bool input();
  bool input_member(std::string_view key, V2Input& in, bool& read_already);
  bool input_ends(const V2Input& in, bool read_already);
  bool shape(V2Input& in);
  bool datatype(V2Input& in);
  bool data(const V2Input& in);
  bool tensor_data(const V2Input& in);
  bool raw_data(const V2Input& in);
  bool elements(const V2Input& in, const Destination& destination, std::size_t axis, std::uint64_t& next);
  std::size_t plain_numbers(const V2Input& in, const Destination& destination, std::uint64_t next,
                            std::uint64_t most, bool& ended);
  bool element(const V2Input& in, std::size_t cell);
  bool integer(const V2Input& in, const JsonNumber& number, std::size_t cell);
  bool wrong_element(const V2Input& in, std::size_t cell, JsonCursor::Kind kind);
  bool outputs();
  bool output();

  bool fail(std::string_view id, std::string message, std::string hint) {
    return cursor_.fail(
        {base::Code::kInvalidInput, std::string(id), std::move(message), std::move(hint), {}});
  }
  bool bad_form(std::string message, std::string hint) {
    return fail("protocol.bad_form", std::move(message), std::move(hint));
  }
  bool member_twice(std::string_view key) {
    return fail("protocol.duplicate", base::cat("member ", base::quoted(key), " is given twice"),
                "give every member once");
  }
  bool adopt(const base::Status& status) { return status ? true : cursor_.fail(status.error()); }

  JsonCursor cursor_;
  std::string_view json_;
  std::optional<std::string_view> binary_;  // what is left of it
  const Schema& schema_;
  Request& request_;
  V2Inputs inputs_;
  std::optional<JsonCursor::Mark> data_;  // where the data of the current input starts
  bool nested_ = false;                   // the data being read is a list of lists
};

}  // namespace wherry::protocol
