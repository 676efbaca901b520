// Error ids of module auth, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::auth {

inline constexpr base::ErrorId kErrorIds[] = {
    {"auth.bad_access_file",
     "The file given as --access has a line which is not understood. Nothing is guessed: a line that grants "
     "something else than was meant would be worse than no start."},
    {"auth.bad_key_set",
     "A JSON Web Key Set (RFC 7517) is malformed, or no key in it can check a signature: RSA of 2048 to 8192 "
     "bits, EC on P-256, P-384 or P-521, and Ed25519 can."},
    {"auth.bad_token",
     "A JSON Web Token is malformed, not signed by a known key, expired, or made for somebody else."},
    {"auth.unknown_key",
     "A token names a signing key which the key set does not contain. The set is fetched again, at most "
     "every "
     "half minute; if the key is new, the token is accepted soon."},
    {"auth.keys_refused", "The URL of the token issuer's keys did not answer with status 200."},
    {"auth.bad_key_name", "The name of an API key is not 1 to 64 letters, digits, '.', '_' or '-'."},
    {"auth.no_random", "The system gave no random bytes, so no key was made."},
};

}  // namespace wherry::auth
