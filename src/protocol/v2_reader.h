// Reads the Open Inference Protocol's infer request. Private to module protocol: v2_request.cc has its
// document, v2_data.cc where inputs go and what their elements mean.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/rows.h"

namespace wherry::protocol {

// One element of "inputs" as read so far; `data` is where its data starts.
struct V2Input {
  static constexpr std::size_t kMostAxes = 8;

  std::optional<std::string_view> name;
  const Datatype* datatype = nullptr;
  std::array<std::uint64_t, kMostAxes> shape{};
  std::size_t axes = 0;
  bool has_shape = false;
  std::uint64_t count = 1;
  std::optional<JsonCursor::Mark> data;

  bool complete() const { return name && datatype != nullptr && has_shape; }
};

// Where the elements of an input go: element i to cell first + i × stride.
struct Destination {
  std::size_t first = 0;
  std::size_t stride = 1;
  bool ignored = false;  // not a column of the model, which does not mind
};

// The functions of one request, top down; false: cursor_.failed().
class V2Reader {
 public:
  V2Reader(std::string_view body, const Schema& schema, const RequestLimits& limits, Request& request)
      : cursor_(body, cursor_options(limits), request.scratch.arena),
        body_(body),
        schema_(schema),
        limits_(limits),
        request_(request) {}

  base::Status read();

 private:
  bool document();
  bool id();
  bool parameters(const V2Input* in, std::string_view owner);
  bool inputs();
  bool input();
  bool input_member(std::string_view key, V2Input& in, bool& read_already);
  bool shape(V2Input& in);
  bool datatype(V2Input& in);
  bool place(const V2Input& in, Destination& destination);
  bool place_column(const V2Input& in, std::uint32_t column, Destination& destination);
  bool begin_table(const V2Input& in, std::uint64_t rows);
  bool check_column_type(const V2Input& in, std::uint32_t column);
  bool data(const V2Input& in);
  bool elements(const V2Input& in, const Destination& destination, std::size_t axis, std::uint64_t& next);
  bool element(const V2Input& in, std::size_t cell);
  bool integer(const V2Input& in, const JsonNumber& number, std::size_t cell);
  bool wrong_element(const V2Input& in, std::size_t cell, JsonCursor::Kind kind);
  bool wrong_count(const V2Input& in, std::string_view comparison);
  bool all_given();
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
  std::string label(const V2Input& in) const {
    return base::cat("input ", base::quoted(in.name.value_or("?")));
  }
  std::string place_of(const V2Input& in, std::size_t cell) const {
    const std::size_t columns = request_.table.columns;
    return base::cat(label(in), ", row ", cell / columns, ", column ",
                     base::quoted(schema_.columns()[cell % columns].name));
  }

  JsonCursor cursor_;
  std::string_view body_;
  const Schema& schema_;
  const RequestLimits& limits_;
  Request& request_;
  bool is_matrix_ = false;  // one input holds all columns
  bool nested_ = false;     // the data being read is a list of lists
  std::size_t read_inputs_ = 0;
  std::size_t given_columns_ = 0;
};

std::string shape_text(const V2Input& in);  // "[2, 3]"

}  // namespace wherry::protocol
