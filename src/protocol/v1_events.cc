#include "protocol/v1_events.h"

#include <optional>

#include "base/text.h"
#include "protocol/json_cursor.h"
#include "protocol/json_writer.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

bool bad_event(JsonCursor& cursor, std::string message) {
  return cursor.fail(
      {base::Code::kInvalidInput,
       "protocol.bad_event",
       std::move(message),
       "a structured event is {\"specversion\": \"1.0\", \"id\": …, \"source\": …, \"type\": …, "
       "\"data\": {…}}",
       {}});
}

// `out` gets an attribute; an empty or doubled one is refused.
bool attribute(JsonCursor& cursor, std::string_view name, std::string& out) {
  std::string_view text;
  if (cursor.peek() != Kind::kString)
    return bad_event(cursor, base::cat("the event's ", base::quoted(name), " is not text"));
  if (!out.empty())
    return bad_event(cursor, base::cat("the event's ", base::quoted(name), " is given twice"));
  if (!cursor.string(text)) return false;
  if (text.empty()) return bad_event(cursor, base::cat("the event's ", base::quoted(name), " is empty"));
  out = text;
  return true;
}

bool read_event(JsonCursor& cursor, CloudEvent& event) {
  std::string version;
  std::string_view key, raw;
  bool has_data = false;
  if (cursor.peek() != Kind::kObject)
    return cursor.peek() == Kind::kBad ? cursor.fail_syntax("a value is expected")
                                       : bad_event(cursor, "the event is not a JSON object");
  if (!cursor.begin_object()) return false;
  while (cursor.next_member(key)) {
    std::string* const out = key == "specversion" ? &version
                             : key == "id"        ? &event.id
                             : key == "source"    ? &event.source
                             : key == "type"      ? &event.type
                                                  : nullptr;
    if (out != nullptr) {
      if (!attribute(cursor, key, *out)) return false;
    } else if (key == "data" || key == "data_base64") {
      if (has_data) return bad_event(cursor, "the event has more than one \"data\"");
      has_data = true;
      if (key == "data") {
        if (!cursor.raw_value(raw)) return false;
        event.data = raw;
        continue;
      }
      std::string text;
      if (!attribute(cursor, key, text)) return false;
      auto decoded = base::base64_decode(text);
      if (!decoded) return bad_event(cursor, "the event's \"data_base64\" is not base64");
      event.data = std::move(*decoded);
    } else if (!cursor.skip_value()) {
      return false;
    }
  }
  if (cursor.failed()) return false;
  if (version != "1.0")
    return bad_event(cursor, version.empty() ? "the event has no \"specversion\""
                                             : base::cat("the event's specversion is ",
                                                         base::quoted(version, 20), ", not \"1.0\""));
  if (!has_data) return bad_event(cursor, "the event has no \"data\"");
  for (const auto& [name, value] :
       {std::pair("id", &event.id), std::pair("source", &event.source), std::pair("type", &event.type)})
    if (value->empty()) return bad_event(cursor, base::cat("the event has no \"", name, "\""));
  return true;
}

}  // namespace

bool is_structured_event(std::string_view content_type) {
  return base::to_lower(base::trim(content_type.substr(0, content_type.find(';')))) ==
         "application/cloudevents+json";
}

base::Result<CloudEvent> read_structured_event(std::string_view body, std::size_t depth) {
  if (!base::is_valid_utf8(body))
    return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8", "the event is not valid UTF-8",
                      "send UTF-8 text");
  std::string arena;
  CloudEvent event;
  JsonCursor cursor(body, {.depth = depth, .subject = "the event"}, arena);
  if (read_event(cursor, event)) cursor.finish();
  if (cursor.failed()) return cursor.error();
  return event;
}

std::string answer_event_source(std::string_view model) {
  return base::cat("io.kserve.inference.", model);
}

std::string write_structured_event(std::string_view id, std::string_view model, std::string_view data) {
  std::string out = "{\"specversion\":\"1.0\",\"id\":";
  append_string(id, out);
  out += ",\"source\":";
  append_string(answer_event_source(model), out);
  out += base::cat(",\"type\":\"", kAnswerEventType,
                   "\",\"datacontenttype\":\"application/json\",\"data\":", data, '}');
  return out;
}

}  // namespace wherry::protocol
