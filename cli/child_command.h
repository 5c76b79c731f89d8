#ifndef FLAKY_CLI_CHILD_COMMAND_H_
#define FLAKY_CLI_CHILD_COMMAND_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace flaky {

class DeathWatch;

// A command that runs in this program's place: with its standard streams, in its process group and terminal, with the
// environment as it is but for what is added. Signals that somebody sends to this process are passed on to it while one
// lives; those that the terminal sends to the whole group reach it anyway. One at a time, and before any thread is
// started: it changes the signal mask.
class ChildCommand {
 public:
  // Starts it, found along PATH. Throws CommandError where it cannot be started, with the code that a shell gives: 127
  // where it is not there, 126 where it is no program.
  ChildCommand(const std::vector<std::string>& arguments,
               const std::vector<std::pair<std::string, std::string>>& environment);
  ~ChildCommand();
  ChildCommand(const ChildCommand&) = delete;
  ChildCommand& operator=(const ChildCommand&) = delete;

  pid_t pid() const { return pid_; }

  // Waits for its end, with an eye on what `watch` watches; gives its status as waitpid does.
  int Wait(DeathWatch& watch);

 private:
  pid_t pid_ = -1;
};

// Ends this process as the status says: with its exit code, or by its signal.
[[noreturn]] void EndAs(int wait_status);

}  // namespace flaky

#endif  // FLAKY_CLI_CHILD_COMMAND_H_
