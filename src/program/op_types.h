// What every header of operations uses. See ops.h.
#pragma once

#include <cstdint>
#include <variant>

namespace wherry::program {

// Index into Program::weights().
struct WeightId {
  std::uint32_t index = 0;
  friend bool operator==(WeightId, WeightId) = default;
};

// The operations of one header.
template <class... T>
struct OpList {};

template <class... Lists>
struct Joined;
template <class... T>
struct Joined<OpList<T...>> {
  using Variant = std::variant<T...>;
};
template <class... A, class... B, class... Rest>
struct Joined<OpList<A...>, OpList<B...>, Rest...> : Joined<OpList<A..., B...>, Rest...> {};

}  // namespace wherry::program
