// SPDX-License-Identifier: MIT

// docs/reference describes what the program does, word for word. If one of these tests fails, its failure shows the
// lines to paste.
#include <gmock/gmock.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "analysis/model.h"
#include "cli/exit_code.h"
#include "cli/output/json_output.h"
#include "cli/output/progress_text.h"
#include "history/text.h"
#include "settings/settings.h"
#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::ElementsAreArray;

class DocsTest : public ProgramTest {
 protected:
  static std::vector<std::string> LinesOf(const std::string& file) {
    const std::string text = Content(std::filesystem::path(FLAKY_SOURCE_DIR) / file);
    EXPECT_NE(text, "") << file << " is missing";
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  static std::vector<std::string> LinesThatBegin(const std::string& file, const std::string& beginning) {
    std::vector<std::string> found;
    for (const std::string& line : LinesOf(file)) {
      if (line.starts_with(beginning)) found.push_back(line);
    }
    return found;
  }

  // Returns the text of each ```text block that follows a heading `## flaky …`, by that heading.
  static std::map<std::string, std::string> Blocks(const std::string& file) {
    std::map<std::string, std::string> blocks;
    std::string heading;
    bool inside = false;
    for (const std::string& line : LinesOf(file)) {
      if (line.starts_with("## ")) heading = line.substr(3);
      if (line == "```") inside = false;
      if (inside) blocks[heading] += line + "\n";
      if (line == "```text") inside = true;
    }
    return blocks;
  }

  // Returns the subcommands of a command, as the program's help lists them.
  static std::vector<std::vector<std::string>> SubcommandsOf(const std::vector<std::string>& command) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--help");
    std::vector<std::vector<std::string>> found;
    std::istringstream help(Run(arguments).out);
    bool listing = false;
    for (std::string line; std::getline(help, line);) {
      if (line.empty()) listing = false;
      if (listing && line.size() > 2 && line[2] != ' ') {
        found.push_back(command);
        found.back().push_back(line.substr(2, line.find(' ', 2) - 2));
      }
      if (line == "Commands:") listing = true;
    }
    return found;
  }
};

std::string DefaultCell(const SettingInfo& info) {
  const std::string text(info.default_value);
  if (text.empty()) return "none";
  return text.starts_with('[') ? text.substr(1, text.size() - 2) : "`" + text + "`";
}

std::string MeaningCell(const SettingInfo& info) {
  std::string text(info.meaning);
  if (info.min < info.max) text += " (" + std::to_string(info.min) + " to " + std::to_string(info.max) + ")";
  if (const auto choices = ChoicesOf(info); !choices.empty()) text += " (" + Join(choices, ", ") + ")";
  return text;
}

std::string PlacesCell(const SettingInfo& info) {
  switch (info.places) {
    case SettingPlaces::kAll:
      return "`" + FileKey(info) + "`";
    case SettingPlaces::kPersonal:
      return "`" + FileKey(info) + "`, user's file only" + (info.secret ? "; secret" : "");
    case SettingPlaces::kEnvironment:
      break;
  }
  return "environment only";
}

TEST_F(DocsTest, TheReadmeHasEveryCommand) {
  std::set<std::string> expected, found;
  for (const auto& command : SubcommandsOf({})) expected.insert(command.front());
  for (const std::string& line : LinesThatBegin("README.md", "| `flaky ")) {
    found.insert(line.substr(9, line.find_first_of(" `", 9) - 9));
  }
  EXPECT_EQ(found, expected);
}

TEST_F(DocsTest, TheSettingsPageMatchesTheTable) {
  std::vector<std::string> expected;
  for (const SettingInfo& info : SettingTable()) {
    expected.push_back("| `" + std::string(info.name) + "` | " + DefaultCell(info) + " | " + MeaningCell(info) + " | " +
                       PlacesCell(info) + " |");
  }
  EXPECT_THAT(LinesThatBegin("docs/reference/settings.md", "| `FLAKY_TESTS_"), ElementsAreArray(expected))
      << testing::PrintToString(expected);
}

TEST_F(DocsTest, TheConstantsOfTheJudgeMatchTheModel) {
  std::vector<std::string> expected, found;
  const Model model;
  for (const ModelConstant& constant : ModelConstants()) {
    std::ostringstream row;
    row << "| `" << constant.name << "` | " << model.*constant.member << " | " << constant.least << " to "
        << constant.most << " | " << constant.meaning << " |";
    expected.push_back(row.str());
  }
  bool within = false;
  for (const std::string& line : LinesOf("docs/reference/settings.md")) {
    if (line == "| constant | default | values | meaning |") within = true;
    if (line.empty()) within = false;
    if (within && line.starts_with("| `")) found.push_back(line);
  }
  EXPECT_THAT(found, ElementsAreArray(expected));
}

