// Feeds the server's side of TLS with arbitrary bytes, in pieces, before and after a handshake: it must
// neither crash nor grow, and what it says must stay bounded.
#include <cstdint>
#include <cstdlib>
#include <map>

#include "http/test_certificates.h"
#include "http/tls_machine.h"

namespace {

using namespace wherry;
using namespace wherry::http;

class OneFile : public base::FileSystem {
 public:
  OneFile() {
    const TestAuthority authority;
    const TestKeyPair pair = authority.issue({.to_seconds = 864000});
    files = {{"cert", pair.certificate}, {"key", pair.key}, {"ca", authority.certificate()}};
  }
  base::Result<std::string> read(const std::filesystem::path& path, std::uint64_t) override {
    return files[path.string()];
  }
  base::Status write(const std::filesystem::path&, std::string_view, bool) override { return {}; }
  bool exists(const std::filesystem::path&) override { return true; }
  base::Status remove_all(const std::filesystem::path&) override { return {}; }
  std::map<std::string, std::string> files;
};

void feed(TlsMachine& machine, std::string_view bytes, std::size_t piece) {
  char plain[1000];
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    machine.received(bytes.substr(0, piece));
    while (machine.read(plain) > 0) {
    }
    if (machine.output().size() > 100'000) std::abort();
  }
  machine.write("answer");
  machine.close();
}

// A client over memory which shakes hands with `machine`.
void shake_hands(TlsMachine& machine) {
  const SslContext context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, FreeWith<SSL_free>> ssl(SSL_new(context.get()));
  BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_connect_state(ssl.get());
  for (int round = 0; round < 4; ++round) {
    SSL_do_handshake(ssl.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    if (size > 0) machine.received({bytes, static_cast<std::size_t>(size)});
    BIO_reset(out);
    BIO_write(in, machine.output().data(), static_cast<int>(machine.output().size()));
    machine.output().clear();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static OneFile files;
  static const auto context =
      TlsContext::load({"cert", "key", "ca", ClientCertificate::kOptional}, files, base::system_clock());
  if (!context) std::abort();
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  TlsMachine machine(**context);
  if (data[0] % 8 == 0) shake_hands(machine);
  feed(machine, bytes, data[1] + 1u);
  return 0;
}
