#include "serve/lambda_event.h"

#include <algorithm>

#include "base/text.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;
using base::Result;
using base::Status;
using text::Json;

namespace {

// Lambda's own bounds: 6 MB for an event; gateways send less.
constexpr text::JsonLimits kLimits{.bytes = 8u << 20, .depth = 110};

std::unexpected<base::Error> bad(std::string message) {
  return base::fail(
      base::Code::kInvalidInput, "serve.bad_event", std::move(message),
      "send events of API Gateway, a function URL or a load balancer, or a body for /invocations");
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (base::is_ascii_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

void add_parameter(std::string& query, std::string_view name, std::string_view value, bool encode) {
  if (!query.empty()) query += '&';
  if (encode) {
    append_encoded(query, name);
    query += '=';
    append_encoded(query, value);
  } else {
    query += cat(name, "=", value);
  }
}

// Calls `use` with name and value of an object of texts, or of lists of texts.
template <class Use>
void for_each_text(const Json* object, Use use) {
  if (object == nullptr) return;
  for (const auto& [name, value] : object->items()) {
    if (value.is_string()) use(name, value.template get_ref<const std::string&>());
    if (!value.is_array()) continue;
    for (const Json& one : value)
      if (one.is_string()) use(name, one.template get_ref<const std::string&>());
  }
}

void take_headers(const Json& event, LambdaEvent& taken) {
  const Json* many = text::find_object(event, "multiValueHeaders");
  const Json* headers = many != nullptr && !many->empty() ? many : text::find_object(event, "headers");
  taken.many_values = many != nullptr;
  for_each_text(headers, [&](std::string_view name, std::string_view value) {
    taken.headers.emplace_back(name, value);
  });
}

Status take_body(const Json& event, LambdaEvent& taken) {
  const std::string* body = text::find_string(event, "body");
  if (body == nullptr) return {};
  if (!text::find_bool(event, "isBase64Encoded").value_or(false)) {
    taken.body = *body;
    return {};
  }
  auto decoded = base::base64_decode(*body);
  if (!decoded) return bad("the event's body is said to be base64 and is not");
  taken.body = std::move(*decoded);
  return {};
}

Status take_gateway_2(const Json& event, const Json& context, const Json& http, LambdaEvent& taken) {
  taken.kind = LambdaEventKind::kGateway2;
  const std::string* method = text::find_string(http, "method");
  const std::string* path = text::find_string(event, "rawPath");
  if (method == nullptr || path == nullptr)
    return bad("the event has no requestContext.http.method or no rawPath");
  taken.method = *method;
  taken.path = *path;
  // A stage which is not the default one stands in front of the path.
  if (const std::string* stage = text::find_string(context, "stage");
      stage != nullptr && *stage != "$default")
    if (const std::string prefix = cat("/", *stage);
        taken.path.starts_with(prefix) &&
        (taken.path.size() == prefix.size() || taken.path[prefix.size()] == '/'))
      taken.path.erase(0, prefix.size());
  if (const std::string* query = text::find_string(event, "rawQueryString")) taken.query = *query;
  if (const std::string* source = text::find_string(http, "sourceIp")) taken.source = *source;
  return {};
}

void take_gateway_1(const Json& event, const Json* context, LambdaEvent& taken) {
  const bool balancer = context != nullptr && text::find_object(*context, "elb") != nullptr;
  taken.kind = balancer ? LambdaEventKind::kLoadBalancer : LambdaEventKind::kGateway1;
  taken.method = *text::find_string(event, "httpMethod");
  taken.path = *text::find_string(event, "path");
  const Json* many = text::find_object(event, "multiValueQueryStringParameters");
  const Json* query = many != nullptr ? many : text::find_object(event, "queryStringParameters");
  // API Gateway has decoded the parameters, a load balancer has not.
  for_each_text(query, [&](std::string_view name, std::string_view value) {
    add_parameter(taken.query, name, value, !balancer);
  });
  if (context == nullptr) return;
  if (const Json* identity = text::find_object(*context, "identity"))
    if (const std::string* source = text::find_string(*identity, "sourceIp")) taken.source = *source;
}

bool is_clean_path(std::string_view path) {
  return path.starts_with('/') && std::ranges::none_of(path, [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
         });
}

// Whether a body of this type can stand in JSON as it is.
bool is_text(const http::Response& response) {
  if (response.header_lines().find("Content-Encoding:") != std::string::npos) return false;
  const std::string_view type = response.content_type;
  return (type.starts_with("text/") || type.find("json") != type.npos ||
          type.find("javascript") != type.npos || type.find("xml") != type.npos ||
          type.find("openmetrics") != type.npos) &&
         base::is_valid_utf8(response.body);
}

template <class Use>
void for_each_header(const http::Response& response, Use use) {
  use("Content-Type", response.content_type);
  std::string_view lines = response.header_lines();
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 2);
    const std::size_t colon = line.find(": ");
    use(line.substr(0, colon), line.substr(colon + 2));
  }
}

}  // namespace

