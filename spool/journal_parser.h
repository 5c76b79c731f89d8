#ifndef FLAKY_SPOOL_JOURNAL_PARSER_H_
#define FLAKY_SPOOL_JOURNAL_PARSER_H_

#include <string_view>

#include "spool/journal.h"

// Reads whole journals. The format is docs/reference/journal.md. The recorder, which writes them, shares no code with
// this.
namespace flaky {

// Reads a journal's bytes, up to the first NUL, in one pass. All texts of the result are storable (history/text.h), the
// ids are hexadecimal, and times lie within what a Timestamp can hold, whatever the bytes are. A last line that was cut
// anywhere is read as far as it makes sense. Throws JournalError.
Journal ParseJournal(std::string_view bytes);

// True if the last whole line of `tail`, the end of a journal up to its first NUL, is the one that says that the
// program ended.
bool EndsWithEndLine(std::string_view tail);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_PARSER_H_
