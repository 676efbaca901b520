// Declaring what a command takes. Hides the command-line library; every option can also be given as the
// environment variable WHERRY_<NAME> ("--drain-delay" → WHERRY_DRAIN_DELAY), which a flag overrides.
//
// The references must stay valid until the command has run; commands keep them in a shared struct captured
// by their Action. Not thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace wherry::cli {

class Options {
 public:
  explicit Options(CLI::App& app) : app_(app) {}

  // Values keep what they hold when the option is not given. `flags` is "--tag,-t"; `placeholder` is shown in
  // help ("REFERENCE").
  Options& positional(std::string_view placeholder, std::string& value, std::string_view help,
                      bool required = true);
  Options& positionals(std::string_view placeholder, std::vector<std::string>& values, std::string_view help);
  Options& text(std::string_view flags, std::string_view placeholder, std::string& value,
                std::string_view help);
  Options& texts(std::string_view flags, std::string_view placeholder, std::vector<std::string>& values,
                 std::string_view help);
  Options& number(std::string_view flags, std::string_view placeholder, std::int64_t& value,
                  std::string_view help, std::int64_t least, std::int64_t most);
  Options& flag(std::string_view flags, bool& value, std::string_view help);
  Options& choice(std::string_view flags, std::string& value, std::initializer_list<std::string_view> choices,
                  std::string_view help);

 private:
  CLI::App& app_;
};

}  // namespace wherry::cli
