// SPDX-License-Identifier: MIT
#include "tests/formats/results_fixture.h"
#include "transfer/compression.h"

// The lines of plain results: what is accepted and what is refused.
namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

ResultsLine FullLine() {
  ResultsLine line;
  line.run_id = "run \"1\"";
  line.part_id = "part";
  line.started_at = At(0);
  line.ended_at = At(9);
  line.project = "engine";
  line.git_sha = "abc";
  line.tree_sha = "def";
  line.branch = "main";
  line.ci_url = "https://ci.example.com/1";
  line.runtime_version = "GCC 12";
  line.arguments = "engine_test --gtest_shuffle";
  line.git_dirty = false;
  line.commit_time = At(-100);
  line.variant = "asan";
  line.shard = "2/10";
  line.host = "ci-7";
  line.program = "engine_test";
  line.shuffled = true;
  line.shuffle_seed = 42;
  line.interrupted = "SIGINT";
  line.passed = {"A.One", "A.Two"};
  line.skipped = {"A.Three"};
  Result failed;
  failed.name = "B.One";
  failed.outcome = ResultOutcome::kFailed;
  failed.file = "b_test.cc";
  failed.line = 12;
  failed.program = "other_test";
  failed.duration = ResultDuration{1500};
  failed.message = "Expected: true\n\tActual: false";
  failed.stack = "b_test.cc:12";
  failed.at = At(3);
  failed.parameter = "3";
  failed.preceding_test = "A.One";
  failed.signal = "SIGSEGV";
  failed.shuffle_seed = 43;
  line.results.push_back(failed);
  for (const ResultOutcome outcome :
       {ResultOutcome::kPassed, ResultOutcome::kCrashed, ResultOutcome::kTimedOut, ResultOutcome::kSkipped}) {
    line.results.emplace_back().name = "B.Two";
    line.results.back().outcome = outcome;
  }
  return line;
}

TEST_F(ResultsTest, EveryFieldIsReadAsItWasWritten) {
  const ResultsLine line = FullLine();
  std::string text;
  AppendLine(text, line);
  EXPECT_THAT(text, AllOf(HasSubstr(R"("duration_ms":1.5,)"), HasSubstr(R"("outcome":"timeout")")));
  EXPECT_EQ(OneLine(text), line);
}

TEST_F(ResultsTest, AByteOrderMarkCrlfBlankLinesAndAMissingNewlineAreAccepted) {
  const std::string two = Line("one", R"(,"part_id":"p")") + Line("two", R"(,"part_id":"p")");
  const std::vector<ResultsLine> expected = LinesIn(two);
  ASSERT_THAT(expected, SizeIs(2));
  EXPECT_EQ(expected[1].run_id, "two");
  std::string crlf;
  for (const char c : two) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  const std::string open = two.substr(0, two.size() - 1);
  for (const std::string& same : {"\xEF\xBB\xBF" + two, crlf, open, "\xEF\xBB\xBF" + crlf.substr(0, crlf.size() - 1),
                                  "\n\n" + two + " \n\n", "  " + two}) {
    EXPECT_EQ(LinesIn(same), expected) << same;
  }
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    std::string bytes;
    const auto encoder = MakeEncoder(compression, [&](std::string_view more) { bytes += more; });
    encoder->Write(open);
    encoder->Finish();
    EXPECT_EQ(LinesIn(bytes), expected);
  }
  EXPECT_THAT(LinesIn(""), IsEmpty());
  EXPECT_THAT(LinesIn("\xEF\xBB\xBF"), IsEmpty());
}

TEST_F(ResultsTest, WhatIsEmptyOrNullIsNotGiven) {
  const ResultsLine line =
      OneLine(Line("r", R"(,"part_id":"p","branch":"","host":null,"git_dirty":null,"passed":null,"results":[])"));
  ResultsLine expected;
  expected.run_id = "r";
  expected.part_id = "p";
  expected.started_at = At(0);
  EXPECT_EQ(line, expected);
}

