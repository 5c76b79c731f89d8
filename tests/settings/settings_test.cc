#include "settings/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <stdexcept>
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

Settings Given(const std::string& name, const std::string& text, Origin origin = Origin::kEnvironment,
               const std::string& where = "") {
  Settings settings;
  settings.Set(name, {text, origin, where});
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
    EXPECT_TRUE(!info.secret || info.places != SettingPlaces::kAll) << "a project's file is no place for a secret";
  }
}

TEST(SettingTableTest, EveryDefaultIsOfItsKind) {
  const Settings settings;
  for (const SettingInfo& info : SettingTable()) EXPECT_NO_THROW(settings.Check(info.name)) << info.name;
  EXPECT_EQ(settings.Number("FLAKY_TESTS_WINDOW"), 7);
  EXPECT_EQ(settings.Number("FLAKY_TESTS_THRESHOLD"), 2);
  EXPECT_EQ(settings.Number("FLAKY_TESTS_MAX_MESSAGE"), 64 * 1024);
  EXPECT_EQ(settings.Number("FLAKY_TESTS_DELIVERY_TIMEOUT"), 10);
  EXPECT_FALSE(settings.Bool("FLAKY_TESTS_DISABLE"));
  EXPECT_EQ(settings.Choice("FLAKY_TESTS_LOG"), "warn");
  EXPECT_EQ(settings.Text("FLAKY_TESTS_STORE"), "sqlite");
  EXPECT_EQ(settings.Text("FLAKY_TESTS_TABLE_PREFIX"), "flaky_test_");
}

