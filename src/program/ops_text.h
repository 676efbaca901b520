// Text and records to features, and the sparse rows they make. See ops.h for the conventions.
#pragma once

#include <string_view>

#include "program/op_types.h"

namespace wherry::program {

// sparse → matrix with all its zeros.
struct ToDense {
  static constexpr std::string_view kName = "to_dense";
  template <class V>
  void fields(V&) {}
};

// matrix → sparse: the elements which are not 0, columns ascending.
struct ToSparse {
  static constexpr std::string_view kName = "to_sparse";
  template <class V>
  void fields(V&) {}
};

using TextOps = OpList<ToDense, ToSparse>;

}  // namespace wherry::program
