#include "serve/options.h"

#include <array>
#include <limits>
#include <vector>

#include "base/text.h"

namespace wherry::serve {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using std::chrono::milliseconds;

namespace {

std::unexpected<base::Error> bad(std::string message, std::string hint = "see wherry-server --help") {
  return base::fail(Code::kUsage, "serve.bad_option", std::move(message), std::move(hint));
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// "250ms", "5s", "2m"; a bare number takes the empty suffix's factor.
std::optional<std::uint64_t> number_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = base::parse_unsigned(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units)
    if (text.substr(digits) == unit.suffix &&
        *number <= std::numeric_limits<std::int64_t>::max() / unit.factor)
      return *number * unit.factor;
  return std::nullopt;
}

std::optional<milliseconds> duration(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}};
  constexpr std::uint64_t kMost = 24 * 3600 * 1000;
  const auto number = number_with_unit(text, kUnits);
  if (!number || *number > kMost) return std::nullopt;
  return milliseconds(*number);
}

// Each returns what the value should have been, or "" when it was taken.
std::string_view set_host(Options& options, std::string_view value) {
  options.host = value;
  return value.empty() ? "an IP address" : "";
}
std::string_view set_port(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 65535) return "a port, 0 to 65535";
  options.port = static_cast<std::uint16_t>(*number);
  return "";
}
std::string_view set_threads(Options& options, std::string_view value) {
  const auto number = base::parse_unsigned(value);
  if (!number || *number > 1024) return "a number of threads, at most 1024";
  options.threads = static_cast<unsigned>(*number);
  return "";
}
std::string_view set_most_body(Options& options, std::string_view value) {
  static constexpr Unit kUnits[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
  const auto number = number_with_unit(value, kUnits);
  if (!number || *number == 0 || *number > (std::uint64_t{4} << 30)) return "a size such as 64M, at most 4G";
  options.most_body = *number;
  return "";
}
std::string_view set_access_log(Options& options, std::string_view value) {
  if (value != "on" && value != "off") return "on or off";
  options.access_log = value == "on";
  return "";
}
std::string_view set_drain_delay(Options& options, std::string_view value) {
  const auto time = duration(value);
  if (time) options.drain_delay = *time;
  return time ? "" : "a duration such as 5s or 500ms";
}
std::string_view set_grace(Options& options, std::string_view value) {
  const auto time = duration(value);
  if (time) options.grace = *time;
  return time ? "" : "a duration such as 25s";
}

struct Flag {
  std::string_view name;
  std::string_view value;
  std::vector<std::string_view> variables;  // the first that is set counts
  std::string_view help;
  std::string_view (*set)(Options&, std::string_view);
};

const std::array<Flag, 7>& flags() {
  static const std::array<Flag, 7> kFlags{{
      {"--host",
       "ADDRESS",
       {"WHERRY_HOST"},
       "address to listen on (127.0.0.1 when BUNDLE is given, else 0.0.0.0)",
       set_host},
      {"--port",
       "PORT",
       {"WHERRY_PORT", "PORT", "AIP_HTTP_PORT"},
       "port to listen on (8080); 0 takes any free one",
       set_port},
      {"--threads",
       "COUNT",
       {"WHERRY_THREADS"},
       "threads (as many as the CPUs this container may use)",
       set_threads},
      {"--max-body", "SIZE", {"WHERRY_MAX_BODY"}, "largest request body (64M)", set_most_body},
      {"--access-log",
       "on|off",
       {"WHERRY_ACCESS_LOG"},
       "one JSON line per request on standard error (on)",
       set_access_log},
      {"--drain-delay",
       "TIME",
       {"WHERRY_DRAIN_DELAY"},
       "after SIGTERM, go on serving this long while readiness says no (0s)",
       set_drain_delay},
      {"--grace",
       "TIME",
       {"WHERRY_GRACE"},
       "then finish what is in flight, at most this long (25s)",
       set_grace},
  }};
  return kFlags;
}

Status apply(const Flag& flag, std::string_view source, std::string_view value, Options& options) {
  const std::string_view wanted = flag.set(options, value);
  if (wanted.empty()) return {};
  return bad(cat(source, " is ", base::quoted(value), ", but should be ", wanted));
}

Status apply_environment(const Environment& environment, Options& options) {
  if (const auto bundle = environment("WHERRY_BUNDLE"); bundle && !bundle->empty()) options.bundle = *bundle;
  for (const Flag& flag : flags())
    for (const std::string_view variable : flag.variables)
      if (const auto value = environment(variable); value && !value->empty()) {
        TRY(apply(flag, variable, *value, options));
        break;
      }
  return {};
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : flags())
    if (flag.name == name) return &flag;
  return nullptr;
}

std::unexpected<base::Error> unknown_flag(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Flag& flag : flags()) names.push_back(flag.name);
  const auto near = base::nearest(name, names);
  return bad(cat("unknown option ", base::quoted(name)),
             near ? cat("did you mean ", *near, "?") : "see wherry-server --help");
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
    if (equals == argument.npos && i + 1 == arguments.size())
      return bad(cat(name, " needs a value: ", flag->value));
    const std::string_view value = equals == argument.npos ? arguments[++i] : argument.substr(equals + 1);
    TRY(apply(*flag, name, value, options));
  }
  if (options.host.empty()) options.host = bundle_given ? "127.0.0.1" : "0.0.0.0";
  return options;
}

std::string help_text() {
  std::string text =
      "wherry-server: serves one model over HTTP\n\n"
      "usage: wherry-server [serve] [BUNDLE] [options]\n\n"
      "BUNDLE is a folder made by `wherry convert`; without it /model, where images have it "
      "(WHERRY_BUNDLE).\n\n"
      "options (each also as an environment variable):\n";
  for (const Flag& flag : flags()) {
    std::string left = cat("  ", flag.name, " ", flag.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 26), ' ');
    text += cat(left, flag.help, "\n", std::string(26, ' '));
    for (const std::string_view variable : flag.variables)
      text += cat(variable, variable == flag.variables.back() ? "\n" : ", ");
  }
  text +=
      "  --help                  this text\n"
      "  --version               the version\n\n"
      "addresses:\n"
      "  /                                     a page to try the model\n"
      "  POST /invocations                     MLflow's JSON forms and CSV\n"
      "  POST /v2/models/NAME/infer            Open Inference Protocol V2\n"
      "  /v2  /v2/models/NAME  /v2/health/live  /v2/health/ready  /ping  /health  /version  /metrics\n\n"
      "SIGTERM or SIGINT: not ready any more, --drain-delay, in-flight requests answered, exit 0. A second "
      "one\n"
      "ends at once with 130.\n\n"
      "example: wherry-server build/fraud --port 8080\n";
  return text;
}

}  // namespace wherry::serve
