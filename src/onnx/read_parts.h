// The messages of an ONNX file, as far as reading one looks into them. Texts are borrowed from the message.
// Private to module onnx.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/read.h"
#include "protobuf/wire.h"

namespace wherry::onnx {

std::unexpected<base::Error> bad_model(std::string message);  // "onnx.bad_model"

bool is_default_domain(std::string_view domain);

struct OpsetImport {
  std::string_view domain;
  std::int64_t version = 0;
};
base::Result<OpsetImport> read_opset(std::string_view message);
base::Result<std::pair<std::string, std::string>> read_entry(std::string_view message);

struct TensorParts {
  std::string_view name;
  tensor::Shape shape;
  std::int64_t type = 0;  // TensorProto.DataType
  std::string_view raw;
  bool is_external = false;
  std::string_view location;
  std::uint64_t offset = 0, length = 0;
  bool has_length = false;
};
base::Result<TensorParts> read_tensor(std::string_view message);
base::Result<std::string_view> sparse_name(std::string_view message);

// The tensor whose elements are `bytes`; borrowed where they are aligned.
base::Result<tensor::Tensor> tensor_of(const TensorParts& parts, tensor::DType dtype, base::Bytes bytes,
                                       const std::shared_ptr<const void>& owner);

struct NodeParts {
  std::string_view name, op, domain;
  std::vector<std::string_view> inputs, outputs, attributes;
};
base::Result<NodeParts> read_node(std::string_view message);

struct TextAttribute {
  std::string_view name, text;  // the text of one that is none is empty
};
base::Result<TextAttribute> read_text_attribute(std::string_view message);

// ai.onnx.ml.ZipMap: probabilities [n, k] → list of maps from label to probability.
struct ZipMap {
  std::vector<std::string> labels;
};
base::Result<ZipMap> read_zip_map(const NodeParts& node);
Port probabilities(const ZipMap& zip_map, std::string name);

base::Result<std::string_view> port_name(std::string_view message);

struct PortParts {
  Port port;
  bool is_tensor = false;
  std::string_view kind;  // "a sequence", where it is none
};
base::Result<PortParts> read_port(std::string_view message);
void write_port(const Port& port, protobuf::Writer& writer);  // the fields of a ValueInfoProto
std::unexpected<base::Error> not_a_tensor(std::string_view what, const PortParts& port);

// Counts the operators of nodes, and of the graphs in their attributes, and says which nobody defines.
class OperatorCensus {
 public:
  base::Status add_function(std::string_view message);
  base::Status add(const NodeParts& node, int depth);
  // "onnx.custom_operator"; after all were added.
  base::Status check() const;
  const std::map<std::string, std::int64_t>& counts() const { return counts_; }
  // Whether a node, or a graph within one, takes or hands on a value of this name.
  bool uses(std::string_view name) const { return uses_.contains(name); }

 private:
  base::Status add_graph(std::string_view message, int depth);

  std::map<std::string, std::int64_t> counts_;
  std::set<std::string_view> uses_;
  std::set<std::string> functions_;           // "domain::name"
  std::map<std::string, std::string> other_;  // "domain::op", with a node's name
};

}  // namespace wherry::onnx
