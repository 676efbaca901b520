// The Open Inference Protocol's infer request (open_inference_rest.yaml, $inference_request).
#include <algorithm>

#include "protocol/model_tensors.h"
#include "protocol/v2_reader.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

constexpr std::string_view kFormHint =
    "send {\"inputs\": [{\"name\": …, \"shape\": […], \"datatype\": …, \"data\": […]}]}";

}  // namespace

base::Status V2Reader::read() {
  TRY(start_request(json_, schema_, request_));
  request_.is_v2 = true;
  if (!document() || !cursor_.finish()) return cursor_.status();
  if (!binary_ || binary_->empty()) return {};
  return base::fail(base::Code::kInvalidInput, "protocol.bad_binary",
                    base::cat(binary_->size(), " bytes follow the last input"),
                    "the sum of all \"binary_data_size\" is the size of what follows the JSON");
}

bool V2Reader::document() {
  if (cursor_.peek() == Kind::kBad) return cursor_.fail_syntax("a value is expected");
  if (cursor_.peek() != Kind::kObject)
    return bad_form("the body is not a JSON object", std::string(kFormHint));
  bool has_id = false, has_inputs = false, has_outputs = false, has_parameters = false;
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    bool* const seen = key == "inputs"       ? &has_inputs
                       : key == "outputs"    ? &has_outputs
                       : key == "id"         ? &has_id
                       : key == "parameters" ? &has_parameters
                                             : nullptr;
    if (seen == nullptr) {
      if (!cursor_.skip_value()) return false;
      continue;
    }
    if (*seen) return member_twice(key);
    *seen = true;
    const bool done = seen == &has_inputs    ? inputs()
                      : seen == &has_outputs ? outputs()
                      : seen == &has_id      ? id()
                                             : parameters(request_, "the request");
    if (!done) return false;
  }
  if (cursor_.failed()) return false;
  if (!has_inputs) return bad_form("member \"inputs\" is missing", std::string(kFormHint));
  return true;
}

bool V2Reader::id() {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kString)
    return bad_form("\"id\" is not text", "send the id as text, or leave it out");
  std::string_view text;
  if (!cursor_.string(text)) return false;
  request_.id = text;
  return true;
}

bool V2Reader::parameter_value(V2Value& value) {
  switch (cursor_.peek()) {
    case Kind::kTrue:
    case Kind::kFalse:
      value.kind = V2Value::Kind::kBool;
      return cursor_.boolean(value.truth);
    case Kind::kNumber: {
      JsonNumber number;
      if (!cursor_.number(number)) return false;
      value.kind = number.is_integer && number.fits ? V2Value::Kind::kInteger : V2Value::Kind::kOther;
      value.is_negative = number.is_negative;
      value.magnitude = number.magnitude;
      return true;
    }
    default:
      return cursor_.skip_value();
  }
}

template <class Target>
bool V2Reader::parameters(Target& target, std::string_view owner) {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("\"parameters\" of ", owner, " is not an object"),
                    "send {\"name\": value} or leave it out");
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    V2Value value;
    if (!parameter_value(value) || !adopt(take_parameter(key, value, target))) return false;
  }
  return !cursor_.failed();
}

bool V2Reader::inputs() {
  if (cursor_.peek() != Kind::kArray) return bad_form("\"inputs\" is not a list", std::string(kFormHint));
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!input()) return false;
  return !cursor_.failed() && adopt(inputs_.finish());
}

bool V2Reader::input() {
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("input ", inputs_.read(), " is not an object"), std::string(kFormHint));
  V2Input in;
  bool read_already = false;
  data_.reset();
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key))
    if (!input_member(key, in, read_already)) return false;
  return !cursor_.failed() && input_ends(in, read_already);
}

bool V2Reader::input_ends(const V2Input& in, bool read_already) {
  if (in.byte_size && data_)
    return fail("protocol.bad_binary",
                base::cat(in.label(), " has both \"data\" and parameter \"binary_data_size\""),
                "send the tensor once, as JSON or behind it");
  if (!in.complete() || (!data_ && !in.byte_size)) {
    const std::string_view missing = !in.name                 ? "name"
                                     : !in.has_shape          ? "shape"
                                     : in.datatype == nullptr ? "datatype"
                                                              : "data";
    return bad_form(base::cat("input ", in.name ? base::quoted(*in.name) : base::cat(inputs_.read()),
                              " has no \"", missing, "\""),
                    std::string(kFormHint));
  }
  if (in.byte_size) return raw_data(in);
  if (read_already) return true;
  const JsonCursor::Mark end = cursor_.mark();
  cursor_.seek(*data_);
  if (!data(in)) return false;
  cursor_.seek(end);
  return true;
}

