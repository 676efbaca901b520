#include "http/fetch_answer.h"

#include <algorithm>

#include "base/text.h"
#include "http/message.h"

namespace wherry::http {

namespace {

constexpr int kMostInformational = 8;
constexpr std::size_t kMostChunkLine = 1024;

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return base::is_ascii_alphanumeric(c) || kMarks.find(c) != kMarks.npos;
  });
}

bool is_value(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool lists(std::string_view value, std::string_view option) {
  for (const std::string_view element : base::split(value, ','))
    if (equal_without_case(base::trim(element), option)) return true;
  return false;
}

}  // namespace

std::string_view FetchAnswer::header(std::string_view name) const {
  for (const auto& [held, value] : headers)
    if (equal_without_case(held, name)) return value;
  return {};
}

AnswerReader::Progress AnswerReader::malformed(std::string_view why) {
  objection_ = why;
  return Progress::kMalformed;
}

AnswerReader::Progress AnswerReader::received(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  buffer_ += bytes;
  if (!in_body_)
    if (const Progress progress = take_head(); progress != Progress::kDone) return progress;
  return take_body();
}

// kDone: the final head has come, and the body begins in buffer_.
AnswerReader::Progress AnswerReader::take_head() {
  while (true) {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == buffer_.npos)
      return buffer_.size() > kMostHead ? malformed("its head is too large") : Progress::kMore;
    if (end > kMostHead) return malformed("its head is too large");
    if (!parse_head(std::string_view(buffer_).substr(0, end + 2))) return Progress::kMalformed;
    buffer_.erase(0, end + 4);
    if (answer_.status >= 200) break;
    if (answer_.status == 101 || ++informational_ > kMostInformational)
      return malformed("it goes on to something else than HTTP/1.1");
  }
  in_body_ = true;
  const bool never = without_body_ || answer_.status == 204 || answer_.status == 304;
  if (coded_ && !chunked_) return malformed("its Transfer-Encoding is not chunked");
  if (chunked_ && has_length_) return malformed("it has both Transfer-Encoding and Content-Length");
  body_ = never ? Body::kNone : chunked_ ? Body::kChunked : has_length_ ? Body::kLength : Body::kUntilEnd;
  can_reuse_ = body_ != Body::kUntilEnd && !close_ && (http_1_1_ || keep_);
  return Progress::kDone;
}

bool AnswerReader::parse_status(std::string_view line) {
  // "HTTP/1.1 200 OK"; the reason may be empty, and its space missing.
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ' || (line.size() > 12 && line[12] != ' ') || !is_value(line))
    return false;
  const auto status = base::parse_unsigned(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599) return false;
  http_1_1_ = line[7] == '1';
  answer_.status = static_cast<int>(*status);
  return true;
}

bool AnswerReader::take_header(std::string_view name, std::string_view value) {
  if (equal_without_case(name, "Content-Length")) {
    const auto length = base::parse_unsigned(value);
    if (!length || (has_length_ && *length != length_)) return false;
    has_length_ = true;
    length_ = *length;
  } else if (equal_without_case(name, "Transfer-Encoding")) {
    chunked_ = !coded_ && equal_without_case(value, "chunked");
    coded_ = true;
  } else if (equal_without_case(name, "Connection")) {
    close_ = close_ || lists(value, "close");
    keep_ = keep_ || lists(value, "keep-alive");
  }
  answer_.headers.emplace_back(name, value);
  return answer_.headers.size() <= kMostHeaders;
}

// `head` ends with the CRLF of its last line.
bool AnswerReader::parse_head(std::string_view head) {
  answer_.headers.clear();
  close_ = keep_ = chunked_ = coded_ = has_length_ = false;
  bool first = true;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (first) {
      first = false;
      if (parse_status(line)) continue;
      objection_ = "its first line is no HTTP/1.1 status line";
      return false;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = colon == line.npos ? "" : base::trim(line.substr(colon + 1));
    if (colon == line.npos || !is_token(name) || !is_value(value) || !take_header(name, value)) {
      objection_ = "a header of it is malformed, or there are too many";
      return false;
    }
  }
  return true;
}

AnswerReader::Progress AnswerReader::take_body() {
  std::string& body = answer_.body;
  switch (body_) {
    case Body::kNone:
      can_reuse_ = can_reuse_ && buffer_.empty();
      return Progress::kDone;
    case Body::kLength: {
      if (length_ > most_body_) return Progress::kTooLarge;
      const std::size_t count = std::min<std::uint64_t>(length_ - body.size(), buffer_.size());
      body.append(buffer_, 0, count);
      buffer_.erase(0, count);
      if (body.size() < length_) return Progress::kMore;
      can_reuse_ = can_reuse_ && buffer_.empty();
      return Progress::kDone;
    }
    case Body::kChunked: {
      std::size_t consumed = 0;
      const auto result = chunks_.decode(buffer_, body, {most_body_, kMostChunkLine, kMostHead}, consumed);
      buffer_.erase(0, consumed);
      if (result == ChunkDecoder::Result::kMalformed) return malformed("a chunk of it is malformed");
      if (result == ChunkDecoder::Result::kTooLarge) return Progress::kTooLarge;
      if (result == ChunkDecoder::Result::kMore) return Progress::kMore;
      can_reuse_ = can_reuse_ && buffer_.empty();
      return Progress::kDone;
    }
    case Body::kUntilEnd:
      if (buffer_.size() > most_body_ - body.size()) return Progress::kTooLarge;
      body += buffer_;
      buffer_.clear();
      return Progress::kMore;
  }
  return Progress::kMore;
}

AnswerReader::Progress AnswerReader::ended() {
  can_reuse_ = false;
  if (in_body_ && body_ == Body::kUntilEnd) return Progress::kDone;
  return malformed(begun_ ? "the connection ended in the middle of it" : "the connection ended before it");
}

}  // namespace wherry::http
