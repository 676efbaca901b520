#include "base/bytes.h"

#include "base/text.h"

namespace wherry::base {

Result<Bytes> ByteReader::take(std::uint64_t count) {
  if (count > remaining())
    return fail(Code::kInvalidInput, "base.truncated",
                cat("offset ", position_, ": ", count, " bytes announced, ", remaining(), " left"),
                "the file is incomplete or corrupted; copy it again");
  const Bytes taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

Result<std::string_view> ByteReader::until(char end) {
  const std::string_view rest = as_text(bytes_.subspan(position_));
  const std::size_t length = rest.find(end);
  if (length == std::string_view::npos)
    return fail(Code::kInvalidInput, "base.truncated",
                cat("offset ", position_, ": no end of line before the end"),
                "the file is incomplete or corrupted; copy it again");
  position_ += length + 1;
  return rest.substr(0, length);
}

}  // namespace wherry::base
