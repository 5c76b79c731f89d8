// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_PARSER_H_
#define FLAKY_SPOOL_JOURNAL_PARSER_H_

#include <memory>
#include <optional>
#include <string_view>

#include "spool/journal.h"
#include "spool/journal_results.h"
#include "spool/spool_files.h"

// Reads whole journals. The format is docs/reference/journal.md. The recorder, which writes them, shares no code with
// this.
namespace flaky {

// Parses a journal up to the first NUL, in one pass, in pieces of any size. For any input, all texts of the result are
// storable (history/text.h), the ids are hexadecimal, and a Timestamp can hold the times. A last line that was cut
// anywhere is read as far as it makes sense. The memory depends on the number of tests and on the budget, not on the
// size of the journal.
class JournalParser {
 public:
  // `budget` must outlive the parser. The journals of one part share it.
  explicit JournalParser(FailureBudget& budget);
  ~JournalParser();
  JournalParser(const JournalParser&) = delete;
  JournalParser& operator=(const JournalParser&) = delete;

  // Parses the next bytes. Returns false if no more are needed, after a NUL. Throws JournalError.
  bool Add(std::string_view bytes);

  // Returns the journal at its end. Call it once. Throws JournalError.
  Journal Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads a journal. Returns nullopt and sets errno if the file cannot be read. Throws JournalError.
std::optional<Journal> ReadJournal(const UniqueFd& file, FailureBudget& budget);

// Parses a journal that is in memory. Throws JournalError.
Journal ParseJournal(std::string_view bytes);

// `tail`: the end of a journal up to its first NUL. Returns true if its last complete line is the end line, which the
// recorder writes when the program ends.
bool EndsWithEndLine(std::string_view tail);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_PARSER_H_
