// Reading nested members of untrusted API objects without a check at every step.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "text/json.h"

namespace wherry::kube {

// The value at object[a][b]…; a null Json when any step is missing.
const text::Json& at(const text::Json& object, std::initializer_list<std::string_view> path);

std::string string_at(const text::Json& object,
                      std::initializer_list<std::string_view> path);  // "" when absent
std::int64_t integer_at(const text::Json& object,
                        std::initializer_list<std::string_view> path);  // 0 when absent

// The items of the array at `path`; an empty array when it is anything else.
const text::Json& list_at(const text::Json& object, std::initializer_list<std::string_view> path);

// The element of the conditions at `path` with this type; a null Json when there is none.
const text::Json& condition(const text::Json& object, std::string_view type);

// True when `object` has an ownerReference with `owner`'s uid.
bool is_owned_by(const text::Json& object, const text::Json& owner);

}  // namespace wherry::kube
