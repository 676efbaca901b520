// The file as its readers see it: bytes, how wide its addresses are, and what is left of the limits. Private
// to module hdf5.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "import/hdf5/hdf5.h"

namespace wherry::hdf5 {

// Message types read (specification IV.A.2).
inline constexpr std::uint16_t kDataspace = 0x01, kLinkInfo = 0x02, kDatatype = 0x03, kLinkMessage = 0x06,
                               kExternalFiles = 0x07, kLayout = 0x08, kFilters = 0x0b, kAttribute = 0x0c,
                               kContinuation = 0x10, kSymbolTable = 0x11, kAttributeInfo = 0x15;

struct Source {
  base::Bytes bytes;
  std::shared_ptr<const void> owner;
  Limits limits;
  std::uint8_t offset_size = 8;
  std::uint8_t length_size = 8;
  std::uint64_t root = 0;  // address of the root group's header
  std::uint64_t items_left = 0;
  std::uint64_t decoded_left = 0;
  std::map<std::uint64_t, std::map<std::uint16_t, base::Bytes>> heaps;  // global heap collections read so far

  base::Status count(std::uint64_t items);         // "hdf5.limit"
  base::Status count_decoded(std::uint64_t size);  // "hdf5.limit"
  // What lies from an address on, to the end of the file; exactly `size` bytes in the second form.
  base::Result<base::Bytes> at(std::uint64_t address) const;
  base::Result<base::Bytes> at(std::uint64_t address, std::uint64_t size) const;
};

std::unexpected<base::Error> bad(std::string message);
std::unexpected<base::Error> unsupported(std::string message);

// A cursor which knows how wide the file's addresses and lengths are. Reads past the end are "hdf5.bad_file".
class Cursor {
 public:
  Cursor(base::Bytes bytes, const Source& source) : bytes_(bytes), source_(source) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  base::Result<base::Bytes> take(std::uint64_t count);
  base::Status skip(std::uint64_t count);
  base::Status expect(std::string_view signature);
  base::Result<std::uint64_t> number(unsigned size);  // little-endian, 1 to 8 bytes
  base::Result<std::uint64_t> offset() { return number(source_.offset_size); }
  base::Result<std::uint64_t> length() { return number(source_.length_size); }

 private:
  base::Bytes bytes_;
  std::size_t position_ = 0;
  const Source& source_;
};

// The head of a node of a version 1 B-tree (III.A.1); what follows are its keys and children. Levels fall
// strictly on the way down, so no tree is deeper than its first level says. `what` is for the error.
struct TreeNode {
  std::uint64_t level = 0;
  std::uint64_t count = 0;  // children, counted in `source`
};
base::Result<TreeNode> read_tree_node(Source& source, Cursor& cursor, std::uint64_t type,
                                      std::uint64_t level_above, std::string_view what);

// The address which stands for "nothing was allocated".
bool is_undefined(std::uint64_t address, const Source& source);

// object_header.cc
base::Result<Object> read_object(Source& source, std::uint64_t address);
const Message* find_message(const Object& object, std::uint16_t type);

// groups.cc
base::Result<std::vector<Link>> read_links(Source& source, const Object& group);
// A link message; nullopt for soft links and links to other files.
base::Result<std::optional<Link>> read_link(Source& source, base::Bytes message);

// dense.cc: the objects of a fractal heap which a version 2 B-tree lists, `id_at` bytes into each record.
base::Result<std::vector<base::Bytes>> read_dense(Source& source, std::uint64_t heap, std::uint64_t tree,
                                                  std::size_t id_at);

// values.cc
enum class Class : std::uint8_t { kNumber, kFixedText, kText, kOpaque };
struct Type {
  Class kind = Class::kNumber;
  tensor::DType dtype = tensor::DType::kFloat32;  // of kNumber
  std::uint32_t size = 0;                         // bytes of an element
  bool space_padded = false;                      // of kFixedText
  bool swapped = false;                           // big-endian
};
struct Space {
  tensor::Shape shape;
  std::uint64_t count = 1;
};
base::Result<Type> read_type(Source& source, base::Bytes message, std::string_view what);
base::Result<Space> read_space(Source& source, base::Bytes message, std::string_view what);
// `raw` has count × size bytes; `owner` keeps it alive.
base::Result<tensor::Tensor> make_tensor(Source& source, const Type& type, const Space& space,
                                         base::Bytes raw, std::shared_ptr<const void> owner,
                                         std::string_view what);
base::Result<std::optional<tensor::Tensor>> read_attribute(Source& source, const Object& object,
                                                           std::string_view name);

// datasets.cc
base::Result<tensor::Tensor> read_dataset(Source& source, const Object& object, std::string_view what);

}  // namespace wherry::hdf5
