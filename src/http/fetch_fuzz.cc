// Reads arbitrary bytes as an answer, at once and in pieces: both must come to the same end, within the
// limits.
#include <cstdint>
#include <cstdlib>

#include "http/fetch_answer.h"

namespace {

using namespace wherry::http;

struct Outcome {
  AnswerReader::Progress progress;
  int status;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

constexpr std::size_t kMostBody = 4096;

Outcome read(std::string_view bytes, std::size_t piece, bool without_body) {
  AnswerReader reader(kMostBody, without_body);
  auto progress = AnswerReader::Progress::kMore;
  while (progress == AnswerReader::Progress::kMore && !bytes.empty()) {
    progress = reader.received(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if (progress == AnswerReader::Progress::kMore) progress = reader.ended();
  if (reader.answer().body.size() > kMostBody) std::abort();
  if (progress != AnswerReader::Progress::kDone) return {progress, 0, ""};
  return {progress, reader.answer().status, reader.answer().body};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool without_body = data[0] % 4 == 0;
  if (read(bytes, bytes.size(), without_body) != read(bytes, data[1] % 32 + 1u, without_body)) std::abort();
  return 0;
}
