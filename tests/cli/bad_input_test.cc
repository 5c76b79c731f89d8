// SPDX-License-Identifier: MIT

// Every command that reads a history, on a location that cannot be used: a clear error in one line, the right exit
// code, and nothing changed anywhere.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

using Command = std::vector<std::string>;

class BadInputTest : public ProgramTest {
 protected:
  // Runs every command on the same bad location.
  void ExpectAll(int code, const std::string& message, bool privileged = true) {
    const auto before = Everything();
    for (const Command& command : {Command{"runs"}, Command{"runs", "--json"}, Command{"show", "latest"},
                                   Command{"show", "abc"}, Command{"check"}, Command{"trend"}}) {
      const Outcome outcome = privileged ? Run(command) : RunWithoutPrivileges(command);
      SCOPED_TRACE(command.front());
      EXPECT_EQ(outcome.code, code);
      EXPECT_EQ(outcome.out, "");
      EXPECT_THAT(outcome.err, AllOf(StartsWith("flaky: "), HasSubstr(message), EndsWith("\n")));
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    }
    for (const auto& [file, content] : Everything()) {
      // SQLite cannot read a database in WAL mode without an index and a log next to it. The log is empty if nothing
      // was written.
      if (file.ends_with("h.db-shm") || (file.ends_with("h.db-wal") && content.empty())) continue;
      EXPECT_TRUE(before.contains(file)) << file << " was left behind";
      EXPECT_TRUE(!before.contains(file) || before.at(file) == content) << file << " was changed";
    }
    for (const auto& [file, content] : before) EXPECT_TRUE(std::filesystem::exists(file)) << file << " is gone";
  }

  // Keeps a history that fills several pages.
  void KeepSome() {
    std::vector<RunRecord> records;
    for (int i = 0; i < 200; ++i) {
      BuildRecord builder("run-" + std::to_string(1000 + i));
      builder.StartedAt(At(i)).Project("demo").Ended(At(i + 1), 1).Fail("Suite.Test", std::string(500, 'x'));
      records.push_back(builder.Build());
    }
    Keep(records);
  }

  void Sql(const std::string& statements) {
    SQLite::Database(Path("h.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(statements);
  }
};

TEST_F(BadInputTest, UnknownStore) {
  Set("FLAKY_TESTS_STORE", "mysql");
  ExpectAll(2, "FLAKY_TESTS_STORE (in the environment): invalid value; expected sqlite");
}

TEST_F(BadInputTest, MissingFile) {
  ExpectAll(10, "sqlite:" + Path("h.db") + ": cannot open the database: there is no such file");
}

TEST_F(BadInputTest, MissingFolder) {
  Set("FLAKY_TESTS_DB", Path("none/h.db"));
  ExpectAll(10, Path("none/h.db"));
}

TEST_F(BadInputTest, MissingDefault) {
  Unset("FLAKY_TESTS_DB");
  ExpectAll(10, Path("home/.local/state/flaky/history.db"));
}

TEST_F(BadInputTest, UnreadableFile) {
  KeepSome();
  ::chmod(Path("h.db").c_str(), 0);
  ExpectAll(12, Path("h.db"), false);
}

TEST_F(BadInputTest, Folder) {
  Set("FLAKY_TESTS_DB", Path("work"));
  ExpectAll(2, "it is a folder");
}

TEST_F(BadInputTest, Device) {
  Set("FLAKY_TESTS_DB", "/dev/null");
  ExpectAll(2, "sqlite:/dev/null");
}

TEST_F(BadInputTest, NotADatabase) {
  WriteFile("h.db", "run_id,project\n1,demo\n" + std::string(5000, 'x'));
  ExpectAll(2, "SQLITE_NOTADB");
}

TEST_F(BadInputTest, EmptyFile) {
  WriteFile("h.db", "");
  ExpectAll(10, Path("h.db"));
}

TEST_F(BadInputTest, CorruptedDatabase) {
  KeepSome();
  std::string bytes = Content(Path("h.db"));
  for (size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);  // all but the first page
  WriteFile("h.db", bytes);
  ExpectAll(2, "SQLITE_CORRUPT");
}

TEST_F(BadInputTest, CutOffDatabase) {
  KeepSome();
  std::filesystem::resize_file(Path("h.db"), std::filesystem::file_size(Path("h.db")) / 3 / 4096 * 4096);
  ExpectAll(2, "SQLITE_CORRUPT");
}

TEST_F(BadInputTest, TablesOfAnotherProgram) {
  Set("FLAKY_TESTS_TABLE_PREFIX", "");
  Sql("CREATE TABLE runs (id INTEGER PRIMARY KEY, athlete TEXT); CREATE TABLE failures (id INTEGER PRIMARY KEY);"
      "INSERT INTO runs VALUES (1, 'Zátopek')");
  ExpectAll(2, "runs");
}

TEST_F(BadInputTest, DatabaseOfAnotherProgram) {
  Sql("CREATE TABLE cookies (host TEXT)");
  ExpectAll(10, Path("h.db"));
}

TEST_F(BadInputTest, BadPrefix) {
  Set("FLAKY_TESTS_TABLE_PREFIX", "a\"b");
  ExpectAll(2, "FLAKY_TESTS_TABLE_PREFIX");
}

TEST_F(BadInputTest, LockedDatabase) {
  KeepSome();
  SQLite::Database other(Path("h.db"), SQLite::OPEN_READWRITE);
  other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 11);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("SQLITE_BUSY"), HasSubstr(Path("h.db"))));
}

