#ifndef FLAKY_SPOOL_JOURNAL_NOTES_H_
#define FLAKY_SPOOL_JOURNAL_NOTES_H_

#include <optional>
#include <string>

#include "spool/journal.h"
#include "spool/spool_files.h"

// Journals as files: what the program looks for in those that lie in the spool, and what it adds to them.
namespace flaky {

// The file's beginning up to and with its first line, and more. Absent (errno) when it cannot be read.
std::optional<std::string> ReadHead(const OpenedFile& file);

// Whether the end line is there.
bool HasEndLine(const OpenedFile& file);

// Adds to the journal `name` of a spool what is known of its writer's death. The writer must be gone, and with it
// whatever it forked; what cannot be added is left out.
void NoteDeath(const UniqueFd& spool, const std::string& name, const JournalDeath& death);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_NOTES_H_
