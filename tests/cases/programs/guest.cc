// SPDX-License-Identifier: MIT

// A program that does what few programs do, but some. GUEST_* variables say how `main` runs the tests.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

std::string Variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

TEST(Plain, Passes) {}
TEST(Plain, Fails) { FAIL() << "as it should"; }
TEST(Slow, Sleeps) { usleep(20000); }

// A test that empties whatever it finds.
void CutJournals(off_t size) {
  usleep(1000);
  for (const auto& file : std::filesystem::directory_iterator(Variable("FLAKY_TESTS_SPOOL"))) {
    if (file.path().extension() != ".jsonl") continue;
    EXPECT_EQ(truncate(file.path().c_str(), size), 0);
  }
}
TEST(Cut, ToNothing) { CutJournals(0); }
TEST(Cut, WithinAPage) { CutJournals(100); }
TEST(Cut, Next) {}
TEST(Cut, NextFails) { FAIL() << std::string(10000, 'x'); }

// A test that fills the disk after what was written so far has reached it.
TEST(Disk, IsFilled) {
  const std::string folder = Variable("FLAKY_TESTS_SPOOL");
  sync();
  const int fd = open((folder + "/filler").c_str(), O_WRONLY | O_CREAT, 0600);
  static char bytes[1 << 16];
  for (std::size_t size = sizeof bytes; size > 0;) {
    if (write(fd, bytes, size) <= 0) {
      sync();
      if (write(fd, bytes, size) <= 0) size /= 2;
    }
  }
  close(fd);
  sync();
}
TEST(Disk, Next) {}
TEST(DiskAgain, IsFree) {
  EXPECT_TRUE(std::filesystem::remove(Variable("FLAKY_TESTS_SPOOL") + "/filler"));
  sync();
}
TEST(Disk, NextFails) { FAIL() << std::string(10000, 'x'); }

void FailInChild(pid_t child) {
  ASSERT_GE(child, 0);
  if (child == 0) {
    ADD_FAILURE() << "in the child";
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}
TEST(Child, OfRawClone) { FailInChild(static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))); }
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
TEST(Child, OfForkWithoutHandlers) { FailInChild(_Fork()); }
#endif
#endif
TEST(Child, RunsTests) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    testing::GTEST_FLAG(filter) = "Plain.Passes";
    testing::GTEST_FLAG(output) = "";
    const int result = RUN_ALL_TESTS();
    std::fflush(nullptr);
    _exit(result);
  }
  waitpid(child, nullptr, 0);
}
TEST(Child, Next) {}

// From now on, every system call but these is refused: it ends the process, or it fails with the number.
void EnterSandbox(unsigned int refused) {
  std::fflush(nullptr);
#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
  sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          ALLOW(SYS_write),
                          ALLOW(SYS_exit_group),
                          ALLOW(SYS_brk),
                          ALLOW(SYS_mmap),
                          ALLOW(SYS_munmap),
                          ALLOW(SYS_futex),
                          ALLOW(SYS_newfstatat),
                          ALLOW(SYS_rt_sigreturn),
                          ALLOW(SYS_clock_gettime),
                          BPF_STMT(BPF_RET | BPF_K, refused)};
  sock_fprog program = {sizeof filter / sizeof *filter, filter};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}
TEST(Sandbox, Kills) { EnterSandbox(SECCOMP_RET_KILL_PROCESS); }
TEST(Sandbox, Refuses) { EnterSandbox(SECCOMP_RET_ERRNO | EPERM); }
TEST(Sandbox, RefusesEvenItsLocks) {
  std::fflush(nullptr);
  sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)), ALLOW(SYS_write),
                          ALLOW(SYS_exit_group), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)};
  sock_fprog program = {sizeof filter / sizeof *filter, filter};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
  usleep(1000);
}
TEST(Sandbox, Next) {}

std::jmp_buf to_main;
TEST(Left, ByLongjmp) { std::longjmp(to_main, 1); }
TEST(Left, ByThread) {
  std::thread([] { std::exit(4); }).detach();
  for (;;) usleep(1000);
}
TEST(Left, ByExit) { std::exit(5); }

class ThrowingListener : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override { throw std::runtime_error("listener"); }
};

TEST(Values, AreSecure) { std::printf("secure %lu\n", getauxval(AT_SECURE)); }

int RunAll() {
  if (setjmp(to_main) != 0) return 7;
  try {
    return RUN_ALL_TESTS();
  } catch (const std::exception&) {
    return 8;
  }
}

int RunOnly(const char* filter) {
  testing::GTEST_FLAG(filter) = filter;
  return RUN_ALL_TESTS();
}

// Runs a group of tests in each of several forked processes.
int RunWorkers() {
  int failed = 0;
  for (const char* group : {"Plain.Passes", "Plain.Fails"}) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      const int result = RunOnly(group);
      std::fflush(nullptr);
      _exit(result);
    }
    int status = 0;
    waitpid(child, &status, 0);
    failed |= status;
  }
  return failed != 0;
}

int RunInThread(std::size_t stack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (pthread_attr_setstacksize(&attributes, stack) != 0) return 98;
  pthread_t thread;
  const auto run = [](void*) -> void* {
    static int result;
    result = RUN_ALL_TESTS();
    return &result;
  };
  if (pthread_create(&thread, &attributes, run, nullptr) != 0) return 99;
  void* result = nullptr;
  pthread_join(thread, &result);
  return *static_cast<int*>(result);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const std::string how = Variable("GUEST_RUNS"), stack = Variable("GUEST_STACK");
  if (how == "failing at exit") std::atexit([] { ADD_FAILURE() << "at exit"; });
  if (how == "throwing") testing::UnitTest::GetInstance()->listeners().Append(new ThrowingListener);
  if (how == "without environment") environ = nullptr;
  if (how == "workers") return RunWorkers();
  if (how == "workers afterwards") return RunOnly("Values.AreSecure") + RunWorkers();
  if (!stack.empty()) return RunInThread(std::stoul(stack));
  return RunAll();
}
