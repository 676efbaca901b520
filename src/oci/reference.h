// Names of images: "registry/host:port/repository:tag@sha256:…" (distribution-spec 1.1 "Pulling manifests";
// Docker's short forms as in distribution/reference).
//
// Thread-safety: values; pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::oci {

struct Reference {
  std::string registry;    // host with optional port: "docker.io", "127.0.0.1:5000", "[::1]:5000"
  std::string repository;  // "library/python", "team/fraud"
  std::string tag;         // empty only when `digest` is set
  std::string digest;      // "sha256:…" or empty

  bool operator==(const Reference&) const = default;
};

// A first part with a dot, a colon or equal to "localhost" is the registry, otherwise it is docker.io, whose
// one-part repositories stand below "library/". With neither tag nor digest the tag is "latest".
// Error: "oci.reference_invalid", saying which part is wrong and, where there is one, the likely right form.
base::Result<Reference> parse_reference(std::string_view text);

// "registry/repository:tag@digest"; parse_reference() of it gives the same value.
std::string to_string(const Reference& reference);

// "registry/repository@digest": what a deployment should name.
std::string pinned(const Reference& reference, std::string_view digest);

// What stands in the URL for manifests: the digest if there is one, else the tag.
std::string_view manifest_name(const Reference& reference);

// Host part without port and brackets: "[::1]:5000" -> "::1".
std::string_view host_of(std::string_view registry);

// localhost, *.localhost, 127.0.0.0/8 and ::1: the only registries which get plain HTTP without being asked.
bool is_loopback(std::string_view registry);

// Where the API of a registry is served: "registry-1.docker.io" for docker.io, else itself.
std::string_view api_host(std::string_view registry);

bool is_valid_repository(std::string_view name);
bool is_valid_tag(std::string_view tag);

}  // namespace wherry::oci