TEST_F(DocsTest, TheExitCodesPageMatchesTheTable) {
  std::vector<std::string> enumerators, listed, expected;
  for (const std::string& line : LinesOf("cli/exit_code.h")) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex(R"(  k\w+ = (\d+),)"))) enumerators.push_back(match.str(1));
  }
  for (const ExitCodeInfo& info : kExitCodes) {
    listed.push_back(std::to_string(static_cast<int>(info.code)));
    expected.push_back("| " + listed.back() + " | " + std::string(info.meaning) + " |");
  }
  EXPECT_EQ(listed, enumerators);
  std::vector<std::string> found;
  for (const std::string& line : LinesThatBegin("docs/reference/exit-codes.md", "| ")) {
    if (std::regex_match(line, std::regex(R"(\| \d.*)"))) found.push_back(line);
  }
  EXPECT_THAT(found, ElementsAreArray(expected));
}

TEST_F(DocsTest, TheCommandsPageMatchesTheHelp) {
  std::map<std::string, std::string> blocks = Blocks("docs/reference/commands.md");
  std::vector<std::vector<std::string>> commands = {{}};
  for (size_t i = 0; i < commands.size(); ++i) {
    for (const auto& subcommand : SubcommandsOf(commands[i])) commands.push_back(subcommand);
    std::string heading = "flaky";
    for (const std::string& word : commands[i]) heading += " " + word;
    std::vector<std::string> arguments = commands[i];
    arguments.push_back("--help");
    const Outcome help = Run(arguments);
    EXPECT_EQ(help.code, 0) << heading;
    EXPECT_EQ(blocks[heading], help.out) << "docs/reference/commands.md, " << heading;
    blocks.erase(heading);
  }
  EXPECT_GE(commands.size(), 9U);
  for (const auto& [heading, block] : blocks) ADD_FAILURE() << "docs/reference/commands.md: no command " << heading;
}

TEST_F(DocsTest, EveryCommandHasTwoExamplesThatItUnderstands) {
  std::vector<std::vector<std::string>> commands = {{}};
  for (size_t i = 0; i < commands.size(); ++i) {
    for (const auto& subcommand : SubcommandsOf(commands[i])) commands.push_back(subcommand);
    std::vector<std::string> arguments = commands[i];
    arguments.push_back("--help");
    const std::string help = Run(arguments).out;
    const size_t examples = help.find("\nExamples:\n");
    ASSERT_NE(examples, std::string::npos) << help;
    std::istringstream lines(help.substr(examples + std::string("\nExamples:\n").size()));
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      for (std::string next; line.ends_with('\\') && std::getline(lines, next);) line.replace(line.size() - 1, 1, next);
      const size_t program = line.find("flaky ");
      ASSERT_NE(program, std::string::npos) << line;
      std::istringstream words(line.substr(program + 6));
      std::vector<std::string> example{std::istream_iterator<std::string>(words), {}};
      // Arguments after `--` are another program's.
      example.insert(std::ranges::find(example, "--"), "--help");
      EXPECT_EQ(Run(example).code, 0) << line;
    }
    EXPECT_EQ(count, 2) << help;
  }
}

TEST_F(DocsTest, TheExampleEnvironmentHasEverySetting) {
  std::vector<std::string> shown;
  for (const std::string& line : LinesOf(".env.example")) {
    EXPECT_TRUE(line.empty() || line.starts_with("#")) << "loading the file unchanged must set nothing: " << line;
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^# (FLAKY_TESTS_[A-Z_]+)="))) shown.push_back(match[1]);
  }
  std::vector<std::string> known;
  for (const SettingInfo& info : SettingTable()) known.emplace_back(info.name);
  std::ranges::sort(shown);
  shown.erase(std::ranges::unique(shown).begin(), shown.end());  // grouped by store, so some are listed twice
  std::ranges::sort(known);
  EXPECT_THAT(shown, ElementsAreArray(known));
}

TEST_F(DocsTest, EveryVariableInTheGuidesExists) {
  std::set<std::string> known;
  for (const SettingInfo& info : SettingTable()) known.emplace(info.name);
  const std::filesystem::path guides = std::filesystem::path(FLAKY_SOURCE_DIR) / "docs/guides";
  for (const auto& entry : std::filesystem::directory_iterator(guides)) {
    const std::string text = Content(entry.path());
    const std::regex variable(R"(\bFLAKY_TESTS_[A-Z_]*[A-Z]\b)");
    for (std::sregex_iterator at(text.begin(), text.end(), variable), end; at != end; ++at) {
      EXPECT_TRUE(known.contains(at->str())) << entry.path() << ": " << at->str();
    }
  }
}

TEST_F(DocsTest, TheFieldsOfProgressEventsAreDocumented) {
  std::vector<std::string> documented;
  bool within = false;
  for (const std::string& line : LinesOf("docs/reference/commands.md")) {
    if (line == "| field | meaning |") within = true;
    if (line.empty()) within = false;
    if (within && line.starts_with("| `")) documented.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  std::vector<std::string> fields;
  const Json event = Json::parse(ProgressEvent({}, PhaseState::kRunning));
  for (const auto& [field, value] : event.items()) fields.push_back(field);
  EXPECT_THAT(documented, ElementsAreArray(fields));
}

}  // namespace
}  // namespace flaky
