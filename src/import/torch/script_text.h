// What str() and repr() of Python give, for values whose text matters: names of attributes, keys and
// messages.
#pragma once

#include <string>

#include "import/torch/script_value.h"

namespace wherry::torch {

std::string text_of(const Value& value);
std::string repr_of(const Value& value);
// "{} of {}".format(…): positional {} and {0} fields without format specifications; others stay.
std::string format_text(const std::string& pattern, const Values& values);
// "%s of %d" % (…): %s, %d, %i, %r and %%; fields with widths or digits stay.
std::string percent_text(const std::string& pattern, const Values& values);

}  // namespace wherry::torch
