#ifndef FLAKY_TESTS_STORES_RACE_H_
#define FLAKY_TESTS_STORES_RACE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

extern char** environ;

namespace flaky {

// Starts processes (write_one_run.cc) that wait for each other and then write one run each. Returns how many succeeded.
inline int RaceOf(int processes, const std::string& location) {
  int gate[2];
  EXPECT_EQ(pipe2(gate, O_CLOEXEC), 0);
  std::vector<pid_t> pids;
  for (int i = 0; i < processes; ++i) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, gate[0], STDIN_FILENO);
    std::string program = WRITE_ONE_RUN, where = location, run = "run" + std::to_string(i);
    char* const argv[] = {program.data(), where.data(), run.data(), nullptr};
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    pids.push_back(pid);
  }
  close(gate[0]);
  close(gate[1]);  // opens the gate
  int succeeded = 0;
  for (const pid_t pid : pids) {
    int status = 0;
    waitpid(pid, &status, 0);
    succeeded += WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return succeeded;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_RACE_H_
