// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"

namespace flaky {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class RunsTest : public ProgramTest {
 protected:
  static RunRecord Finished(const std::string& id, int64_t start, int64_t failed = 0) {
    return BuildRecord(id).StartedAt(At(start)).Project("demo").Ended(At(start + 75), failed).Build();
  }
};

TEST_F(RunsTest, ListsTheNewestFirst) {
  RunRecord first = Finished("1f0c93ab7d20446b", 0);
  first.run.branch = "main";
  first.run.git_sha = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  RunRecord second = Finished("9e21d0c4aa310f57", 3600, 1);
  second.run.branch = "fix/queue";
  second.run.git_sha = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3";
  second.run.git_dirty = true;
  second.run.account.duration_ms = 950;
  RunRecord third = BuildRecord("c0ffee00c0ffee00").StartedAt(At(7200)).Project("demo").Build();
  Keep({first, second, third});

  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "RUN       STARTED (UTC)        PROJECT/BRANCH  COMMIT     STATUS      TESTS  FAILED  ERRORS  DURATION\n"
            "c0ffee00  2026-01-01 02:00:00  demo            -          unfinished      -       -       -         -\n"
            "9e21d0c4  2026-01-01 01:00:00  demo/fix/queue  a94a8fe5+  fail            2       1       0    950 ms\n"
            "1f0c93ab  2026-01-01 00:00:00  demo/main       4b825dc6   pass            2       0       0    1m 15s\n");
}

TEST_F(RunsTest, CutsIdsOnlyAsFarAsTheyStayDistinct) {
  Keep({Finished("github-1234-1", 0), Finished("github-1234-2", 1), Finished("x", 2)});
  const auto lines = Lines(Run({"runs"}).out);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_THAT(lines[1], StartsWith("x              2026"));
  EXPECT_THAT(lines[2], StartsWith("github-1234-2  2026"));
  EXPECT_THAT(lines[3], StartsWith("github-1234-1  2026"));
}

TEST_F(RunsTest, AnIdThatIsAPrefixOfAnotherIsNotCut) {
  Keep({Finished("nightly-run", 0), Finished("nightly-run-2", 1)});
  const std::string out = Run({"runs"}).out;
  EXPECT_THAT(out, HasSubstr("\nnightly-run   2026"));
  EXPECT_THAT(out, HasSubstr("\nnightly-run-  2026"));
}

TEST_F(RunsTest, ListsOneProjectAnotherOrAll) {
  RunRecord other = Finished("other", 1);
  other.run.project = "engine";
  RunRecord none = Finished("none", 2);
  none.run.project = std::nullopt;
  Keep({Finished("mine", 0), other, none});
  const auto ids = [](const Outcome& outcome) {
    std::string text;
    for (const std::string& line : Lines(outcome.out)) text += line.substr(0, line.find(' ')) + " ";
    return text;
  };
  EXPECT_EQ(ids(Run({"runs"})), "RUN mine ");
  EXPECT_EQ(ids(Run({"runs", "--project", "engine"})), "RUN other ");
  EXPECT_EQ(ids(Run({"runs", "--project", ""})), "RUN none ");
  EXPECT_EQ(ids(Run({"runs", "--project=", "--limit", "1"})), "RUN none ");
  EXPECT_EQ(ids(Run({"runs", "--project=engine"})), "RUN other ");
  EXPECT_EQ(ids(Run({"runs", "--all"})), "RUN none other mine ");
  Set("FLAKY_TESTS_PROJECT", "");
  EXPECT_EQ(ids(Run({"runs"})), "RUN none ");
}

TEST_F(RunsTest, LimitAndSinceShortenTheList) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 30; ++i) records.push_back(Finished("run-" + std::to_string(100 + i), i * 3600));
  Keep(records);
  EXPECT_EQ(Lines(Run({"runs"}).out).size(), 1U + 20);
  EXPECT_EQ(Lines(Run({"runs", "--limit", "3"}).out).size(), 1U + 3);
  EXPECT_EQ(Lines(Run({"runs", "--limit", "1000"}).out).size(), 1U + 30);
  EXPECT_EQ(Lines(Run({"runs", "--since", "2026-01-02"}).out).size(), 1U + 6);
  EXPECT_EQ(Lines(Run({"runs", "--since", "2026-01-02T01:00:01Z"}).out).size(), 1U + 4);
}

TEST_F(RunsTest, ReadsSeveralPages) {
  std::vector<RunRecord> records;
  for (int i = 0; i < 2500; ++i) records.push_back(Finished("run-" + std::to_string(10000 + i), i));
  Keep(records);
  const auto lines = Lines(Run({"runs", "--limit", "2200"}).out);
  ASSERT_EQ(lines.size(), 1U + 2200);
  EXPECT_THAT(lines[1], StartsWith("run-12499 "));
  EXPECT_THAT(lines.back(), StartsWith("run-10300 "));
}

TEST_F(RunsTest, SinceTakesAnAge) {
  RunRecord recent = BuildRecord("recent").StartedAt(Timestamp::Now() - 6 * kMicrosPerDay).Project("demo").Build();
  RunRecord old = BuildRecord("old").StartedAt(Timestamp::Now() - 8 * kMicrosPerDay).Project("demo").Build();
  Keep({recent, old});
  EXPECT_EQ(Lines(Run({"runs", "--since", "7d"}).out).size(), 2U);
  EXPECT_EQ(Lines(Run({"runs", "--since", "2w"}).out).size(), 3U);
  EXPECT_EQ(Lines(Run({"runs", "--since", "150h"}).out).size(), 2U);
}

