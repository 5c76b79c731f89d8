#include "cli/help.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "history/text.h"

namespace flaky {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kTextColumn = 22;
constexpr size_t kLineWidth = 110;

// The text in lines of at most `width` bytes; help is ASCII but for a few punctuation marks.
std::vector<std::string> Wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
      lines.push_back(word);
    } else {
      lines.back() += ' ' + word;
    }
  }
  return lines;
}

std::string NamesOf(const HelpEntry& entry) {
  return Join(entry.names, ", ") + (entry.value.empty() ? "" : " ") + entry.value;
}

std::string Section(std::string_view title, const std::vector<HelpEntry>& entries) {
  if (entries.empty()) return "";
  std::string text = "\n" + std::string(title) + ":\n";
  for (const HelpEntry& entry : entries) {
    std::string line = std::string(kIndent, ' ') + NamesOf(entry);
    for (const std::string& part : Wrap(entry.meaning, kLineWidth - kTextColumn)) {
      if (line.size() + kIndent > kTextColumn) {
        text += line + '\n';
        line.clear();
      }
      text += line + std::string(kTextColumn - line.size(), ' ') + part + '\n';
      line.clear();
    }
  }
  return text;
}

HelpEntry Describe(const CLI::Option& option) {
  HelpEntry entry;
  if (option.get_positional()) {
    entry.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) entry.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) entry.names.push_back("--" + name);
    // What the checks of an option call themselves stands behind a colon.
    const std::string type = option.get_type_name();
    if (option.get_expected_max() > 0) entry.value = type.substr(0, type.find(':'));
  }
  const std::string initial = option.get_default_str();
  entry.meaning = option.get_description() + (initial.empty() ? "" : " (default " + initial + ")");
  return entry;
}

}  // namespace

std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

CommandHelp DescribeCommand(const CLI::App& command) {
  CommandHelp help{FullName(command), command.get_description(), FullName(command), {}, {}, {}, command.get_footer()};
  for (const CLI::Option* option : command.get_options()) {
    HelpEntry entry = Describe(*option);
    if (!option->get_positional()) {
      help.options.push_back(std::move(entry));
      continue;
    }
    const std::string& name = entry.names.front();
    help.usage += option->get_required() ? " " + name : " [" + name + "]";
    help.arguments.push_back(std::move(entry));
  }
  for (const CLI::App* below : command.get_subcommands({})) {
    help.commands.push_back({{below->get_name()}, "", below->get_description()});
  }
  if (!help.commands.empty()) help.usage += " COMMAND";
  help.usage += " [OPTIONS]";
  return help;
}

std::vector<CommandHelp> DescribeCommands(const CLI::App& program) {
  std::vector<CommandHelp> all{DescribeCommand(program)};
  for (const CLI::App* below : program.get_subcommands({}))
    std::ranges::move(DescribeCommands(*below), std::back_inserter(all));
  return all;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  const CommandHelp help = DescribeCommand(*app);
  const std::string footer = help.footer.empty() ? "" : "\n" + help.footer + "\n";
  return help.meaning + "\n\nUsage: " + help.usage + "\n" + Section("Arguments", help.arguments) +
         Section("Commands", help.commands) + Section("Options", help.options) + footer;
}

}  // namespace flaky
