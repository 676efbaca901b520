#include "kube/fake_api.h"

#include <algorithm>

#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube::testing {

using base::cat;
using http_client::Response;
using text::Json;

struct FakeApi::Call {
  std::string method, path, collection, namespace_name, plural, name, token;
  std::map<std::string, std::string> query;
  std::string option(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? std::string() : found->second;
  }
};

namespace {

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Response answer(int status, const Json& body) {
  Response response;
  response.status = status;
  response.body = text::write_json(body) + "\n";
  return response;
}

Response refuse(int code, const std::string& reason, const std::string& message,
                Json details = Json::object()) {
  Json status{
      {"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"}, {"message", message}, {"code", code}};
  if (!reason.empty()) status["reason"] = reason;
  if (!details.empty()) status["details"] = details;
  return answer(code, status);
}

// Every leaf below `value`, lists being leaves.
void flatten(const std::string& path, const Json& value, std::map<std::string, Json>& into) {
  if (value.is_object() && !value.empty())
    for (const auto& [key, member] : value.items()) flatten(cat(path, ".", key), member, into);
  else
    into[path] = value;
}

std::map<std::string, Json> leaves(const Json& object) {
  Json copy = object;
  for (const char* key : {"apiVersion", "kind"}) copy.erase(key);
  copy["metadata"].erase("name");
  copy["metadata"].erase("namespace");
  std::map<std::string, Json> flat;
  flatten("", copy, flat);
  flat.erase(".metadata");
  return flat;
}

std::optional<std::string> unknown_field(const Json& object) {
  const std::vector<std::string> known{"replicas",
                                       "selector",
                                       "template",
                                       "strategy",
                                       "minReadySeconds",
                                       "revisionHistoryLimit",
                                       "progressDeadlineSeconds",
                                       "paused"};
  if (string_at(object, {"kind"}) != "Deployment") return std::nullopt;
  for (const auto& [key, value] : at(object, {"spec"}).items())
    if (std::ranges::find(known, key) == known.end()) return ".spec." + key;
  return std::nullopt;
}

bool matches(const Json& object, const std::string& selector) {
  if (selector.empty()) return true;
  for (std::string_view term : base::split(selector, ',')) {
    const auto equals = term.find('=');
    const std::string key(term.substr(0, equals));
    const std::string value(term.substr(equals + 1));
    const std::string is = key == "metadata.name"        ? string_at(object, {"metadata", "name"})
                           : key == "involvedObject.uid" ? string_at(object, {"involvedObject", "uid"})
                                                         : string_at(object, {"metadata", "labels", key});
    if (is != value) return false;
  }
  return true;
}

}  // namespace

FakeApi::FakeApi() {
  put("/api/v1/namespaces/default", {{"metadata", {{"name", "default"}}}});
}

void FakeApi::put(const std::string& path, Json object) {
  ++version_;
  object["metadata"]["resourceVersion"] = cat(version_);
  const bool known = objects_.contains(path);
  objects_[path] = object;
  events_.push_back({version_, known ? "MODIFIED" : "ADDED", path, std::move(object)});
}

bool FakeApi::is_known_namespace(const std::string& name) const {
  return name.empty() || objects_.contains("/api/v1/namespaces/" + name);
}