std::string_view LambdaEvent::header(std::string_view name) const {
  for (const auto& [held, value] : headers)
    if (http::equal_without_case(held, name)) return value;
  return {};
}

Result<LambdaEvent> read_lambda_event(std::string_view event) {
  TRY_ASSIGN(const Json json, text::parse_json(event, "the event", kLimits));
  LambdaEvent taken;
  const Json* context = text::find_object(json, "requestContext");
  const Json* http = context == nullptr ? nullptr : text::find_object(*context, "http");
  if (http != nullptr) {
    TRY(take_gateway_2(json, *context, *http, taken));
  } else if (text::find_string(json, "httpMethod") != nullptr && text::find_string(json, "path") != nullptr) {
    take_gateway_1(json, context, taken);
  } else {
    taken.method = "POST";
    taken.path = "/invocations";
    taken.headers.emplace_back("Content-Type", "application/json");
    taken.body = event;
    return taken;
  }
  if (taken.path.empty()) taken.path = "/";
  if (!is_clean_path(taken.path)) {
    // Payload 1.0 has the path decoded.
    std::string encoded;
    for (const std::string_view segment : base::split(taken.path, '/')) {
      if (!encoded.empty() || segment.data() != taken.path.data()) encoded += '/';
      append_encoded(encoded, segment);
    }
    taken.path = encoded;
    if (!is_clean_path(taken.path)) return bad("the event's path does not begin with '/'");
  }
  take_headers(json, taken);
  TRY(take_body(json, taken));
  return taken;
}

std::string lambda_answer(const LambdaEvent& event, const http::Response& response) {
  if (event.kind == LambdaEventKind::kPlain) return response.body;
  const bool text = is_text(response);
  Json headers = Json::object(), lists = Json::object();
  for_each_header(response, [&](std::string_view name, std::string_view value) {
    const std::string key(name);
    Json& held = headers[key];
    held = held.is_string() ? cat(held.get_ref<const std::string&>(), ", ", value) : std::string(value);
    lists[key].push_back(std::string(value));
  });
  Json answer = {{"statusCode", response.status}};
  if (event.kind == LambdaEventKind::kLoadBalancer) {
    answer["statusDescription"] = cat(response.status, " ", http::reason_phrase(response.status));
    if (event.many_values) answer["multiValueHeaders"] = std::move(lists);
  }
  if (event.kind != LambdaEventKind::kLoadBalancer || !event.many_values)
    answer["headers"] = std::move(headers);
  answer["isBase64Encoded"] = !text;
  answer["body"] = text ? response.body : base::base64_encode(response.body);
  return text::write_json(answer);
}

std::string lambda_error(std::string_view type, std::string_view message) {
  const Json error = {{"errorMessage", message}, {"errorType", type}, {"stackTrace", Json::array()}};
  return text::write_json(error);
}

}  // namespace wherry::serve
