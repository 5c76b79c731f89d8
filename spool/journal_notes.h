// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_NOTES_H_
#define FLAKY_SPOOL_JOURNAL_NOTES_H_

#include <optional>
#include <string>

#include "spool/journal.h"
#include "spool/spool_files.h"

// What this program reads from, and adds to, the files of journals in the spool.
namespace flaky {

// Returns the beginning of the file, at least up to the end of its first line. Returns nullopt and sets errno if the
// file cannot be read.
std::optional<std::string> ReadHead(const OpenedFile& file);

// Returns true if the journal has its end line.
bool HasEndLine(const OpenedFile& file);

// Adds what is known about the writer's death to the journal `name` of a spool. Precondition: the writer, and all
// processes that it forked, have ended. Does nothing if the journal cannot be written.
void NoteDeath(const UniqueFd& spool, const std::string& name, const JournalDeath& death);

// Adds what was delivered to the journal `name` of a command in the spool, unless that has ended. Does nothing if the
// journal cannot be written.
void NoteDelivery(const UniqueFd& spool, const std::string& name, const JournalDelivery& delivery);

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_NOTES_H_
