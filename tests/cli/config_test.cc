// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "cli/session.h"
#include "history/text.h"
#include "settings/locations.h"
#include "stores/open.h"
#include "stores/schemes.h"
#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConfigTest : public ProgramTest {
 protected:
  // Returns the columns VALUE and FROM of a setting, joined by a bar.
  static std::string LineOf(const Outcome& outcome, const std::string& setting) {
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name, value, from;
      words >> name >> value;
      std::getline(words >> std::ws, from);
      if (name == setting) return value + "|" + from;
    }
    return "not listed";
  }
};

TEST_F(ConfigTest, EveryOriginIsNamed) {
  WriteFile("work/.flaky.toml", "window = 14\nthreshold = 3\n");
  WriteFile("home/.config/flaky/config.toml", "threshold = 4\nlog = \"error\"\n");
  Set("FLAKY_TESTS_WINDOW", "21");
  const Outcome outcome = Run({"config"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_WINDOW"), "21|environment");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_THRESHOLD"), "3|" + Path("work/.flaky.toml") + ":2");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_LOG"), "error|" + Path("home/.config/flaky/config.toml") + ":2");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_MAX_MESSAGE"), "65536|default");
}

TEST_F(ConfigTest, ListsEverySettingOfTheTable) {
  const Outcome outcome = Run({"config"});
  const auto json = nlohmann::json::parse(Run({"config", "--json"}).out);
  ASSERT_EQ(json["settings"].size(), SettingTable().size());
  for (size_t i = 0; i < SettingTable().size(); ++i) {
    const std::string name(SettingTable()[i].name);
    EXPECT_NE(LineOf(outcome, name), "not listed");
    EXPECT_EQ(json["settings"][i]["name"], name);
  }
}

TEST_F(ConfigTest, DefaultsAreShownAsResolved) {
  Unset("FLAKY_TESTS_DB");
  Unset("FLAKY_TESTS_PROJECT");
  Outcome outcome = Run({"config"});
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_DB"), Path("home/.local/state/flaky/history.db") + "|default");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_SPOOL"), Path("home/.local/state/flaky/spool") + "|default");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_PROJECT"), "work|default");
  Set("XDG_STATE_HOME", "/state");
  outcome = Run({"config"});
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_DB"), "/state/flaky/history.db|default");
}

TEST_F(ConfigTest, SecretsAreNeverPrinted) {
  Set("FLAKY_TESTS_AUTH_TOKEN", "hunter2");
  Set("FLAKY_TESTS_SOURCE_CONNECTION_STRING", "sqlite:hunter2");
  Set("FLAKY_TESTS_TOKEN", "hunter2");
  WriteFile("home/.config/flaky/config.toml", "connection_string = \"sqlite:hunter2\"\n");
  ::chmod(Path("home/.config/flaky/config.toml").c_str(), 0600);
  for (const auto& arguments : {std::vector<std::string>{"config"}, {"config", "--json"}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("hunter2")));
    EXPECT_THAT(outcome.out, HasSubstr("***"));
  }
  const Outcome outcome = Run({"config"});
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_AUTH_TOKEN"), "***|environment");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_CONNECTION_STRING"), "***|" + Path("home/.config/flaky/config.toml") + ":1");
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_SOURCE_AUTH_TOKEN"), "-|default");
}

