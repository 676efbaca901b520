// What a hostile registry or token server can send. The first byte chooses which reader gets the rest; a
// manifest, index or configuration which is accepted must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oci/answers.h"
#include "oci/credentials.h"
#include "oci/manifest.h"

using namespace wherry;

namespace {

void read_manifest(std::string_view text) {
  const auto manifest = oci::parse_manifest(text, "input");
  if (manifest && !oci::parse_manifest(oci::write_manifest(*manifest), "again")) std::abort();
}

void read_index(std::string_view text) {
  const auto index = oci::parse_index(text, "input");
  if (!index) return;
  (void)oci::choose_platform(*index, {.architecture = "amd64"}, "input");
  if (!oci::parse_index(oci::write_index(*index), "again")) std::abort();
}

void read_config(std::string_view text) {
  const auto config = oci::parse_config(text, "input");
  if (config && !oci::parse_config(oci::write_config(*config), "again")) std::abort();
}

void read_location(std::string_view text) {
  const oci::Url base{"https", "registry.example.com", "/v2/a/blobs/uploads/"};
  auto url = oci::resolve(base, text);
  if (!url) return;
  oci::add_parameter(*url, "digest", "sha256:0");
  if (!oci::parse_url(oci::to_string(*url))) std::abort();
  (void)oci::check_target(base, *url, "input");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'm':
      read_manifest(text);
      break;
    case 'i':
      read_index(text);
      break;
    case 'c':
      read_config(text);
      break;
    case 'l':
      read_location(text);
      break;
    case 'e':
      (void)oci::parse_api_errors(text);
      break;
    case 't':
      (void)oci::parse_token(text);
      break;
    case 'w':
      (void)oci::parse_challenges(text);
      break;
    case 'n':
      (void)oci::parse_warnings({{"Warning", std::string(text)}});
      break;
    case 'y':
      (void)oci::manifest_media_type(text, "text/plain", "input");
      break;
    case 'd':
      (void)oci::find_in_config(text, "input", "ghcr.io", "team/fraud");
      break;
    default:
      break;
  }
  return 0;
}
