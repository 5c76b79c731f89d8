// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_BACKGROUND_TROUBLE_H_
#define FLAKY_DELIVERY_BACKGROUND_TROUBLE_H_

#include <optional>
#include <string>

#include "history/time.h"

// A delivery in the background cannot print why it failed. It leaves the reason in the spool, and the next command that
// reads the history prints it. Only the latest reason is kept: the journals themselves are all there.
namespace flaky {

struct BackgroundTrouble {
  Timestamp time;
  std::string text;  // one line
};

// If the note cannot be written, nothing happens.
void KeepTrouble(const std::string& spool, const std::string& text);

// Returns the reason, if there is one.
std::optional<BackgroundTrouble> ReadTrouble(const std::string& spool);

// Removes the note, if it is still of that time.
void ForgetTrouble(const std::string& spool, const BackgroundTrouble& trouble);

// When SIGALRM arrives, prints the text as a line on stderr, or keeps it if stderr is not read, and ends the process
// with `exit_code`. Call it once.
void ReportAtAlarm(const std::string& spool, const std::string& text, int exit_code);

// Returns true if what this process writes to stderr is not read: the other end of the pipe is closed.
bool IsUnread();

}  // namespace flaky

#endif  // FLAKY_DELIVERY_BACKGROUND_TROUBLE_H_
