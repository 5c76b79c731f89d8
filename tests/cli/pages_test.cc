// SPDX-License-Identifier: MIT

// The man pages in groff and the completions in the shells, compared with the program's commands and options.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/completions.h"
#include "cli/man_page.h"
#include "cli/output/escaped.h"
#include "cli/output/status_line.h"
#include "cli/program.h"
#include "cli/session.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<CommandHelp> ProgramCommands() {
  StatusLine messages(std::cerr);
  Session session{.settings = {}, .out = std::cout, .err = messages};
  CLI::App app;
  const RunRequest nothing;
  DescribeProgram(app, session, nothing);
  return DescribeCommands(app);
}

std::set<std::string> NamesOf(const std::vector<HelpEntry>& entries) {
  std::set<std::string> names;
  for (const HelpEntry& entry : entries) names.insert(entry.names.begin(), entry.names.end());
  return names;
}

// The words of "flaky schema sql", each in quotes.
std::string WordsOf(const CommandHelp& command) {
  std::istringstream stream(command.name);
  std::string text;
  for (std::string word; stream >> word;) text += "'" + word + "' ";
  return text;
}

class Pages : public testing::Test {
 protected:
  Pages() : commands_(ProgramCommands()) {}

  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.File(name)) << text;
    return folder_.File(name);
  }

  // Runs a script with a program and returns the lines of its output and its errors. Fails the test if it fails.
  std::vector<std::string> Run(const std::string& program, const std::string& script) const {
    const std::string file = File("script", script);
    const std::string command = "HOME=" + folder_.path().string() + " LC_ALL=C.UTF-8 " + program + " " + file + " 2>&1";
    std::vector<std::string> lines;
    FILE* const pipe = popen(command.c_str(), "r");
    std::string text;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
    const int status = pclose(pipe);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << script << text;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
  static std::set<std::string> Names(const std::vector<std::string>& lines, char until) {
    std::set<std::string> names;
    for (const std::string& line : lines) names.insert(line.substr(0, line.find(until)));
    return names;
  }

  const TempFolder folder_;
  const std::vector<CommandHelp> commands_;
};

TEST_F(Pages, CoverAllCommands) {
  std::set<std::string> names;
  for (const CommandHelp& command : commands_) names.insert(command.name);
  EXPECT_TRUE(names.contains("flaky"));
  EXPECT_TRUE(names.contains("flaky deliver"));
  EXPECT_TRUE(names.contains("flaky schema sql"));
  EXPECT_EQ(names.size(), commands_.size());
}

TEST_F(Pages, BashCompletes) {
  const std::string page = File("flaky.bash", BashCompletion(commands_));
  const auto complete = [&](const std::string& words, const std::string& current) {
    return Run("bash --norc", "set -u\n. " + page + "\nCOMP_WORDS=(" + words + "'" + current +
                                  "')\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_flaky\n"
                                  "((${#COMPREPLY[@]} == 0)) || printf '%s\\n' \"${COMPREPLY[@]}\"\n");
  };
  for (const CommandHelp& command : commands_) {
    SCOPED_TRACE(command.name);
    std::set<std::string> expected = NamesOf(command.options);
    expected.merge(NamesOf(command.commands));
    EXPECT_EQ(Names(complete(WordsOf(command), ""), '\n'), expected);
  }
  EXPECT_THAT(complete("flaky ", "migr"), ElementsAre("migrate-store"));
  EXPECT_THAT(complete("flaky migrate-store --on-conflict ", "re"), ElementsAre("replace"));
  EXPECT_THAT(complete("flaky migrate-store --to ", ""), IsEmpty()) << "the shell completes file names";
  EXPECT_THAT(complete("flaky runs -- ", ""), IsEmpty());
}

TEST_F(Pages, ZshCompletes) {
  const std::string page = File("_flaky", ZshCompletion(commands_));
  const auto complete = [&](const std::string& words, const std::string& current) {
    return Run("zsh -f",
               "_describe() { print -rl -- \"${(@P)2}\" }\ncompadd() { shift; print -rl -- \"$@\" }\n"
               "_files() { print files }\nwords=(" +
                   words + "'" + current + "')\nCURRENT=$#words\nPREFIX='" + current + "'\n. " + page + "\n");
  };
  for (const CommandHelp& command : commands_) {
    SCOPED_TRACE(command.name);
    EXPECT_EQ(Names(complete(WordsOf(command), "-"), ':'), NamesOf(command.options));
    EXPECT_EQ(Names(complete(WordsOf(command), ""), ':'),
              command.commands.empty() ? std::set<std::string>{"files"} : NamesOf(command.commands));
  }
  EXPECT_THAT(complete("flaky migrate-store --on-conflict ", ""), ElementsAre("keep", "replace", "fail"));
  EXPECT_THAT(complete("flaky export --from ", ""), ElementsAre("files"));
  EXPECT_THAT(complete("flaky runs -- ", "-"), ElementsAre("files"));
}

