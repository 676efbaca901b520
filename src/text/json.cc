#include "text/json.h"

#include "base/text.h"

namespace wherry::text {
namespace {

using base::cat;
using base::Code;
using base::fail;

std::string place(std::string_view document, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (char c : document.substr(0, offset)) {
    column = c == '\n' ? 1 : column + 1;
    line += c == '\n' ? 1 : 0;
  }
  return cat("line ", line, ", column ", column);
}

std::unexpected<base::Error> wrong_member(std::string_view what, std::string_view key,
                                          std::string_view expected) {
  return fail(Code::kInvalidInput, "text.json_member",
              cat(what, ": member ", base::quoted(key), " is not ", expected),
              "the document is not of the expected form");
}

template <class Predicate>
const Json* find_if(const Json& object, std::string_view key, Predicate predicate) {
  const Json* member = find(object, key);
  return member != nullptr && predicate(*member) ? member : nullptr;
}

}  // namespace

base::Result<Json> parse_json(std::string_view document, std::string_view what, const JsonLimits& limits) {
  if (document.size() > limits.bytes)
    return fail(Code::kLimit, "text.json_limit",
                cat(what, ": more than ", base::human_size(limits.bytes), " of JSON"),
                "the document is larger than any sensible one of its kind");
  // The library takes a zero byte for the end of the document and would not look at what follows.
  if (const std::size_t zero = document.find('\0'); zero != std::string_view::npos)
    return fail(Code::kInvalidInput, "text.json_syntax", cat(what, ": not JSON at ", place(document, zero)),
                "check the document with a JSON validator");
  bool too_deep = false;
  const auto watch = [&](int depth, nlohmann::detail::parse_event_t, Json&) {
    too_deep |= static_cast<std::size_t>(depth) > limits.depth;
    return !too_deep;
  };
  const auto deep = [&] {
    return fail(Code::kLimit, "text.json_limit",
                cat(what, ": JSON nested deeper than ", limits.depth, " levels"),
                "the document is deeper than any sensible one of its kind");
  };
  try {
    Json value = Json::parse(document, watch);
    if (too_deep) return deep();
    return value;
  } catch (const Json::parse_error& error) {
    if (too_deep) return deep();
    const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    return fail(Code::kInvalidInput, "text.json_syntax", cat(what, ": not JSON at ", place(document, offset)),
                "check the document with a JSON validator");
  } catch (const Json::exception& error) {
    return fail(Code::kInvalidInput, "text.json_syntax", cat(what, ": not JSON (", error.what(), ")"),
                "check the document with a JSON validator");
  }
}

std::string write_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto member = object.find(std::string(key));
  return member == object.end() ? nullptr : &*member;
}

const std::string* find_string(const Json& object, std::string_view key) {
  const Json* member = find_if(object, key, [](const Json& j) { return j.is_string(); });
  return member == nullptr ? nullptr : member->get_ptr<const std::string*>();
}

const Json* find_object(const Json& object, std::string_view key) {
  return find_if(object, key, [](const Json& j) { return j.is_object(); });
}

const Json* find_array(const Json& object, std::string_view key) {
  return find_if(object, key, [](const Json& j) { return j.is_array(); });
}

std::optional<std::int64_t> find_integer(const Json& object, std::string_view key) {
  const Json* member = find_if(object, key, [](const Json& j) { return j.is_number_integer(); });
  if (member == nullptr) return std::nullopt;
  if (member->is_number_unsigned() && member->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return std::nullopt;
  return member->get<std::int64_t>();
}

std::optional<bool> find_bool(const Json& object, std::string_view key) {
  const Json* member = find_if(object, key, [](const Json& j) { return j.is_boolean(); });
  if (member == nullptr) return std::nullopt;
  return member->get<bool>();
}

base::Result<std::string> require_string(const Json& object, std::string_view key, std::string_view what) {
  if (const std::string* text = find_string(object, key)) return *text;
  return wrong_member(what, key, "a string");
}

base::Result<std::int64_t> require_integer(const Json& object, std::string_view key, std::string_view what) {
  if (const auto number = find_integer(object, key)) return *number;
  return wrong_member(what, key, "an integer");
}

}  // namespace wherry::text
