#include "http/http2_fields.h"

#include <algorithm>
#include <charconv>

#include "http/message_parser.h"

namespace wherry::http {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

nghttp2_nv static_field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {  // nghttp2 does not write to them
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void Http2Fields::clear() {
  text_.clear();
  text_.reserve(512);  // on the heap: views survive release()
  fields_.clear();
  method_ = path_ = authority_ = {};
  has_host_ = false;
}

Http2Fields::Part Http2Fields::append(std::string_view text) {
  const Part part{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_ += text;
  return part;
}

void Http2Fields::add(std::string_view name, std::string_view value) {
  if (name.starts_with(':')) {
    if (name == ":method") method_ = append(value);
    if (name == ":path") path_ = append(value);
    if (name == ":authority") authority_ = append(value);
    return;
  }
  has_host_ = has_host_ || name == "host";
  const Part name_part = append(name);
  fields_.push_back({name_part, append(value)});
}

bool Http2Fields::read(Request& request, std::vector<HeaderView>& headers) const {
  headers.clear();
  if (authority_.size > 0 && !has_host_) headers.push_back({"host", view(authority_)});
  for (const Field& field : fields_) headers.push_back({view(field.name), view(field.value)});
  request.method = view(method_);
  request.headers = headers;
  return split_target(view(path_), request);
}

void Http2Lines::clear() {
  text_.clear();
  list_.clear();
}

void Http2Lines::reserve(std::size_t bytes) {
  text_.reserve(text_.size() + bytes);
}

void Http2Lines::add(std::string_view static_name, std::string_view value) {
  const std::size_t at = text_.size();
  text_ += value;
  list_.push_back(static_field(static_name, {text_.data() + at, value.size()}));
}

// "Name: value\r\n" each, as Response makes them.
void Http2Lines::add_lines(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(": ");
    const std::size_t at = text_.size();
    std::ranges::transform(line.substr(0, colon), std::back_inserter(text_), lower);
    text_ += line.substr(colon + 2);
    const std::string_view made(text_.data() + at, line.size() - 2);
    list_.push_back(static_field(made.substr(0, colon), made.substr(colon)));
  }
}

void Http2Lines::set_head(const Response& response, std::string_view date_line, std::int64_t length) {
  clear();
  // Nothing may move once it is in the list.
  reserve(64 + response.content_type.size() + date_line.size() + response.header_lines().size() +
          response.trailer_lines().size());
  char digits[24];
  const auto number = [&digits](std::int64_t value) {
    return std::string_view(digits, std::to_chars(digits, digits + sizeof digits, value).ptr - digits);
  };
  add(":status", number(response.status));
  if (response.status != 204) add("content-type", response.content_type);
  if (length >= 0) add("content-length", number(length));
  const std::size_t value = std::string_view("Date: ").size();
  add("date", date_line.substr(value, date_line.size() - value - 2));
  add_lines(response.header_lines());
}

void Http2Lines::add_trailers(const Response& response) {
  if (list_.empty()) reserve(response.trailer_lines().size());
  add_lines(response.trailer_lines());
}

}  // namespace wherry::http
