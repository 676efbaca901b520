// Any text: a reference which is accepted must come back from its own written form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "oci/output.h"
#include "oci/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto reference = wherry::oci::parse_reference(text)) {
    const auto again = wherry::oci::parse_reference(wherry::oci::to_string(*reference));
    if (!again || *again != *reference) std::abort();
    (void)wherry::oci::is_loopback(reference->registry);
  }
  (void)wherry::oci::parse_output(text);
  return 0;
}
