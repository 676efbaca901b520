// Arrays in numpy's own format (numpy/lib/format.py, versions 1.0 to 3.0) as a pickle has them. Private to
// module skops.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/skops/pickle_writer.h"

namespace wherry::skops {

// A Python literal: what a header is made of.
struct Literal {
  enum class Kind { kNone, kBool, kInt, kText, kSequence, kDict };
  Kind kind = Kind::kNone;
  std::int64_t number = 0;     // kBool, kInt
  std::string text;            // kText
  std::vector<Literal> items;  // of kDict: key, value, key, …

  const Literal* find(std::string_view key) const;  // of kDict
};

struct Npy {
  Literal descr;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::string_view data;  // borrowed
};

// `where` is for messages. Errors: "skops.bad_array".
base::Result<Npy> read_npy(std::string_view file, std::string_view where);

// Each leaves one object on the stack of the pickle.
base::Status write_dtype(PickleWriter& out, const Literal& descr, std::string_view where);
base::Status write_array(PickleWriter& out, const Npy& array, std::string_view where);
base::Status write_scalar(PickleWriter& out, const Npy& array, std::string_view where);  // shape ()

// numpy.ndarray of objects, whose elements `elements` writes one after the other.
void begin_object_array(PickleWriter& out, const std::vector<std::int64_t>& shape);
void end_object_array(PickleWriter& out);

// The integers of an array of one dimension of dtype <i4 or <i8.
base::Result<std::vector<std::int64_t>> integers_of(const Npy& array, std::string_view where);

}  // namespace wherry::skops
