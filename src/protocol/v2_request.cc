// The Open Inference Protocol's infer request (open_inference_rest.yaml, $inference_request).
#include <algorithm>

#include "protocol/v2_reader.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 40;
constexpr std::string_view kFormHint =
    "send {\"inputs\": [{\"name\": …, \"shape\": […], \"datatype\": …, \"data\": […]}]}";

}  // namespace

std::string shape_text(const V2Input& in) {
  std::string text = "[";
  for (std::size_t i = 0; i < in.axes; ++i) text += base::cat(i == 0 ? "" : ", ", in.shape[i]);
  return text + "]";
}

base::Status V2Reader::read() {
  TRY(start_request(body_, schema_, request_));
  if (document()) cursor_.finish();
  return cursor_.status();
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
                                             : parameters(nullptr, "the request");
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

// Parameters which would change what the bytes mean are refused; others are not ours.
bool V2Reader::parameters(const V2Input* in, std::string_view owner) {
  const auto place = [&] { return in != nullptr ? label(*in) : std::string(owner); };
  if (cursor_.peek() == Kind::kNull) return cursor_.null();
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("\"parameters\" of ", place(), " is not an object"),
                    "send {\"name\": value} or leave it out");
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key)) {
    const bool is_size = key == "binary_data_size" || key == "shared_memory_region";
    const bool is_switch = key == "binary_data" || key == "binary_data_output" || key == "classification";
    if (is_size || (is_switch && cursor_.peek() != Kind::kFalse))
      return fail("protocol.bad_datatype",
                  base::cat("parameter ", base::quoted(key), " of ", place(), " is not supported"),
                  "send and receive tensors as JSON \"data\"");
    if (!cursor_.skip_value()) return false;
  }
  return !cursor_.failed();
}

bool V2Reader::inputs() {
  if (cursor_.peek() != Kind::kArray) return bad_form("\"inputs\" is not a list", std::string(kFormHint));
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element())
    if (!input()) return false;
  return !cursor_.failed() && all_given();
}

bool V2Reader::input() {
  if (cursor_.peek() != Kind::kObject)
    return bad_form(base::cat("input ", read_inputs_, " is not an object"), std::string(kFormHint));
  V2Input in;
  bool read_already = false;
  std::string_view key;
  if (!cursor_.begin_object()) return false;
  while (cursor_.next_member(key))
    if (!input_member(key, in, read_already)) return false;
  if (cursor_.failed()) return false;
  if (!in.complete() || !in.data) {
    const std::string_view missing = !in.name                 ? "name"
                                     : !in.has_shape          ? "shape"
                                     : in.datatype == nullptr ? "datatype"
                                                              : "data";
    return bad_form(base::cat("input ", in.name ? base::quoted(*in.name) : base::cat(read_inputs_),
                              " has no \"", missing, "\""),
                    std::string(kFormHint));
  }
  if (!read_already) {
    const JsonCursor::Mark end = cursor_.mark();
    cursor_.seek(*in.data);
    if (!data(in)) return false;
    cursor_.seek(end);
  }
  ++read_inputs_;
  return true;
}

bool V2Reader::input_member(std::string_view key, V2Input& in, bool& read_already) {
  if (key == "name") {
    if (in.name) return member_twice(key);
    std::string_view text;
    if (cursor_.peek() != Kind::kString)
      return bad_form(base::cat("the name of input ", read_inputs_, " is not text"), std::string(kFormHint));
    if (!cursor_.string(text)) return false;
    in.name = text;
    return true;
  }
  if (key == "shape") return in.has_shape ? member_twice(key) : shape(in);
  if (key == "datatype") return in.datatype != nullptr ? member_twice(key) : datatype(in);
  if (key == "data") {
    if (in.data) return member_twice(key);
    in.data = cursor_.mark();
    read_already = in.complete();
    return read_already ? data(in) : cursor_.skip_value();
  }
  if (key == "parameters") return parameters(&in, "");
  return cursor_.skip_value();
}

