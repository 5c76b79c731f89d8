// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"
#include "tests/support/contents.h"

// `flaky import` and `flaky export` with plain results.
namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kTwoRuns[] =
    R"({"run_id":"one","project":"demo","started_at":"2026-01-01T00:00:00Z","ended_at":"2026-01-01T00:00:09Z",)"
    R"("variant":"asan","passed":["A.B"],"results":[{"name":"A.C","outcome":"failed","file":"a.cc",)"
    R"("message":"Expected: true","at":"2026-01-01T00:00:05Z"},{"name":"A.C","outcome":"passed"}]})"
    "\n"
    R"({"run_id":"two","project":"demo","started_at":"2026-01-01T00:01:00Z","ended_at":"2026-01-01T00:01:09Z",)"
    R"("commit_time":"2025-12-31T00:00:00Z","host":"ci-7","program":"a_test","shuffled":true,"shuffle_seed":7,)"
    R"("passed":["A.B"],"results":[{"name":"A.C","outcome":"passed","duration_ms":1.7},)"
    R"({"name":"A.C","outcome":"passed","program":"b_test","duration_ms":40}]})"
    "\n"
    R"({"run_id":"one","project":"demo","started_at":"2026-01-01T00:00:02Z","ended_at":"2026-01-01T00:00:20Z",)"
    R"("variant":"tsan","skipped":["A.C"],"passed":["A.B"]})"
    "\n";

class PlainResultsTest : public ProgramTest {
 protected:
  std::string Put(const std::string& name, const std::string& content) const {
    WriteFile(name, content);
    return Path(name);
  }
  RunDigests Contents(const std::string& file) const { return ContentsAt("sqlite:" + Path(file)); }
  // Runs a command line with bash in the test's folder, with the built `flaky` in PATH. Returns its exit code.
  int Shell(const std::string& line) {
    const std::string program = FLAKY_PROGRAM;
    Set("SCRIPT", "PATH='" + program.substr(0, program.rfind('/')) + "':$PATH; cd '" + Path("") + "'; " + line);
    const int status = std::system("exec bash -o pipefail -c \"$SCRIPT\"");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(PlainResultsTest, AreImportedOnce) {
  const std::string file = Put("results.jsonl", kTwoRuns);
  const Outcome first = Run({"import", "--format", "results", file});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.err, "");
  EXPECT_THAT(first.out, AllOf(HasSubstr("copied                 2"), HasSubstr("parts                  3"),
                               HasSubstr("verified: source and target are equal")));
  const RunDigests contents = Contents("h.db");
  const Outcome again = Run({"import", file});
  EXPECT_EQ(again.code, 0) << "the format is recognised";
  EXPECT_THAT(again.out, HasSubstr("unchanged              2"));
  EXPECT_EQ(Contents("h.db"), contents);

  const json run = json::parse(Run({"show", "one", "--json"}).out);
  EXPECT_EQ(run["run"]["status"], "fail");
  EXPECT_THAT(run["parts"], SizeIs(2));
  EXPECT_THAT(run["flaky"], SizeIs(1)) << "it failed and passed";
  EXPECT_THAT(Run({"trend", "A.*", "--at", "2026-01-02"}).out, HasSubstr("2026-01-01"));
}

TEST_F(PlainResultsTest, NothingIsImportedIfALineIsInvalid) {
  const std::string good = Put("good.jsonl", kTwoRuns);
  const std::string bad = Put("bad.jsonl", std::string(kTwoRuns) + "\n{\"run_id\":\"three\"}\n");
  const Outcome outcome = Run({"import", "--format", "results", good, bad});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(Lines(outcome.err), ElementsAre("flaky: " + bad + ": cannot read it: line 5 has no started_at"));
  EXPECT_FALSE(std::filesystem::exists(Path("h.db"))) << "not even a store";
}

TEST_F(PlainResultsTest, ComeFromPipesAndSeveralFiles) {
  Put("a.jsonl", R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","shard":"0/2","passed":["A.B"]})");
  Put("b.jsonl", R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","shard":"1/2","passed":["A.C"]})");
  Unset("FLAKY_TESTS_DB");
  for (const std::string command :
       {"import --format results --project demo a.jsonl b.jsonl", "import --format results --project demo - < ab.jsonl",
        "import --format results --project demo <(cat ab.jsonl)"}) {
    std::filesystem::remove(Path("new.db"));
    EXPECT_EQ(Shell("(cat a.jsonl; echo; cat b.jsonl) > ab.jsonl; flaky " + command + " --to sqlite:new.db > out.txt"),
              0);
    EXPECT_THAT(Contents("new.db"), SizeIs(1)) << command;
    EXPECT_THAT(Content(Path("out.txt")), HasSubstr("parts                  2")) << command;
  }
  const RunDigests contents = Contents("new.db");
  EXPECT_EQ(Shell("gzip -c ab.jsonl | cat | flaky import --format results - --to sqlite:new.db > out.txt"), 0);
  EXPECT_EQ(Contents("new.db"), contents) << "a project that was named is kept, and nothing is added";
}

TEST_F(PlainResultsTest, WhatIsNotUnderstoodIsNamed) {
  const std::string file = Put(
      "r.jsonl",
      R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","team":"x","results":[{"name":"A.B","outcome":"passed","cpu":3}]})");
  const Outcome text = Run({"import", file});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.err, AllOf(HasSubstr("the format has no field 'team'; it was skipped (first in line 1)"),
                              HasSubstr("the format has no field 'cpu' of a result"),
                              HasSubstr("1 line names no project: --project NAME gives them one")));
  const Outcome as_json = Run({"import", file, "--json"});
  EXPECT_THAT(json::parse(as_json.out)["remarks"], SizeIs(3));
}

