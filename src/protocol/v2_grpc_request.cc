#include "protobuf/wire.h"

#include "base/text.h"
#include "protocol/v2_grpc.h"
#include "protocol/v2_input.h"

namespace wherry::protocol {
namespace {

using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;

// Fields of InferTensorContents: which one carries a datatype, and how its elements are written.
struct ContentsField {
  std::string_view name;
  std::uint32_t number;
  WireType type;
};
constexpr ContentsField kContents[] = {
    {"bool_contents", 1, WireType::kVarint},   {"int_contents", 2, WireType::kVarint},
    {"int64_contents", 3, WireType::kVarint},  {"uint_contents", 4, WireType::kVarint},
    {"uint64_contents", 5, WireType::kVarint}, {"fp32_contents", 6, WireType::kFixed32},
    {"fp64_contents", 7, WireType::kFixed64},  {"bytes_contents", 8, WireType::kBytes},
};

const ContentsField* contents_of(const Datatype& type) {
  switch (type.kind) {
    case DataKind::kBool:
      return &kContents[0];
    case DataKind::kSigned:
      return &kContents[type.size == 8 ? 2 : 1];
    case DataKind::kUnsigned:
      return &kContents[type.size == 8 ? 4 : 3];
    case DataKind::kFloat32:
      return &kContents[5];
    case DataKind::kFloat64:
      return &kContents[6];
    case DataKind::kBytes:
      return &kContents[7];
    case DataKind::kFloat16:
    case DataKind::kBfloat16:
      break;
  }
  return nullptr;
}

std::unexpected<base::Error> invalid(std::string_view id, std::string message, std::string hint) {
  return base::fail(base::Code::kInvalidInput, id, std::move(message), std::move(hint));
}

base::Status check_text(std::string_view text, std::string_view what) {
  if (base::is_valid_utf8(text)) return {};
  return invalid("protocol.bad_utf8", base::cat(what, " is not valid UTF-8"), "send UTF-8 text");
}

V2Value value_of(std::string_view parameter) {  // an InferParameter; the last choice counts
  V2Value value;
  Reader reader(parameter);
  for (Field field; reader.next(field);) {
    switch (field.key()) {
      case key(1, WireType::kVarint):
        value = {.kind = V2Value::Kind::kBool, .truth = field.as_bool()};
        break;
      case key(2, WireType::kVarint): {
        const bool negative = field.as_int64() < 0;
        value = {.kind = V2Value::Kind::kInteger,
                 .is_negative = negative,
                 .magnitude = negative ? 0 - field.value : field.value};
        break;
      }
      case key(5, WireType::kVarint):
        value = {.kind = V2Value::Kind::kInteger, .magnitude = field.value};
        break;
      case key(3, WireType::kBytes):
      case key(4, WireType::kFixed64):
        value = {};
        break;
      default:
        break;
    }
  }
  return value;
}

// One entry of a map<string, InferParameter>.
template <class Target>
base::Status parameter(std::string_view entry, Target& target) {
  std::string_view name, value;
  Reader reader(entry);
  for (Field field; reader.next(field);) {
    if (field.key() == key(1, WireType::kBytes)) name = field.bytes;
    if (field.key() == key(2, WireType::kBytes)) value = field.bytes;
  }
  TRY(reader.status("a parameter"));
  TRY(check_text(name, "the name of a parameter"));
  return take_parameter(name, value_of(value), target);
}

base::Status output(std::string_view message, const Schema& schema, Request& request) {
  std::string_view name;
  OutputForm form;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(1, WireType::kBytes)) name = field.bytes;
    if (field.key() == key(2, WireType::kBytes)) TRY(parameter(field.bytes, form));
  }
  TRY(reader.status("a requested output"));
  TRY(check_text(name, "the name of an output"));
  return want_output(name, form, schema, request);
}

struct GrpcInput {
  V2Input in;
  std::string_view contents;
  bool has_contents = false;
};

