#ifndef FLAKY_SPOOL_JOURNAL_HEADER_H_
#define FLAKY_SPOOL_JOURNAL_HEADER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "spool/journal.h"

namespace flaky {

class JournalJson;

// Returns what the first line of a journal says, without what the other lines say. `bytes` may end anywhere after that
// line. Throws JournalError.
Journal ParseJournalHeader(std::string_view bytes);

// A journal that has been read up to the end of its header.
struct HeaderAndRest {
  Journal journal;
  std::optional<int64_t> shuffle_seed;
  std::string_view rest;  // the bytes after the header line, up to the first NUL
};

// Does the same for a reader that continues with the other lines. `json` must have been made for these bytes.
HeaderAndRest ParseHeaderAndRest(std::string_view bytes, JournalJson& json);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_HEADER_H_
