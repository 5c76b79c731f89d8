// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"
#include "tests/support/contents.h"
#include "tests/support/generate_history.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ExportImportTest : public ProgramTest {
 protected:
  void KeepHistory(int64_t runs) {
    HistoryShape shape;
    shape.runs = runs;
    shape.npm_share = 0.3;
    Keep(GenerateHistory(shape));
  }
  RunDigests Contents(const std::string& file) const { return ContentsAt("sqlite:" + Path(file)); }
  Outcome Import(const std::string& file, const std::string& to) const {
    return Run({"import", file, "--to", "sqlite:" + Path(to)});
  }
  // Runs a command line with bash in the test's folder, with the built `flaky` in PATH. Returns its exit code.
  int Shell(const std::string& line) {
    const std::string program = FLAKY_PROGRAM;
    Set("SCRIPT", "PATH='" + program.substr(0, program.rfind('/')) + "':$PATH; cd '" + Path("") + "'; " + line);
    const int status = std::system("exec bash -o pipefail -c \"$SCRIPT\"");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(ExportImportTest, EveryFileFormatRestoresTheHistory) {
  KeepHistory(300);
  const auto contents = Contents("h.db");
  ASSERT_EQ(contents.size(), 300u);
  for (const std::string ending : {"", ".gz", ".zst"}) {
    const std::string file = Path("h.jsonl" + ending);
    const Outcome exported = Run({"export", file});
    ASSERT_EQ(exported.code, 0) << exported.err;
    EXPECT_THAT(exported.out, AllOf(StartsWith("exported sqlite:" + Path("h.db") + " to " + file + "\n"),
                                    HasSubstr("verified: the file is equal to the store, digest ")));
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_FALSE(std::filesystem::exists(file + ".part"));
    const Outcome imported = Import(file, "new" + ending + ".db");
    EXPECT_EQ(imported.code, 0) << imported.err;
    EXPECT_THAT(imported.out, AllOf(StartsWith("copied " + file + " to sqlite:"),
                                    HasSubstr("verified: source and target are equal")));
    EXPECT_EQ(Contents("new" + ending + ".db"), contents);
  }
  EXPECT_EQ(Shell("gzip -t h.jsonl.gz && zstd -tq h.jsonl.zst && cmp <(tail -n +2 h.jsonl) <(zcat h.jsonl.gz | tail "
                  "-n +2) && cmp <(tail -n +2 h.jsonl) <(zstdcat h.jsonl.zst | tail -n +2)"),
            0);
}

TEST_F(ExportImportTest, SummariesAreTextOrJson) {
  Keep({BuildRecord("r1").Part("p1", 0, 1).Fail("S.A").Build(), BuildRecord("r2").Part("p2", 5).Build()});
  const Outcome text = Run({"export", Path("h.jsonl")});
  const json summary = json::parse(Run({"export", Path("h.jsonl"), "--json"}).out);
  EXPECT_EQ(summary["runs"], 2);
  EXPECT_EQ(summary["parts"], 2);
  EXPECT_EQ(summary["failures"], 1);
  EXPECT_EQ(summary["verified"], true);
  EXPECT_EQ(summary["to"], Path("h.jsonl"));
  const std::string digest = summary["digest"];
  EXPECT_EQ(text.err, "");
  EXPECT_EQ(WithoutSpeed(text.out), "exported sqlite:" + Path("h.db") + " to " + Path("h.jsonl") + R"(
  runs                   2
  parts                  2
  failures               1
  rows per second N  5 rows in N s
verified: the file is equal to the store, digest )" +
                                        digest + "\n");

  const Outcome piped = Run({"export", "--json"});
  const std::vector<std::string> lines = Lines(piped.err);
  ASSERT_FALSE(lines.empty());
  for (const std::string& line : lines) EXPECT_NO_THROW(json::parse(line)) << line;
  EXPECT_EQ(json::parse(lines.back())["digest"], digest);
  EXPECT_GE(json::parse(lines.back())["seconds"], 0);
  EXPECT_THAT(piped.out, AllOf(StartsWith("{\"type\":\"header\""), HasSubstr(digest + "\"}\n")));
  const json imported = json::parse(Run({"import", Path("h.jsonl"), "--to", "sqlite:" + Path("n.db"), "--json"}).out);
  EXPECT_EQ(imported["copied"], 2);
  EXPECT_EQ(imported["source_digest"], digest);
  EXPECT_EQ(imported["target_digest"], digest);
  EXPECT_EQ(imported["from"], Path("h.jsonl"));
}

