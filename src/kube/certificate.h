// The little of X.509 which a Kubernetes client looks at before it connects.
//
// Thread-safety: pure.
#pragma once

#include <chrono>
#include <string_view>

#include "base/error.h"

namespace wherry::kube {

// The moment after which the first certificate of a PEM text is no longer valid.
// Errors: "kube.certificate_invalid"; `what` names the text.
base::Result<std::chrono::system_clock::time_point> certificate_end(std::string_view pem,
                                                                    std::string_view what);

// Ok when the PEM private key belongs to the first certificate. Errors: "kube.certificate_invalid".
base::Status check_key_pair(std::string_view certificate, std::string_view key, std::string_view what);

}  // namespace wherry::kube
