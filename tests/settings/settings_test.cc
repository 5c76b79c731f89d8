// SPDX-License-Identifier: MIT
#include "settings/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flaky {
namespace {

// An environment for as long as it lives.
class Environment {
 public:
  Environment(std::initializer_list<std::pair<const std::string, std::string>> variables) : variables_(variables) {}
  const char* operator()(const char* name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : found->second.c_str();
  }

 private:
  std::map<std::string, std::string> variables_;
};

Settings Given(const SettingInfo& info, const std::string& text, Origin origin = Origin::kEnvironment,
               const std::string& where = "") {
  Settings settings;
  settings.Set(info, {text, origin, where});
  return settings;
}

std::string ErrorOf(const auto& read) {
  try {
    read();
  } catch (const SettingError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SettingTableTest, IsWellFormed) {
  std::set<std::string_view> names;
  for (const SettingInfo& info : SettingTable()) {
    SCOPED_TRACE(info.name);
    EXPECT_TRUE(info.name.starts_with("FLAKY_TESTS_"));
    EXPECT_TRUE(names.insert(info.name).second) << "twice in the table";
    EXPECT_FALSE(info.meaning.empty());
    EXPECT_EQ(info.meaning.find_first_of("\n|"), std::string_view::npos) << "breaks the tables it is shown in";
    EXPECT_EQ(FindSetting(info.name), &info);
    const bool is_number =
        info.kind == SettingKind::kNumber || info.kind == SettingKind::kSeconds || info.kind == SettingKind::kBytes;
    EXPECT_EQ(is_number, info.min < info.max);
    EXPECT_EQ(info.kind == SettingKind::kChoice, !info.choices.empty());
    EXPECT_TRUE(!info.secret || info.places != SettingPlaces::kAll) << "a project's file must not hold a secret";
  }
}

TEST(SettingTableTest, EveryDefaultIsOfItsKind) {
  const Settings settings;
  for (const SettingInfo& info : SettingTable()) EXPECT_NO_THROW(settings.Check(info)) << info.name;
  EXPECT_EQ(settings.Get(setting::kWindow), 7);
  EXPECT_EQ(settings.Get(setting::kThreshold), 2);
  EXPECT_EQ(settings.Get(setting::kMaxMessage), 64 * 1024);
  EXPECT_EQ(settings.Get(setting::kDeliveryTimeout), std::chrono::seconds(10));
  EXPECT_FALSE(settings.Get(setting::kDisable));
  EXPECT_EQ(settings.Get(setting::kLog), "warn");
  EXPECT_EQ(settings.Get(setting::kStore), "sqlite");
  EXPECT_EQ(settings.Get(setting::kTablePrefix), "flaky_test_");
}

TEST(SettingTableTest, ADescribedDefaultIsNotAValue) {
  ASSERT_TRUE(FindSetting("FLAKY_TESTS_DB")->default_value.starts_with('['));
  EXPECT_EQ(Settings().Get(setting::kDb), "");
}

TEST(SettingTableTest, FileKeysAreShortAndLowerCase) {
  EXPECT_EQ(FileKey(*FindSetting("FLAKY_TESTS_AUTH_TOKEN")), "auth_token");
  EXPECT_EQ(FileKey(*FindSetting("FLAKY_TESTS_SOURCE_DB")), "source_db");
}

TEST(SettingTableTest, FindsOnlyWhatIsThere) {
  EXPECT_EQ(FindSetting("FLAKY_TESTS_WINDWO"), nullptr);
  EXPECT_EQ(FindSetting(""), nullptr);
  EXPECT_EQ(FindSetting("flaky_tests_db"), nullptr);
}

TEST(SettingsTest, TheStrongestOriginCountsInWhateverOrderTheyCome) {
  const std::vector<Origin> origins = {Origin::kFlag, Origin::kEnvironment, Origin::kProjectFile, Origin::kUserFile};
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    Settings settings;
    for (const size_t i : order) settings.Set(setting::kWindow, {std::to_string(i + 1), origins[i], "here"});
    EXPECT_EQ(settings.Get(setting::kWindow), 1);
    EXPECT_EQ(settings.Given(setting::kWindow)->origin, Origin::kFlag);
    EXPECT_EQ(settings.Given(setting::kWindow)->where, "here");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(SettingsTest, OfOneOriginTheLaterCounts) {
  Settings settings = Given(setting::kWindow, "8", Origin::kFlag);
  settings.Set(setting::kWindow, {"9", Origin::kFlag, {}});
  EXPECT_EQ(settings.Get(setting::kWindow), 9);
}

TEST(SettingsTest, AnEmptyTextIsNotGivenAndHidesNothing) {
  Settings settings = Given(setting::kDb, "", Origin::kEnvironment);
  EXPECT_EQ(settings.Given(setting::kDb), std::nullopt);
  settings.Set(setting::kDb, {"/x", Origin::kUserFile, {}});
  settings.Set(setting::kDb, {"", Origin::kFlag, {}});
  EXPECT_EQ(settings.Get(setting::kDb), "/x");
}

TEST(SettingsTest, AnEmptyProjectOrPrefixIsAValue) {
  for (const Setting<std::string>& name : {setting::kProject, setting::kTablePrefix, setting::kSourceTablePrefix}) {
    const Settings settings = Given(name, "");
    ASSERT_TRUE(settings.Given(name)) << name.name();
    EXPECT_EQ(settings.Get(name), "") << name.name();
  }
}

TEST(SettingsTest, ReadsTheEnvironmentOfTheTableOnly) {
  Settings settings;
  settings.ReadEnvironment(Environment(
      {{"FLAKY_TESTS_DB", "/h.db"}, {"FLAKY_TESTS_PROJECT", ""}, {"FLAKY_TESTS_NONE", "x"}, {"HOME", "/h"}}));
  EXPECT_EQ(settings.Given(setting::kDb)->text, "/h.db");
  EXPECT_EQ(settings.Given(setting::kDb)->origin, Origin::kEnvironment);
  EXPECT_EQ(settings.Given(setting::kProject)->text, "");
  EXPECT_EQ(settings.Given(setting::kStore), std::nullopt);
}

TEST(SettingsTest, APathInTheEnvironmentMayBeInTheHome) {
  Settings settings;
  settings.ReadEnvironment(Environment(
      {{"FLAKY_TESTS_DB", "~/h.db"}, {"FLAKY_TESTS_SPOOL", "~"}, {"FLAKY_TESTS_PROJECT", "~/p"}, {"HOME", "/h"}}));
  EXPECT_EQ(settings.Get(setting::kDb), "/h/h.db");
  EXPECT_EQ(settings.Get(setting::kSpool), "/h");
  EXPECT_EQ(settings.Get(setting::kProject), "~/p") << "not a path";
  Settings homeless;
  EXPECT_THROW(homeless.ReadEnvironment(Environment({{"FLAKY_TESTS_DB", "~/h.db"}})), SettingError);
}

TEST(SettingsTest, NumbersAreWholeAndInRange) {
  for (const char* good : {"1", "3650", "0007"}) EXPECT_NO_THROW(Given(setting::kWindow, good).Get(setting::kWindow));
  EXPECT_EQ(Given(setting::kWindow, "3650").Get(setting::kWindow), 3650);
  for (const char* bad : {"0", "3651", "-1", "+7", "7.0", "7d", "7 7", "0x7", "abc", "1e3", "9223372036854775808",
                          "-99999999999999999999999"}) {
    EXPECT_THROW(Given(setting::kWindow, bad).Get(setting::kWindow), SettingError) << bad;
  }
}

TEST(SettingsTest, TruthHasFourWordsEach) {
  for (const char* yes : {"1", "true", "yes", "on"}) EXPECT_TRUE(Given(setting::kDisable, yes).Get(setting::kDisable));
  for (const char* no : {"0", "false", "no", "off"}) EXPECT_FALSE(Given(setting::kDisable, no).Get(setting::kDisable));
  for (const char* bad : {"2", "TRUE", "y", "1|true", "o", "nope"}) {
    EXPECT_THROW(Given(setting::kDisable, bad).Get(setting::kDisable), SettingError) << bad;
  }
}

TEST(SettingsTest, ChoicesAreWholeWords) {
  for (const char* good : {"silent", "error", "warn", "debug"}) {
    EXPECT_EQ(Given(setting::kLog, good).Get(setting::kLog), good);
  }
  for (const char* bad : {"sil", "silent|error", "WARN", "verbose"}) {
    EXPECT_THROW(Given(setting::kLog, bad).Get(setting::kLog), SettingError) << bad;
  }
}

TEST(SettingsTest, ErrorsSayWhatIsWrongWhereAndWhatIsExpected) {
  EXPECT_EQ(ErrorOf([] { Given(setting::kWindow, "week").Get(setting::kWindow); }),
            "FLAKY_TESTS_WINDOW (in the environment): invalid value; expected a whole number from 1 to 3650");
  EXPECT_EQ(
      ErrorOf([] { Given(setting::kWindow, "-3", Origin::kProjectFile, "/r/.flaky.toml:3").Check(setting::kWindow); }),
      "FLAKY_TESTS_WINDOW (in /r/.flaky.toml:3): invalid value `-3`; expected a whole number from 1 to 3650");
  EXPECT_EQ(ErrorOf([] { Given(setting::kThreshold, "0", Origin::kFlag, "--threshold").Check(setting::kThreshold); }),
            "--threshold: invalid value `0`; expected a whole number from 1 to 1000000");
  EXPECT_EQ(
      ErrorOf([] { Given(setting::kMaxMessage, "1").Check(setting::kMaxMessage); }),
      "FLAKY_TESTS_MAX_MESSAGE (in the environment): invalid value `1`; expected a whole number of bytes from 1024 to "
      "16777216");
  EXPECT_EQ(ErrorOf([] { Given(setting::kLog, "loud").Check(setting::kLog); }),
            "FLAKY_TESTS_LOG (in the environment): invalid value; expected silent, error, warn or debug");
}

TEST(SettingsTest, AMisspeltChoiceIsSuggested) {
  EXPECT_EQ(ErrorOf([] { Given(setting::kStore, "postgrse").Check(setting::kStore); }),
            "FLAKY_TESTS_STORE (in the environment): invalid value; expected sqlite, postgres, turso or "
            "supabase; did you mean `postgres`?");
}

TEST(SettingsTest, WhatIsAroundAValueIsRemovedAndNamed) {
  EXPECT_EQ(Given(setting::kWindow, "\"14\"\r\n").Get(setting::kWindow), 14);
  EXPECT_EQ(Given(setting::kProject, " 'my project' ").Get(setting::kProject), "my project");
  EXPECT_EQ(Given(setting::kProject, "my project").Unwrapped(), "");
  Settings settings = Given(setting::kWindow, "14\n");
  settings.Set(setting::kDb, {"'/x/h.db'", Origin::kEnvironment, {}});
  EXPECT_EQ(
      settings.Unwrapped(),
      "FLAKY_TESTS_WINDOW (in the environment), FLAKY_TESTS_DB (in the environment): removed the quotes, blanks or "
      "line ends around the value");
  EXPECT_FALSE(Given(setting::kDb, "\"\"").Given(setting::kDb)) << "an empty text is not a value";
}

TEST(SettingsTest, AnAddressIsNeitherANameNorAPath) {
  for (const char* text : {"postgresql://bob:hunter2@h/d", "TOKEN@host", "host=h password=x", "jdbc:postgresql:d"}) {
    const Settings name = Given(setting::kProject, text);
    EXPECT_FALSE(name.Given(setting::kProject)) << "a name counts as not set";
    EXPECT_EQ(
        ErrorOf([&] { name.Check(setting::kProject); }),
        "FLAKY_TESTS_PROJECT (in the environment): invalid value; expected a name, not a URL, a connection string "
        "or a secret; the address of a store belongs in FLAKY_TESTS_CONNECTION_STRING, and the kind of store in "
        "FLAKY_TESTS_STORE");
    const Settings path = Given(setting::kDb, text);
    EXPECT_THROW(path.Get(setting::kDb), SettingError) << "another file is not used instead";
    EXPECT_EQ(path.Given(setting::kDb)->text, "");
    EXPECT_THROW(Given(setting::kProject, text, Origin::kFlag, "--project"), SettingError);
  }
  Settings settings = Given(setting::kProject, "https://h/x");
  settings.Set(setting::kProject, {"demo", Origin::kUserFile, {}});
  EXPECT_EQ(settings.Get(setting::kProject), "demo");
}

TEST(StateFolderTest, FollowsXdgThenHomeThenTheUser) {
  EXPECT_EQ(StateFolder(Environment({{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}})), "/s/flaky");
  EXPECT_EQ(StateFolder(Environment({{"XDG_STATE_HOME", "relative"}, {"HOME", "/h"}})), "/h/.local/state/flaky");
  EXPECT_EQ(StateFolder(Environment({{"XDG_STATE_HOME", ""}, {"HOME", "/h"}})), "/h/.local/state/flaky");
  const std::string last = "/tmp/flaky-" + std::to_string(::getuid());
  EXPECT_EQ(StateFolder(Environment({{"HOME", ""}})), last);
  EXPECT_EQ(StateFolder(Environment({})), last);
}

}  // namespace
}  // namespace flaky
