// Header lists of HTTP/2, in and out. Internal to module http.
#pragma once

#include <cstdint>
#include <nghttp2/nghttp2.h>
#include <string>
#include <vector>

#include "http/message.h"

namespace wherry::http {

// A received header list, gathered field by field into one string.
class Http2Fields {
 public:
  void clear();
  void add(std::string_view name, std::string_view value);
  std::size_t count() const { return fields_.size(); }

  // Fills method, path and query, and `headers` with what is no pseudo-header and "host" for :authority. All
  // of it points into this object's text. False: the path is malformed.
  bool read(Request& request, std::vector<HeaderView>& headers) const;
  std::size_t target_size() const { return path_.size; }
  // The text the views point into, to be kept alive longer; it does not move.
  std::string release() { return std::move(text_); }
  void give_back(std::string text) { text_ = std::move(text); }

 private:
  struct Part {
    std::uint32_t at = 0, size = 0;
  };
  struct Field {
    Part name, value;
  };
  Part append(std::string_view text);
  std::string_view view(Part part) const { return {text_.data() + part.at, part.size}; }

  std::string text_;
  std::vector<Field> fields_;
  Part method_, path_, authority_;
  bool has_host_ = false;
};

// One field to be sent; both texts must stay.
nghttp2_nv static_field(std::string_view name, std::string_view value);

// A header list to be sent, in memory of its own which must stay until it was.
class Http2Lines {
 public:
  void clear();
  // `date_line` as Shared::date(); a content length unless it is negative.
  void set_head(const Response& response, std::string_view date_line, std::int64_t length);
  void add_trailers(const Response& response);
  const std::vector<nghttp2_nv>& list() const { return list_; }

 private:
  void reserve(std::size_t bytes);
  void add(std::string_view static_name, std::string_view value);
  void add_lines(std::string_view lines);

  std::string text_;
  std::vector<nghttp2_nv> list_;
};

}  // namespace wherry::http