TEST_F(Pages, FishCompletes) {
  const std::string page = File("flaky.fish", FishCompletion(commands_));
  const auto complete = [&](const std::string& line) {
    return Names(Run("fish --no-config", "source " + page + "\ncomplete -C '" + line + "'\n"), '\t');
  };
  for (const CommandHelp& command : commands_) {
    SCOPED_TRACE(command.name);
    EXPECT_EQ(complete(command.name + " -"), NamesOf(command.options));
    if (!command.commands.empty()) {
      EXPECT_EQ(complete(command.name + " "), NamesOf(command.commands));
    }
  }
  EXPECT_EQ(complete("flaky migrate-store --on-conflict "), (std::set<std::string>{"keep", "replace", "fail"}));
}

// Formats pages as man(1) does on a terminal of 80 columns.
class ManPages : public Pages {
 protected:
  std::string Set(const std::string& page) const {
    std::string text;
    for (const std::string& line : Run("groff -man -ww -Kutf8 -Tutf8 -P-cbou -rLL=80n", page)) {
      EXPECT_THAT(line, testing::Not(testing::ContainsRegex("(groff|troff|grotty).*warning")));
      EXPECT_LE(DisplayWidth(line), 80U) << line;
      text += line + "\n";
    }
    return text;
  }

  // Returns the text in one line with single spaces, so that a line break changes nothing. Hyphenation is undone.
  static std::string Joined(const std::string& text) {
    std::string joined = std::regex_replace(text, std::regex("\xe2\x80\x90\n +"), "");
    return std::regex_replace(joined, std::regex("[ \n]+"), " ");
  }
};

TEST_F(ManPages, TheProgramsPageHasEveryCommandSettingAndExitCode) {
  const std::string text = Joined(Set(ProgramManPage(commands_, SettingTable(), kExitCodes, "1.2.3")));
  EXPECT_THAT(text, HasSubstr("flaky 1.2.3"));
  EXPECT_THAT(text, HasSubstr("flaky COMMAND [OPTIONS]"));
  for (const CommandHelp& command : std::span(commands_).subspan(1)) {
    EXPECT_THAT(text, HasSubstr(ManPageName(command) + "(1)"));
  }
  for (const SettingInfo& setting : SettingTable()) EXPECT_THAT(text, HasSubstr(std::string(setting.name)));
  EXPECT_THAT(text, HasSubstr(" EXIT STATUS "));
  for (const ExitCodeInfo& info : kExitCodes) {
    EXPECT_THAT(text,
                HasSubstr(" " + std::to_string(static_cast<int>(info.code)) + " " + Joined(std::string(info.meaning))));
  }
}

TEST_F(ManPages, EveryCommandHasAPageWithItsOptionsNotesAndExamples) {
  for (const CommandHelp& command : std::span(commands_).subspan(1)) {
    SCOPED_TRACE(command.name);
    const std::string text = Joined(Set(CommandManPage(command, "1.2.3")));
    EXPECT_THAT(text, HasSubstr(" SYNOPSIS " + command.usage));
    for (const std::string& name : NamesOf(command.options)) EXPECT_THAT(text, HasSubstr(name));
    for (const std::string& name : NamesOf(command.commands)) EXPECT_THAT(text, HasSubstr(name));
    for (const std::string& note : command.notes) EXPECT_THAT(text, HasSubstr(note));
    for (const std::string& example : command.examples) {
      EXPECT_THAT(std::regex_replace(text, std::regex(R"( \\ )"), " "), HasSubstr(example));
    }
  }
}

