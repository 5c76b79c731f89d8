#include "cli/help.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace flaky {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kTextColumn = 22;
constexpr size_t kLineWidth = 110;

using Entry = std::pair<std::string, std::string>;  // a name and its text

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

std::string Section(std::string_view title, const std::vector<Entry>& entries) {
  if (entries.empty()) return "";
  std::string text = "\n" + std::string(title) + ":\n";
  for (const auto& [name, meaning] : entries) {
    std::string line = std::string(kIndent, ' ') + name;
    for (const std::string& part : Wrap(meaning, kLineWidth - kTextColumn)) {
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

std::string NamesOf(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  // What the checks of an option call themselves stands behind a colon.
  const std::string type = option.get_type_name();
  if (option.get_expected_max() > 0 && !type.empty()) names += ' ' + type.substr(0, type.find(':'));
  return names;
}

std::string TextOf(const CLI::Option& option) {
  const std::string initial = option.get_default_str();
  return option.get_description() + (initial.empty() ? "" : " (default " + initial + ")");
}

}  // namespace

std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::vector<Entry> arguments, options, commands;
  std::string usage = FullName(*app);
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) {
      options.emplace_back(NamesOf(*option), TextOf(*option));
      continue;
    }
    const std::string name = option->get_name(true);
    arguments.emplace_back(name, TextOf(*option));
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  for (const CLI::App* command : app->get_subcommands({})) {
    commands.emplace_back(command->get_name(), command->get_description());
  }
  if (!commands.empty()) usage += " COMMAND";
  usage += " [OPTIONS]";
  const std::string footer = app->get_footer().empty() ? "" : "\n" + app->get_footer() + "\n";
  return app->get_description() + "\n\nUsage: " + usage + "\n" + Section("Arguments", arguments) +
         Section("Commands", commands) + Section("Options", options) + footer;
}

}  // namespace flaky
