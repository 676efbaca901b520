#include "serve/options.h"

#include <vector>

#include "base/text.h"
#include "serve/flags.h"

namespace wherry::serve {

using base::cat;
using base::Code;
using base::Result;
using base::Status;

namespace {

std::unexpected<base::Error> bad(std::string message, std::string hint = "see wherry-server --help") {
  return base::fail(Code::kUsage, "serve.bad_option", std::move(message), std::move(hint));
}

Status apply(const Flag& flag, std::string_view source, std::string_view value, Options& options) {
  const std::string_view wanted = flag.set(options, value);
  if (wanted.empty()) return {};
  return bad(cat(source, " is ", base::quoted(value), ", but should be ", wanted));
}

Status apply_environment(const Environment& environment, Options& options) {
  if (const auto bundle = environment("WHERRY_BUNDLE"); bundle && !bundle->empty()) options.bundle = *bundle;
  for (const FlagGroup& group : flag_groups())
    for (const Flag& flag : group.flags)
      for (const std::string_view variable : flag.variables)
        if (const auto value = environment(variable); value && !value->empty()) {
          TRY(apply(flag, variable, *value, options));
          break;
        }
  return {};
}

const Flag* find_flag(std::string_view name) {
  for (const FlagGroup& group : flag_groups())
    for (const Flag& flag : group.flags)
      if (flag.name == name) return &flag;
  return nullptr;
}

std::unexpected<base::Error> unknown_flag(std::string_view name) {
  std::vector<std::string_view> names;
  for (const FlagGroup& group : flag_groups())
    for (const Flag& flag : group.flags) names.push_back(flag.name);
  const auto near = base::nearest(name, names);
  return bad(cat("unknown option ", base::quoted(name)),
             near ? cat("did you mean ", *near, "?") : "see wherry-server --help");
}

Status check_tls(const http::TlsOptions& tls) {
  if (tls.certificate.empty() != tls.key.empty())
    return bad("--tls-cert and --tls-key are given together or not at all");
  if (tls.certificate.empty() && !tls.client_authorities.empty())
    return bad("--tls-client-ca needs --tls-cert and --tls-key");
  return {};
}

}  // namespace

Result<Options> parse_options(std::span<const std::string_view> arguments, const Environment& environment) {
  Options options;
  TRY(apply_environment(environment, options));
  bool bundle_given = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") return Options{.action = Action::kHelp};
    if (argument == "--version") return Options{.action = Action::kVersion};
    if (argument == "--make-api-key") {
      if (i + 1 == arguments.size()) return bad("--make-api-key needs a name for the key");
      Options key{.action = Action::kMakeKey};
      key.key_name = arguments[i + 1];
      return key;
    }
    if (!argument.starts_with('-')) {
      if (argument == "serve" && i == 0) continue;
      if (bundle_given) return bad(cat("more than one bundle: ", base::quoted(argument)));
      options.bundle = argument;
      bundle_given = true;
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const Flag* flag = find_flag(name);
    if (flag == nullptr) return unknown_flag(name);
    if (flag->value.empty()) {
      TRY(apply(*flag, name, equals == argument.npos ? "on" : argument.substr(equals + 1), options));
      continue;
    }
    if (equals == argument.npos && i + 1 == arguments.size())
      return bad(cat(name, " needs a value: ", flag->value));
    const std::string_view value = equals == argument.npos ? arguments[++i] : argument.substr(equals + 1);
    TRY(apply(*flag, name, value, options));
  }
  if (!options.access.token_keys.empty() && options.access.file.empty())
    return bad("--token-keys needs --access: a file which says what tokens may do");
  TRY(check_tls(options.tls));
  TRY(find_contract(environment, options));
  if (options.tls.client_authorities.empty()) options.tls.client_certificate = http::ClientCertificate::kNone;
  const int sources =
      (bundle_given ? 1 : 0) + (options.repository.empty() ? 0 : 1) + (options.models.empty() ? 0 : 1);
  if (sources > 1) return bad("more than one of BUNDLE, --repository and --model", "give one of them");
  if (options.host.empty()) options.host = bundle_given ? "127.0.0.1" : "0.0.0.0";
  return options;
}

namespace {

std::string help_of(const Flag& flag) {
  constexpr std::size_t kColumn = 26;
  std::string text = cat("  ", flag.name, flag.value.empty() ? "" : " ", flag.value);
  text.resize(std::max(text.size() + 2, kColumn), ' ');
  text += cat(flag.help, "\n");
  if (flag.variables.empty()) return text;
  text += std::string(kColumn, ' ');
  for (const std::string_view variable : flag.variables)
    text += cat(variable, variable == flag.variables.back() ? "\n" : ", ");
  return text;
}

}  // namespace

std::string help_text() {
  std::string text =
      "wherry-server: serves models over HTTP\n\n"
      "usage: wherry-server [serve] [BUNDLE | --repository FOLDER | --model NAME=FOLDER …] [options]\n\n"
      "BUNDLE is a folder made by `wherry convert`; without it /model, where images have it "
      "(WHERRY_BUNDLE).\n"
      "Options may also be given as the environment variables named below them.\n\n";
  for (const FlagGroup& group : flag_groups()) {
    text += cat(group.title, ":\n");
    for (const Flag& flag : group.flags) text += help_of(flag);
    text += "\n";
  }
  text +=
      "  --help                  this text\n"
      "  --version               the version\n"
      "  --make-api-key NAME     prints a new key and its line for the access file, and ends\n\n"
      "addresses:\n"
      "  /                                     a page to try the model; /docs: one to try every address\n"
      "  /openapi.json  /openapi.yaml          all of them, with the model's columns and examples\n"
      "  POST /invocations                     MLflow's JSON forms and CSV\n"
      "  POST /v2/models/NAME/infer            Open Inference Protocol V2; also .../versions/VERSION/infer\n"
      "  /v2/models  /v2/models/stats  /v2/models/NAME/stats  .../config  POST /v2/repository/index\n"
      "  POST /v2/repository/models/NAME/load  .../unload, with --model-control explicit\n"
      "  POST /v1/models/NAME:predict          KServe's and TensorFlow Serving's V1; also :classify, "
      ":regress\n"
      "  /v2  /v2/models/NAME  /v2/health/live  /v2/health/ready  /v2/logging  /ping  /health  /version  "
      "/metrics\n\n"
      "SIGTERM or SIGINT: not ready any more, --drain-delay, in-flight requests answered, exit 0. A second "
      "one\n"
      "ends at once with 130.\n\n"
      "example: wherry-server build/fraud --port 8080\n";
  return text;
}

}  // namespace wherry::serve
