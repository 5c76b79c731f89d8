// SPDX-License-Identifier: MIT
#include "settings/settings_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class SettingsFilesTest : public ProgramTest {
 protected:
  // The settings of a file with this content.
  Settings Read(const std::string& content, Origin origin = Origin::kProjectFile, mode_t mode = 0600) {
    WriteFile("repo/settings.toml", content);
    ::chmod(Path("repo/settings.toml").c_str(), mode);
    Settings settings;
    ReadSettingsFile(Path("repo/settings.toml"), origin, Path("home"), settings);
    return settings;
  }
  // What is wrong with it, without the folder's name.
  std::string ErrorOf(const std::string& content, Origin origin = Origin::kProjectFile, mode_t mode = 0600) {
    try {
      Read(content, origin, mode);
    } catch (const SettingError& error) {
      const std::string what = error.what();
      const std::string folder = Path("repo/");
      EXPECT_THAT(what, HasSubstr(folder));
      return what.substr(0, what.find(folder)) + what.substr(what.find(folder) + folder.size());
    }
    return "no error";
  }
};

TEST_F(SettingsFilesTest, TakesTextsNumbersAndTruthValues) {
  const Settings settings = Read(
      "# what this project wants\n"
      "project = \"engine\"\n"
      "window = 14\n"
      "\n"
      "threshold = \"3\"\n"
      "table_prefix = ''\n");
  EXPECT_EQ(settings.Get(setting::kProject), "engine");
  EXPECT_EQ(settings.Get(setting::kWindow), 14);
  EXPECT_EQ(settings.Get(setting::kThreshold), 3);
  EXPECT_EQ(settings.Given(setting::kTablePrefix)->text, "");
  EXPECT_EQ(settings.Given(setting::kThreshold)->where, Path("repo/settings.toml") + ":5");
  EXPECT_EQ(settings.Given(setting::kThreshold)->origin, Origin::kProjectFile);
}

TEST_F(SettingsFilesTest, PathsAreMeantFromTheFileOrTheHome) {
  EXPECT_EQ(Read("db = 'ci/h.db'").Get(setting::kDb), Path("repo/ci/h.db"));
  EXPECT_EQ(Read("db = '../h.db'").Get(setting::kDb), Path("h.db"));
  EXPECT_EQ(Read("db = '/var/h.db'").Get(setting::kDb), "/var/h.db");
  EXPECT_EQ(Read("db = '~/h.db'").Get(setting::kDb), Path("home/h.db"));
}

TEST_F(SettingsFilesTest, ErrorsNameFileAndLine) {
  EXPECT_EQ(ErrorOf("\nwindwo = 3\n"), "settings.toml:2: there is no setting `windwo`; did you mean `window`?");
  EXPECT_EQ(ErrorOf("colour = 3\n"), "settings.toml:1: there is no setting `colour`");
  EXPECT_EQ(ErrorOf("window = 3.5\n"), "settings.toml:1: `window` must be a text, a whole number, true or false");
  EXPECT_EQ(ErrorOf("[window]\ndays = 3\n"), "settings.toml:1: `window` must be a text, a whole number, true or false");
  EXPECT_EQ(ErrorOf("project = \"a\\u0000b\"\n"), "settings.toml:1: `project` holds a NUL character");
  EXPECT_THAT(ErrorOf("project = \"a\"\nwindow = \n"), HasSubstr("settings.toml:2: "));
  EXPECT_THAT(ErrorOf("project = \"a\"\nproject = \"b\"\n"), HasSubstr("settings.toml:2: "));
  EXPECT_THAT(ErrorOf(std::string("\xff\xfe\0garbage", 10)), HasSubstr("settings.toml:1: "));
}

// Faults of the library for TOML, by which a stranger's file would end the program.
TEST_F(SettingsFilesTest, AFileThatTheLibraryDoesNotHandleIsAnError) {
  EXPECT_EQ(ErrorOf("[&"), "settings.toml:1: the line has no name of a table after its `[`");
  EXPECT_EQ(ErrorOf("window = 3\nŝ"), "settings.toml:2: the line has a character outside of quotes that is not ASCII");
  std::string deep = "window";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  EXPECT_EQ(ErrorOf(deep + " = 1"), "settings.toml:1: the line has a key with more than 16 dots");
}

TEST_F(SettingsFilesTest, AnErrorHasNothingOfAMalformedSecret) {
  for (const std::string value :
       {"hunter2", "thunter2", "truehunter2", "-hunter2", "\"hunter2", "'x'hunter2", "[hunter2"}) {
    const std::string error = ErrorOf("auth_token = " + value + "\n", Origin::kUserFile);
    EXPECT_THAT(error, HasSubstr("settings.toml:1: ")) << value;
    EXPECT_THAT(error, Not(AnyOf(HasSubstr("hunter"), HasSubstr("saw")))) << value;
  }
}

TEST_F(SettingsFilesTest, AProjectsFileMayHoldNoSecret) {
  const std::string error = ErrorOf("\nauth_token = 'hunter2'\n");
  EXPECT_EQ(error,
            "settings.toml:2: `auth_token` is a secret, and other people read a project's file: set "
            "FLAKY_TESTS_AUTH_TOKEN in the environment, or `auth_token` in the user's flaky/config.toml");
  EXPECT_THAT(ErrorOf("connection_string = 'hunter2'\n"), HasSubstr("is a secret"));
  EXPECT_THAT(ErrorOf("source_connection_string = 'hunter2'\n"), HasSubstr("is a secret"));
}

TEST_F(SettingsFilesTest, AProjectsFileMayNotNameFilesToWriteTo) {
  EXPECT_THAT(ErrorOf("log_file = '~/.profile'\n"), HasSubstr("`log_file` may not be set by a project"));
  EXPECT_EQ(Read("log_file = 'x.log'\n", Origin::kUserFile).Get(setting::kLogFile), Path("repo/x.log"));
}

