// The Kubernetes API over HTTP: six verbs, JSON in and out, refusals as errors which say what to do.
//
// Sources: Kubernetes API concepts (server-side apply, watch with bookmarks, 410 Gone), client-go rest.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http_client/transport.h"

#include "base/clock.h"
#include "base/error.h"
#include "kube/credentials.h"
#include "kube/kinds.h"
#include "text/json.h"

namespace wherry::kube {

inline constexpr std::string_view kFieldManager = "wherry";

struct ApplyOptions {
  bool force = false;    // take over fields of other managers
  bool dry_run = false;  // the server validates and answers, but stores nothing
  std::string manager = std::string(kFieldManager);
};

struct Applied {
  text::Json object;  // as the server has it now
  bool created = false;
  std::vector<std::string> warnings;  // of the server (deprecated fields, Pod Security)
};

struct Selector {
  std::string labels;  // "app.kubernetes.io/name=fraud"
  std::string fields;  // "metadata.name=fraud"
};

struct Listed {
  std::vector<text::Json> items;
  std::string resource_version;  // where a watch goes on
};

struct WatchEvent {
  std::string type;          // "ADDED", "MODIFIED", "DELETED"; bookmarks are not shown
  const text::Json& object;  // valid during the call
  std::string resource_version;
};

enum class WatchEnd {
  kStopped,  // the callback had enough
  kEnded,    // the server closed the stream after the time asked for
  kGone,     // the resource version is too old: list again
};

struct ClientOptions {
  std::function<std::unique_ptr<http_client::Transport>(http_client::TransportOptions)> make_transport =
      [](http_client::TransportOptions options) { return http_client::make_transport(std::move(options)); };
  std::chrono::milliseconds timeout{30'000};  // of one request, watches excepted
  std::vector<std::chrono::milliseconds> waits{std::chrono::milliseconds(250),
                                               std::chrono::milliseconds(1000),
                                               std::chrono::milliseconds(3000)};  // before each further try
  std::chrono::milliseconds most_retry_after{20'000};
  const std::atomic<bool>* cancelled = nullptr;
};

// Not thread-safe. Errors of every call: those of error_of() and unreachable() in api_status.h, of the
// credentials, and "kube.answer_malformed". 429, 502, 503 and 504, and 500 with Retry-After, are tried again,
// as is a broken connection; 401 once more after the credentials were renewed.
class Client {
 public:
  // `clock` is borrowed.
  Client(Access access, base::Clock& clock, ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;

  const Access& access() const;

  base::Result<text::Json> get(const ObjectName& object);

  // All pages; "kube.answer_malformed" beyond 100 000 items.
  base::Result<Listed> list(const Kind& kind, const std::string& namespace_name,
                            const Selector& selector = {});

  // Server-side apply with fieldValidation=Strict. `object` has apiVersion, kind and metadata.name;
  // "kube.kind_unsupported" for a kind not in the table.
  base::Result<Applied> apply(const text::Json& object, const ApplyOptions& options = {});

  // Deletes in the background; an object which is not there is "kube.object_missing".
  base::Status remove(const ObjectName& object);

  // Follows changes after `resource_version` for at most `time`. The callback returns false to stop.
  base::Result<WatchEnd> watch(const Kind& kind, const std::string& namespace_name, const Selector& selector,
                               const std::string& resource_version, std::chrono::seconds time,
                               const std::function<base::Result<bool>(const WatchEvent&)>& on_event);

  // GET of any path (with query) as text: logs, /version. `about` is what errors speak of.
  base::Result<std::string> raw(const std::string& path, const ObjectName& about,
                                std::uint64_t most_bytes = 1u << 20);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The x of Kubernetes 1.x, from /version. Errors: as Client::raw, "kube.answer_malformed".
base::Result<int> server_minor_version(Client& client);

// The last `lines` lines of a container's log; `previous`: of its last run, not of the current one.
base::Result<std::vector<std::string>> log_tail(Client& client, const ObjectName& pod,
                                                const std::string& container, bool previous, int lines);

// The object's name as the API knows it. Errors: "kube.kind_unsupported", text.json_member.
base::Result<ObjectName> name_of(const text::Json& object);

}  // namespace wherry::kube