bool V2Reader::raw_data(const V2Input& in) {
  if (!binary_)
    return fail(
        "protocol.bad_binary",
        base::cat(in.label(), " has parameter \"binary_data_size\", but the request has no binary part"),
        "send the header Inference-Header-Content-Length with the size of the JSON");
  if (*in.byte_size > binary_->size())
    return fail("protocol.bad_binary",
                base::cat(in.label(), " has \"binary_data_size\" ", *in.byte_size, ", but ", binary_->size(),
                          " bytes are left behind the JSON"),
                "the sum of all \"binary_data_size\" is the size of what follows the JSON");
  const auto size = static_cast<std::size_t>(*in.byte_size);
  const std::string_view bytes = binary_->substr(0, size);
  binary_->remove_prefix(size);
  return adopt(read_raw(in, bytes, inputs_));
}

bool V2Reader::input_member(std::string_view key, V2Input& in, bool& read_already) {
  if (key == "name") {
    if (in.name) return member_twice(key);
    std::string_view text;
    if (cursor_.peek() != Kind::kString)
      return bad_form(base::cat("the name of input ", inputs_.read(), " is not text"),
                      std::string(kFormHint));
    if (!cursor_.string(text)) return false;
    in.name = text;
    return true;
  }
  if (key == "shape") return in.has_shape ? member_twice(key) : shape(in);
  if (key == "datatype") return in.datatype != nullptr ? member_twice(key) : datatype(in);
  if (key == "data") {
    if (data_) return member_twice(key);
    data_ = cursor_.mark();
    read_already = in.complete() && !in.byte_size;
    return read_already ? data(in) : cursor_.skip_value();
  }
  if (key == "parameters") return parameters(in, in.label());
  return cursor_.skip_value();
}

bool V2Reader::shape(V2Input& in) {
  if (cursor_.peek() != Kind::kArray)
    return fail("protocol.bad_shape", base::cat("the shape of ", in.label(), " is not a list"),
                "send \"shape\": [rows, columns]");
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    JsonNumber number;
    if (cursor_.peek() != Kind::kNumber)
      return fail("protocol.bad_shape",
                  base::cat("the shape of ", in.label(), " holds something else than integers"),
                  "send \"shape\": [rows, columns]");
    if (!cursor_.number(number)) return false;
    const bool is_length = number.is_integer && number.fits && (!number.is_negative || number.magnitude == 0);
    if (!is_length) return cursor_.fail(bad_length(in, base::cat(number.value)));
    if (!adopt(in.add_length(number.magnitude))) return false;
  }
  return !cursor_.failed() && adopt(in.shape_ends());
}

bool V2Reader::datatype(V2Input& in) {
  std::string_view text;
  if (cursor_.peek() != Kind::kString)
    return fail("protocol.bad_datatype", base::cat("the datatype of ", in.label(), " is not text"),
                "send \"FP64\", \"INT64\", \"BOOL\" or \"BYTES\"");
  return cursor_.string(text) && adopt(in.set_datatype(text));
}

bool V2Reader::outputs() {
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kArray)
    return bad_form("\"outputs\" is not a list", "send \"outputs\": [{\"name\": …}]");
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!output()) return false;
  return !cursor_.failed();
}

bool V2Reader::output() {
  if (cursor_.peek() != Kind::kObject)
    return bad_form("an output is not an object", "send \"outputs\": [{\"name\": …}]");
  std::optional<std::string_view> name;
  OutputForm form;
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    if (key == "name") {
      if (name) return member_twice(key);
      if (cursor_.peek() != Kind::kString)
        return bad_form("the name of an output is not text", "send {\"name\": \"predict\"}");
      std::string_view text;
      if (!cursor_.string(text)) return false;
      name = text;
    } else if (key == "parameters") {
      if (!parameters(form, "an output")) return false;
    } else if (!cursor_.skip_value()) {
      return false;
    }
  }
  if (cursor_.failed()) return false;
  if (!name) return bad_form("an output has no \"name\"", "send {\"name\": \"predict\"}");
  return adopt(want_output(*name, form, schema_, request_));
}

