// Error ids of module http, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::http {

inline constexpr base::ErrorId kErrorIds[] = {
    {"http.bad_address",
     "The address to listen on is neither an IPv4 nor an IPv6 address nor \"localhost\"."},
    {"http.bad_url", "An address to fetch from is not an http:// or https:// address which can be used."},
    {"http.cannot_listen",
     "The operating system refused to listen: the address is not one of this machine's, or ports below 1024 "
     "need "
     "a privilege."},
    {"http.fetch_cancelled", "A request of the server's own was given up because the server ends."},
    {"http.fetch_failed",
     "A server which this one asks (for traces, token keys or Lambda's events) could not be reached, or "
     "broke "
     "the exchange off."},
    {"http.fetch_malformed", "What a server answered to a request of ours is not HTTP/1.1."},
    {"http.fetch_no_authorities",
     "An https address is to be fetched, but there is no file of the authorities to trust."},
    {"http.fetch_timeout", "A server which this one asks did not answer within the time allowed."},
    {"http.fetch_too_large", "What a server answered to a request of ours is larger than makes sense."},
    {"http.fetch_untrusted",
     "The certificate of a server which this one asks is not issued by a trusted authority, has expired, or "
     "is for another name."},
    {"http.port_in_use", "Another program, perhaps an earlier wherry, listens on the port."},
    {"http.tls_expired", "The server's certificate is past its end; clients would refuse it."},
    {"http.tls_key_mismatch",
     "The private key does not belong to the first certificate of the certificate file; often the files are "
     "of different ages, or the authority's certificate comes before the server's own."},
    {"http.tls_key_protected",
     "The private key is encrypted with a passphrase, which a server starting by itself cannot ask for."},
    {"http.tls_no_authorities",
     "Client certificates are asked for, but no file says which authorities issue them."},
    {"http.tls_not_pem", "A file of certificates or of a key is damaged or not in PEM format."},
    {"http.tls_not_yet_valid",
     "The server's certificate is valid from a later time on, or this machine's clock is behind."},
    {"http.tls_unusable",
     "OpenSSL refuses a certificate or key, mostly because the key is too short or the signature too weak."},
};

}  // namespace wherry::http
