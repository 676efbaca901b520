// A bundle's documents as an attacker would write them: program.json and weights.safetensors in one input,
// the first eight bytes saying how long the former is. Whatever is accepted must survive being written and
// read again.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "program/safetensors.h"
#include "program/serialize.h"
#include "text/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  if (size < 8) return 0;
  std::uint64_t length = 0;
  std::memcpy(&length, data, sizeof length);
  const std::string_view rest(reinterpret_cast<const char*>(data) + 8, size - 8);
  if (length > rest.size()) length = rest.size();
  const auto document = text::parse_json(rest.substr(0, length), "program.json");
  // A copy of its own allocation: borrowed tensors must be aligned as a mapped file is.
  const auto owner = std::make_shared<std::string>(rest.substr(length));
  auto weights = program::read_safetensors(base::as_bytes(*owner), owner);
  if (!document || !weights) return 0;
  const auto program = program::program_from_json(*document, std::move(*weights));
  if (!program) return 0;
  auto again_owner = std::make_shared<std::string>(program::write_safetensors(program->weights()));
  auto again_weights = program::read_safetensors(base::as_bytes(*again_owner), again_owner);
  if (!again_weights) std::abort();
  const auto again =
      program::program_from_json(program::program_to_json(*program), std::move(*again_weights));
  if (!again || program::program_to_json(*again) != program::program_to_json(*program)) std::abort();
  return 0;
}
