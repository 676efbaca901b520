// CloudEvents around V1 requests and answers (CloudEvents 1.0, HTTP protocol binding; KServe accepts both
// modes). In binary mode the attributes are headers and the body is the data: nothing to read here. In
// structured mode the body is one JSON object with attributes and data.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::protocol {

struct CloudEvent {
  std::string id, source, type;
  std::string data;  // the JSON of the prediction request
};

// Whether a Content-Type says so: "application/cloudevents+json", parameters ignored.
bool is_structured_event(std::string_view content_type);

// A structured event. Its data is the member "data" as it stands, or "data_base64" decoded. Required are
// specversion "1.0", id, source and type, none of them empty. Errors: "protocol.bad_event",
// "protocol.bad_json".
base::Result<CloudEvent> read_structured_event(std::string_view body, std::size_t depth = 100);

inline constexpr std::string_view kAnswerEventType = "io.kserve.inference.response";
std::string answer_event_source(std::string_view model);  // "io.kserve.inference.MODEL"

// The answer's event in structured mode; `data` is JSON. `id` tells this answer from others.
std::string write_structured_event(std::string_view id, std::string_view model, std::string_view data);

}  // namespace wherry::protocol