TEST_F(BadInputTest, AFileThatCannotBeWrittenIsStillRead) {
  KeepSome();
  ::chmod(Path("h.db").c_str(), 0444);
  const auto before = Everything();
  EXPECT_EQ(RunWithoutPrivileges({"runs"}).code, 0);
  EXPECT_EQ(Everything(), before);
}

TEST_F(BadInputTest, ANewerSchemaIsReadButNotUpgraded) {
  KeepSome();
  Sql("INSERT INTO flaky_test_schema SELECT 99, '0099_from_the_future', 'x', applied_at FROM flaky_test_schema LIMIT "
      "1");
  const auto before = Content(Path("h.db"));
  EXPECT_EQ(Run({"runs"}).code, 0);
  EXPECT_EQ(Run({"schema", "status"}).code, 13);
  const Outcome migrate = Run({"schema", "migrate"});
  EXPECT_EQ(migrate.code, 13);
  EXPECT_EQ(migrate.out, "");
  EXPECT_THAT(migrate.err, HasSubstr("newer"));
  EXPECT_EQ(Content(Path("h.db")), before);
}

// Invalid arguments; each is rejected before the command looks for a history.
struct BadArguments {
  Command arguments;
  std::string message;
};
void PrintTo(const BadArguments& bad, std::ostream* out) { *out << bad.message; }

class BadArgumentsTest : public ProgramTest, public testing::WithParamInterface<BadArguments> {};

TEST_P(BadArgumentsTest, AreRefusedInOneLine) {
  const Outcome outcome = Run(GetParam().arguments);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "flaky: " + GetParam().message + "\n");
}

const BadArguments kBadArguments[] = {
    {{"chek"}, "unknown command `chek`; did you mean `check`? (see flaky --help)"},
    {{"\x1b[31m"}, "unknown command `\\x1b[31m` (see flaky --help)"},
    {{"--frobnicate"}, "unknown option `--frobnicate` (see flaky --help)"},
    {{"runs", "--limt", "3"}, "unknown option `--limt`; did you mean `--limit`? (see flaky runs --help)"},
    {{"--json", "runs"}, "unknown option `--json` (see flaky --help)"},
    {{"runs", "extra"}, "unexpected argument `extra` (see flaky runs --help)"},
    {{"runs", "--limit", "0"}, "--limit: Value 0 not in range 1 to 1000000 (see flaky runs --help)"},
    {{"runs", "--limit", "-1"}, "--limit: Value -1 not in range 1 to 1000000 (see flaky runs --help)"},
    {{"runs", "--limit", "18446744073709551617"},
     "--limit: Value 18446744073709551617 not in range 1 to 1000000 (see flaky runs --help)"},
    {{"runs", "--limit", "ten"}, "--limit: Value ten not in range 1 to 1000000 (see flaky runs --help)"},
    {{"runs", "--since", "yesterday"},
     "--since: `yesterday`: invalid time; expected a date (2026-03-01), a time (2026-03-01T12:30:00Z) or an age (36h, "
     "7d, 2w) "
     "(see flaky runs --help)"},
    {{"runs", "--since", "2026-02-30"},
     "--since: `2026-02-30`: invalid time; expected a date (2026-03-01), a time (2026-03-01T12:30:00Z) or an age (36h, "
     "7d, 2w) "
     "(see flaky runs --help)"},
    {{"runs", "--since", "-7d"},
     "--since: `-7d`: invalid time; expected a date (2026-03-01), a time (2026-03-01T12:30:00Z) or an age (36h, 7d, "
     "2w) "
     "(see flaky runs --help)"},
    {{"runs", "--all", "--project", "x"}, "--project excludes --all (see flaky runs --help)"},
    {{"show"}, "WHAT is required (see flaky show --help)"},
    {{"check", "--rule", "npm", "--window", "0"},
     "--window: invalid value `0`; expected a whole number from 1 to 3650"},
    {{"check", "--rule", "npm", "--window", "-7"},
     "--window: invalid value `-7`; expected a whole number from 1 to 3650"},
    {{"check", "--rule", "npm", "--window", "99999999999999999999"},
     "--window: invalid value `99999999999999999999`; expected a whole number from 1 to 3650"},
    {{"check", "--rule", "npm", "--threshold", "1.5"},
     "--threshold: invalid value `1.5`; expected a whole number from 1 to 1000000"},
    {{"trend", "--by", "month"}, "--by: month not in {day,week} (see flaky trend --help)"},
    {{"trend", "--days", "0"}, "--days: Value 0 not in range 1 to 3650 (see flaky trend --help)"},
    {{"schema"}, "missing command (see flaky schema --help)"},
    {{"schema", "statu"}, "unknown command `statu`; did you mean `status`? (see flaky schema --help)"},
};

// The arguments, short enough for ctest's lines.
std::string NameOfArguments(const testing::TestParamInfo<BadArguments>& bad) {
  std::string name;
  for (const std::string& argument : bad.param.arguments) {
    for (const char c : argument) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    }
    name += '_';
  }
  return name.substr(0, 30);
}

INSTANTIATE_TEST_SUITE_P(All, BadArgumentsTest, testing::ValuesIn(kBadArguments), NameOfArguments);

}  // namespace
}  // namespace flaky