TEST_F(SettingsFilesTest, AUsersFileMayHoldSecretsIfOnlyTheUserReadsIt) {
  const std::string content = "auth_token = 'hunter2'\n";
  EXPECT_EQ(Read(content, Origin::kUserFile, 0600).Get(setting::kAuthToken), "hunter2");
  EXPECT_EQ(Read(content, Origin::kUserFile, 0400).Get(setting::kAuthToken), "hunter2");
  for (const mode_t mode : {0640, 0604, 0660, 0644, 0620}) {
    EXPECT_EQ(ErrorOf(content, Origin::kUserFile, mode),
              "settings.toml:1: `auth_token` is a secret, and other users may read this file: run chmod 600 on it");
  }
  EXPECT_EQ(Read("window = 3\n", Origin::kUserFile, 0644).Get(setting::kWindow), 3) << "without one it may be open";
}

TEST_F(SettingsFilesTest, WhatTheRecorderReadsBelongsIntoTheEnvironment) {
  int refused = 0;
  for (const SettingInfo& info : SettingTable()) {
    if (info.places != SettingPlaces::kEnvironment) continue;
    for (const Origin origin : {Origin::kProjectFile, Origin::kUserFile}) {
      EXPECT_EQ(ErrorOf(FileKey(info) + " = 'x'\n", origin),
                "settings.toml:1: `" + FileKey(info) + "` is read by the test programs, which read no files: set " +
                    std::string(info.name) + " in the environment");
    }
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(SettingsFilesTest, AFileThatIsNotThereSaysNothing) {
  Settings settings;
  EXPECT_NO_THROW(ReadSettingsFile(Path("none.toml"), Origin::kUserFile, "", settings));
  EXPECT_NO_THROW(ReadSettingsFile(Path("none/none.toml"), Origin::kUserFile, "", settings));
}

TEST_F(SettingsFilesTest, AFileThatCannotBeReadIsAnError) {
  Settings settings;
  const auto read = [&](const std::string& name) {
    try {
      ReadSettingsFile(Path(name), Origin::kUserFile, "", settings);
    } catch (const SettingError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(read("work"), "cannot read settings from " + Path("work") + ": it is not a file");
  ::mkfifo(Path("pipe").c_str(), 0600);
  EXPECT_EQ(read("pipe"), "cannot read settings from " + Path("pipe") + ": it is not a file") << "and does not wait";
  WriteFile("huge", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(read("huge"), "cannot read settings from " + Path("huge") + ": it is larger than 256 KiB");
}

TEST_F(SettingsFilesTest, AFileThatIsClosedToTheUserIsAnError) {
  WriteFile("work/.flaky.toml", "window = 3\n");
  ::chmod(Path("work/.flaky.toml").c_str(), 0);
  const Outcome outcome = RunWithoutPrivileges({"config"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "flaky: cannot read settings from " + Path("work/.flaky.toml") + ": Permission denied\n");
}

TEST_F(SettingsFilesTest, AFolderThatIsClosedToTheUserHidesItsFiles) {
  WriteFile("home/.config/flaky/config.toml", "windwo = 3\n");
  ::chmod(Path("home/.config").c_str(), 0);
  EXPECT_EQ(RunWithoutPrivileges({"config"}).code, 0);
  ::chmod(Path("home/.config").c_str(), 0700);
}

TEST_F(SettingsFilesTest, TheNearestProjectFileUpToTheTopOfTheRepositoryCounts) {
  WriteFile(".flaky.toml", "");
  WriteFile("repo/.git/HEAD", "ref: refs/heads/main\n");
  WriteFile("repo/src/deep/x.cc", "");
  EXPECT_EQ(FindProjectFile(Path("repo/src/deep")).path, "") << "not above the top";
  WriteFile("repo/.flaky.toml", "");
  EXPECT_EQ(FindProjectFile(Path("repo/src/deep")).path, Path("repo/.flaky.toml"));
  EXPECT_EQ(FindProjectFile(Path("repo")).path, Path("repo/.flaky.toml"));
  WriteFile("repo/src/.flaky.toml", "");
  EXPECT_EQ(FindProjectFile(Path("repo/src/deep")).path, Path("repo/src/.flaky.toml"));
}

TEST_F(SettingsFilesTest, OutsideOfARepositoryTheNearestFileUpwardsCounts) {
  WriteFile("plain/.flaky.toml", "");
  WriteFile("plain/sub/x", "");
  EXPECT_EQ(FindProjectFile(Path("plain")).path, Path("plain/.flaky.toml"));
  EXPECT_EQ(FindProjectFile(Path("plain/sub")).path, Path("plain/.flaky.toml"));
  EXPECT_EQ(FindProjectFile(Path("other")).path, "");
}

TEST_F(SettingsFilesTest, TheUsersFileFollowsXdg) {
  std::map<std::string, std::string> variables = {{"HOME", "/h"}};
  const auto get = [&](const char* name) { return variables.contains(name) ? variables[name].c_str() : nullptr; };
  EXPECT_EQ(UserSettingsFile(get), "/h/.config/flaky/config.toml");
  variables["XDG_CONFIG_HOME"] = "/c";
  EXPECT_EQ(UserSettingsFile(get), "/c/flaky/config.toml");
  variables[kRunConfig] = "/of/the/run.toml";
  EXPECT_EQ(UserSettingsFile(get), "/of/the/run.toml") << "under flaky run";
  variables = {{"XDG_CONFIG_HOME", "relative"}};
  EXPECT_EQ(UserSettingsFile(get), "");
}

}  // namespace
}  // namespace flaky
