// ONNX files as an attacker would write them. What is accepted can be written as one file and read again.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "onnx/read.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto owner = std::make_shared<const std::string>(reinterpret_cast<const char*>(data), size);
  const auto file = onnx::read_model(base::as_bytes(*owner), owner, "/nonexistent");
  if (!file) return 0;
  const auto whole = onnx::embed(file->model);
  if (!whole) return 0;
  const auto again_owner = std::make_shared<const std::string>(*whole);
  const auto again = onnx::read_model(base::as_bytes(*again_owner), again_owner, "/nonexistent");
  if (!again || again->inputs.size() != file->inputs.size() || again->outputs.size() != file->outputs.size())
    std::abort();
  return 0;
}