base::Result<Response> FakeApi::handle(const http_client::Request& request) {
  const std::string rest = request.url.substr(std::string("https://fake").size());
  requests.push_back(cat(request.method, " ", rest));
  if (!faults.empty()) {
    auto fault = faults.front();
    faults.erase(faults.begin());
    return fault;
  }
  Call call;
  call.method = request.method;
  call.path = unescape(rest.substr(0, rest.find('?')));
  if (const auto mark = rest.find('?'); mark != std::string::npos)
    for (std::string_view pair : base::split(std::string_view(rest).substr(mark + 1), '&'))
      call.query[std::string(pair.substr(0, pair.find('=')))] = unescape(pair.substr(pair.find('=') + 1));
  std::string content_type;
  for (const auto& [name, value] : request.headers) {
    if (name == "Authorization") call.token = value;
    if (name == "Content-Type") content_type = value;
  }
  if (call.token != "Bearer admin" && call.token != "Bearer limited")
    return refuse(401, "Unauthorized", "Unauthorized");
  if (call.path == "/version") return answer(200, {{"major", "1"}, {"minor", "36"}});
  auto parts = base::split(call.path, '/');  // "", "api", "v1", … or "", "apis", GROUP, VERSION, …
  const std::size_t skip = call.path.starts_with("/apis/") ? 4 : 3;
  const bool known_group =
      skip == 3 || parts[2] == "apps" || parts[2] == "policy" || parts[2] == "networking.k8s.io";
  if (parts.size() <= skip || !known_group) {
    Response response;
    response.status = 404;
    response.body = "404 page not found\n";
    return response;
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(skip));
  if (parts.size() >= 3 && parts[0] == "namespaces") {
    call.namespace_name = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  call.plural = parts[0];
  if (parts.size() > 1) call.name = parts[1];
  call.collection =
      call.name.empty() ? call.path : call.path.substr(0, call.path.size() - call.name.size() - 1);
  const bool watching = call.option("watch") == "true";
  const std::string verb = call.method == "PATCH"    ? "patch"
                           : call.method == "DELETE" ? "delete"
                           : watching                ? "watch"
                           : call.name.empty()       ? "list"
                                                     : "get";
  if (call.token == "Bearer limited" && (call.plural != "deployments" || verb == "delete"))
    return refuse(403, "Forbidden",
                  cat(call.plural, " \"", call.name, "\" is forbidden: User \"system:serviceaccount:",
                      call.namespace_name, ":limited\" cannot ", verb, " resource \"", call.plural,
                      "\" in API group \"\" in the namespace \"", call.namespace_name, "\""),
                  {{"kind", call.plural}});
  if (call.method == "PATCH") {
    if (content_type != "application/apply-patch+yaml")
      return refuse(415, "UnsupportedMediaType", "wrong type");
    return apply(call, request.body);
  }
  if (call.method == "DELETE") return remove(call);
  if (watching) return watch(call);
  return call.name.empty() ? list(call) : get(call);
}

Response FakeApi::get(const Call& call) {
  const auto found = objects_.find(call.path);
  if (found == objects_.end())
    return refuse(404, "NotFound", cat(call.plural, " \"", call.name, "\" not found"),
                  {{"name", call.name}, {"kind", call.plural}});
  return answer(200, found->second);
}

Response FakeApi::list(const Call& call) {
  Json items = Json::array();
  for (const auto& [path, object] : objects_)
    if (path.starts_with(call.collection + "/") &&
        path.find('/', call.collection.size() + 1) == std::string::npos &&
        matches(object, call.option("labelSelector")) && matches(object, call.option("fieldSelector")))
      items.push_back(object);
  return answer(200,
                {{"kind", "List"}, {"metadata", {{"resourceVersion", cat(version_)}}}, {"items", items}});
}

std::vector<std::pair<std::string, std::string>> FakeApi::conflicts(const Call& call,
                                                                    const Json& object) const {
  std::vector<std::pair<std::string, std::string>> found;
  const auto live = objects_.find(call.path);
  const auto owners = managers_.find(call.path);
  if (live == objects_.end() || owners == managers_.end()) return found;
  const auto now = leaves(live->second);
  for (const auto& [field, value] : leaves(object)) {
    const auto owner = owners->second.find(field);
    const auto current = now.find(field);
    if (owner != owners->second.end() && owner->second != call.option("fieldManager") &&
        current != now.end() && current->second != value)
      found.emplace_back(field, owner->second);
  }
  return found;
}

Response FakeApi::apply(const Call& call, const std::string& body) {
  if (call.option("fieldManager").empty()) return refuse(400, "BadRequest", "fieldManager is required");
  const Json object = Json::parse(body);
  if (!is_known_namespace(call.namespace_name))
    return refuse(404, "NotFound", cat("namespaces \"", call.namespace_name, "\" not found"),
                  {{"name", call.namespace_name}, {"kind", "namespaces"}});
  if (const auto field = unknown_field(object))
    return refuse(500, "",
                  cat("failed to create typed patch object (/", call.name,
                      "; apps/v1, Kind=Deployment): ", *field, ": field not declared in schema"));
  if (integer_at(object, {"spec", "replicas"}) < 0)
    return refuse(
        422, "Invalid", "is invalid",
        {{"causes", Json::array({{{"reason", "FieldValueInvalid"},
                                  {"message", "Invalid value: -1: must be greater than or equal to 0"},
                                  {"field", "spec.replicas"}}})}});
  const auto opposed = conflicts(call, object);
  if (!opposed.empty() && call.option("force") != "true") {
    Json causes = Json::array();
    for (const auto& [field, manager] : opposed)
      causes.push_back({{"reason", "FieldManagerConflict"},
                        {"message", cat("conflict with \"", manager, "\"")},
                        {"field", field}});
    return refuse(409, "Conflict", "Apply failed with conflicts", {{"causes", causes}});
  }
  const bool created = !objects_.contains(call.path);
  Json merged =
      created ? Json{{"metadata", {{"uid", cat("uid-", version_)}, {"generation", 1}}}} : objects_[call.path];
  merged.merge_patch(object);
  if (!call.namespace_name.empty()) merged["metadata"]["namespace"] = call.namespace_name;
  if (!created && merged != objects_[call.path])
    merged["metadata"]["generation"] = integer_at(merged, {"metadata", "generation"}) + 1;
  Response response;
  if (call.option("dryRun") != "All") {
    for (const auto& [field, value] : leaves(object)) {
      auto& owner = managers_[call.path][field];
      if (owner.empty() || call.option("force") == "true") owner = call.option("fieldManager");
    }
    if (created || merged != objects_[call.path]) put(call.path, merged);
    merged = objects_[call.path];
  }
  response = answer(created ? 201 : 200, merged);
  const Json& containers = list_at(object, {"spec", "template", "spec", "containers"});
  if (!containers.empty() && !containers.front().contains("securityContext"))
    response.headers.emplace_back("Warning",
                                  "299 - \"would violate PodSecurity \\\"restricted:latest\\\": x\"");
  return response;
}

Response FakeApi::remove(const Call& call) {
  const auto found = objects_.find(call.path);
  if (found == objects_.end()) return get(call);
  events_.push_back({++version_, "DELETED", call.path, found->second});
  objects_.erase(found);
  return answer(200, {{"kind", "Status"}, {"status", "Success"}});
}

Response FakeApi::watch(const Call& call) {
  const auto from = base::parse_unsigned(call.option("resourceVersion")).value_or(0);
  if (on_watch) on_watch();
  Response response;
  response.status = 200;
  if (from < oldest_version) {
    response.body =
        R"({"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","code":410}})"
        "\n";
    return response;
  }
  for (const Event& event : events_)
    if (event.version > from && event.path.starts_with(call.collection + "/") &&
        matches(event.object, call.option("fieldSelector")))
      response.body += text::write_json({{"type", event.type}, {"object", event.object}}) + "\n";
  response.body +=
      cat(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")", version_, "\"}}}\n");
  return response;
}

}  // namespace wherry::kube::testing
