// Builders of TensorFlow's messages and files for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protobuf/wire.h"

#include "import/tensorflow/crc32c.h"

namespace wherry::tensorflow::testing {

inline const std::vector<std::int64_t> kUnknownRank{-2};

inline std::string shape_proto(const std::vector<std::int64_t>& sizes) {
  std::string out;
  protobuf::Writer writer(out);
  if (sizes == kUnknownRank) {
    writer.boolean(3, true);
    return out;
  }
  for (const std::int64_t size : sizes) {
    const std::size_t mark = writer.begin(2);
    writer.int64(1, size);
    writer.end(mark);
  }
  return out;
}

// A TensorProto whose elements are given as bytes.
inline std::string tensor_proto(std::int64_t type, const std::vector<std::int64_t>& shape,
                                std::string_view content) {
  std::string out;
  protobuf::Writer writer(out);
  writer.int64(1, type);
  writer.bytes(2, shape_proto(shape));
  if (!content.empty()) writer.bytes(4, content);
  return out;
}

template <class T>
std::string bytes_of(const std::vector<T>& elements) {
  return std::string(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
}

// One AttrValue.
class Attr {
 public:
  static Attr integer(std::int64_t value) {
    return make([&](auto& w) { w.int64(3, value); });
  }
  static Attr real(float value) {
    return make([&](auto& w) { w.raw_varint(protobuf::key(4, protobuf::WireType::kFixed32)); })
        .with(std::string(reinterpret_cast<const char*>(&value), 4));
  }
  static Attr boolean(bool value) {
    return make([&](auto& w) { w.boolean(5, value); });
  }
  static Attr type(std::int64_t value) {
    return make([&](auto& w) { w.int64(6, value); });
  }
  static Attr text(std::string_view value) {
    return make([&](auto& w) { w.bytes(2, value); });
  }
  static Attr tensor(std::string_view message) {
    return make([&](auto& w) { w.bytes(8, message); });
  }
  static Attr function(std::string_view name) {
    return make([&](auto& w) {
      const std::size_t mark = w.begin(10);
      w.bytes(1, name);
      w.end(mark);
    });
  }
  static Attr integers(const std::vector<std::int64_t>& values) {
    return make([&](auto& w) {
      const std::size_t mark = w.begin(1);
      for (const std::int64_t value : values) w.int64(3, value);
      w.end(mark);
    });
  }

  std::string bytes;

 private:
  template <class Write>
  static Attr make(Write write) {
    Attr made;
    protobuf::Writer writer(made.bytes);
    write(writer);
    return made;
  }
  Attr with(const std::string& more) {
    bytes += more;
    return *this;
  }
};

using Attrs = std::vector<std::pair<std::string, Attr>>;

inline std::string node_def(std::string_view name, std::string_view op,
                            const std::vector<std::string>& inputs, const Attrs& attributes = {}) {
  std::string out;
  protobuf::Writer writer(out);
  writer.bytes(1, name);
  writer.bytes(2, op);
  for (const std::string& input : inputs) writer.bytes(3, input);
  for (const auto& [key, value] : attributes) {
    const std::size_t mark = writer.begin(5);
    writer.bytes(1, key);
    writer.bytes(2, value.bytes);
    writer.end(mark);
  }
  return out;
}

inline std::string const_node(std::string_view name, std::int64_t type,
                              const std::vector<std::int64_t>& shape, std::string_view content) {
  return node_def(name, "Const", {},
                  {{"dtype", Attr::type(type)}, {"value", Attr::tensor(tensor_proto(type, shape, content))}});
}
inline std::string floats_node(std::string_view name, const std::vector<std::int64_t>& shape,
                               const std::vector<float>& values) {
  return const_node(name, 1, shape, bytes_of(values));
}
inline std::string ints_node(std::string_view name, const std::vector<std::int64_t>& shape,
                             const std::vector<std::int32_t>& values) {
  return const_node(name, 3, shape, bytes_of(values));
}

// A function of float arguments and results.
inline std::string function_def(std::string_view name, const std::vector<std::string>& arguments,
                                const std::vector<std::pair<std::string, std::string>>& results,
                                const std::vector<std::string>& nodes) {
  std::string out;
  protobuf::Writer writer(out);
  const std::size_t signature = writer.begin(1);
  writer.bytes(1, name);
  for (const std::string& argument : arguments) {
    const std::size_t mark = writer.begin(2);
    writer.bytes(1, argument);
    writer.int64(3, 1);
    writer.end(mark);
  }
  for (const auto& [result, from] : results) {
    const std::size_t mark = writer.begin(3);
    writer.bytes(1, result);
    writer.int64(3, 1);
    writer.end(mark);
  }
  writer.end(signature);
  for (const std::string& node : nodes) writer.bytes(3, node);
  for (const auto& [result, from] : results) {
    const std::size_t mark = writer.begin(4);
    writer.bytes(1, result);
    writer.bytes(2, from);
    writer.end(mark);
  }
  return out;
}

struct Tensor {
  std::string key, name;  // of the signature; of the node
  std::int64_t type = 1;
  std::vector<std::int64_t> shape;
};

struct Signature {
  std::string name = "serving_default";
  std::vector<Tensor> inputs, outputs;
};

inline std::string saved_model(const std::vector<std::string>& nodes,
                               const std::vector<std::string>& functions,
                               const std::vector<Signature>& signatures) {
  std::string out;
  protobuf::Writer writer(out);
  writer.int64(1, 1);
  const std::size_t meta = writer.begin(2);
  const std::size_t info = writer.begin(1);
  writer.bytes(4, "serve");
  writer.bytes(5, "2.15.1");
  writer.end(info);
  const std::size_t graph = writer.begin(2);
  for (const std::string& node : nodes) writer.bytes(1, node);
  const std::size_t library = writer.begin(2);
  for (const std::string& function : functions) writer.bytes(1, function);
  writer.end(library);
  writer.end(graph);
  for (const Signature& signature : signatures) {
    const std::size_t entry = writer.begin(5);
    writer.bytes(1, signature.name);
    const std::size_t value = writer.begin(2);
    for (const auto* side : {&signature.inputs, &signature.outputs})
      for (const Tensor& tensor : *side) {
        const std::size_t item = writer.begin(side == &signature.inputs ? 1 : 2);
        writer.bytes(1, tensor.key);
        const std::size_t described = writer.begin(2);
        writer.bytes(1, tensor.name);
        writer.int64(2, tensor.type);
        writer.bytes(3, shape_proto(tensor.shape));
        writer.end(described);
        writer.end(item);
      }
    writer.end(value);
    writer.end(entry);
  }
  writer.end(meta);
  return out;
}

// --- checkpoints

inline std::string little(std::uint64_t value, std::size_t width) {
  return std::string(reinterpret_cast<const char*>(&value), width);
}

// One block of a sorted table with its trailer; keys must ascend.
inline std::string table_block(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  protobuf::Writer writer(out);
  std::string previous;
  for (const auto& [key, value] : entries) {
    std::size_t shared = 0;
    while (shared < key.size() && shared < previous.size() && key[shared] == previous[shared]) ++shared;
    writer.raw_varint(shared);
    writer.raw_varint(key.size() - shared);
    writer.raw_varint(value.size());
    out += key.substr(shared) + value;
    previous = key;
  }
  out += little(0, 4) + little(1, 4);
  return out;
}

inline std::string with_trailer(std::string block, char type = 0) {
  block += type;
  return block + little(masked(crc32c(0, base::as_bytes(block))), 4);
}

inline std::string handle(std::uint64_t offset, std::uint64_t size) {
  std::string out;
  protobuf::Writer writer(out);
  writer.raw_varint(offset);
  writer.raw_varint(size);
  return out;
}

inline std::string sorted_table(const std::vector<std::pair<std::string, std::string>>& entries) {
  const std::string data = table_block(entries);
  std::string file = with_trailer(data);
  const std::string index = table_block({{"~", handle(0, data.size())}});
  const std::size_t index_at = file.size();
  file += with_trailer(index);
  std::string footer = handle(index_at, 0) + handle(index_at, index.size());
  footer.resize(40);
  return file + footer + little(0xdb4775248b80fb57u, 8);
}

inline std::string bundle_header(std::uint64_t shards, bool big_endian = false) {
  std::string out;
  protobuf::Writer writer(out);
  writer.varint(1, shards);
  if (big_endian) writer.varint(2, 1);
  return out;
}

inline std::string bundle_entry(std::int64_t type, const std::vector<std::int64_t>& shape,
                                std::uint64_t offset, std::uint64_t size, std::uint32_t checksum) {
  std::string out;
  protobuf::Writer writer(out);
  writer.int64(1, type);
  writer.bytes(2, shape_proto(shape));
  writer.varint(4, offset);
  writer.varint(5, size);
  writer.raw_varint(protobuf::key(6, protobuf::WireType::kFixed32));
  return out + little(checksum, 4);
}

}  // namespace wherry::tensorflow::testing
