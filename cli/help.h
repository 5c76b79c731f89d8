#ifndef FLAKY_CLI_HELP_H_
#define FLAKY_CLI_HELP_H_

#include <CLI/CLI.hpp>
#include <string>

namespace flaky {

// "flaky schema status".
std::string FullName(const CLI::App& command);

// How the help of every command looks: what it does, its usage, arguments, commands and options with texts wrapped in
// one column, then its footer. docs/reference/commands.md shows the same text.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace flaky

#endif  // FLAKY_CLI_HELP_H_
