// numpy arrays into vectors of ours. All functions are pure and thread-safe; `where` names the array in
// messages.
//
// Errors: "pickle.wrong_type" (other kind of dtype), "pickle.lossy" (a value the result type cannot hold).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/pickle/object.h"

namespace wherry::pickle {

// Values in C order of the indices, whatever the memory order, byte order and alignment of the array.
// From bool, (u)int8…64, float16/32/64 (and x86 float128 "f16", rounded); integers past 2^53 round as numpy's
// astype does. Object arrays are taken when every element is a number.
base::Result<std::vector<double>> to_doubles(const NdArray& array, std::string_view where);

// As to_doubles, rounded to float32 once. For arrays that are float32 already this is exact.
base::Result<std::vector<float>> to_floats(const NdArray& array, std::string_view where);

// From bool and integers; an uint64 past 2^63-1 is "pickle.lossy". Floats are refused.
base::Result<std::vector<std::int64_t>> to_int64s(const NdArray& array, std::string_view where);

// From bool; integers and floats are refused.
base::Result<std::vector<bool>> to_bools(const NdArray& array, std::string_view where);

// From U (as UTF-8, trailing NULs dropped as numpy does), S (the bytes, ditto) and object arrays of str.
base::Result<std::vector<std::string>> to_strings(const NdArray& array, std::string_view where);

// The named field of a record array, as a strided view of the same shape (a sub-array field adds its
// dimensions). "pickle.missing_attribute" when there is none.
base::Result<NdArray> field(const NdArray& array, std::string_view name, std::string_view where);

// Row `index` along the first dimension. "pickle.out_of_range".
base::Result<NdArray> row(const NdArray& array, std::int64_t index, std::string_view where);

// The raw bytes in C order; a copy unless the array is contiguous, so always a string.
base::Result<std::string> to_raw(const NdArray& array, std::string_view where);

}  // namespace wherry::pickle
