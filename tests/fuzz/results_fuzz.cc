// SPDX-License-Identifier: MIT
#include <iterator>

#include "formats/results_file.h"
#include "formats/results_records.h"
#include "history/part_tests.h"
#include "history/text.h"
#include "stores/error.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

// What is written of a record can be read again.
void CheckLines(const RunRecord& record) {
  LeftOutCounts ignored;
  const std::vector<ResultsLine> lines = LinesOf(record, ignored);
  std::string text;
  for (const ResultsLine& line : lines) AppendLine(text, line);
  const InputFile written(text);
  try {
    ResultsFile file(written.path());
    for (const ResultsLine& line : lines) {
      const std::optional<ResultsLine> again = file.Next();
      Require(again && again->run_id == line.run_id && again->results.size() == line.results.size(),
              "a line reads as it was written");
    }
    Require(!file.Next(), "nothing else is written");
  } catch (const StoreError& error) {
    Require(false, error.what());
  }
}

}  // namespace

// A file of plain results, possibly compressed.
void CheckInput(std::string_view input) {
  constexpr size_t kLongestLine = 1 << 20;
  const InputFile file(input);
  try {
    ResultsFile results(file.path(), kLongestLine);
    LeftOutCounts not_kept;
    while (const std::optional<ResultsLine> line = results.Next()) {
      RunRecord record = RecordOf(*line, not_kept);
      for (Failure& failure : record.failures) {
        // What a test printed may have a NUL, which a copy converts.
        for (std::optional<std::string>* text : {&failure.error_message, &failure.error_stack}) {
          if (*text) *text = MakeStorable(**text);
        }
      }
      RequireSound(record);
      int64_t tests = 0;
      for (const auto& [program, its_tests] : TestsOf(record.parts.at(0), record.rosters))
        tests += std::ssize(its_tests);
      Require(tests == record.run.account.total_tests, "the history has each test of a line");
      CheckLines(record);
    }
  } catch (const StoreError& error) {
    Require(error.kind() == ErrorKind::kInvalid, "a file that is refused is invalid");
  }
}

}  // namespace flaky::fuzz
