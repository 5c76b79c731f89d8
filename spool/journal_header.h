// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_HEADER_H_
#define FLAKY_SPOOL_JOURNAL_HEADER_H_

#include <string_view>

#include "spool/journal.h"

namespace flaky {

class JournalJson;

// Returns what the first line of a journal says, without what the other lines say. `bytes` may end anywhere after that
// line. Throws JournalError.
Journal ParseJournalHeader(std::string_view bytes);

// Does the same for a reader that continues with the other lines. `line` is the first line without its line break, and
// part of the text of `json`. `is_whole`: the line break was there.
Journal ParseHeaderLine(std::string_view line, JournalJson& json, bool is_whole);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_HEADER_H_
