#ifndef FLAKY_CLI_HELP_H_
#define FLAKY_CLI_HELP_H_

#include <CLI/CLI.hpp>
#include <cstddef>
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

// Everything that describes a command. The help, the man pages and the completions are made from it.
struct CommandHelp {
  std::string name;  // "flaky schema status"
  std::string meaning;
  std::string usage;
  std::vector<HelpEntry> arguments, commands, options;
  std::vector<std::string> notes;     // paragraphs, unwrapped
  std::vector<std::string> examples;  // one command line each, unwrapped
};

// Returns the description of `command`, from its CLI11 options and from AddFooter.
CommandHelp DescribeCommand(const CLI::App& command);

// Returns the descriptions of the program and of all its commands, each command before its subcommands.
std::vector<CommandHelp> DescribeCommands(const CLI::App& program);

// Adds the texts that follow a command's options: `notes` are paragraphs and `examples` are command lines. Neither is
// wrapped in the source; the help wraps them when it prints them. Precondition: no text holds a line break.
void AddFooter(CLI::App& command, const std::vector<std::string>& notes, const std::vector<std::string>& examples);

// Returns `text` in lines of at most `width` bytes, broken between words. A longer word has a line of its own.
std::vector<std::string> Wrap(const std::string& text, size_t width);

// Returns an example in lines of at most `width` bytes, as a shell reads them: a line that is continued ends in ` \`,
// and breaks come before an option if possible.
std::vector<std::string> WrapExample(const std::string& example, size_t width);

// The width of help and man pages, in columns.
inline constexpr size_t kHelpWidth = 80;

// Prints the help of every command: its meaning, usage, arguments, commands, options, notes and examples, within
// kHelpWidth. docs/reference/commands.md shows the same text.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace flaky

#endif  // FLAKY_CLI_HELP_H_
