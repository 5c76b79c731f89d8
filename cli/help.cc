// SPDX-License-Identifier: MIT
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
constexpr char kExamples[] = "Examples:";
constexpr std::string_view kContinued = " \\";
constexpr size_t kContinuationIndent = 4;

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::string NamesOf(const HelpEntry& entry) {
  return Join(entry.names, ", ") + (entry.value.empty() ? "" : " ") + entry.value;
}

std::string Section(std::string_view title, const std::vector<HelpEntry>& entries) {
  if (entries.empty()) return "";
  std::string text = "\n" + std::string(title) + ":\n";
  for (const HelpEntry& entry : entries) {
    std::string line = std::string(kIndent, ' ') + NamesOf(entry);
    for (const std::string& part : Wrap(entry.meaning, kHelpWidth - kTextColumn)) {
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
    // CLI11 appends the validator's name after a colon.
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
  CommandHelp help{FullName(command), command.get_description(), FullName(command), {}, {}, {}, {}, {}};
  std::istringstream footer(command.get_footer());
  std::vector<std::string>* part = &help.notes;
  for (std::string line; std::getline(footer, line);) {
    if (line == kExamples) {
      part = &help.examples;
    } else {
      part->push_back(line);
    }
  }
  for (const CLI::Option* option : command.get_options()) {
    HelpEntry entry = Describe(*option);
    if (!option->get_positional()) {
      help.options.push_back(std::move(entry));
      continue;
    }
    const std::string& name = entry.names.front();
    const std::string more = option->get_expected_max() > 1 ? "..." : "";
    help.usage += option->get_required() ? " " + name + more : " [" + name + "]";
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

void AddFooter(CLI::App& command, const std::vector<std::string>& notes, const std::vector<std::string>& examples) {
  std::string footer;
  for (const std::string& note : notes) footer += note + "\n";
  footer += kExamples;
  for (const std::string& example : examples) footer += "\n" + example;
  command.footer(footer);
}

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

std::vector<std::string> WrapExample(const std::string& example, size_t width) {
  std::vector<std::string> lines{example};
  while (lines.back().size() > width) {
    const std::string line = lines.back();
    const size_t room = width - kContinued.size();
    size_t at = line.rfind(" --", room);
    if (at == line.npos || at <= kContinuationIndent) at = line.rfind(' ', room);
    if (at == line.npos || at <= kContinuationIndent) break;  // one word that is too long
    lines.back() = line.substr(0, at) + std::string(kContinued);
    lines.push_back(std::string(kContinuationIndent, ' ') + line.substr(at + 1));
  }
  return lines;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  const CommandHelp help = DescribeCommand(*app);
  std::string text = JoinLines(Wrap(help.meaning, kHelpWidth)) + "\nUsage: " + help.usage + "\n" +
                     Section("Arguments", help.arguments) + Section("Commands", help.commands) +
                     Section("Options", help.options);
  for (const std::string& note : help.notes) text += "\n" + JoinLines(Wrap(note, kHelpWidth));
  if (!help.examples.empty()) text += "\n" + std::string(kExamples) + "\n";
  for (const std::string& example : help.examples) {
    for (const std::string& line : WrapExample(example, kHelpWidth - kIndent)) {
      text += std::string(kIndent, ' ') + line + "\n";
    }
  }
  return text;
}

}  // namespace flaky
