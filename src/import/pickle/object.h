// The objects of a pickle, as inert data. Nothing here was imported, called or constructed: a class is a name
// (Global), an instance is the record of how the file says it is made (Call).
//
// Objects are owned by a Document and are immutable once it exists; references stay valid as long as it
// does, wherever it is moved. Thread-safety: reading is safe from any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace wherry::pickle {

class Object;

enum class Kind : std::uint8_t {
  kNone,
  kBool,
  kInt,        // fits int64
  kBigInt,     // does not: bytes() is little-endian two's complement
  kFloat,      // Python float, IEEE double
  kComplex,    // real(), imaginary()
  kBytes,      // bytes()
  kByteArray,  // bytes()
  kStr,        // text(): UTF-8; lone surrogates are kept as three bytes (Python's "surrogatepass")
  kList,       // items()
  kTuple,      // items()
  kSet,        // items(), without duplicates, in file order
  kFrozenSet,  // items()
  kDict,       // mapping(): dict, and collections.OrderedDict, defaultdict and Counter
  kGlobal,     // global(): a class or function, by name only
  kCall,       // call(): instance or call result which the reader does not decode further
  kDtype,      // dtype(): numpy.dtype
  kArray,      // array(): numpy.ndarray (or matrix, memmap, recarray; see NdArray::type)
  kScalar,     // array() with no dimensions: numpy.float64 and the other numpy scalars
};

std::string_view name(Kind kind);  // as Python calls it: "None", "int", "str", "instance", "array"

struct Entry {
  const Object* key;
  const Object* value;
};

inline constexpr std::uint32_t kNotImported = 0xffffffff;

// `module` and `name` are canonical: Python 2 module names (protocol < 3: __builtin__, copy_reg, …),
// numpy.core.* and scipy.sparse.csr & co. are given their present names (builtins, copyreg, numpy._core.*,
// scipy.sparse._csr). `name` may be dotted (protocol 4 qualified names). The spelling of the file is in the
// import manifest.
struct Global {
  std::string_view module;
  std::string_view name;
  std::uint32_t import_index = 0;  // into Document::imports(); kNotImported where the file does not name it

  bool is(std::string_view in_module, std::string_view with_name) const {
    return module == in_module && name == with_name;
  }
  std::string qualified() const;  // "module.name"
};

// kPersistent: an object outside of the pickle; args is {its id} and callee is None.
enum class CallKind : std::uint8_t { kReduce, kNewObj, kNewObjEx, kObj, kInst, kPersistent };

// What the file says about one object: callee(*args, **kwargs), then states given to BUILD, items appended
// (APPEND, APPENDS, ADDITEMS) and keys set (SETITEM, SETITEMS), each in file order.
struct Call {
  CallKind kind = CallKind::kReduce;
  const Object* callee = nullptr;  // mostly kGlobal, but any object; never null in a Document
  std::span<const Object* const> args;
  const Object* kwargs = nullptr;  // kDict of NEWOBJ_EX, else null
  std::vector<const Object*> states;
  std::vector<const Object*> items;
  std::vector<Entry> entries;

  // The class of the instance: callee, or the first argument where callee is one of the usual helpers
  // (copyreg._reconstructor, copyreg.__newobj__, __newobj_ex__, Cython's __pyx_unpickle_*, newObj of
  // sklearn.neighbors, the functools.partial of protocol 2 NEWOBJ_EX). Null when it is not a Global.
  const Global* type() const;
};

// dict and its well-known relatives. A key that occurs twice has the last value at the first place, as in
// Python.
struct Mapping {
  std::vector<Entry> entries;
  const Global* type = nullptr;  // null for dict, else collections.OrderedDict, defaultdict or Counter
  const Object* default_factory = nullptr;  // of a defaultdict, may be null
  std::vector<const Object*> states;        // from BUILD, rare
};

struct Dtype;

struct Field {
  std::string_view name;
  std::uint64_t offset = 0;  // bytes from the start of the record
  const Dtype* type = nullptr;
};