TEST_F(ExportImportTest, WorksThroughPipes) {
  KeepHistory(200);
  const auto contents = Contents("h.db");
  EXPECT_EQ(Shell("flaky export 2> summary | flaky import - --to sqlite:one.db > /dev/null"), 0);
  EXPECT_EQ(Contents("one.db"), contents);
  EXPECT_THAT(Content(Path("summary")), HasSubstr("to standard output\n"));
  EXPECT_EQ(Shell("flaky export - 2> /dev/null | zstd -q | flaky import - --to sqlite:two.db > /dev/null"), 0);
  EXPECT_EQ(Contents("two.db"), contents);
  EXPECT_EQ(Shell("cat <(flaky export 2> /dev/null | head -c 100000) | flaky import - --to sqlite:cut.db 2> cut"), 2);
  EXPECT_THAT(Content(Path("cut")), AllOf(HasSubstr("standard input"), HasSubstr("truncated"), HasSubstr("line ")));
}

TEST_F(ExportImportTest, AClosedPipeIsAnError) {
  KeepHistory(2000);
  EXPECT_EQ(Shell("flaky export 2> gone | head -n 1 > /dev/null"), 2);
  EXPECT_THAT(Content(Path("gone")), HasSubstr("standard output: cannot write: Broken pipe"));
}

TEST_F(ExportImportTest, JqCanReadIt) {
  Keep({BuildRecord("r1").Part("p1", 0, 1).Fail("Suite.Slow").Fail("Suite.Other").Build()});
  ASSERT_EQ(Run({"export", Path("h.jsonl")}).code, 0);
  EXPECT_EQ(Shell("jq -r 'select(.type == \"failure\") | .test_name' h.jsonl > names"), 0);
  EXPECT_EQ(Content(Path("names")), "Suite.Slow\nSuite.Other\n");
}

TEST_F(ExportImportTest, ImportingAgainAddsNothingAndAConflictIsNamed) {
  Keep({BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build(), BuildRecord("fine").Part("p2", 9).Build()});
  const std::string file = Path("h.jsonl");
  ASSERT_EQ(Run({"export", file}).code, 0);
  EXPECT_THAT(Run({"import", file}).out, HasSubstr("unchanged              2"));
  RunRecord other = BuildRecord("clash").Part("p1", 0, 1).Fail("S.A").Build();
  other.parts[0].variant = "asan";
  OpenStore(ParseLocation("sqlite:" + Path("n.db")), OpenMode::kWrite)->Write({&other, 1});
  const Outcome outcome = Import(file, "n.db");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, HasSubstr("conflict: run clash: part p1 differs"));
}

TEST_F(ExportImportTest, ADryRunCreatesNothing) {
  KeepHistory(30);
  ASSERT_EQ(Run({"export", Path("h.jsonl")}).code, 0);
  const auto before = Everything();
  const Outcome outcome = Run({"import", Path("h.jsonl"), "--to", "sqlite:" + Path("n.db"), "--dry-run"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("would copy "), HasSubstr("runs read             30")));
  EXPECT_EQ(Everything(), before);
}

TEST_F(ExportImportTest, AnInvalidFileIsReportedAndNothingIsCreated) {
  KeepHistory(5);
  ASSERT_EQ(Run({"export", Path("h.jsonl")}).code, 0);
  const auto refused = [&](const std::string& name, int code) {
    const Outcome outcome = Import(Path(name), "n.db");
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("flaky: " + Path(name) + ": cannot "));
    return outcome.err;
  };
  refused("none", 10);
  EXPECT_THAT(refused("h.db", 2), HasSubstr("line 1 is not the header of a history"));
  WriteFile("empty", "");
  refused("empty", 2);
  std::string text = Content(Path("h.jsonl"));
  text.replace(text.find("2.0"), 3, "3.0");
  WriteFile("newer", text);
  EXPECT_THAT(refused("newer", 13), HasSubstr("3.0"));
  EXPECT_FALSE(std::filesystem::exists(Path("n.db")));
  text = Content(Path("h.jsonl"));
  WriteFile("cut", text.substr(0, text.size() - 5));
  EXPECT_THAT(refused("cut", 2), HasSubstr("truncated"));
  EXPECT_EQ(Run({"import"}).code, 2);
}

TEST_F(ExportImportTest, UnknownFieldsOfANewerFlakyAreNamed) {
  Keep({BuildRecord("r1").Fail("S.A").Fail("S.B").Build()});
  ASSERT_EQ(Run({"export", Path("h.jsonl")}).code, 0);
  ASSERT_EQ(Shell("sed 's/\"version\":\"2.0\"/\"version\":\"2.1\"/; "
                  "/^.\"type\":\"failure\"/s/}$/,\"colour\":\"red\"}/' h.jsonl > newer.jsonl"),
            0);
  const Outcome outcome = Import(Path("newer.jsonl"), "n.db");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("version 2.1"), HasSubstr("field 'colour' of a failure (2 times)")));
  EXPECT_EQ(Contents("n.db"), Contents("h.db"));
}

TEST_F(ExportImportTest, AFileIsNotAStoreAndTheRightCommandsAreNamed) {
  Keep({});
  const Outcome outcome = Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", "jsonl:" + Path("x")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("flaky export"), HasSubstr("flaky import")));
}