namespace {

// What the only input of a tensor model is, when a body of this size is all of it: at most one length is to
// be found out.
base::Status bare_shape(const program::InputTensor& input, std::size_t size, V2Input& in) {
  const bool is_text = in.datatype->kind == DataKind::kBytes;
  if (program::is_any_shape(input.shape)) {  // a list of elements, or one text
    TRY(in.add_length(is_text ? 1 : size / in.datatype->size));
    return in.shape_ends();
  }
  std::uint64_t known = is_text ? 1 : in.datatype->size;
  std::size_t unknown = 0;
  for (const std::int64_t length : input.shape) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
    if (length < 0) ++unknown;
    if (length > 0)
      known = static_cast<std::uint64_t>(length) > kMost / known ? kMost
                                                                 : known * static_cast<std::uint64_t>(length);
  }
  if (unknown > 1 && !is_text)
    return base::fail(base::Code::kInvalidInput, "protocol.bad_binary",
                      base::cat("a body of nothing but binary data does not say the lengths of ", in.label(),
                                ", which has shape ", shape_text(input)),
                      "send JSON in front of it, and its size as Inference-Header-Content-Length");
  for (const std::int64_t length : input.shape)
    TRY(in.add_length(length >= 0 ? static_cast<std::uint64_t>(length) : is_text ? 1 : size / known));
  return in.shape_ends();
}

// The whole body is the model's only input: of BYTES one element, without its length.
base::Status read_bare_tensor(std::string_view body, const Schema& schema, V2Input& in, V2Inputs& inputs) {
  const program::InputTensor& input = schema.inputs()[0];
  TRY(bare_shape(input, body.size(), in));
  if (in.datatype->kind != DataKind::kBytes) {
    TRY(read_raw(in, body, inputs));
    return inputs.finish();
  }
  if (in.count != 1)
    return base::fail(base::Code::kInvalidInput, "protocol.bad_binary",
                      base::cat("a body of nothing but text is one element, but ", in.label(), " has shape ",
                                shape_text(input)),
                      "send JSON in front of it, and its size as Inference-Header-Content-Length");
  if (!base::is_valid_utf8(body))
    return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8", "the body is not valid UTF-8",
                      "send UTF-8 text");
  TRY_ASSIGN(const std::uint32_t position, inputs.tensors().begin(in));
  inputs.tensors().cells(position).texts.push_back(body);
  return inputs.finish();
}

// The whole body is the model's only input.
base::Status read_bare(std::string_view body, const Schema& schema, const RequestLimits& limits,
                       Request& request) {
  TRY(start_request({}, schema, request));
  request.binary_outputs = true;
  const std::vector<TensorMetadata> expected = input_tensors(schema);
  if (expected.size() != 1)
    return base::fail(base::Code::kInvalidInput, "protocol.bad_binary",
                      base::cat("a body of nothing but binary data is one tensor, but the model has ",
                                expected.size(), " inputs"),
                      "send JSON in front of it, and its size as Inference-Header-Content-Length");
  V2Inputs inputs(schema, limits, request);
  V2Input in;
  in.name = expected[0].name;
  TRY(in.set_datatype(expected[0].datatype));
  if (schema.takes_tensors()) return read_bare_tensor(body, schema, in, inputs);
  const std::uint64_t columns = schema.columns().size();
  if (in.datatype->kind == DataKind::kBytes) {  // one element, without its length
    TRY(in.add_length(1));
    if (expected[0].shape.size() == 2) TRY(in.add_length(1));
    TRY(in.shape_ends());
    if (!base::is_valid_utf8(body))
      return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8", "the body is not valid UTF-8",
                        "send UTF-8 text");
    TRY_ASSIGN(const Destination destination, inputs.place(in, false));
    request.table.set_text(destination.first, body);
    return inputs.finish();
  }
  TRY(in.add_length(body.size() / (in.datatype->size * columns)));
  if (expected[0].shape.size() == 2) TRY(in.add_length(columns));
  TRY(in.shape_ends());
  TRY(read_raw(in, body, inputs));
  return inputs.finish();
}

}  // namespace

base::Status read_v2(std::string_view body, const Schema& schema, const RequestLimits& limits,
                     Request& request) {
  return V2Reader(body, std::nullopt, schema, limits, request).read();
}

base::Status read_v2_binary(std::string_view body, std::uint64_t json_size, const Schema& schema,
                            const RequestLimits& limits, Request& request) {
  if (json_size == 0) return read_bare(body, schema, limits, request);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(json_size, body.size()));
  return V2Reader(body.substr(0, size), body.substr(size), schema, limits, request).read();
}

base::Result<std::uint64_t> inference_header_length(std::string_view header, std::size_t body_size) {
  const auto size = base::parse_unsigned(header);
  if (size && *size <= body_size) return *size;
  return base::fail(base::Code::kInvalidInput, "protocol.bad_binary",
                    base::cat("Inference-Header-Content-Length is ", base::quoted(header, 30),
                              "; it must be a number of bytes from 0 to the body's ", body_size),
                    "send the size of the JSON in front of the binary tensors");
}

}  // namespace wherry::protocol
