// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_COMMAND_JOURNAL_H_
#define FLAKY_SPOOL_COMMAND_JOURNAL_H_

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/journal.h"

// What `flaky run` adds to the spool: how its command ended, which only the parent process knows
// (docs/reference/journal.md).
namespace flaky {

struct RunEnd;
class UniqueFd;

// How a process ended.
struct ProcessEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;

  bool succeeded() const { return exit_code == 0; }
};

// Converts the status that waitpid reports.
ProcessEnd ProcessEndOf(int wait_status);

// Returns a phrase such as "exit code 66" or "signal SIGSEGV".
std::string ToString(const ProcessEnd& end);

// Returns the name of a signal, such as "SIGSEGV", or "signal 77" for a number without a name.
std::string SignalName(int signal);

struct CommandFacts {
  std::optional<std::string> run_id;  // absent: a new id is made
  std::optional<std::string> project;
  std::vector<std::string> arguments;
  std::string cwd;
  std::string system;  // as in Journal
};

// The journal of a command, which becomes a part without tests. It is written before the command starts, so that a
// `flaky run` that is killed leaves a trace.
class CommandJournal {
 public:
  // Creates the spool if it is missing. Throws StoreError (kPermanent).
  CommandJournal(const std::filesystem::path& spool, const CommandFacts& facts);
  ~CommandJournal();

  const std::string& run_id() const { return run_id_; }

  // Returns true if a test program's journal belongs to this run and was begun after this journal.
  bool IsOfThisRun(const Journal& header) const;

  // Ends this journal. If the command's own process recorded tests and did not reach the end of its journal, this first
  // notes in that journal how the process ended. If the command failed although nothing of the run failed, neither in
  // the spool nor in what was delivered since this journal began, an error between tests is added. Returns whether any
  // test of the run was recorded since then. If the run was interrupted, the command did not fail, and this is noted
  // instead. Removes the journal if the command succeeded and no test was recorded: nothing was tested. Throws
  // StoreError (kPermanent).
  bool End(pid_t child, const ProcessEnd& end, const RunEnd& run_end);

  // Removes the journal.
  void Discard();

 private:
  // What is known about the run.
  struct Findings {
    bool has_tests = false;
    bool has_failed = false;
  };

  void Append(const std::string& line);
  Findings Look(pid_t child, const ProcessEnd& end, const RunEnd& run_end) const;
  void LookInto(const UniqueFd& folder, pid_t child, const ProcessEnd& end, const RunEnd& run_end,
                Findings& findings) const;
  // Adds what was delivered since this journal began.
  void AddDelivered(Findings& findings) const;

  const std::filesystem::path spool_;
  const Timestamp started_at_;
  std::string journal_id_;
  std::string run_id_;
  std::string path_;
  std::unique_ptr<UniqueFd> file_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_COMMAND_JOURNAL_H_