// Pages and completions are made from what is compiled in: neither the environment nor a history changes them.
TEST_F(Pages, ForeignTextDoesNotGetIn) {
  const std::string before = BashCompletion(commands_) + ZshCompletion(commands_) + FishCompletion(commands_) +
                             ProgramManPage(commands_, SettingTable(), kExitCodes, "1.2.3");
  std::vector<std::string> names = {"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "COMP_WORDS", "COMP_LINE"};
  for (const SettingInfo& setting : SettingTable()) names.emplace_back(setting.name);
  for (const std::string& name : names) ::setenv(name.c_str(), "'$(touch evil)\n.sy touch evil", 1);
  const std::vector<CommandHelp> commands = ProgramCommands();
  for (const std::string& name : names) ::unsetenv(name.c_str());
  EXPECT_EQ(BashCompletion(commands) + ZshCompletion(commands) + FishCompletion(commands) +
                ProgramManPage(commands, SettingTable(), kExitCodes, "1.2.3"),
            before);
}

// If such text did get in, it would be nothing but text.
class HostilePages : public ManPages {
 protected:
  HostilePages() : hostile_(commands_), evil_(folder_.File("evil")) {
    text_ = "' \\' ; touch " + evil_ + " #\n.sy touch " + evil_ + "\n'sy touch " + evil_ + "\n`touch " + evil_ +
            "` $(touch " + evil_ + ") \\X'x' \\\\s+9 :x: %F{red} \"";
    for (CommandHelp& command : hostile_) {
      command.meaning = text_;
      for (std::string& note : command.notes) note = text_;
      for (std::string& example : command.examples) example = "flaky \\X'x' `touch x`";
      for (auto* entries : {&command.options, &command.commands, &command.arguments}) {
        for (HelpEntry& entry : *entries) entry.meaning = text_;
      }
    }
  }
  ~HostilePages() override { EXPECT_FALSE(std::filesystem::exists(evil_)); }

  std::vector<CommandHelp> hostile_;
  std::string evil_, text_;
};

TEST_F(HostilePages, InZsh) {
  for (CommandHelp& command : hostile_) {
    for (HelpEntry& option : command.options) option.value += option.value.empty() ? "" : "|" + text_;
  }
  const std::string page = File("_flaky", ZshCompletion(hostile_));
  const std::string stubs =
      "_describe() { print -rl -- \"${(@P)2}\" }\ncompadd() { shift; print -rl -- \"$@\" }\n"
      "_files() { print files }\n";
  const std::string text =
      testing::PrintToString(Run("zsh -f", stubs + "words=(flaky '')\nCURRENT=2\nPREFIX=\n. " + page + "\n"));
  EXPECT_THAT(text, HasSubstr("deliver:"));
  EXPECT_THAT(text, HasSubstr("touch"));
  EXPECT_THAT(Run("zsh -f", stubs + "words=(flaky migrate-store --on-conflict '')\nCURRENT=4\nPREFIX=\n. " + page),
              testing::Contains("replace"));
}

TEST_F(HostilePages, InFish) {
  const std::string page = File("flaky.fish", FishCompletion(hostile_));
  EXPECT_THAT(testing::PrintToString(Run("fish --no-config", "source " + page + "\ncomplete -C 'flaky '\n")),
              HasSubstr("deliver"));
}

TEST_F(HostilePages, InBash) {
  const std::string page = File("flaky.bash", BashCompletion(hostile_));
  EXPECT_THAT(Run("bash --norc", ". " + page +
                                     "\nCOMP_WORDS=(flaky 'migr')\nCOMP_CWORD=1\n_flaky\n"
                                     "printf '%s\\n' \"${COMPREPLY[@]}\"\n"),
              ElementsAre("migrate-store"));
}

TEST_F(HostilePages, InGroff) {
  const std::string text = Joined(Set(CommandManPage(hostile_[1], "1.2.3")));
  for (const char* part : {".sy touch", "sy touch", "\\X", "\\\\s+9", "%F{red}"}) EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(Pages, TheHelpFitsATerminal) {
  for (const CommandHelp& command : commands_) {
    SCOPED_TRACE(command.name);
    CLI::App app;
    StatusLine messages(std::cerr);
    Session session{.settings = {}, .out = std::cout, .err = messages};
    const RunRequest nothing;
    DescribeProgram(app, session, nothing);
    const CLI::App* shown = &app;
    std::istringstream words(command.name);
    std::string word;
    for (words >> word; words >> word;) shown = shown->get_subcommand(word);
    std::istringstream help(shown->help());
    for (std::string line; std::getline(help, line);) EXPECT_LE(DisplayWidth(line), 80U) << line;
  }
}

TEST(WrapExample, ContinuesALongCommandAsAShellReadsIt) {
  EXPECT_EQ(WrapExample("flaky runs", 20), std::vector<std::string>{"flaky runs"});
  EXPECT_EQ(WrapExample("flaky copy --from a --to b", 22),
            (std::vector<std::string>{"flaky copy --from a \\", "    --to b"}));
  EXPECT_EQ(WrapExample("flaky 0123456789012345678901234567890", 20),
            (std::vector<std::string>{"flaky \\", "    0123456789012345678901234567890"}));
}

}  // namespace
}  // namespace flaky
