// What a listener needs to speak TLS (1.2 and 1.3): certificate, key and the authorities of client
// certificates, read from files and read again when the files change, without a connection noticing. Tickets
// let clients come back without a full handshake (RFC 5077, RFC 8446 section 2.2); their keys live in memory
// only and change every hour. No renegotiation, no compression, no early data.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"

namespace wherry::http {

enum class ClientCertificate : std::uint8_t {
  kNone,      // not asked for
  kOptional,  // asked for; none is fine, one that does not verify ends the handshake
  kRequired,
};

// PEM files.
struct TlsOptions {
  std::filesystem::path certificate;  // the server's own first, then those which lead to the authority
  std::filesystem::path key;
  std::filesystem::path client_authorities;  // needed unless client_certificate is kNone
  ClientCertificate client_certificate = ClientCertificate::kNone;
  bool http2 = true;  // offered through ALPN
};

struct TlsStatus {
  std::string subject;  // common name, or the first name, of the certificate served
  std::chrono::system_clock::time_point not_after;  // its end
  std::uint64_t reloads = 0;                        // since the start
  std::optional<base::Error> problem;  // why the files as they are now do not serve (older ones do)
};

struct TlsGeneration;  // one state of the files, made ready; internal

// Thread-safe.
class TlsContext {
 public:
  // Errors: what reading a file fails with; kUsage http.tls_{not_pem,key_protected,key_mismatch,unusable},
  // http.tls_{expired,not_yet_valid,no_authorities}. Each names the file. `files` and `clock` must outlive
  // the context.
  static base::Result<std::shared_ptr<TlsContext>> load(TlsOptions options, base::FileSystem& files,
                                                        base::Clock& clock);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Looks at the files: true when they have changed and serve from now on. Compares contents, so that links
  // which are swapped (Kubernetes) and copies count alike. The first time that something is wrong with what
  // they contain now, the error; the older state goes on serving. For one thread at a time.
  base::Result<bool> refresh();
  TlsStatus status() const;
  const TlsOptions& options() const { return options_; }

 private:
  friend class TlsMachine;
  struct State;
  TlsContext(TlsOptions options, base::FileSystem& files, base::Clock& clock);
  std::shared_ptr<const TlsGeneration> current() const;

  TlsOptions options_;
  base::FileSystem& files_;
  base::Clock& clock_;
  std::unique_ptr<State> state_;
};

// Calls refresh() on a thread of its own every `interval`, until destroyed; `report` hears, on that thread,
// of reloads and of errors.
class TlsWatcher {
 public:
  using Report = std::function<void(const TlsContext&, const base::Result<bool>&)>;
  TlsWatcher(std::vector<std::shared_ptr<TlsContext>> contexts, std::chrono::milliseconds interval,
             Report report);
  ~TlsWatcher();
  TlsWatcher(const TlsWatcher&) = delete;
  TlsWatcher& operator=(const TlsWatcher&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wherry::http
