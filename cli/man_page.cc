#include "cli/man_page.h"

#include <vector>

#include "history/text.h"

namespace flaky {
namespace {

// Text that roff takes for nothing else: a full stop or an apostrophe begins a request where it begins a line.
std::string Escaped(std::string_view text) {
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

std::string Bold(std::string_view text) { return "\\fB" + Escaped(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Escaped(text) + "\\fR"; }

// A tag with its text hung beside it.
std::string Entry(const std::string& tag, std::string_view text) { return ".TP\n" + tag + "\n" + Escaped(text) + "\n"; }

std::string Entries(const std::vector<HelpEntry>& entries) {
  std::string page;
  for (const HelpEntry& entry : entries) {
    std::string tag = Join(entry.names, ", ", Bold);
    if (!entry.value.empty()) tag += " " + Italic(entry.value);
    page += Entry(tag, entry.meaning);
  }
  return page;
}

// A text whose lines are kept.
std::string AsItStands(std::string_view text) { return text.empty() ? "" : ".PP\n.nf\n" + Escaped(text) + "\n.fi\n"; }

std::string Setting(const SettingInfo& setting) {
  std::string text(setting.meaning);
  if (!setting.choices.empty()) text += " (" + std::string(setting.choices) + ")";
  std::string_view initial = setting.default_value;
  if (initial.starts_with('[')) initial = initial.substr(1, initial.size() - 2);
  if (!initial.empty()) text += "; by default " + std::string(initial);
  return Entry(Bold(setting.name), text);
}

}  // namespace

std::string ManPage(std::span<const CommandHelp> commands, std::span<const SettingInfo> settings,
                    std::span<const ExitCodeInfo> exit_codes, std::string_view version) {
  const CommandHelp& program = commands.front();
  std::string page = ".TH FLAKY 1 \"\" \"flaky " + Escaped(version) + "\" \"User Commands\"\n";
  page += ".SH NAME\n" + program.name + " \\- " + Escaped(program.meaning) + "\n";
  page += ".SH SYNOPSIS\n" + Bold(program.name) + " " + Italic("COMMAND") + " [" + Italic("OPTIONS") + "]\n";
  page += ".SH DESCRIPTION\n" + Escaped(program.meaning) + "\n" + AsItStands(program.footer);
  page += ".SH OPTIONS\n" + Entries(program.options);
  page += ".SH COMMANDS\n";
  for (const CommandHelp& command : commands.subspan(1)) {
    page += ".SS " + Escaped(command.usage) + "\n" + Escaped(command.meaning) + ".\n";
    page += Entries(command.arguments) + Entries(command.commands) + Entries(command.options);
    page += AsItStands(command.footer);
  }
  page += ".SH EXIT STATUS\n";
  for (const ExitCodeInfo& info : exit_codes) {
    page += Entry(Bold(std::to_string(static_cast<int>(info.code))), info.meaning);
  }
  page += ".SH ENVIRONMENT\n";
  for (const SettingInfo& setting : settings) page += Setting(setting);
  return page;
}

}  // namespace flaky