TEST_F(PlainResultsTest, AnExportIsImportedAsTheSame) {
  ASSERT_EQ(Run({"import", Put("results.jsonl", kTwoRuns)}).code, 0);
  const Outcome exported = Run({"export", "--format", "results", Path("out.jsonl.gz")});
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_EQ(exported.err, "");
  EXPECT_THAT(exported.out, AllOf(HasSubstr("parts                  3"),
                                  HasSubstr("verified: the file was read back and holds what was written\n")));
  ASSERT_EQ(Run({"import", Path("out.jsonl.gz"), "--to", "sqlite:" + Path("new.db")}).code, 0);
  EXPECT_EQ(Contents("new.db"), Contents("h.db"));
  // Over a file of the same format, but not over another one.
  EXPECT_EQ(Run({"export", "--format", "results", Path("out.jsonl.gz")}).code, 0);
  EXPECT_EQ(Run({"export", "--format", "results", Put("notes.txt", "mine")}).code, 2);
  EXPECT_EQ(Content(Path("notes.txt")), "mine");

  const Outcome to_output = Run({"export", "--format", "results"});
  EXPECT_EQ(to_output.code, 0);
  ASSERT_THAT(Lines(to_output.out), SizeIs(3));
  for (const std::string& line : Lines(to_output.out)) EXPECT_TRUE(json::parse(line).contains("run_id"));
  EXPECT_THAT(Run({"export", "--format", "results", "--since", "2026-02-01"}).out, IsEmpty());
}

TEST_F(PlainResultsTest, WhatAnExportCannotHoldIsNamed) {
  Keep({BuildRecord("npm").Project("demo").Ended(At(9)).Build(), BuildRecord("running").Project("demo").Build()});
  const Outcome outcome = Run({"export", "--format", "results", Path("out.jsonl")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("runs                   1"));
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("the format cannot hold runs that have not ended: left out (1 time)"),
            HasSubstr("the format cannot hold which tests passed, of runs of another tool: left out (1 time)")));
}

TEST_F(PlainResultsTest, AHistoryIsOneFileWithItsOwnProjects) {
  Keep({BuildRecord("r").Project("demo").Ended(At(9)).Build()});
  ASSERT_EQ(Run({"export", Path("h.jsonl")}).code, 0);
  EXPECT_THAT(Run({"import", Path("h.jsonl"), Path("h.jsonl")}).err, HasSubstr("import several one by one"));
  EXPECT_THAT(Run({"import", Path("h.jsonl"), "--project", "x"}).err, HasSubstr("--project is for results"));
  EXPECT_THAT(Run({"import", Path("h.jsonl"), "--format", "results"}).err, HasSubstr("line 1 has no run_id"));
  EXPECT_EQ(Run({"import", Path("h.jsonl"), "--format", "junit"}).code, 2);
}

}  // namespace
}  // namespace flaky
