#include "cli/run.h"

#include <CLI/CLI.hpp>
#include <csignal>

#include "base/text.h"
#include "cli/version.h"

namespace wherry::cli {
namespace {

using base::cat;
using base::Code;
using base::fail;

std::string command_list() {
  std::string text =
      "wherry takes a trained model as its framework saved it and makes it a microservice.\n\n"
      "usage: wherry COMMAND [options]\n";
  std::string_view group;
  for (const Command& command : commands()) {
    if (command.group != group) text += cat("\n", command.group, ":\n");
    group = command.group;
    text += cat("  ", command.name, std::string(14 - command.name.size(), ' '), command.summary, "\n");
  }
  return text +
         "\n'wherry COMMAND --help' describes a command, 'wherry explain ID' an error.\n"
         "exit status: 0 ok, 1 the request failed, 2 usage, 3 environment, 70 a bug, 130 interrupted\n";
}

const Command* find_command(std::string_view name) {
  for (const Command& command : commands())
    if (command.name == name) return &command;
  return nullptr;
}

std::unexpected<base::Error> unknown_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  const auto close = base::nearest(name, names);
  return fail(Code::kUsage, "cli.unknown_command", cat("no command ", base::quoted(name)),
              close ? cat("did you mean 'wherry ", *close, "'?") : "'wherry help' lists the commands");
}

// The library's text, with the nearest option where one was misspelt.
std::unexpected<base::Error> usage_error(const CLI::App& app, const CLI::ParseError& error,
                                         std::string_view command) {
  std::string message = error.what();
  std::ranges::replace(message, '\n', ' ');
  std::string hint = cat("'wherry ", command, " --help' lists the options");
  if (const std::size_t dash = message.find("--");
      error.get_name() == "ExtrasError" && dash != std::string::npos) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) known.push_back(option->get_name());
    const std::vector<std::string_view> views(known.begin(), known.end());
    const std::string given = message.substr(dash, message.find_first_of(" =,", dash) - dash);
    message = cat("unknown option ", given);
    if (const auto close = base::nearest(given, views)) hint = cat("did you mean ", *close, "?");
  }
  return fail(Code::kUsage, "cli.usage", cat(command, ": ", message), std::move(hint));
}

std::string indented(std::string_view text) {
  std::string out;
  for (std::string_view line : base::split(text, '\n')) out += cat("  ", line, "\n");
  return out;
}

base::Result<int> run_command(const Command& command, std::span<const std::string> arguments,
                              Context& context) {
  CLI::App app(cat(command.summary, "\n\n", command.details), cat("wherry ", command.name));
  app.set_help_flag("--help,-h", "print this help");
  app.get_formatter()->column_width(34);
  if (!command.example.empty()) app.footer(cat("\nexample:\n", indented(command.example)));
  Options options(app);
  bool quiet = false;
  options.flag("--quiet,-q", quiet, "say nothing but errors on stderr");
  const Action action = command.define(options);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    context.terminal.data(app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, command.name);
  }
  context.terminal.set_quiet(quiet);
  return action(context);
}

base::Result<int> dispatch(std::span<const std::string> arguments, Context& context) {
  if (arguments.empty() || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h") {
    if (arguments.size() > 1) {
      const Command* command = find_command(arguments[1]);
      const std::string help[] = {"--help"};
      return command == nullptr ? unknown_command(arguments[1]) : run_command(*command, help, context);
    }
    context.terminal.data(command_list());
    return 0;
  }
  const std::string_view name = arguments[0] == "--version" ? "version" : std::string_view(arguments[0]);
  const Command* command = find_command(name);
  if (command == nullptr) return unknown_command(name);
  return run_command(*command, arguments.subspan(1), context);
}

}  // namespace

int run(std::span<const std::string> arguments, Context& context) {
  const base::Result<int> status = dispatch(arguments, context);
  if (status) return *status;
  context.terminal.error(status.error());
  return base::exit_status(status.error().code);
}

int run_main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Terminal terminal = real_terminal();
  Context context{terminal, base::real_files(), base::real_processes(), base::system_clock(),
                  [](http_client::TransportOptions options) {
                    options.user_agent = cat("wherry/", kVersion);
                    return http_client::make_transport(std::move(options));
                  }};
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return run(arguments, context);
}

}  // namespace wherry::cli
