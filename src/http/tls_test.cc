#include "http/tls.h"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <openssl/err.h>

#include "http/test_certificates.h"
#include "http/tls_machine.h"

namespace wherry::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MemoryFiles : public base::FileSystem {
 public:
  base::Result<std::string> read(const std::filesystem::path& path, std::uint64_t) override {
    const auto found = files.find(path.string());
    if (found != files.end()) return found->second;
    return base::fail(base::Code::kNotFound, "base.file_not_found", path.string() + " does not exist");
  }
  base::Status write(const std::filesystem::path& path, std::string_view content, bool) override {
    files[path.string()] = content;
    return {};
  }
  bool exists(const std::filesystem::path& path) override { return files.contains(path.string()); }
  base::Status remove_all(const std::filesystem::path& path) override {
    files.erase(path.string());
    return {};
  }
  std::map<std::string, std::string> files;
};

// Real time, moved forward at will.
class MovedClock : public base::Clock {
 public:
  std::chrono::system_clock::time_point now() override { return std::chrono::system_clock::now() + moved; }
  std::chrono::steady_clock::time_point steady_now() override {
    return std::chrono::steady_clock::now() + moved;
  }
  void sleep_for(std::chrono::milliseconds duration) override { moved += duration; }
  std::chrono::milliseconds moved{0};
};

struct ClientOptions {
  int most_version = TLS1_3_VERSION;
  std::string protocols;  // ALPN, as on the wire
  TestKeyPair certificate;
  SSL_SESSION* session = nullptr;
};

