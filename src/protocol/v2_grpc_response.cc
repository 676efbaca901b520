#include "protobuf/wire.h"

#include "protocol/datatypes.h"
#include "protocol/v2_grpc.h"
#include "protocol/v2_output.h"

namespace wherry::protocol {

using protobuf::Writer;

void write_infer_response(const ResponseHead& head, const Schema& schema, const Request& request,
                          std::span<const tensor::NamedResult> results, bool is_stream, std::string& out) {
  Writer writer(out);
  writer.text_unless_empty(1, head.model_name);
  writer.text_unless_empty(2, head.model_version);
  if (head.id) writer.text_unless_empty(3, *head.id);
  if (is_stream) {
    const std::size_t entry = writer.begin(4);
    writer.bytes(1, "triton_final_response");
    const std::size_t value = writer.begin(2);
    writer.boolean(1, true);
    writer.end(value);
    writer.end(entry);
  }
  each_output(schema, request, results,
              [&](const OutputTensor& tensor, const tensor::ResultView& view, bool) {
                const std::size_t output = writer.begin(5);
                writer.bytes(1, tensor.name);
                writer.bytes(2, datatype_of(view));
                const std::size_t shape = writer.begin(3);
                for (const std::int64_t length : view.shape())
                  writer.raw_varint(static_cast<std::uint64_t>(length));
                writer.end(shape);
                writer.end(output);
              });
  each_output(schema, request, results, [&](const OutputTensor&, const tensor::ResultView& view, bool) {
    writer.bytes_header(6, raw_size(view));
    append_raw(view, out);
  });
}

std::size_t begin_stream_response(std::string& out) {
  return Writer(out).begin(2);
}

void end_stream_response(std::size_t mark, std::string& out) {
  Writer(out).end(mark);
}

void write_stream_error(std::string_view message, std::string_view id, std::string& out) {
  Writer writer(out);
  writer.bytes(1, message);
  const std::size_t response = writer.begin(2);
  writer.text_unless_empty(3, id);
  writer.end(response);
}

}  // namespace wherry::protocol
