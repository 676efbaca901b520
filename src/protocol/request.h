// Requests → tensor::Table: the Open Inference Protocol's JSON, MLflow's /invocations forms, CSV and the
// friendly forms of `wherry predict`. Bytes in, cells out; no sockets.
//
// Rules common to all forms:
//   names      Where the model was fitted with column names and the request names its columns, they are
//              matched by name in any order; extra ones are refused unless the signature ignores them; a
//              missing required one is refused, naming the nearest given name; a missing column which the
//              model never looks at is filled with NaN. Without names on either side columns are positional.
//   cells      number → number columns (NaN, where its token is allowed, anywhere); true/false → 1/0; text →
//   text columns; null → missing: in text and
//              "any" columns a missing cell, in number, integer and bool columns NaN. Text in a number
//              column and numbers in a text column are refused, naming row and column: nothing is guessed.
//              An object or a list is taken in record columns, and nowhere else.
//              Integers beyond 2^53 become the nearest double, as Python's float(x). Only CSV parses text.
//   numbers    correctly rounded doubles; beyond their range: refused.
//   objects    a member given twice is refused.
//   rows       are counted from 0 in messages, as a data frame does.
// Errors are kInvalidInput (kLimit for limits), ids "protocol.*"; after one the Request's content is
// unspecified, and it can be used again.
//
// Thread-safety: one Request per thread; Schema may be shared.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/schema.h"
#include "tensor/table.h"

namespace wherry::protocol {

struct RequestLimits {
  std::size_t depth = 100;        // nesting of JSON
  std::size_t cells = 4'000'000;  // rows × columns of the model: up to 25 bytes of memory each
  bool nan_tokens = false;        // NaN, Infinity and -Infinity as Python's json writes them
  bool base64_objects = false;    // {"b64": "…"} stands for text, as TensorFlow Serving writes bytes
  bool vectors_of_one = false;    // [value] stands for the value
};

// How one output of a V2 request is to be answered.
struct OutputForm {
  enum class Carriage : std::uint8_t { kUnsaid, kJson, kBinary };
  Carriage carriage = Carriage::kUnsaid;  // "binary_data"
  std::uint32_t classes = 0;              // "classification": the k best of each row; 0: the output itself
};

// A decoded request and the memory it was decoded with. Keep one per thread or connection: a request of a
// size seen before allocates nothing, unless it is huge. Texts are borrowed from `body` and from the Request
// itself.
struct Request {
  tensor::Table table;                  // rows × signature columns, in signature order
  std::optional<std::string_view> id;   // V2: the request's id
  std::vector<std::uint32_t> tensors;   // V2 "outputs": positions in Schema::tensors(); empty: none named
  std::vector<OutputForm> forms;        // V2: one for each of `tensors`
  bool binary_outputs = false;          // V2: how outputs go out which do not say it themselves
  bool is_v2 = false;                   // the body was a V2 request
  std::uint64_t priority = 0;           // V2 "priority": 1 is the highest, 0 the model's default
  std::uint64_t timeout_us = 0;         // V2 "timeout": 0 is none
  std::optional<std::uint32_t> output;  // "params": {"predict_method": …}: position in Schema::outputs()

  // Private to the readers.
  struct Scratch {
    std::string arena;                    // unescaped strings; never grows while views into it live
    std::vector<std::uint32_t> targets;   // given column → model column, or kIgnored
    std::vector<std::uint32_t> seen;      // per model column: stamp of the last row that had it
    std::vector<std::string_view> given;  // names in the request
    std::vector<std::string_view> parts;  // the inputs of a protobuf request
    std::vector<std::string_view> raws;   // their raw contents
  } scratch;
};

// POST /v2/models/M/infer (open_inference_rest.yaml). Inputs: either one matrix [n, columns] (FP64, FP32,
// INT*, UINT*, BOOL; BYTES when every column takes text; any name), or one tensor [n] or [n, 1] per column,
// by name. `data` flat or nested. Integers are range-checked, BOOL takes only true and false, FP32 is
// rounded to float first; null is a missing value in FP32, FP64 and BYTES. FP16 and BF16 cannot be
// written in JSON: refused. Members the protocol does not define are ignored. Of parameters, those are
// refused which wherry could not honour: sequences, shared memory, and names reserved to the server.
base::Status read_v2(std::string_view body, const Schema& schema, const RequestLimits& limits,
                     Request& request);

// The same with the binary tensor data extension (extension_binary_data.md): the first `json_size` bytes are
// the JSON, behind it stand the tensors of the inputs which have "binary_data_size", in their order,
// little-endian, without gaps. FP16 and BF16 become the same numbers; a NaN stays one. BYTES are elements
// behind their length each, and must be UTF-8. `json_size` 0: the whole body is the only input of the model
// (BYTES: its only element) and all outputs are wanted in binary.
base::Status read_v2_binary(std::string_view body, std::uint64_t json_size, const Schema& schema,
                            const RequestLimits& limits, Request& request);

// The size of the JSON part as the header Inference-Header-Content-Length says it: "protocol.bad_binary" when
// it is no number or beyond the body.
base::Result<std::uint64_t> inference_header_length(std::string_view header, std::size_t body_size);

// POST /invocations, application/json (mlflow/pyfunc/scoring_server): exactly one of "dataframe_split",
// "dataframe_records", "instances", "inputs"; "params" or "parameters" may hold "predict_method" (or
// "method"), the output to answer. Other members are ignored, as MLflow does, unless they look misspelt.
base::Status read_invocations(std::string_view body, const Schema& schema, const RequestLimits& limits,
                              Request& request);

// CSV with a header line (RFC 4180; LF or CRLF; a byte order mark is skipped). An empty unquoted field is
// missing. Number columns also take pandas' markers (NaN, NA, null, None, …) for missing and inf; bool
// columns take true/false in any case. A column the model does not know the type of is numbers if every field
// is one, else text. The header may be left out when the model has no column names and the first line is
// numbers only (other than 0, 1, 2, …, a pandas header).
base::Status read_csv(std::string_view body, const Schema& schema, const RequestLimits& limits,
                      Request& request);

// What `wherry predict` takes as JSON: {"columns": […]|null, "rows": [[…]]}, a list of objects or of lists
// (or of scalars when the model has one column; of records, objects or lists, when that takes them), a V2
// request, or any form of /invocations.
base::Status read_rows(std::string_view body, const Schema& schema, const RequestLimits& limits,
                       Request& request);

// Cells as golden examples and generated rows hold them, by the same rules. `columns` empty: positional.
base::Status read_cells(std::span<const std::string> columns,
                        std::span<const std::vector<tensor::CellValue>> rows, const Schema& schema,
                        Request& request);

enum class MediaType : std::uint8_t { kJson, kCsv };
// Of a Content-Type header ("application/json; charset=utf-8"; empty counts as JSON); nullopt for other types
// and charsets: status 415.
std::optional<MediaType> media_type(std::string_view content_type);

}  // namespace wherry::protocol