bool V2Reader::shape(V2Input& in) {
  in.has_shape = true;
  if (cursor_.peek() != Kind::kArray)
    return fail("protocol.bad_shape", base::cat("the shape of ", label(in), " is not a list"),
                "send \"shape\": [rows, columns]");
  if (!cursor_.begin_array()) return false;
  while (cursor_.next_element()) {
    JsonNumber number;
    if (cursor_.peek() != Kind::kNumber)
      return fail("protocol.bad_shape",
                  base::cat("the shape of ", label(in), " holds something else than integers"),
                  "send \"shape\": [rows, columns]");
    if (!cursor_.number(number)) return false;
    const bool is_length = number.is_integer && number.fits && (!number.is_negative || number.magnitude == 0);
    if (!is_length || in.axes == V2Input::kMostAxes)
      return fail(
          "protocol.bad_shape",
          in.axes == V2Input::kMostAxes
              ? base::cat("the shape of ", label(in), " has more than ", V2Input::kMostAxes, " lengths")
              : base::cat("the shape of ", label(in), " holds ", number.value, ", which is not a length"),
          "send \"shape\": [rows, columns]");
    in.shape[in.axes++] = number.magnitude;
  }
  if (cursor_.failed()) return false;
  const auto shape = std::span(in.shape).first(in.axes);
  if (std::find(shape.begin(), shape.end(), 0U) != shape.end()) {
    in.count = 0;
    return true;
  }
  for (const std::uint64_t length : shape) {
    if (length > kMostElements / in.count)
      return fail("protocol.bad_shape",
                  base::cat("the product of the shape ", shape_text(in), " of ", label(in), " is too large"),
                  "send the rows in several requests");
    in.count *= length;
  }
  return true;
}

bool V2Reader::datatype(V2Input& in) {
  std::string_view text;
  if (cursor_.peek() != Kind::kString)
    return fail("protocol.bad_datatype", base::cat("the datatype of ", label(in), " is not text"),
                "send \"FP64\", \"INT64\", \"BOOL\" or \"BYTES\"");
  if (!cursor_.string(text)) return false;
  in.datatype = find_datatype(text);
  if (in.datatype == nullptr)
    return fail("protocol.bad_datatype",
                base::cat(label(in), " has the unknown datatype ", base::quoted(text, 20)),
                "the protocol's datatypes are BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 and BYTES");
  if (in.datatype->kind == DataKind::kNotInJson)
    return fail("protocol.bad_datatype",
                base::cat(label(in), " has datatype ", text, ", which JSON cannot carry"), "send it as FP32");
  return true;
}
bool V2Reader::all_given() {
  if (is_matrix_) return true;
  if (read_inputs_ == 0)
    return fail("protocol.missing_column", "\"inputs\" is empty",
                "send one input per column, or one matrix of all columns");
  for (std::uint32_t c = 0; c < schema_.columns().size(); ++c)
    if (request_.scratch.seen[c] == 0 && schema_.columns()[c].required)
      return cursor_.fail(missing_column(schema_, c, request_.scratch.given));
  return true;
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
      if (!parameters(nullptr, "an output")) return false;
    } else if (!cursor_.skip_value()) {
      return false;
    }
  }
  if (cursor_.failed()) return false;
  if (!name) return bad_form("an output has no \"name\"", "send {\"name\": \"predict\"}");
  const auto tensor = schema_.tensor(*name);
  if (!tensor) {
    std::string names;
    for (const OutputTensor& known : schema_.tensors())
      names += base::cat(names.empty() ? "" : ", ", known.name);
    return fail("protocol.unknown_output", base::cat("the model has no output ", base::quoted(*name)),
                base::cat("its outputs are ", names));
  }
  auto& wanted = request_.tensors;
  if (std::find(wanted.begin(), wanted.end(), *tensor) != wanted.end())
    return fail("protocol.duplicate", base::cat("output ", base::quoted(*name), " is asked for twice"),
                "ask for every output once");
  wanted.push_back(*tensor);
  return true;
}

base::Status read_v2(std::string_view body, const Schema& schema, const RequestLimits& limits,
                     Request& request) {
  return V2Reader(body, schema, limits, request).read();
}

}  // namespace wherry::protocol
