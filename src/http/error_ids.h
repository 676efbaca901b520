// Error ids of module http, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::http {

inline constexpr base::ErrorId kErrorIds[] = {
    {"http.bad_address",
     "The address to listen on is neither an IPv4 nor an IPv6 address nor \"localhost\"."},
    {"http.cannot_listen",
     "The operating system refused to listen: the address is not one of this machine's, or ports below 1024 "
     "need "
     "a privilege."},
    {"http.port_in_use", "Another program, perhaps an earlier wherry, listens on the port."},
};

}  // namespace wherry::http
