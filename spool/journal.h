// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_H_
#define FLAKY_SPOOL_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "history/time.h"
#include "spool/process.h"

// The data of a journal (docs/reference/journal.md).
namespace flaky {

struct JournalFailure {
  int64_t at_us = 0;
  std::string file;  // empty if GoogleTest reported none
  std::optional<int64_t> line;
  std::string message;
  bool is_skip = false;
};

enum class JournalOutcome {
  kPassed,
  kFailed,
  kSkipped,
  kNotRun,
  kExited,      // the process exited while the test was open
  kUnfinished,  // the line is incomplete: the process died in the test, is still running it, or could not continue
                // writing (Journal::lost)
};

struct JournalResult {
  std::string name;
  std::string file;
  std::optional<int64_t> line;
  int64_t start_us = 0;
  JournalOutcome outcome = JournalOutcome::kUnfinished;
  int64_t duration_us = 0;  // kUnfinished: until the last known event of the test
  std::optional<int64_t> exit_status;
  bool called_exit = true;  // kExited: the test itself called exit(), as far as is known
  int64_t iteration = 0;
  std::optional<int64_t> shuffle_seed;
  std::string parameter;       // GoogleTest's text of the test's parameter; empty: none, or nothing failed
  std::string preceding_test;  // of a result that failed or did not finish: the test that ran before; empty: none
  std::vector<JournalFailure> failures;
  // How often the test ran with this outcome before it had another one. All other members describe the first time.
  int64_t executions = 1;
  bool is_measured = true;        // duration_us is known
  int64_t further_us = 0;         // the durations of those of the other executions whose duration is known
  int64_t further_measured = 0;   // how many these are
  int64_t failures_left_out = 0;  // further failures of this execution
  bool is_cut = false;            // failures or parts of messages are left out, because there are too many
};

struct JournalSuiteFailure {
  std::string suite;       // empty: outside any suite
  std::string suite_file;  // of the tests of the suite; empty: unknown
  std::optional<int64_t> shuffle_seed;
  std::string preceding_test;  // the test that ran before; empty: none
  bool has_result_after = false;
  JournalFailure failure;
};

// How a process ended that did not write its end line, as far as other processes observed it.
struct JournalDeath {
  std::optional<std::string> signal;  // "SIGSEGV"
  std::optional<int64_t> exit_code;
  std::optional<int64_t> at_us;          // when, accurate to some milliseconds
  std::optional<int64_t> time_limit_us;  // the time limit of its parent, if it had expired
  bool out_of_memory = false;            // the kernel's OOM killer was active at the time
  // True if what had started the test program, a ctest or a command of `flaky run`, continued after the death. So
  // nothing had ended the whole run, and the test program died for its own reason.
  bool run_continued = false;
  // The signal that ended the whole run, such as "SIGINT", and the process with it. Empty: it is not known which.
  std::optional<std::string> interrupted_by;
};

// A part of the run of a `flaky run` that was delivered while its command was running.
struct JournalDelivery {
  std::string part_id;
  int64_t tests = 0;
  bool failed = false;
};

struct Journal {
  std::string journal_id;
  std::string process_run_id;
  bool is_command = false;  // of `flaky run`: it describes a command and has no tests
  std::optional<std::string> run_id;
  std::optional<std::string> project;
  ProcessId writer;
  ProcessId parent;
  std::string parent_name;                  // "bash"
  ProcessId ctest;                          // under which the process ran; pid 0: none
  std::string fixture;                      // the CTest fixture whose clean-up delivers; empty: none
  std::string bazel_target;                 // empty: not under Bazel
  std::string bazel_execroot;               // "OUTPUT_BASE/execroot/WORKSPACE"; empty: unknown
  std::optional<int64_t> bazel_command_ns;  // when the Bazel command began, in ns since 1970: identifies the command
  std::optional<int64_t> time_limit_s;      // after which Bazel ends the process with SIGTERM and later SIGKILL
  std::optional<std::string> variant;
  std::optional<std::string> shard;    // "2/10"
  std::optional<int64_t> rank, ranks;  // of an MPI program: which process this is, and how many there are
  Timestamp started_at;
  std::string cwd;
  std::vector<std::string> args;
  std::string compiler, system;
  int64_t tests_to_run = 0;             // in each iteration
  std::optional<int64_t> shuffle_seed;  // of the first iteration
  std::string list;                     // names the list of all tests of the program (spool/test_lists.h); empty: none
  std::vector<JournalResult> results;
  std::string last_test;       // the last test that ran; empty: none
  bool ended_in_test = false;  // the last result is of a test that did not end
  std::vector<JournalSuiteFailure> suite_failures;
  int64_t suite_failures_left_out = 0;  // because there are too many
  std::optional<std::string> lost;      // why the recorder stopped writing before the end
  std::optional<int64_t> end_us;        // absent if the program did not reach its end
  std::optional<bool> said_passed;      // what GoogleTest reported at the end
  std::optional<JournalDeath> died;
  std::vector<JournalDelivery> deliveries;  // of a command
  int64_t last_us = 0;                      // the last time in the journal

  // Returns the time that is `us` microseconds after the journal's start, at most Timestamp::kMax.
  Timestamp At(int64_t us) const;

  // Returns the file name of the program; empty if it is not known.
  std::string ProgramName() const;

  // Returns the path of the program, absolute if the working folder is known; empty if it is not known.
  std::string ProgramPath() const;
};

// Returns true for the signals by which a user, a CI system or a shutdown ends a run: "SIGINT", "SIGTERM", "SIGHUP" and
// "SIGQUIT". A program that crashes does not get them.
bool IsInterruption(std::string_view signal);

// A journal cannot be read. what() names the line and the problem.
class JournalError : public std::runtime_error {
 public:
  // kEmpty: no header yet. kNewer: a later version of the format. kDamaged: any other problem.
  enum class Kind { kEmpty, kNewer, kDamaged };
  JournalError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_H_
