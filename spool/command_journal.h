#ifndef FLAKY_SPOOL_COMMAND_JOURNAL_H_
#define FLAKY_SPOOL_COMMAND_JOURNAL_H_

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/journal.h"

// What `flaky run` adds to the spool: how its command ended, which only a parent knows (docs/reference/journal.md).
namespace flaky {

class UniqueFd;

// How a process ended.
struct ProcessEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;

  bool succeeded() const { return exit_code == 0; }
};

// As waitpid gives it.
ProcessEnd ProcessEndOf(int wait_status);

// "exit code 66", "signal SIGSEGV"
std::string ToString(const ProcessEnd& end);

// "SIGSEGV"; "signal 77" for a number without a name.
std::string SignalName(int signal);

struct CommandFacts {
  std::optional<std::string> run_id;  // absent: a new one
  std::optional<std::string> project;
  std::vector<std::string> arguments;
  std::string cwd;
  std::string system;  // as in Journal
};

// The journal of a command: a part of its run that has no tests. Begun before the command starts, so that a `flaky run`
// that is killed is known to have been.
class CommandJournal {
 public:
  // Makes the spool where it is missing. Throws StoreError (kPermanent).
  CommandJournal(const std::filesystem::path& spool, const CommandFacts& facts);
  ~CommandJournal();

  const std::string& run_id() const { return run_id_; }

  // Whether a test program's journal came since this one was begun, and belongs to its run.
  bool IsOfThisRun(const Journal& header) const;

  // Notes how the command's own process ended in the journal that it left if it recorded tests itself and did not get
  // to its end; then ends this journal. A command that failed although no test of the run in the spool did is an error
  // between tests. Throws StoreError (kPermanent).
  void End(pid_t child, const ProcessEnd& end);

  // As if it had never been: the command could not be started.
  void Discard();

 private:
  void Append(const std::string& line);
  bool NoteEndOf(pid_t child, const ProcessEnd& end) const;  // true if what went wrong, if anything, is known

  const std::filesystem::path spool_;
  const Timestamp started_at_;
  std::string run_id_;
  std::string path_;
  std::unique_ptr<UniqueFd> file_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_COMMAND_JOURNAL_H_