// OpenSSL's client over memory, driven against a TlsMachine.
class Client {
 public:
  explicit Client(const ClientOptions& options) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), options.most_version);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* given) {
      auto& held = static_cast<Client*>(SSL_get_app_data(ssl))->session;
      SSL_SESSION_free(held);
      held = given;
      return 1;
    });
    if (!options.certificate.key.empty()) use(options.certificate);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_app_data(ssl_.get(), this);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    if (!options.protocols.empty())
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  }
  ~Client() { SSL_SESSION_free(session); }

  // Passes bytes to and fro until neither side has any; what the client read.
  std::string exchange(TlsMachine& machine, std::size_t piece = SIZE_MAX) {
    std::string got;
    for (bool moved = true; moved;) {
      char buffer[20'000];
      SSL_do_handshake(ssl_.get());
      for (int count; (count = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0;)
        got.append(buffer, static_cast<std::size_t>(count));
      moved = pass(machine, piece);
    }
    ERR_clear_error();
    return got;
  }
  void write(std::string_view text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); }
  SSL* ssl() { return ssl_.get(); }

  SSL_SESSION* session = nullptr;
  std::string server_read;

 private:
  bool pass(TlsMachine& machine, std::size_t piece) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_reset(out_);
    char plain[5000];
    for (std::size_t at = 0; at < text.size(); at += piece == SIZE_MAX ? text.size() : piece) {
      machine.received(std::string_view(text).substr(at, piece));
      while (const std::size_t count = machine.read(plain)) server_read.append(plain, count);
    }
    const std::string answer = std::exchange(machine.output(), {});
    BIO_write(in_, answer.data(), static_cast<int>(answer.size()));
    return !text.empty() || !answer.empty();
  }
  void use(const TestKeyPair& pair) {
    BIO* text = BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size()));
    X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    BIO_free(text);
    text = BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
    BIO_free(text);
    SSL_CTX_use_certificate(context_.get(), certificate);
    SSL_CTX_use_PrivateKey(context_.get(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  SslContext context_;
  std::unique_ptr<SSL, FreeWith<SSL_free>> ssl_;
  BIO *in_, *out_;
};

class Tls : public testing::Test {
 protected:
  Tls() { put(authority_.issue({})); }

  void put(const TestKeyPair& pair) {
    files_.files["cert.pem"] = pair.certificate;
    files_.files["key.pem"] = pair.key;
    files_.files["ca.pem"] = authority_.certificate();
  }
  std::shared_ptr<TlsContext> context(ClientCertificate wanted = ClientCertificate::kNone) {
    auto loaded = TlsContext::load({"cert.pem", "key.pem", "ca.pem", wanted}, files_, clock_);
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *loaded : nullptr;
  }
  base::Error load_error(ClientCertificate wanted = ClientCertificate::kNone) {
    auto loaded = TlsContext::load({"cert.pem", "key.pem", "ca.pem", wanted}, files_, clock_);
    EXPECT_FALSE(loaded);
    return loaded ? base::Error{} : loaded.error();
  }
  // The state of the server's side after a handshake.
  TlsMachine::State handshake(const TlsContext& context, const ClientOptions& options) {
    TlsMachine machine(context);
    Client client(options);
    client.exchange(machine);
    return machine.state();
  }

  TestAuthority authority_;
  MemoryFiles files_;
  MovedClock clock_;
};

TEST_F(Tls, CarriesBytesBothWaysInBothVersions) {
  const auto server = context();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsMachine machine(*server);
    Client client({.most_version = version});
    client.exchange(machine);
    ASSERT_EQ(machine.state(), TlsMachine::State::kOpen);
    EXPECT_EQ(SSL_version(client.ssl()), version);
    client.write("question");
    client.exchange(machine);
    EXPECT_EQ(client.server_read, "question");
    machine.write("answer");
    EXPECT_EQ(client.exchange(machine), "answer");
  }
}
TEST_F(Tls, TakesBytesInAnyPieces) {
  const auto server = context();
  TlsMachine machine(*server);
  Client client({});
  client.exchange(machine, 1);
  client.write("question");
  client.exchange(machine, 1);
  EXPECT_EQ(client.server_read, "question");
}
TEST_F(Tls, CarriesMoreThanOneRecord) {
  const auto server = context();
  TlsMachine machine(*server);
  Client client({});
  client.exchange(machine);
  const std::string large(300'000, 'x');
  client.write(large);
  client.exchange(machine);
  EXPECT_TRUE(client.server_read == large);
  machine.write(large);
  EXPECT_TRUE(client.exchange(machine) == large);
}
TEST_F(Tls, RefusesOldVersions) {
  TlsMachine machine(*context());
  Client client({.most_version = TLS1_1_VERSION});
  SSL_set_security_level(client.ssl(), 0);
  client.exchange(machine);
  EXPECT_EQ(machine.state(), TlsMachine::State::kFailed);
}
TEST_F(Tls, ChoosesHttp2WhereTheClientOffersIt) {
  const auto server = context();
  for (const auto& [offered, http2] : {std::pair<std::string, bool>{"\x02h2\x08http/1.1", true},
                                       {"\x08http/1.1\x02h2", true},
                                       {"\x08http/1.1", false},
                                       {"", false}}) {
    TlsMachine machine(*server);
    Client client({.protocols = offered});
    client.exchange(machine);
    EXPECT_EQ(machine.state(), TlsMachine::State::kOpen);
    EXPECT_EQ(machine.http2(), http2) << offered;
  }
}
TEST_F(Tls, RefusesAClientWithNoProtocolOfOurs) {
  EXPECT_EQ(handshake(*context(), {.protocols = "\x04smtp"}), TlsMachine::State::kFailed);
}
TEST_F(Tls, ResumesWithATicket) {
  const auto server = context();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsMachine first(*server);
    Client client({.most_version = version});
    client.exchange(first);
    ASSERT_NE(client.session, nullptr);
    TlsMachine second(*server);
    Client again({.most_version = version, .session = client.session});
    again.exchange(second);
    EXPECT_EQ(second.state(), TlsMachine::State::kOpen);
    EXPECT_TRUE(second.resumed()) << version;
  }
}
TEST_F(Tls, ResumesAcrossAReloadOfTheCertificate) {
  const auto server = context();
  TlsMachine first(*server);
  Client client({});
  client.exchange(first);
  put(authority_.issue({}));
  ASSERT_TRUE(server->refresh().value());
  TlsMachine second(*server);
  Client again({.session = client.session});
  again.exchange(second);
  EXPECT_TRUE(second.resumed());
}
TEST_F(Tls, ForgetsTicketsWhoseKeyIsTooOld) {
  const auto server = context();
  TlsMachine first(*server);
  Client client({.most_version = TLS1_2_VERSION});
  client.exchange(first);
  clock_.moved += TicketKeys::kRotation + TicketKeys::kTicketLife;
  TlsMachine second(*server);
  Client again({.most_version = TLS1_2_VERSION, .session = client.session});
  again.exchange(second);
  EXPECT_EQ(second.state(), TlsMachine::State::kOpen);
  EXPECT_FALSE(second.resumed());
}
TEST_F(Tls, NamesTheOwnerOfAVerifiedClientCertificate) {
  const auto server = context(ClientCertificate::kRequired);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsMachine machine(*server);
    Client client(
        {.most_version = version,
         .certificate = authority_.issue(
             {.name = "fraud team", .alternatives = "DNS:a.example,URI:spiffe://b,email:c@d,IP:192.0.2.1"})});
    client.exchange(machine);
    ASSERT_EQ(machine.state(), TlsMachine::State::kOpen) << machine.failure();
    EXPECT_EQ(machine.subject(), "fraud team");
    EXPECT_THAT(machine.names(), ElementsAre("a.example", "spiffe://b", "c@d", "192.0.2.1"));
  }
}
TEST_F(Tls, KeepsTheOwnerOverAResumption) {
  const auto server = context(ClientCertificate::kRequired);
  TlsMachine first(*server);
  Client client({.certificate = authority_.issue({.name = "me"})});
  client.exchange(first);
  TlsMachine second(*server);
  Client again({.session = client.session});
  again.exchange(second);
  ASSERT_TRUE(second.resumed());
  EXPECT_EQ(second.subject(), "me");
}
TEST_F(Tls, RefusesToResumeForACertificateWhichHasExpired) {
  const auto server = context(ClientCertificate::kRequired);
  TlsMachine first(*server);
  Client client({.certificate = authority_.issue({.name = "me", .to_seconds = 600})});
  client.exchange(first);
  clock_.moved += std::chrono::seconds{700};
  TlsMachine second(*server);
  Client again({.session = client.session});
  again.exchange(second);
  EXPECT_EQ(second.state(), TlsMachine::State::kFailed);
}
TEST_F(Tls, ForgetsTicketsWhenTheAuthoritiesOfClientsChange) {
  const auto server = context(ClientCertificate::kRequired);
  TlsMachine first(*server);
  Client client({.certificate = authority_.issue({.name = "me"})});
  client.exchange(first);
  const TestAuthority other;
  files_.files["ca.pem"] = other.certificate();
  ASSERT_TRUE(server->refresh().value());
  TlsMachine second(*server);
  Client again({.session = client.session});
  again.exchange(second);
  EXPECT_EQ(second.state(), TlsMachine::State::kFailed);  // and no certificate for the full handshake
}
TEST_F(Tls, RequiresACertificateWhereItIsRequired) {
  EXPECT_EQ(handshake(*context(ClientCertificate::kRequired), {}), TlsMachine::State::kFailed);
}
TEST_F(Tls, DoesWithoutACertificateWhereItIsOptional) {
  const auto server = context(ClientCertificate::kOptional);
  TlsMachine machine(*server);
  Client client({});
  client.exchange(machine);
  EXPECT_EQ(machine.state(), TlsMachine::State::kOpen);
  EXPECT_EQ(machine.subject(), "");
}
TEST_F(Tls, RefusesCertificatesOfOthersAlsoWhereTheyAreOptional) {
  const TestAuthority stranger;
  const ClientOptions options{.certificate = stranger.issue({.name = "me"})};
  EXPECT_EQ(handshake(*context(ClientCertificate::kOptional), options), TlsMachine::State::kFailed);
  EXPECT_EQ(handshake(*context(ClientCertificate::kRequired), options), TlsMachine::State::kFailed);
}
TEST_F(Tls, RefusesExpiredClientCertificates) {
  const ClientOptions options{.certificate = authority_.issue({.name = "me", .to_seconds = -60})};
  EXPECT_EQ(handshake(*context(ClientCertificate::kRequired), options), TlsMachine::State::kFailed);
}
TEST_F(Tls, TellsPlainHttpClientsWhatIsSpokenHere) {
  TlsMachine machine(*context());
  machine.received("GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(machine.state(), TlsMachine::State::kFailed);
  EXPECT_THAT(machine.output(), HasSubstr(R"({"error":"TLS is spoken here)"));
}
TEST_F(Tls, EndsAHandshakeWhichIsTooLong) {
  TlsMachine machine(*context(ClientCertificate::kRequired));
  // A ClientHello in records of one byte: legal, and without end.
  std::string record("\x16\x03\x01\x00\x01\x01", 6);
  machine.received(record);
  std::string second("\x16\x03\x01\x00\x03\x00\x80\x00", 8);  // its length: 32 KiB
  machine.received(second);
  std::string rest("\x16\x03\x01\x00\x01\x00", 6);
  for (int i = 0; i < 40'000 && machine.state() == TlsMachine::State::kHandshake; ++i) machine.received(rest);
  EXPECT_EQ(machine.state(), TlsMachine::State::kFailed);
}
TEST_F(Tls, SaysGoodbye) {
  const auto server = context();
  TlsMachine machine(*server);
  Client client({});
  client.exchange(machine);
  machine.close();
  client.exchange(machine);
  EXPECT_EQ(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}
TEST_F(Tls, NoticesThatTheClientSaysGoodbyeAndStillAnswers) {
  const auto server = context();
  TlsMachine machine(*server);
  Client client({});
  client.exchange(machine);
  client.write("last");
  SSL_shutdown(client.ssl());
  client.exchange(machine);
  EXPECT_EQ(machine.state(), TlsMachine::State::kEnded);
  machine.write("answer");
  EXPECT_FALSE(machine.output().empty());
}
TEST_F(Tls, RefusesRenegotiation) {
  const auto server = context();
  TlsMachine machine(*server);
  Client client({.most_version = TLS1_2_VERSION});
  client.exchange(machine);
  SSL_renegotiate(client.ssl());
  client.exchange(machine);
  EXPECT_TRUE(SSL_in_init(client.ssl()));  // the second handshake never ends
}

TEST_F(Tls, SaysThatAFileIsMissing) {
  files_.files.erase("key.pem");
  EXPECT_THAT(load_error().message, HasSubstr("key.pem"));
}
TEST_F(Tls, SaysThatTheKeyIsNotTheCertificates) {
  files_.files["key.pem"] = authority_.issue({}).key;
  const base::Error error = load_error();
  EXPECT_EQ(error.id, "http.tls_key_mismatch");
  EXPECT_EQ(error.message, "'key.pem' is not the key of the first certificate in 'cert.pem' ('localhost')");
}
TEST_F(Tls, SaysThatACertificateHasExpired) {
  put(authority_.issue({.to_seconds = -60}));
  const base::Error error = load_error();
  EXPECT_EQ(error.id, "http.tls_expired");
  EXPECT_THAT(error.message, HasSubstr("'cert.pem' expired at 2"));
}
TEST_F(Tls, SaysThatACertificateIsNotYetValid) {
  put(authority_.issue({.from_seconds = 60}));
  EXPECT_EQ(load_error().id, "http.tls_not_yet_valid");
}
TEST_F(Tls, SaysThatAFileIsNotPem) {
  files_.files["cert.pem"] = "0\x82\x01\x0a";
  const base::Error error = load_error();
  EXPECT_EQ(error.id, "http.tls_not_pem");
  EXPECT_THAT(error.message, HasSubstr("'cert.pem'"));
}
TEST_F(Tls, SaysThatAKeyIsNotPem) {
  files_.files["key.pem"] = files_.files["cert.pem"];
  const base::Error error = load_error();
  EXPECT_EQ(error.id, "http.tls_not_pem");
  EXPECT_THAT(error.message, HasSubstr("'key.pem'"));
}
TEST_F(Tls, SaysThatACertificateIsDamaged) {
  std::string& text = files_.files["cert.pem"];
  text[text.size() / 2] = '!';
  EXPECT_THAT(load_error().message, HasSubstr("damaged"));
}
TEST_F(Tls, SaysThatAKeyIsProtected) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  files_.files["key.pem"].assign(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  EXPECT_EQ(load_error().id, "http.tls_key_protected");
}
TEST_F(Tls, SaysThatAuthoritiesAreMissing) {
  const auto loaded =
      TlsContext::load({"cert.pem", "key.pem", {}, ClientCertificate::kRequired}, files_, clock_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().id, "http.tls_no_authorities");
}

TEST_F(Tls, ServesTheNewCertificateAfterAChange) {
  const auto server = context();
  put(authority_.issue({.name = "renewed"}));
  EXPECT_TRUE(server->refresh().value());
  EXPECT_EQ(server->status().subject, "renewed");
  EXPECT_EQ(server->status().reloads, 1u);
  EXPECT_FALSE(server->refresh().value());
}
TEST_F(Tls, GoesOnWithTheOldCertificateWhenTheNewOneIsBroken) {
  const auto server = context();
  files_.files["key.pem"] = authority_.issue({}).key;
  const auto refreshed = server->refresh();
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().id, "http.tls_key_mismatch");
  EXPECT_EQ(handshake(*server, {}), TlsMachine::State::kOpen);
  EXPECT_EQ(server->status().problem->id, "http.tls_key_mismatch");
}
TEST_F(Tls, ReportsTheSameTroubleOnce) {
  const auto server = context();
  files_.files.erase("cert.pem");
  EXPECT_FALSE(server->refresh());
  EXPECT_TRUE(server->refresh());
}
TEST_F(Tls, ForgetsATroubleThatIsOver) {
  const auto server = context();
  const std::string certificate = files_.files["cert.pem"];
  files_.files.erase("cert.pem");
  EXPECT_FALSE(server->refresh());
  files_.files["cert.pem"] = certificate;
  EXPECT_FALSE(server->refresh().value());
  EXPECT_FALSE(server->status().problem);
}
TEST_F(Tls, KeepsConnectionsOverAReload) {
  const auto server = context();
  TlsMachine machine(*server);
  Client client({});
  client.exchange(machine);
  put(authority_.issue({.name = "renewed"}));
  ASSERT_TRUE(server->refresh().value());
  client.write("question");
  client.exchange(machine);
  EXPECT_EQ(client.server_read, "question");
}
TEST_F(Tls, KnowsWhenTheCertificateEnds) {
  const auto left = context()->status().not_after - clock_.now();
  EXPECT_LE(left, std::chrono::seconds{3600});
  EXPECT_GT(left, std::chrono::seconds{3500});
}
TEST_F(Tls, IsWatchedOnAThread) {
  const auto server = context();
  put(authority_.issue({.name = "renewed"}));
  std::promise<std::string> reloaded;
  const TlsWatcher watcher({server}, std::chrono::milliseconds{1},
                           [&](const TlsContext& seen, const base::Result<bool>& result) {
                             EXPECT_TRUE(result.value());
                             reloaded.set_value(seen.status().subject);
                           });
  EXPECT_EQ(reloaded.get_future().get(), "renewed");
}

TEST(TicketKeysTest, MakeANewKeyEveryHour) {
  TicketKeys keys;
  const TicketKeys::SteadyTime start{};
  const auto first = keys.newest(start), same = keys.newest(start + std::chrono::minutes{59});
  const auto second = keys.newest(start + std::chrono::minutes{60});
  EXPECT_EQ(first->name, same->name);
  EXPECT_NE(first->name, second->name);
}
TEST(TicketKeysTest, OpenOldTicketsAndWantThemRenewed) {
  TicketKeys keys;
  const TicketKeys::SteadyTime start{};
  const auto first = keys.newest(start);
  keys.newest(start + std::chrono::hours{1});
  const auto found = keys.find(first->name, start + std::chrono::hours{2});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->newest);
  EXPECT_EQ(found->key.cipher, first->cipher);
  EXPECT_FALSE(keys.find(first->name, start + std::chrono::hours{3}));
}

}  // namespace
}  // namespace wherry::http