base::Status add_length(V2Input& in, std::uint64_t bits) {
  const auto length = static_cast<std::int64_t>(bits);
  if (length < 0) return std::unexpected(bad_length(in, base::cat(length)));
  return in.add_length(bits);
}

base::Status input(std::string_view message, GrpcInput& out) {
  base::Status status;
  std::string_view datatype;
  out.in.name = std::string_view();
  Reader reader(message);
  for (Field field; reader.next(field);) {
    switch (field.key()) {
      case key(1, WireType::kBytes):
        out.in.name = field.bytes;
        break;
      case key(2, WireType::kBytes):
        datatype = field.bytes;
        break;
      case key(3, WireType::kBytes):
      case key(3, WireType::kVarint): {
        const auto take = [&](std::uint64_t length) {
          status = add_length(out.in, length);
          return status.has_value();
        };
        if (each_element(field, WireType::kVarint, take)) break;
        if (!status) return status;
        return invalid("protobuf.malformed", "a shape of the request is not a valid protobuf message",
                       "check that it was encoded from the right .proto file and not cut off");
      }
      case key(4, WireType::kBytes):
        TRY(parameter(field.bytes, out.in));
        break;
      case key(5, WireType::kBytes):
        if (out.has_contents)
          return invalid("protocol.duplicate", base::cat(out.in.label(), " has contents twice"),
                         "give the contents of every input once");
        out.has_contents = true;
        out.contents = field.bytes;
        break;
      default:
        break;
    }
  }
  TRY(reader.status("an input"));
  TRY(check_text(*out.in.name, "the name of an input"));
  TRY(check_text(datatype, "a datatype"));
  TRY(out.in.set_datatype(datatype));
  return out.in.shape_ends();
}

// Typed contents of one input.
class ContentsReader {
 public:
  ContentsReader(const V2Input& in, const Destination& destination, V2Inputs& inputs)
      : in_(in), destination_(destination), inputs_(inputs) {}

  // False: status_ says why.
  bool take(std::uint64_t bits) {
    if (next_ == in_.count) return fail(wrong_count(in_, "more"));
    const std::size_t cell = destination_.first + static_cast<std::size_t>(next_++) * destination_.stride;
    double value = 0;
    if (!convert(bits, cell, value)) return false;
    if (!destination_.ignored) inputs_.request().table.numbers[cell] = value;
    return true;
  }

  bool take(std::string_view text) {
    if (next_ == in_.count) return fail(wrong_count(in_, "more"));
    const std::size_t cell = destination_.first + static_cast<std::size_t>(next_++) * destination_.stride;
    if (destination_.ignored) return true;
    if (!base::is_valid_utf8(text))
      return fail({base::Code::kInvalidInput,
                   "protocol.bad_utf8",
                   base::cat(inputs_.place_of(in_, cell), ": the text is not valid UTF-8"),
                   "send UTF-8 text",
                   {}});
    inputs_.request().table.set_text(cell, text);
    return true;
  }

  base::Status finish() {
    if (status_ && next_ != in_.count) fail(wrong_count(in_, "fewer"));
    return status_;
  }
  bool failed() const { return !status_; }

 private:
  bool fail(base::Error error) {
    status_ = std::unexpected(std::move(error));
    return false;
  }

  bool convert(std::uint64_t bits, std::size_t cell, double& value) {
    switch (in_.datatype->kind) {
      case DataKind::kBool:
        value = bits != 0 ? 1 : 0;
        return true;
      case DataKind::kFloat32:
        value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
        return true;
      case DataKind::kFloat64:
        value = std::bit_cast<double>(bits);
        return true;
      case DataKind::kSigned: {
        const auto number = in_.datatype->size == 8 ? static_cast<std::int64_t>(bits)
                                                    : std::int64_t{static_cast<std::int32_t>(bits)};
        value = static_cast<double>(number);
        const bool fits = number >= in_.datatype->low &&
                          (number < 0 || static_cast<std::uint64_t>(number) <= in_.datatype->high);
        return fits || out_of_range(cell, value);
      }
      default: {
        const std::uint64_t number = in_.datatype->size == 8 ? bits : static_cast<std::uint32_t>(bits);
        value = static_cast<double>(number);
        return number <= in_.datatype->high || out_of_range(cell, value);
      }
    }
  }

