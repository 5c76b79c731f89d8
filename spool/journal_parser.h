// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_PARSER_H_
#define FLAKY_SPOOL_JOURNAL_PARSER_H_

#include <string_view>

#include "spool/journal.h"

// Reads whole journals. The format is docs/reference/journal.md. The recorder, which writes them, shares no code with
// this.
namespace flaky {

// Parses a journal up to the first NUL, in one pass. For any input, all texts of the result are storable
// (history/text.h), the ids are hexadecimal, and a Timestamp can hold the times. A last line that was cut anywhere is
// read as far as it makes sense. Throws JournalError.
Journal ParseJournal(std::string_view bytes);

// `tail`: the end of a journal up to its first NUL. Returns true if its last complete line is the end line, which the
// recorder writes when the program ends.
bool EndsWithEndLine(std::string_view tail);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_PARSER_H_
