// Replays every file of the folders given on the command line through one fuzz target, with and without its
// last byte. Exit 1 when a folder is missing or empty, so that a renamed corpus is noticed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  int replayed = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code failure;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i], failure)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(file), {}};
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(content.data());
      LLVMFuzzerTestOneInput(bytes, content.size());
      if (!content.empty()) LLVMFuzzerTestOneInput(bytes, content.size() - 1);
      ++replayed;
    }
    if (failure) std::fprintf(stderr, "cannot read %s: %s\n", argv[i], failure.message().c_str());
  }
  std::printf("%d files replayed\n", replayed);
  return replayed > 0 ? 0 : 1;
}
