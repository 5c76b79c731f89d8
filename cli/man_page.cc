#include "cli/man_page.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

#include "history/text.h"

namespace flaky {
namespace {

// Examples are set in a block that man(1) indents.
constexpr size_t kExampleWidth = kHelpWidth - 8;

// Returns the text so that roff prints it as it is: a full stop or an apostrophe at the start of a line would be a
// request.
std::string RoffText(std::string_view text) {
  std::string escaped;
  bool at_line_start = true;
  for (const char c : text) {
    if (at_line_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    at_line_start = c == '\n';
  }
  return escaped;
}

std::string Bold(std::string_view text) { return "\\fB" + RoffText(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + RoffText(text) + "\\fR"; }

// Returns a tag with its text in an indented column.
std::string Entry(const std::string& tag, std::string_view text) {
  return ".TP\n" + tag + "\n" + RoffText(text) + "\n";
}

std::string Entries(const std::vector<HelpEntry>& entries) {
  std::string page;
  for (const HelpEntry& entry : entries) {
    std::string tag = Join(entry.names, ", ", Bold);
    if (!entry.value.empty()) tag += " " + Italic(entry.value);
    page += Entry(tag, entry.meaning);
  }
  return page;
}

std::string Section(std::string_view title, const std::string& text) {
  return text.empty() ? "" : ".SH " + std::string(title) + "\n" + text;
}

std::string Notes(const CommandHelp& command) {
  std::string text;
  for (const std::string& note : command.notes) text += ".PP\n" + RoffText(note) + "\n";
  return text;
}

std::string Examples(const CommandHelp& command) {
  std::string text;
  for (const std::string& example : command.examples) {
    text += ".PP\n.nf\n.RS 0\n";
    for (const std::string& line : WrapExample(example, kExampleWidth)) text += RoffText(line) + "\n";
    text += ".RE\n.fi\n";
  }
  return Section("EXAMPLES", text);
}

// Returns the beginning of every page, up to the description.
std::string Beginning(const CommandHelp& command, std::string_view version) {
  const std::string name = ManPageName(command);
  std::string title = name;
  std::ranges::transform(title, title.begin(), [](unsigned char c) { return std::toupper(c); });
  return ".TH " + RoffText(title) + " 1 \"\" \"flaky " + RoffText(version) + "\" \"User Commands\"\n" + ".SH NAME\n" +
         RoffText(name) + " \\- " + RoffText(command.meaning) + "\n" + ".SH SYNOPSIS\n" + Bold(command.name) +
         RoffText(command.usage.substr(command.name.size())) + "\n" + ".SH DESCRIPTION\n" + RoffText(command.meaning) +
         (command.meaning.ends_with('.') ? "" : ".") + "\n" + Notes(command);
}

std::string Reference(const std::string& page) { return ".BR " + RoffText(page) + " (1)\n"; }

std::string SettingEntry(const SettingInfo& setting) {
  std::string text(setting.meaning);
  if (const auto choices = ChoicesOf(setting); !choices.empty()) text += " (" + Join(choices, "|") + ")";
  std::string_view initial = setting.default_value;
  if (initial.starts_with('[')) initial = initial.substr(1, initial.size() - 2);
  if (!initial.empty()) text += "; by default " + std::string(initial);
  return Entry(Bold(setting.name), text);
}

}  // namespace

std::string ManPageName(const CommandHelp& command) {
  std::string name = command.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string ProgramManPage(std::span<const CommandHelp> commands, std::span<const SettingInfo> settings,
                           std::span<const ExitCodeInfo> exit_codes, std::string_view version) {
  const CommandHelp& program = commands.front();
  std::string page = Beginning(program, version) + Section("OPTIONS", Entries(program.options));
  std::string list;
  for (const CommandHelp& command : commands.subspan(1)) {
    list += ".TP\n" + Reference(ManPageName(command)) + RoffText(command.meaning) + "\n";
  }
  page += Section("COMMANDS", list);
  std::string codes;
  for (const ExitCodeInfo& info : exit_codes) {
    codes += Entry(Bold(std::to_string(static_cast<int>(info.code))), info.meaning);
  }
  page += Section("EXIT STATUS", codes);
  std::string environment;
  for (const SettingInfo& setting : settings) environment += SettingEntry(setting);
  return page + Section("ENVIRONMENT", environment) + Examples(program);
}

std::string CommandManPage(const CommandHelp& command, std::string_view version) {
  return Beginning(command, version) + Section("ARGUMENTS", Entries(command.arguments)) +
         Section("COMMANDS", Entries(command.commands)) + Section("OPTIONS", Entries(command.options)) +
         Examples(command) + Section("SEE ALSO", Reference("flaky"));
}

}  // namespace flaky
