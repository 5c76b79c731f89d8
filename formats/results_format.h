// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_RESULTS_FORMAT_H_
#define FLAKY_FORMATS_RESULTS_FORMAT_H_

#include "formats/format.h"

// Plain results (docs/reference/results.md), as an entry of the table of formats.
namespace flaky {

bool IsResults(std::string_view begin);

// Reads all files to their ends first, and refuses them all if a line is not one of the format. Then returns the
// records again, batch by batch: the lines of one run that are near each other become one record, and others become
// records of the same run, which the target merges.
std::unique_ptr<FormatReader> ReadResults(const std::vector<std::string>& files, const ReadOptions& options);

std::unique_ptr<FormatWriter> WriteResults(const JsonlWriter::Origin& origin, Out out);

}  // namespace flaky

#endif  // FLAKY_FORMATS_RESULTS_FORMAT_H_
