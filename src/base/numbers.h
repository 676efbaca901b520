// Numbers as other languages write them. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wherry::base {

// What Python's float(text) gives for a str (UTF-8 here), nullopt where it raises ValueError: white space
// around is ignored, digits may be those of any script and have underscores between them, "inf", "infinity"
// and "nan" in any case; too large is infinite. (CPython Objects/floatobject.c PyFloat_FromString,
// Objects/unicodeobject.c _PyUnicode_TransformDecimalAndSpaceToASCII.)
std::optional<double> parse_python_float(std::string_view text);

// repr(value) of a Python float: shortest digits that read back as the same number, "1.0", "1e+16", "nan".
std::string python_repr(double value);

}  // namespace wherry::base
