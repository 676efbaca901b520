// Error ids of module http_client, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::http_client {

inline constexpr base::ErrorId kErrorIds[] = {
    {"http_client.bad_url",
     "The address is not an http:// or https:// URL that can be used, or carries a user name and password; "
     "credentials belong into the configuration of the registry or cluster."},
    {"http_client.body_unreadable",
     "A file that should be uploaded could not be read or is shorter than announced."},
    {"http_client.cancelled", "The transfer was ended because the program was asked to stop."},
    {"http_client.connect", "No connection could be made to the server within the time allowed."},
    {"http_client.dns", "The server's name is unknown to DNS, or no DNS server answered."},
    {"http_client.interrupted",
     "The connection broke in the middle of the exchange, or the answer was not valid HTTP."},
    {"http_client.proxy", "The proxy named by HTTPS_PROXY or HTTP_PROXY could not be reached or refused."},
    {"http_client.redirect",
     "The server redirected too often, to an address that is not HTTP, or from https to http."},
    {"http_client.refused", "Nothing listens at the server's address and port."},
    {"http_client.timeout", "The server sent nothing, or not everything, within the time allowed."},
    {"http_client.tls",
     "TLS could not be set up: no common protocol version, or the client certificate or key was not "
     "accepted."},
    {"http_client.tls_untrusted",
     "The server's certificate is not signed by a trusted authority, has expired, or is for another name."},
    {"http_client.too_large", "The answer has more bytes than wherry accepts for this kind of request."},
};

}  // namespace wherry::http_client
