#ifndef FLAKY_CLI_HELP_H_
#define FLAKY_CLI_HELP_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace flaky {

// "flaky schema status".
std::string FullName(const CLI::App& command);

// One option, argument or command, and what it is for.
struct HelpEntry {
  std::vector<std::string> names;  // "-h", "--help"; of an argument and a command: the one
  std::string value;               // of an option: what it takes, "NAME", "keep|replace|fail"; empty: it takes nothing
  std::string meaning;
};

// What there is to say about a command. The help, the man page and the completions say it, each in its way.
struct CommandHelp {
  std::string name;  // "flaky schema status"
  std::string meaning;
  std::string usage;
  std::vector<HelpEntry> arguments, commands, options;
  std::string footer;
};
CommandHelp DescribeCommand(const CLI::App& command);

// The same of the program and of all commands below it, each before its own.
std::vector<CommandHelp> DescribeCommands(const CLI::App& program);

// How the help of every command looks: what it does, its usage, arguments, commands and options with texts wrapped in
// one column, then its footer. docs/reference/commands.md shows the same text.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace flaky

#endif  // FLAKY_CLI_HELP_H_
