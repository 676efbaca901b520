// What an input of the Open Inference Protocol is to the model, however it came: JSON, binary tensor or
// protobuf. Private to module protocol.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "protocol/datatypes.h"
#include "protocol/rows.h"
#include "protocol/tensor_inputs.h"

namespace wherry::protocol {

// Name, datatype and shape of one element of "inputs", as read so far.
struct V2Input {
  static constexpr std::size_t kMostAxes = 8;

  std::optional<std::string_view> name;
  const Datatype* datatype = nullptr;
  std::array<std::uint64_t, kMostAxes> shape{};
  std::size_t axes = 0;
  bool has_shape = false;
  std::uint64_t count = 1;                 // the product of the shape, once complete
  std::optional<std::uint64_t> byte_size;  // "binary_data_size"

  bool complete() const { return name && datatype != nullptr && has_shape; }
  std::string label() const { return base::cat("input ", base::quoted(name.value_or("?"))); }
  std::string shape_text() const;  // "[2, 3]"

  base::Status add_length(std::uint64_t length);
  base::Status shape_ends();  // computes `count`
  base::Status set_datatype(std::string_view text);
};

base::Error bad_length(const V2Input& in, std::string_view length);  // of the shape
base::Error wrong_count(const V2Input& in, std::string_view comparison);

// Where the elements of an input go: element i to cell first + i × stride.
struct Destination {
  std::size_t first = 0;
  std::size_t stride = 1;
  bool ignored = false;  // not a column of the model, which does not mind
};

// Finds the place of each input of one request in its table: of a tensor model tensors() does, and place() is
// not called.
class V2Inputs {
 public:
  V2Inputs(const Schema& schema, const RequestLimits& limits, Request& request)
      : schema_(schema), limits_(limits), request_(request), tensors_(schema, request) {}

  bool takes_tensors() const { return schema_.takes_tensors(); }
  TensorInputs& tensors() { return tensors_; }

  // The caller has made sure that the request is long enough for in.count elements, so that the table's
  // memory is in proportion to it. `numbers`: the caller sets every cell of the destination to a number.
  base::Result<Destination> place(const V2Input& in, bool numbers);
  base::Status finish();  // whether all columns were given

  std::string place_of(const V2Input& in, std::size_t cell) const;  // "input 'x', row 0, column 'c'"
  std::size_t read() const { return read_; }
  const Schema& schema() const { return schema_; }
  Request& request() { return request_; }

 private:
  base::Status begin_table(std::uint64_t rows, bool numbers);
  base::Status check_column_type(const V2Input& in, std::uint32_t column) const;
  base::Result<Destination> place_column(const V2Input& in, std::uint32_t column);
  base::Result<Destination> place_matrix(const V2Input& in, bool numbers);

  const Schema& schema_;
  const RequestLimits& limits_;
  Request& request_;
  TensorInputs tensors_;
  bool is_matrix_ = false;  // one input holds all columns
  std::size_t read_ = 0;
  std::size_t given_columns_ = 0;
};

// Fills the cells of an input with its little-endian elements (extension_binary_data.md).
base::Status read_raw(const V2Input& in, std::string_view bytes, V2Inputs& inputs);

// "outputs": one more of them.
base::Status want_output(std::string_view name, const OutputForm& form, const Schema& schema,
                         Request& request);

// A parameter's value, from JSON or protobuf.
struct V2Value {
  enum class Kind : std::uint8_t { kBool, kInteger, kOther };
  Kind kind = Kind::kOther;
  bool truth = false;
  bool is_negative = false;
  std::uint64_t magnitude = 0;
};

// Parameters of the request, of an input, of an output. Unknown ones are not ours.
base::Status take_parameter(std::string_view name, const V2Value& value, Request& request);
base::Status take_parameter(std::string_view name, const V2Value& value, V2Input& in);
base::Status take_parameter(std::string_view name, const V2Value& value, OutputForm& form);

}  // namespace wherry::protocol
