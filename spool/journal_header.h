#ifndef FLAKY_SPOOL_JOURNAL_HEADER_H_
#define FLAKY_SPOOL_JOURNAL_HEADER_H_

#include <string_view>

#include "spool/journal.h"
#include "spool/journal_fields.h"

namespace flaky {

// Returns what the first line of a journal says, without what the other lines say. `bytes` may end anywhere after that
// line. Throws JournalError.
Journal ParseJournalHeader(std::string_view bytes);

namespace journal_fields {

// Returns what the first line says. Throws BadLine, and JournalError if the format is of a later version.
Journal ReadHeader(dom::element line);

}  // namespace journal_fields
}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_HEADER_H_