  bool out_of_range(std::size_t cell, double value) {
    const std::string place = destination_.ignored ? in_.label() : inputs_.place_of(in_, cell);
    return fail({base::Code::kInvalidInput,
                 "protocol.number_range",
                 base::cat(place, ": ", value, " is beyond the range of ", in_.datatype->name),
                 "send the input with a wider datatype",
                 {}});
  }

  const V2Input& in_;
  const Destination& destination_;
  V2Inputs& inputs_;
  std::uint64_t next_ = 0;
  base::Status status_;
};

// The same of a tensor model: elements keep their datatype.
class TensorContentsReader {
 public:
  TensorContentsReader(const V2Input& in, tensor::TensorCells& cells) : in_(in), cells_(cells) {}

  // False: status_ says why.
  bool take(std::uint64_t bits) {
    if (next_++ == in_.count) return fail(wrong_count(in_, "more"));
    const Datatype& type = *in_.datatype;
    const bool is_integer = type.kind == DataKind::kSigned || type.kind == DataKind::kUnsigned;
    if (is_integer && !in_range(type, bits))
      return fail({base::Code::kInvalidInput,
                   "protocol.number_range",
                   base::cat(in_.label(), ", element ", next_ - 1, ": ", number_text(type, bits),
                             " is beyond the range of ", type.name),
                   "send a number which the input's datatype can hold",
                   {}});
    if (type.kind == DataKind::kBool) bits = bits != 0 ? 1 : 0;
    const auto* bytes = reinterpret_cast<const std::byte*>(&bits);  // the lowest ones first
    cells_.owned.insert(cells_.owned.end(), bytes, bytes + type.size);
    return true;
  }

  bool take(std::string_view text) {
    if (next_++ == in_.count) return fail(wrong_count(in_, "more"));
    if (!base::is_valid_utf8(text))
      return fail({base::Code::kInvalidInput,
                   "protocol.bad_utf8",
                   base::cat(in_.label(), ", element ", next_ - 1, ": the text is not valid UTF-8"),
                   "send UTF-8 text",
                   {}});
    cells_.texts.push_back(text);
    return true;
  }

  base::Status finish() {
    if (status_ && next_ != in_.count) fail(wrong_count(in_, "fewer"));
    return status_;
  }
  bool failed() const { return !status_; }

 private:
  bool fail(base::Error error) {
    status_ = std::unexpected(std::move(error));
    return false;
  }
  static bool in_range(const Datatype& type, std::uint64_t bits) {
    if (type.size == 8) return true;
    if (type.kind == DataKind::kUnsigned) return static_cast<std::uint32_t>(bits) <= type.high;
    const auto number = static_cast<std::int32_t>(bits);
    return number >= type.low && number <= static_cast<std::int64_t>(type.high);
  }
  static std::string number_text(const Datatype& type, std::uint64_t bits) {
    if (type.kind == DataKind::kUnsigned) return base::cat(static_cast<std::uint32_t>(bits));
    return base::cat(static_cast<std::int32_t>(bits));
  }

  const V2Input& in_;
  tensor::TensorCells& cells_;
  std::uint64_t next_ = 0;
  base::Status status_;
};

template <class Contents>
base::Status read_fields(const GrpcInput& given, const ContentsField* wanted, Contents contents) {
  const V2Input& in = given.in;
  Reader reader(given.contents);
  for (Field field; reader.next(field);) {
    if (field.number == 0 || field.number > std::size(kContents)) continue;
    if (wanted == nullptr || field.number != wanted->number) {
      if (field.type == WireType::kBytes && field.bytes.empty() && field.number != 8) continue;
      return invalid("protocol.bad_datatype",
                     base::cat(in.label(), " has datatype ", in.datatype->name, " but ",
                               kContents[field.number - 1].name),
                     wanted == nullptr ? "leave its contents empty" : base::cat("send ", wanted->name));
    }
    const bool taken =
        wanted->type == WireType::kBytes
            ? field.type == WireType::kBytes && contents.take(field.bytes)
            : each_element(field, wanted->type, [&](std::uint64_t bits) { return contents.take(bits); });
    if (taken) continue;
    if (contents.failed()) return contents.finish();
    return invalid("protobuf.malformed",
                   base::cat("the contents of ", in.label(), " are not a valid protobuf message"),
                   "check that they were encoded from the right .proto file and not cut off");
  }
  TRY(reader.status("the contents of an input"));
  return contents.finish();
}

