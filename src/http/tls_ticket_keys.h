// The keys that session tickets are encrypted with (RFC 5077 section 4): random, in memory only, a new one
// every hour; older ones open tickets for two hours more. Internal to module http.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>

namespace wherry::http {

struct TicketKey {
  std::array<unsigned char, 16> name{};  // travels in clear in front of the ticket
  std::array<unsigned char, 32> cipher{}, mac{};
};

// Thread-safe.
class TicketKeys {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kRotation{3600};
  static constexpr std::chrono::seconds kTicketLife{2 * 3600};

  struct Found {
    TicketKey key;
    bool newest;
  };

  TicketKeys() = default;
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // The key for a new ticket; nullopt when the system gives no random bytes.
  std::optional<TicketKey> newest(SteadyTime now);
  // The key of that name, unless it is too old.
  std::optional<Found> find(std::span<const unsigned char, 16> name, SteadyTime now);

 private:
  struct Held {
    TicketKey key;
    SteadyTime made;
  };
  std::mutex mutex_;
  std::array<Held, 4> keys_;  // newest first
  std::size_t count_ = 0;
};

}  // namespace wherry::http
