#ifndef FLAKY_TRANSFER_JOURNAL_NOTES_H_
#define FLAKY_TRANSFER_JOURNAL_NOTES_H_

#include <optional>
#include <string>
#include <string_view>

#include "transfer/journal.h"
#include "transfer/spool_files.h"

// Journals as files: what the program looks for in those that lie in the spool, and what it adds to them.
namespace flaky {

// One JSON object, field by field, as a line of a journal is.
class JournalLine {
 public:
  JournalLine& Text(std::string_view name, std::string_view value);
  JournalLine& Raw(std::string_view name, const std::string& json);
  std::string End() const { return json_ + '}'; }

 private:
  std::string& Name(std::string_view name);
  std::string json_;
};

// The file's beginning up to and with its first line, and more. Absent (errno) when it cannot be read.
std::optional<std::string> ReadHead(const OpenedFile& file);

// Whether the end line is there.
bool HasEndLine(const OpenedFile& file);

// Adds to the journal `name` of a spool what is known of its writer's death. The writer must be gone, and with it
// whatever it forked; what cannot be added is left out.
void NoteDeath(const Descriptor& spool, const std::string& name, const JournalDeath& death);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JOURNAL_NOTES_H_
