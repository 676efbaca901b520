#include "cli/options.h"

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace wherry::cli {
namespace {

std::string environment_name(std::string_view flags) {
  for (std::string_view flag : base::split(flags, ',')) {
    if (!flag.starts_with("--")) continue;
    std::string name = "WHERRY_";
    for (char c : flag.substr(2))
      name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return name;
  }
  return {};
}

void finish(CLI::Option* option, std::string_view flags, std::string_view placeholder) {
  option->type_name(std::string(placeholder));
  if (const std::string variable = environment_name(flags); !variable.empty()) option->envname(variable);
}

}  // namespace

Options& Options::positional(std::string_view placeholder, std::string& value, std::string_view help,
                             bool required) {
  app_.add_option(std::string(placeholder), value, std::string(help))->type_name("")->required(required);
  return *this;
}

Options& Options::positionals(std::string_view placeholder, std::vector<std::string>& values,
                              std::string_view help) {
  app_.add_option(std::string(placeholder), values, std::string(help))->type_name("");
  return *this;
}

Options& Options::text(std::string_view flags, std::string_view placeholder, std::string& value,
                       std::string_view help) {
  finish(app_.add_option(std::string(flags), value, std::string(help)), flags, placeholder);
  return *this;
}

Options& Options::texts(std::string_view flags, std::string_view placeholder,
                        std::vector<std::string>& values, std::string_view help) {
  auto* option = app_.add_option(std::string(flags), values, std::string(help));
  finish(option, flags, placeholder);
  option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

Options& Options::number(std::string_view flags, std::string_view placeholder, std::int64_t& value,
                         std::string_view help, std::int64_t least, std::int64_t most) {
  auto* option = app_.add_option(std::string(flags), value, std::string(help));
  option->check(CLI::Range(least, most).description(""));
  finish(option, flags, placeholder);
  return *this;
}

Options& Options::flag(std::string_view flags, bool& value, std::string_view help) {
  app_.add_flag(std::string(flags), value, std::string(help))->envname(environment_name(flags));
  return *this;
}

Options& Options::choice(std::string_view flags, std::string& value,
                         std::initializer_list<std::string_view> choices, std::string_view help) {
  std::vector<std::string> names(choices.begin(), choices.end());
  auto* option = app_.add_option(std::string(flags), value, std::string(help));
  option->check(CLI::IsMember(names).description(""));  // the placeholder lists them
  finish(option, flags, base::join(names, "|"));
  return *this;
}

}  // namespace wherry::cli
