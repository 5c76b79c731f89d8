// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_HISTORY_FORMAT_H_
#define FLAKY_FORMATS_HISTORY_FORMAT_H_

#include "formats/format.h"

// Our own interchange format (docs/reference/jsonl.md), as an entry of the table of formats.
namespace flaky {

bool IsHistory(std::string_view begin);
// Precondition: one file.
std::unique_ptr<FormatReader> ReadHistory(const std::vector<std::string>& files, const ReadOptions& options);
std::unique_ptr<FormatWriter> WriteHistory(const JsonlWriter::Origin& origin, Out out);

}  // namespace flaky

#endif  // FLAKY_FORMATS_HISTORY_FORMAT_H_