TEST(SettingTableTest, ADescribedDefaultIsNoValue) {
  ASSERT_TRUE(FindSetting("FLAKY_TESTS_DB")->default_value.starts_with('['));
  EXPECT_EQ(Settings().Text("FLAKY_TESTS_DB"), "");
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
    for (const size_t i : order) settings.Set("FLAKY_TESTS_WINDOW", {std::to_string(i + 1), origins[i], "here"});
    EXPECT_EQ(settings.Number("FLAKY_TESTS_WINDOW"), 1);
    EXPECT_EQ(settings.Given("FLAKY_TESTS_WINDOW")->origin, Origin::kFlag);
    EXPECT_EQ(settings.Given("FLAKY_TESTS_WINDOW")->where, "here");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(SettingsTest, OfOneOriginTheLaterCounts) {
  Settings settings = Given("FLAKY_TESTS_WINDOW", "8", Origin::kFlag);
  settings.Set("FLAKY_TESTS_WINDOW", {"9", Origin::kFlag, {}});
  EXPECT_EQ(settings.Number("FLAKY_TESTS_WINDOW"), 9);
}

TEST(SettingsTest, AnEmptyTextIsNotGivenAndHidesNothing) {
  Settings settings = Given("FLAKY_TESTS_DB", "", Origin::kEnvironment);
  EXPECT_EQ(settings.Given("FLAKY_TESTS_DB"), std::nullopt);
  settings.Set("FLAKY_TESTS_DB", {"/x", Origin::kUserFile, {}});
  settings.Set("FLAKY_TESTS_DB", {"", Origin::kFlag, {}});
  EXPECT_EQ(settings.Text("FLAKY_TESTS_DB"), "/x");
}

TEST(SettingsTest, AnEmptyProjectOrPrefixIsAValue) {
  for (const char* name : {"FLAKY_TESTS_PROJECT", "FLAKY_TESTS_TABLE_PREFIX", "FLAKY_TESTS_SOURCE_TABLE_PREFIX"}) {
    const Settings settings = Given(name, "");
    ASSERT_TRUE(settings.Given(name)) << name;
    EXPECT_EQ(settings.Text(name), "") << name;
  }
}

TEST(SettingsTest, ReadsTheEnvironmentOfTheTableOnly) {
  Settings settings;
  settings.ReadEnvironment(Environment(
      {{"FLAKY_TESTS_DB", "/h.db"}, {"FLAKY_TESTS_PROJECT", ""}, {"FLAKY_TESTS_NONE", "x"}, {"HOME", "/h"}}));
  EXPECT_EQ(settings.Given("FLAKY_TESTS_DB")->text, "/h.db");
  EXPECT_EQ(settings.Given("FLAKY_TESTS_DB")->origin, Origin::kEnvironment);
  EXPECT_EQ(settings.Given("FLAKY_TESTS_PROJECT")->text, "");
  EXPECT_EQ(settings.Given("FLAKY_TESTS_STORE"), std::nullopt);
}

TEST(SettingsTest, NumbersAreWholeAndInRange) {
  for (const char* good : {"1", "3650", "0007"})
    EXPECT_NO_THROW(Given("FLAKY_TESTS_WINDOW", good).Number("FLAKY_TESTS_WINDOW"));
  EXPECT_EQ(Given("FLAKY_TESTS_WINDOW", "3650").Number("FLAKY_TESTS_WINDOW"), 3650);
  for (const char* bad : {"0", "3651", "-1", "+7", "7.0", "7d", " 7", "7 ", "0x7", "abc", "1e3", "9223372036854775808",
                          "-99999999999999999999999"}) {
    EXPECT_THROW(Given("FLAKY_TESTS_WINDOW", bad).Number("FLAKY_TESTS_WINDOW"), SettingError) << bad;
  }
}

TEST(SettingsTest, TruthHasFourWordsEach) {
  for (const char* yes : {"1", "true", "yes", "on"})
    EXPECT_TRUE(Given("FLAKY_TESTS_DISABLE", yes).Bool("FLAKY_TESTS_DISABLE"));
  for (const char* no : {"0", "false", "no", "off"})
    EXPECT_FALSE(Given("FLAKY_TESTS_DISABLE", no).Bool("FLAKY_TESTS_DISABLE"));
  for (const char* bad : {"2", "TRUE", "y", "1|true", "o", "nope"}) {
    EXPECT_THROW(Given("FLAKY_TESTS_DISABLE", bad).Bool("FLAKY_TESTS_DISABLE"), SettingError) << bad;
  }
}

TEST(SettingsTest, ChoicesAreWholeWords) {
  for (const char* good : {"silent", "error", "warn", "debug"}) {
    EXPECT_EQ(Given("FLAKY_TESTS_LOG", good).Choice("FLAKY_TESTS_LOG"), good);
  }
  for (const char* bad : {"sil", "silent|error", "WARN", "verbose"}) {
    EXPECT_THROW(Given("FLAKY_TESTS_LOG", bad).Choice("FLAKY_TESTS_LOG"), SettingError) << bad;
  }
}

TEST(SettingsTest, ErrorsSayWhatWhereAndWhatIsWanted) {
  EXPECT_EQ(ErrorOf([] { Given("FLAKY_TESTS_WINDOW", "week").Number("FLAKY_TESTS_WINDOW"); }),
            "FLAKY_TESTS_WINDOW (in the environment) is `week`, but a whole number from 1 to 3650 is wanted");
  EXPECT_EQ(ErrorOf([] {
              Given("FLAKY_TESTS_WINDOW", "-3", Origin::kProjectFile, "/r/.flaky.toml:3").Check("FLAKY_TESTS_WINDOW");
            }),
            "FLAKY_TESTS_WINDOW (in /r/.flaky.toml:3) is `-3`, but a whole number from 1 to 3650 is wanted");
  EXPECT_EQ(
      ErrorOf([] { Given("FLAKY_TESTS_THRESHOLD", "0", Origin::kFlag, "--threshold").Check("FLAKY_TESTS_THRESHOLD"); }),
      "--threshold is `0`, but a whole number from 1 to 1000000 is wanted");
  EXPECT_EQ(ErrorOf([] { Given("FLAKY_TESTS_MAX_MESSAGE", "1").Check("FLAKY_TESTS_MAX_MESSAGE"); }),
            "FLAKY_TESTS_MAX_MESSAGE (in the environment) is `1`, but a whole number of bytes from 1024 to 16777216 is "
            "wanted");
  EXPECT_EQ(ErrorOf([] { Given("FLAKY_TESTS_LOG", "loud").Check("FLAKY_TESTS_LOG"); }),
            "FLAKY_TESTS_LOG (in the environment) is `loud`, but silent, error, warn or debug is wanted");
}

TEST(SettingsTest, AnUnknownNameIsAProgrammingError) {
  Settings settings;
  EXPECT_THROW(settings.Set("FLAKY_TESTS_NONE", {"x", Origin::kFlag, {}}), std::logic_error);
  EXPECT_THROW(settings.Text("FLAKY_TESTS_NONE"), std::logic_error);
  EXPECT_THROW(settings.Given("FLAKY_TESTS_NONE"), std::logic_error);
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
