#include "http/tls_ticket_keys.h"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace wherry::http {

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

std::optional<TicketKey> TicketKeys::newest(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (count_ == 0 || now - keys_[0].made >= kRotation) {
    Held made{{}, now};
    TicketKey& key = made.key;
    if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
        RAND_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
        RAND_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1)
      return std::nullopt;
    std::shift_right(keys_.begin(), keys_.end(), 1);
    keys_[0] = made;
    count_ = std::min(count_ + 1, keys_.size());
  }
  return keys_[0].key;
}

std::optional<TicketKeys::Found> TicketKeys::find(std::span<const unsigned char, 16> name, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < count_; ++i)
    if (std::ranges::equal(keys_[i].key.name, name)) {
      if (now - keys_[i].made >= kRotation + kTicketLife) return std::nullopt;
      return Found{keys_[i].key, i == 0 && now - keys_[i].made < kRotation};
    }
  return std::nullopt;
}

}  // namespace wherry::http