TEST_F(ConfigTest, UnknownVariablesAreReportedButNotAnError) {
  Set("FLAKY_TESTS_WINDWO", "3");
  Set("FLAKY_TESTS_COLOUR", "3");
  const Outcome outcome = Run({"config"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(
      outcome.err,
      HasSubstr(
          "flaky: FLAKY_TESTS_WINDWO is set, but is not a setting of flaky; did you mean `FLAKY_TESTS_WINDOW`?\n"));
  EXPECT_THAT(outcome.err, HasSubstr("flaky: FLAKY_TESTS_COLOUR is set, but is not a setting of flaky\n"));
  Keep({});
  EXPECT_THAT(Run({"runs"}).err, Not(HasSubstr("WINDWO"))) << "other commands do not mention it";
}

TEST_F(ConfigTest, AllInvalidValuesAreReported) {
  Set("FLAKY_TESTS_WINDOW", "week");
  Set("FLAKY_TESTS_MAX_MESSAGE", "1");
  const Outcome outcome = Run({"config"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(LineOf(outcome, "FLAKY_TESTS_WINDOW"), "(invalid)|environment");
  EXPECT_EQ(
      outcome.err,
      "flaky: FLAKY_TESTS_WINDOW (in the environment): invalid value; expected a whole number from 1 to 3650\n"
      "flaky: FLAKY_TESTS_MAX_MESSAGE (in the environment): invalid value `1`; expected a whole number of bytes from "
      "1024 to 16777216\n");
}

TEST_F(ConfigTest, ABrokenFileIsAnErrorForEveryCommand) {
  WriteFile("work/.flaky.toml", "windwo = 14\n");
  for (const std::string command : {"config", "runs", "check"}) {
    const Outcome outcome = Run({command});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "flaky: " + Path("work/.flaky.toml") + ":1: there is no setting `windwo`; did you mean `window`?\n");
  }
  EXPECT_EQ(Run({"runs", "--help"}).code, 0) << "the help needs no settings";
}

TEST_F(ConfigTest, TheProjectsFileIsUsed) {
  Unset("FLAKY_TESTS_DB");
  WriteFile("work/.flaky.toml", "db = \"build/own.db\"\n");
  Keep({BuildRecord("r1").Project("demo").Build()});
  std::filesystem::create_directories(Path("work/build"));
  std::filesystem::rename(Path("h.db"), Path("work/build/own.db"));
  EXPECT_THAT(Run({"runs"}).out, HasSubstr("\nr1 "));
}

// The store locations that the settings name.
class LocationTest : public ProgramTest {
 protected:
  std::string Shown() {
    Settings settings;
    settings.ReadEnvironment([](const char* name) -> const char* { return std::getenv(name); });
    try {
      return Resolve(settings).history.Get().display_name;
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  std::string SourceShown() {
    Settings settings;
    settings.ReadEnvironment([](const char* name) -> const char* { return std::getenv(name); });
    try {
      const auto location = Resolve(settings).source.Get();
      return location ? location->display_name : "none";
    } catch (const std::exception& error) {
      return error.what();
    }
  }
};

TEST_F(LocationTest, IsTheFileTheStringOrTheDefault) {
  EXPECT_EQ(Shown(), "sqlite:" + Path("h.db"));
  Set("FLAKY_TESTS_TABLE_PREFIX", "");
  EXPECT_EQ(Shown(), "sqlite:" + Path("h.db") + "?prefix=");
  Unset("FLAKY_TESTS_TABLE_PREFIX");
  Set("FLAKY_TESTS_DB", "/x/odd?name.db");
  EXPECT_EQ(Shown(), "sqlite:/x/odd?name.db");
  Set("FLAKY_TESTS_CONNECTION_STRING", "sqlite:/y/h.db");
  EXPECT_EQ(Shown(), "sqlite:/x/odd?name.db") << "of two settings from the same origin, the file wins";
  Unset("FLAKY_TESTS_DB");
  EXPECT_EQ(Shown(), "sqlite:/y/h.db");
  Set("FLAKY_TESTS_CONNECTION_STRING", "/y/h.db?prefix=t_");
  EXPECT_EQ(Shown(), "sqlite:/y/h.db?prefix=t_");
  Unset("FLAKY_TESTS_CONNECTION_STRING");
  EXPECT_EQ(Shown(), "sqlite:" + Path("home/.local/state/flaky/history.db"));
}

TEST_F(LocationTest, UnknownStoresAndStoresThatAreNotBuiltAreReported) {
  Set("FLAKY_TESTS_STORE", "sqllite");
  EXPECT_THAT(Shown(), HasSubstr("FLAKY_TESTS_STORE (in the environment): invalid value; expected sqlite, "));
  EXPECT_THAT(Shown(), HasSubstr("; did you mean `sqlite`?"));
  Set("FLAKY_TESTS_STORE", "SQLite");
  EXPECT_THAT(Shown(), HasSubstr("invalid value; expected sqlite, "));
  std::vector<std::string_view> built;
  for (const SchemeInfo& scheme : Schemes()) {
    if (IsBuilt(scheme.name)) built.push_back(scheme.name);
  }
  for (const SchemeInfo& scheme : Schemes()) {
    if (IsBuilt(scheme.name) || !scheme.not_a_store.empty()) continue;
    Set("FLAKY_TESTS_STORE", std::string(scheme.name));
    EXPECT_EQ(Shown(), "FLAKY_TESTS_STORE (in the environment): this build of flaky does not have the store `" +
                           std::string(scheme.name) + "`; it has " + Join(built, ", "));
  }
}

TEST_F(LocationTest, AStringForAnotherStoreIsNotTakenForAPath) {
  Unset("FLAKY_TESTS_DB");
  Set("FLAKY_TESTS_CONNECTION_STRING", "postgres://me:hunter2@db.example/flaky");
  EXPECT_EQ(Shown(),
            "FLAKY_TESTS_CONNECTION_STRING names the store postgres, but FLAKY_TESTS_STORE is sqlite: set "
            "FLAKY_TESTS_STORE=postgres");
}

TEST_F(LocationTest, PrefixesAreChecked) {
  Set("FLAKY_TESTS_TABLE_PREFIX", "x; DROP TABLE runs");
  EXPECT_THAT(Shown(), HasSubstr("FLAKY_TESTS_TABLE_PREFIX: "));
}

TEST_F(LocationTest, TheSourceHasSeparateSettingsAndNoDefault) {
  EXPECT_EQ(SourceShown(), "none");
  Set("FLAKY_TESTS_SOURCE_DB", "/old.db");
  EXPECT_EQ(SourceShown(), "sqlite:/old.db");
  Set("FLAKY_TESTS_SOURCE_TABLE_PREFIX", "");
  EXPECT_EQ(SourceShown(), "sqlite:/old.db?prefix=");
  Unset("FLAKY_TESTS_SOURCE_DB");
  EXPECT_EQ(SourceShown(), "FLAKY_TESTS_SOURCE_DB is not set: the store sqlite cannot be found without it");
}

}  // namespace
}  // namespace flaky