// numpy.dtype (numpy user guide "Data type objects"; state tuple of arraydescr_reduce, versions 2 to 4).
struct Dtype {
  char kind = 'V';        // numpy's: b bool, i u f c numbers, S U strings, M m times, V record, O objects
  char byte_order = '|';  // '<', '>' or '|' where it has no meaning; never '='
  std::uint64_t itemsize = 0;  // bytes of one element
  std::uint64_t alignment = 1;
  std::vector<Field> fields;            // records, in declaration order
  const Dtype* element = nullptr;       // of a sub-array type, else null
  std::vector<std::int64_t> sub_shape;  // of a sub-array type
  std::string_view time_unit;           // "ns" for M and m when the file says so
  std::int64_t time_count = 1;          // 25 in "25s"
  bool has_objects = false;             // O, or a record with such a field
  int depth = 0;                        // records and sub-arrays in each other

  const Field* find(std::string_view field) const;
  std::string describe()
      const;  // numpy's spelling: "float64", "int32", "<U8", "record('left', 'right')", "object"
};

// numpy.ndarray, or a view into one (a field of a record array). A value: copying copies no data.
// The element at index (i, j, …) starts at origin + i·strides[0] + j·strides[1] + …; elements may be
// unaligned and of foreign byte order, so use the conversions in array.h rather than pointers.
struct NdArray {
  const Dtype* dtype = nullptr;
  std::vector<std::int64_t> shape;          // empty: no dimensions, one element
  std::vector<std::int64_t> strides;        // bytes, not negative
  std::uint64_t count = 1;                  // product of shape
  const std::byte* origin = nullptr;        // borrowed from the file or the Document; null with has_objects
  std::span<const Object* const> elements;  // of arrays with has_objects, in C order of the indices
  const Global* type = nullptr;             // numpy.ndarray, numpy.matrix …; null for scalars

  bool is_c_contiguous() const;
  std::string describe() const;  // "float64 array (3, 4)"
};

// One node of the graph. Accessors other than kind() and offset() may be called only for the kinds named.
class Object {
 public:
  Kind kind() const { return static_cast<Kind>(kind_); }
  std::uint64_t offset() const { return offset_; }  // of the opcode that made it, in the uncompressed stream

  bool boolean() const { return value_.integer != 0; }
  std::int64_t integer() const { return value_.integer; }
  double real() const { return value_.numbers[0]; }       // kFloat, kComplex
  double imaginary() const { return value_.numbers[1]; }  // kComplex
  std::string_view text() const { return {value_.text.data, value_.text.size}; }
  base::Bytes bytes() const { return base::as_bytes(text()); }
  std::span<const Object* const> items() const;  // kList, kTuple, kSet, kFrozenSet
  const Mapping& mapping() const;                // kDict
  const Global& global() const { return *value_.global; }
  const Call& call() const { return *value_.call; }
  const Dtype& dtype() const { return *value_.dtype; }
  const NdArray& array() const { return *value_.array; }  // kArray, kScalar

  bool is_none() const { return kind() == Kind::kNone; }
  // Containers on the longest way down from here, this one included; 0 for plain values. A way that comes
  // back to where it was ends there. Bounded by Limits::nesting, so recursion over the objects is safe if it
  // minds cycles.
  std::uint32_t depth() const { return depth_; }

 private:
  friend class Heap;
  struct Text {
    const char* data;
    std::size_t size;
  };
  struct Tuple {
    const Object* const* data;
    std::size_t size;
  };
  union Value {
    std::int64_t integer;
    double numbers[2];
    Text text;
    Tuple tuple;
    std::vector<const Object*>* sequence;  // null: empty
    Mapping* mapping;                      // null: empty
    Global* global;
    Call* call;
    const Dtype* dtype;
    NdArray* array;
  };

  std::uint64_t kind_ : 8 = 0;
  std::uint64_t depth_ : 16 = 0;
  std::uint64_t offset_ : 40 = 0;
  Value value_{};
};

// kBigInt or kInt in decimal digits.
std::string decimal(const Object& integer);

}  // namespace wherry::pickle
