// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_FORMATS_RESULTS_FIXTURE_H_
#define FLAKY_TESTS_FORMATS_RESULTS_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/format.h"
#include "formats/results_file.h"
#include "formats/results_records.h"
#include "stores/error.h"
#include "tests/support/journal_text.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

namespace flaky {

// A line with more fields, `more`, which begins with a comma.
inline std::string Line(const std::string& run_id, const std::string& more = "") {
  return R"({"run_id":")" + run_id + R"(","started_at":"2026-01-01T00:00:00Z")" + more + "}\n";
}

class ResultsTest : public testing::Test {
 protected:
  std::string Put(const std::string& bytes, const std::string& name = "results.jsonl") const {
    WriteWholeFile(folder_.File(name), bytes);
    return folder_.File(name);
  }
  std::vector<ResultsLine> LinesIn(const std::string& bytes) const {
    ResultsFile file(Put(bytes));
    std::vector<ResultsLine> lines;
    while (std::optional<ResultsLine> line = file.Next()) lines.push_back(std::move(*line));
    return lines;
  }
  ResultsLine OneLine(const std::string& bytes) const {
    const std::vector<ResultsLine> lines = LinesIn(bytes);
    EXPECT_EQ(lines.size(), 1u);
    return lines.at(0);
  }
  RunRecord OneRecord(const std::string& bytes) const {
    LeftOutCounts ignored;
    return RecordOf(OneLine(bytes), ignored);
  }
  // Returns the error for a file that is refused; empty if it is read.
  std::string Refusal(const std::string& bytes) const {
    try {
      LinesIn(bytes);
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.what();
      return error.what();
    }
    return "";
  }

  TempFolder folder_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_FORMATS_RESULTS_FIXTURE_H_
