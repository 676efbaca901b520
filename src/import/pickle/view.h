// A cursor over the objects of a Document which knows the way it came: the path stands in every error message
// ("steps[1][1].coef_: expected a float array, found str"). Cheap values; valid as long as the Document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "import/pickle/array.h"
#include "import/pickle/object.h"

namespace wherry::pickle {

// Compressed sparse rows: row r has values[i] in column indices[i] for offsets[r] <= i < offsets[r + 1].
// Duplicates are kept, columns are sorted within a row only if the file has them so.
struct Csr {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::int64_t> offsets;  // rows + 1
  std::vector<std::int64_t> indices;  // each in [0, columns)
  std::vector<double> values;
};

struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> values;  // row after row
};

struct Slice {
  std::optional<std::int64_t> start, stop, step;
};

class View {
 public:
  View(const Object& object, std::string path) : object_(&object), path_(std::move(path)) {}

  const Object& object() const { return *object_; }
  const Object* operator->() const { return object_; }
  const std::string& path() const { return path_; }  // "" for the root
  std::string where() const;                         // path, or "the model" for the root
  Kind kind() const { return object_->kind(); }
  bool is(Kind kind) const { return object_->kind() == kind; }
  bool is_none() const { return object_->is_none(); }
  std::string describe() const;  // for messages: "str", "float64 array (3, 4)", "instance of a.b.C"

  // --- instances -------------------------------------------------------------------------------------------
  // "sklearn.tree._tree.Tree" for instances (Call::type), "" for everything else. Canonical spelling.
  std::string class_name() const;
  // "numpy.float64" for kGlobal (a class or function given as value), "" for everything else.
  std::string global_name() const;

  // An attribute from the state given to BUILD: a dict, or (dict | None, dict of slots), the last BUILD
  // first; of an object whose state is dict items (SETITEMS), those. nullopt when absent or not an instance.
  std::optional<View> find(std::string_view attribute) const;
  base::Result<View> attr(std::string_view attribute) const;  // "pickle.missing_attribute"
  bool has(std::string_view attribute) const { return find(attribute).has_value(); }
  std::vector<std::string_view> attribute_names() const;  // str keys only, each once, in file order
  base::Result<View> argument(std::size_t index) const;   // positional argument of the Call
  // The last BUILD argument, whatever it is (a tuple for many C types); nullopt when there was none.
  std::optional<View> state() const;

  // --- containers ------------------------------------------------------------------------------------------
  // list, tuple, set, frozenset, dict (number of keys), arrays (first dimension), instances with appended
  // items
  base::Result<std::size_t> size() const;
  // list, tuple, set, array of objects with one dimension: "pickle.out_of_range" past the end.
  base::Result<View> item(std::size_t index) const;
  base::Result<std::vector<View>> items() const;
  // dict (also of an instance that sets keys), by str key.
  std::optional<View> find_key(std::string_view key) const;
  base::Result<View> key(std::string_view key) const;
  base::Result<std::vector<std::pair<View, View>>> entries() const;  // keys of any type

  // --- values; numpy scalars and arrays without dimensions count as the value they hold
  // ----------------------
  base::Result<bool> as_bool() const;           // bool, numpy.bool
  base::Result<std::int64_t> as_int() const;    // int, bool, numpy integers
  base::Result<double> as_double() const;       // the same, and float, numpy floats
  base::Result<std::string> as_string() const;  // str, numpy.str_
  base::Result<base::Bytes> as_bytes() const;   // bytes, bytearray; borrowed
  base::Result<Slice> as_slice() const;         // builtins.slice
  base::Result<Slice> as_range() const;         // builtins.range; all three are set

  // --- arrays ----------------------------------------------------------------------------------------------
  base::Result<NdArray> array() const;  // any dtype
  // From an array of any shape (C order), or from a list or tuple of such values.
  base::Result<std::vector<double>> doubles() const;
  base::Result<std::vector<std::int64_t>> int64s() const;
  base::Result<std::vector<bool>> bools() const;
  base::Result<std::vector<std::string>> strings() const;
  base::Result<Matrix> matrix() const;  // an array with exactly two dimensions
  // scipy.sparse csr, csc, coo, bsr, dia, lil and dok, as *_matrix or *_array.
  bool is_sparse() const;
  base::Result<Csr> sparse() const;  // "pickle.bad_sparse" when its parts do not fit together

  // The error "pickle.wrong_type": "<where>: expected <expected>, found <describe()>".
  std::unexpected<base::Error> wrong(std::string_view expected) const;

 private:
  View child(const Object& object, std::string_view step) const;

  const Object* object_;
  std::string path_;
};

}  // namespace wherry::pickle