base::Status read_contents(const GrpcInput& given, V2Inputs& inputs) {
  const V2Input& in = given.in;
  const ContentsField* const wanted = contents_of(*in.datatype);
  if (wanted == nullptr && in.count != 0)
    return invalid(
        "protocol.bad_datatype",
        base::cat(in.label(), " has datatype ", in.datatype->name, ", which no contents field carries"),
        "send it in raw_input_contents");
  // An element is at least one byte: the table's memory is in proportion to the message.
  if (in.count > given.contents.size()) return std::unexpected(wrong_count(in, "fewer"));
  if (inputs.takes_tensors()) {
    TRY_ASSIGN(const std::uint32_t position, inputs.tensors().begin(in));
    return read_fields(given, wanted, TensorContentsReader(in, inputs.tensors().cells(position)));
  }
  TRY_ASSIGN(const Destination destination, inputs.place(in, in.datatype->kind != DataKind::kBytes));
  return read_fields(given, wanted, ContentsReader(in, destination, inputs));
}

base::Status read_input(std::size_t index, V2Inputs& inputs) {
  const auto& scratch = inputs.request().scratch;
  GrpcInput given;
  TRY(input(scratch.parts[index], given));
  if (scratch.raws.empty()) return read_contents(given, inputs);
  if (given.has_contents)
    return invalid("protocol.bad_form",
                   base::cat(given.in.label(), " has contents, but the request has raw_input_contents"),
                   "send all inputs with contents, or all in raw_input_contents");
  return read_raw(given.in, scratch.raws[index], inputs);
}

}  // namespace

base::Result<InferTarget> infer_target(std::string_view message) {
  InferTarget target;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(1, WireType::kBytes)) target.model_name = field.bytes;
    if (field.key() == key(2, WireType::kBytes)) target.model_version = field.bytes;
    if (field.key() == key(3, WireType::kBytes)) target.id = field.bytes;
  }
  TRY(reader.status("the request"));
  TRY(check_text(target.model_name, "the model's name"));
  TRY(check_text(target.model_version, "the model's version"));
  TRY(check_text(target.id, "the request's id"));
  return target;
}

base::Status read_infer_request(std::string_view message, const Schema& schema, const RequestLimits& limits,
                                Request& request) {
  TRY(start_request({}, schema, request));
  auto& scratch = request.scratch;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.type != WireType::kBytes) continue;
    switch (field.number) {
      case 3:
        TRY(check_text(field.bytes, "the request's id"));
        if (!field.bytes.empty()) request.id = field.bytes;
        break;
      case 4:
        TRY(parameter(field.bytes, request));
        break;
      case 5:
        scratch.parts.push_back(field.bytes);
        break;
      case 6:
        TRY(output(field.bytes, schema, request));
        break;
      case 7:
        scratch.raws.push_back(field.bytes);
        break;
      default:
        break;
    }
  }
  TRY(reader.status("the request"));
  if (!scratch.raws.empty() && scratch.raws.size() != scratch.parts.size())
    return invalid("protocol.bad_form",
                   base::cat("the request has ", scratch.parts.size(), " inputs, but ", scratch.raws.size(),
                             " raw_input_contents"),
                   "send one entry for each input, in the same order");
  V2Inputs inputs(schema, limits, request);
  for (std::size_t i = 0; i < scratch.parts.size(); ++i) TRY(read_input(i, inputs));
  return inputs.finish();
}

}  // namespace wherry::protocol