TEST_F(ExportImportTest, AnExportReplacesAnOlderOneAndNothingElse) {
  KeepHistory(5);
  for (const std::string name : {"h.db", "notes.txt"}) {
    if (name == "notes.txt") WriteFile(name, "mine");
    const std::string before = Content(Path(name));
    const Outcome outcome = Run({"export", Path(name)});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(Path(name)), HasSubstr("is not an export of flaky")));
    EXPECT_EQ(Content(Path(name)), before);
  }
  WriteFile("h.jsonl.gz", "");
  ASSERT_EQ(Run({"export", Path("h.jsonl.gz")}).code, 0);
  Keep({BuildRecord("fresh").Build()});
  ASSERT_EQ(Run({"export", Path("h.jsonl.gz")}).code, 0);
  ASSERT_EQ(Import(Path("h.jsonl.gz"), "n.db").code, 0);
  EXPECT_EQ(Contents("n.db").size(), 6u);
}

TEST_F(ExportImportTest, AFailedExportLeavesOnlyTheOldFile) {
  KeepHistory(5);
  ASSERT_EQ(Run({"export", Path("h.jsonl")}).code, 0);
  const std::string old = Content(Path("h.jsonl"));
  RunRecord bad = BuildRecord("zz").Fail("S.A").Build();
  Keep({bad});
  ASSERT_EQ(Shell("sqlite3 h.db \"update flaky_test_failures set error_message = cast(x'ff' as text) where run_id = "
                  "'zz'\""),
            0);
  const Outcome outcome = Run({"export", Path("h.jsonl"), "--strict"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("run 'zz'"), HasSubstr("error_message"), HasSubstr("UTF-8")));
  EXPECT_EQ(Content(Path("h.jsonl")), old);
  EXPECT_FALSE(std::filesystem::exists(Path("h.jsonl.part")));
  EXPECT_EQ(Run({"export", Path("none/h.jsonl")}).code, 10);
  EXPECT_EQ(Run({"export", "/dev/null"}).code, 2);
  EXPECT_EQ(Run({"export", Path("x.jsonl"), "--from", "sqlite:" + Path("none.db")}).code, 10);
  EXPECT_FALSE(std::filesystem::exists(Path("x.jsonl")));
}

TEST_F(ExportImportTest, WhatTheFormatCannotHoldIsConvertedAndReported) {
  Keep({BuildRecord("zz").Fail("S.A").Build(), BuildRecord("fine").Fail("S.A").Build()});
  ASSERT_EQ(Shell("sqlite3 h.db \"update flaky_test_failures set error_message = cast(x'61ff' as text) where run_id = "
                  "'zz'\""),
            0);
  Outcome outcome = Run({"export", Path("h.jsonl")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("\n  converted              1  held values that the format cannot hold\n"),
                    HasSubstr("\n  converted: run zz: failures.error_message: bytes that are not UTF-8, or NUL\n")));
  EXPECT_EQ(Import(Path("h.jsonl"), "n.db").code, 0);
  outcome = Run({"verify", "--source", "sqlite:" + Path("h.db"), "--target", "sqlite:" + Path("n.db")});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("1 run held values that one of the stores cannot hold"));
  Set("FLAKY_TESTS_DB", Path("n.db"));
  EXPECT_THAT(Run({"show", "zz"}).out, HasSubstr("a\uFFFD"));
}

TEST_F(ExportImportTest, AKilledExportLeavesNoFileOfThatName) {
  KeepHistory(10'000);
  const int status = Shell(
      "flaky export big.jsonl & pid=$!; while kill -0 $pid && ! [ -s big.jsonl.part ]; do :; done; kill -9 $pid; wait "
      "$pid");
  EXPECT_EQ(status, 128 + SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(Path("big.jsonl")));
  ASSERT_EQ(Run({"export", Path("big.jsonl")}).code, 0);
  EXPECT_FALSE(std::filesystem::exists(Path("big.jsonl.part")));
  EXPECT_EQ(Import(Path("big.jsonl"), "n.db").code, 0);
  EXPECT_EQ(Contents("n.db"), Contents("h.db"));
}

TEST_F(ExportImportTest, CtrlCLeavesNoPartialFile) {
  KeepHistory(10'000);
  const int status = Shell(
      "set -m; flaky export big.jsonl 2> messages & pid=$!; while kill -0 $pid && ! [ -s big.jsonl.part ]; do :; done; "
      "kill -INT $pid; wait "
      "$pid");
  EXPECT_EQ(status, 130);
  EXPECT_THAT(Content(Path("messages")), HasSubstr("interrupted"));
  EXPECT_FALSE(std::filesystem::exists(Path("big.jsonl")));
  EXPECT_FALSE(std::filesystem::exists(Path("big.jsonl.part")));
}

}  // namespace
}  // namespace flaky
