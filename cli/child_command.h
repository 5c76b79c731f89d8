// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_CHILD_COMMAND_H_
#define FLAKY_CLI_CHILD_COMMAND_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace flaky {

class DeathWatch;

// Remembers which signals this process was started to ignore, because main changes that. A command gets what this
// process got. Call it first in main.
void KeepInheritedSignals();

// Runs a command in this program's place: with the same standard streams, process group and terminal, with the signals
// ignored and blocked that this process was started with, and with the same environment plus the given variables. While
// an object exists, signals that are sent to this process are passed on to the command. Signals that the terminal sends
// to the whole process group reach the command anyway. Create only one at a time, and before the program starts a
// thread, because it changes the signal mask.
class ChildCommand {
 public:
  // Starts the command, which is searched in PATH. Throws CommandError if it cannot be started, with the exit code that
  // a shell would use: 127 if it does not exist, 126 if it is not executable.
  ChildCommand(const std::vector<std::string>& arguments,
               const std::vector<std::pair<std::string, std::string>>& environment);
  ~ChildCommand();
  ChildCommand(const ChildCommand&) = delete;
  ChildCommand& operator=(const ChildCommand&) = delete;

  pid_t pid() const { return pid_; }

  // Waits until the command ends, and serves `watch` while it waits. Returns the status in the form of waitpid.
  int Wait(DeathWatch& watch);

  // Returns the last signal to this process or to its process group that asks for an end (Ctrl-C, a cancelled job); 0
  // if it got no such signal.
  int asked_to_end() const { return asked_to_end_; }

 private:
  pid_t pid_ = -1;
  int asked_to_end_ = 0;
};

// Ends this process as the command ended: with its exit code, or by its signal.
[[noreturn]] void EndAs(int wait_status);

}  // namespace flaky

#endif  // FLAKY_CLI_CHILD_COMMAND_H_
