#include "program/rules.h"

namespace wherry::program {

using base::Result;

Result<ValueType> type_of(const ToDense&, const Operands& in) {
  if (in.types.size() != 1 || !is_sparse(in.types[0])) return invalid("needs one sparse value");
  return matrix_type(width(in.types[0]));
}

Result<ValueType> type_of(const ToSparse&, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  return sparse_type(width(type));
}

}  // namespace wherry::program