TEST_F(ResultsTest, TimesNumbersAndDurationsMayHaveSeveralForms) {
  const ResultsLine line = OneLine(
      R"({"run_id":"r","started_at":"2026-01-01T02:00:00+02:00","ended_at":"2026-01-01T00:00:01.5Z","shuffle_seed":7.0,)"
      R"("results":[{"name":"A.B","outcome":"passed","duration_ms":0.25},{"name":"A.B","outcome":"passed","duration_ms":3}]})");
  EXPECT_EQ(line.started_at, At(0));
  EXPECT_EQ(line.ended_at, At(1) + 500'000);
  EXPECT_EQ(line.shuffle_seed, 7);
  EXPECT_EQ(line.results[0].duration, ResultDuration{250});
  EXPECT_EQ(line.results[1].duration, ResultDuration{3000});
}

TEST_F(ResultsTest, OtherLinesAreRefusedWithNumberAndReason) {
  const auto result = [](const std::string& text) { return Line("r", ",\"results\":[" + text + "]"); };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"hello\n", "is not a JSON object"},
      {"[1]\n", "is not a JSON object"},
      {"{\n", "is not a JSON object in one line"},
      {Line("r").substr(0, 20), "is not a JSON object in one line"},
      {Line("r").substr(0, Line("r").size() - 1) + Line("s"), "is not a JSON object in one line"},
      {"{\"run_id\":\"\xFF\"}\n", "UTF-8"},
      {R"({"started_at":"2026-01-01T00:00:00Z"})", "has no run_id"},
      {R"({"run_id":null,"started_at":"2026-01-01T00:00:00Z"})", "has no run_id"},
      {R"({"run_id":"","started_at":"2026-01-01T00:00:00Z"})", "has an invalid run_id"},
      {R"({"run_id":7,"started_at":"2026-01-01T00:00:00Z"})", "has an invalid run_id; expected a text"},
      {R"({"run_id":"r"})", "has no started_at"},
      {R"({"run_id":"r","started_at":"2026-01-01T00:00:00"})",
       "has an invalid started_at; expected a time with its offset"},
      {R"({"run_id":"r","started_at":1767225600})", "has an invalid started_at"},
      {R"({"run_id":"r","started_at":"2026-02-30T00:00:00Z"})", "has an invalid started_at"},
      {Line("r", R"(,"ended_at":"2025-12-31T23:59:59Z")"), "has an ended_at before its started_at"},
      {Line("r", R"(,"run_id":"s")"), "has the field 'run_id' twice"},
      {Line("r", R"(,"git_dirty":"no")"), "has an invalid git_dirty; expected true or false"},
      {Line("r", R"(,"shuffle_seed":1.5)"), "has an invalid shuffle_seed; expected a whole number"},
      {Line("r", R"(,"branch":"a\u0000b")"), "has an invalid branch"},
      {Line("r", R"(,"passed":"A.B")"), "has an invalid passed; expected a list"},
      {Line("r", R"(,"passed":["A.B",7])"), "has an invalid passed; expected a list of names"},
      {Line("r", R"(,"skipped":["AB"])"), "has an invalid skipped; expected a list of names, Suite.Test"},
      {result("7"), "has an invalid result (number 1 of its results): expected an object"},
      {result(R"({"name":"A.B","outcome":"passed"},{"name":"A.B"})"),
       "(number 2 of its results): expected a name and an outcome"},
      {result(R"({"outcome":"failed"})"), "expected a name and an outcome"},
      {result(R"({"name":"A.B","outcome":"FAILED"})"), "it has an invalid outcome; expected passed, failed"},
      {result(R"({"name":"A","outcome":"passed"})"), "its name is 'A'; expected Suite.Test"},
      {result(R"({"name":"A.B","outcome":"passed","duration_ms":-1})"), "it has an invalid duration_ms"},
      {result(R"({"name":"A.B","outcome":"passed","duration_ms":"3 ms"})"), "it has an invalid duration_ms"},
      {result(R"({"name":"A.B","outcome":"passed","at":"now"})"), "it has an invalid at"},
      {result(R"({"name":"A.B","name":"A.C","outcome":"passed"})"), "it has the field 'name' twice"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(Refusal(text), AllOf(HasSubstr("results.jsonl: cannot read it: line 1 "), HasSubstr(reason))) << text;
    EXPECT_THAT(Refusal(Line("x") + "\r\n" + text), AllOf(HasSubstr("line 3 "), HasSubstr(reason))) << text;
  }
  EXPECT_THAT(Refusal(Line("x")), IsEmpty());
}

TEST_F(ResultsTest, AnUnknownFieldIsNamedOnceWithItsFirstLine) {
  ResultsFile file(Put(Line("a") + Line("b", R"(,"team":"x")") +
                       Line("c", R"(,"team":"y","results":[)"
                                 R"({"name":"A.B","outcome":"passed","cpu":1},)"
                                 R"({"name":"A.C","outcome":"passed","cpu":2}])")));
  while (file.Next()) {
  }
  ASSERT_THAT(file.unknown(), SizeIs(2));
  EXPECT_EQ(file.unknown().at("field 'team'").first_line, 2);
  EXPECT_EQ(file.unknown().at("field 'team'").count, 2);
  EXPECT_EQ(file.unknown().at("field 'cpu' of a result").first_line, 3);
  EXPECT_EQ(file.unknown().at("field 'cpu' of a result").count, 2);
  file.Rewind();
  EXPECT_THAT(file.unknown(), IsEmpty());
  EXPECT_EQ(file.Next()->run_id, "a");
}

// It decides what is the same line.
TEST_F(ResultsTest, AMissingPartIdComesFromTheContentAlone) {
  const auto id = [&](const std::string& line) { return *OneLine(line).part_id; };
  const std::string line = R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","variant":"asan","passed":["A.B"]})";
  const std::string same =
      R"( { "passed" : [ "A.\u0042" ], "variant":"asan", "started_at": "2026-01-01T00:00:00Z", "host": null, "run_id":"r" })";
  EXPECT_THAT(id(line), SizeIs(32));
  EXPECT_EQ(id(line), id(same + "\r\n"));
  EXPECT_EQ(id(line), "70b6522a314c9bc3d65ef91ef1614328") << "it must be the same in all versions";
  for (const std::string& other : {
           std::string(R"({"run_id":"s","started_at":"2026-01-01T00:00:00Z","variant":"asan","passed":["A.B"]})"),
           std::string(R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","variant":"tsan","passed":["A.B"]})"),
           std::string(R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","variant":"asan","passed":["A.C"]})"),
           std::string(R"({"run_id":"r","started_at":"2026-01-01T00:00:00Z","variant":"asan","skipped":["A.B"]})"),
       }) {
    EXPECT_NE(id(line), id(other));
  }
}

}  // namespace
}  // namespace flaky
