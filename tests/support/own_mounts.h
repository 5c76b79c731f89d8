#ifndef FLAKY_TESTS_SUPPORT_OWN_MOUNTS_H_
#define FLAKY_TESTS_SUPPORT_OWN_MOUNTS_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

namespace flaky {

// Mounts a file system of `size` ("1m") at `folder`, visible to this process only. For use within InOwnMounts.
inline void MountSmall(const std::string& folder, const std::string& size) {
  ASSERT_EQ(mount("tmpfs", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()), 0) << std::strerror(errno);
}
inline void MakeReadOnly(const std::string& folder) {
  ASSERT_EQ(mount("tmpfs", folder.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0) << std::strerror(errno);
}

// Runs `body` in a child process with its own mounts. If an expectation in `body` fails, the test fails. Returns "", or
// the reason why such a process cannot be started here; the caller expects "", because a test that cannot run must
// fail.
inline std::string InOwnMounts(const std::function<void()>& body) {
  constexpr int kFailed = 1, kImpossible = 2;
  int reason[2];
  if (pipe2(reason, O_CLOEXEC) != 0) return std::strerror(errno);
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    const int spaces = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(spaces) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      const std::string why = std::string("mount name space: ") + std::strerror(errno);
      if (write(reason[1], why.data(), why.size()) < 0) _exit(kFailed);
      _exit(kImpossible);
    }
    body();
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? kFailed : 0);
  }
  close(reason[1]);
  char text[200];
  const ssize_t size = read(reason[0], text, sizeof text);
  close(reason[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kImpossible) return {text, size > 0 ? static_cast<size_t>(size) : 0};
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see the child's output for the reason";
  return "";
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_OWN_MOUNTS_H_