TEST_F(RunsTest, ReportsAnEmptyHistory) {
  Keep({});
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "flaky: sqlite:" + Path("h.db") + " has no run yet\n");
}

TEST_F(RunsTest, WithoutRunsTheProjectsAreListed) {
  RunRecord none = Finished("none", 2);
  none.run.project = std::nullopt;
  RunRecord hostile = Finished("hostile", 3);
  hostile.run.project = "e\x1b[31mvil";
  Keep({Finished("a", 0), Finished("b", 1), none, hostile});
  const Outcome outcome = Run({"runs", "--project", "wt"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "flaky: no run of project wt in sqlite:" + Path("h.db") +
                             "; the projects are demo (2 runs), (no project) (1), e\\x1b[31mvil (1): --project NAME "
                             "selects one, --all every project\n");
  const Outcome json = Run({"runs", "--project", "wt", "--json"});
  EXPECT_EQ(json.code, 6);
  EXPECT_EQ(nlohmann::json::parse(json.out)["projects"],
            nlohmann::json::parse(R"([{"project":null,"runs":1},{"project":"demo","runs":2},
              {"project":"e\u001b[31mvil","runs":1}])"));
}

TEST_F(RunsTest, FiltersSelectRuns) {
  const auto run = [](const std::string& id, int64_t start, const std::string& branch, const std::string& variant) {
    RunRecord record = BuildRecord(id).Project("demo").Part(id + "-part", start).Build();
    record.run.branch = branch;
    record.run.git_sha = id == "a" ? "4b825dc6" : "a94a8fe5";
    record.run.git_dirty = id == "b";
    record.parts[0].variant = variant;
    return record;
  };
  RunRecord none = BuildRecord("npm").Project("demo").StartedAt(At(-1)).Ended(At(1)).Build();
  Keep({run("a", 0, "main", "asan"), run("b", 1, "fix/queue", "release"), run("c", 2, "fix/net", "asan"), none});
  const auto ids = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "runs");
    std::string text;
    for (const std::string& line : Lines(Run(arguments).out)) text += line.substr(0, line.find(' ')) + " ";
    return text;
  };
  EXPECT_EQ(ids({"--branch", "main"}), "RUN a ");
  EXPECT_EQ(ids({"--branch", "fix/*"}), "RUN c b ");
  EXPECT_EQ(ids({"--branch", "fix/*", "--branch", "m?in"}), "RUN c b a ");
  EXPECT_EQ(ids({"--branch", "fix/*", "--variant", "asan"}), "RUN c ");
  EXPECT_EQ(ids({"--branch="}), "RUN npm ");
  EXPECT_EQ(ids({"--commit", "4b8"}), "RUN a ");
  EXPECT_EQ(ids({"--dirty", "yes"}), "RUN b ");
  EXPECT_EQ(ids({"--dirty", "no"}), "RUN c a ");
  EXPECT_EQ(ids({"--part", "b-"}), "RUN b ");
  EXPECT_EQ(ids({"--variant", "*", "--limit", "2"}), "RUN c b ");
  const Outcome nothing = Run({"runs", "--branch", "mian", "--since", "2026-01-01"});
  EXPECT_EQ(nothing.code, 6);
  EXPECT_EQ(nothing.err, "flaky: no run of project demo in sqlite:" + Path("h.db") +
                             " started since 2026-01-01 00:00:00 UTC and matches --branch; there are 4 runs\n");
  EXPECT_EQ(Run({"runs", "--dirty", "maybe"}).code, 2);
}

TEST_F(RunsTest, HostileTextCannotTouchTheTerminal) {
  RunRecord record = Finished("\x1b]0;evil\x07id", 0);
  record.run.project = "demo";
  record.run.branch = "a\nb\x1b[31m\u202e";
  record.run.git_sha = "\x1b[2J";
  record.run.account.status = "\x1b[5m";
  Keep({record});
  const Outcome outcome = Run({"runs"});
  EXPECT_EQ(outcome.out.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_THAT(outcome.out, Not(HasSubstr("\u202e")));
  EXPECT_EQ(Lines(outcome.out).size(), 2U);
  EXPECT_THAT(outcome.out, HasSubstr("demo/a\\nb\\x1b[31m\\u202e"));
}

TEST_F(RunsTest, JsonHoldsEveryColumn) {
  RunRecord record = Finished("r1", 0, 1);
  record.run.branch = "a\"b";
  record.run.git_dirty = false;
  Keep({record});
  const Outcome outcome = Run({"runs", "--json"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, R"({
  "format": 1,
  "runs": [
    {
      "run_id": "r1",
      "project": "demo",
      "started_at": "2026-01-01T00:00:00.000Z",
      "ended_at": "2026-01-01T00:01:15.000Z",
      "duration_ms": 75000,
      "status": "fail",
      "total_tests": 2,
      "passed_tests": 1,
      "failed_tests": 1,
      "errors_between_tests": 0,
      "git_sha": null,
      "git_dirty": false,
      "runtime_version": null,
      "test_args": null,
      "tree_sha": null,
      "branch": "a\"b",
      "ci_url": null,
      "missing_tests": null,
      "commit_at": null,
      "merge_base": null,
      "edited_tree": null,
      "running": false
    }
  ]
}
)");
}

TEST_F(RunsTest, JsonOfNoRunsIsAnEmptyList) {
  Keep({});
  const Outcome outcome = Run({"runs", "--json"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err, HasSubstr("has no run yet"));
  EXPECT_THAT(nlohmann::json::parse(outcome.out)["runs"], IsEmpty());
  EXPECT_THAT(nlohmann::json::parse(outcome.out)["projects"], IsEmpty());
}

}  // namespace
}  // namespace flaky
