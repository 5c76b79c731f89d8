// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_RESULTS_RECORDS_H_
#define FLAKY_FORMATS_RESULTS_RECORDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/results_line.h"
#include "history/run.h"

// The conversion between plain results and run records: results_records.cc and, back, results_lines.cc. Nothing else of
// this format depends on the data model.
namespace flaky {

// What one side has and the other cannot hold, as a phrase, and how often: "host".
using LeftOutCounts = std::map<std::string, int64_t>;

// The words of `interrupted` for other ends than an interruption: an unknown cause, and the end of the recording only,
// which is followed by the reason.
inline constexpr std::string_view kEndNotKnown = "unknown";
inline constexpr std::string_view kNotRecorded = "unrecorded: ";

// Returns a record with the one part that the line describes. Adds the fields of the line that the data model has no
// place for to `not_kept`, with the number of lines that have them.
RunRecord RecordOf(const ResultsLine& line, LeftOutCounts& not_kept);

// Returns a line for each part of the record that has ended. Adds what the format cannot hold to `left_out`.
std::vector<ResultsLine> LinesOf(const RunRecord& record, LeftOutCounts& left_out);

}  // namespace flaky

#endif  // FLAKY_FORMATS_RESULTS_RECORDS_H_
