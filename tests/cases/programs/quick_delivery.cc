// SPDX-License-Identifier: MIT

// Behaves as the environment's CASE says. Exits with 70 if it meets a child that it has not started.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

bool Is(const char* name) {
  const char* const value = std::getenv("CASE");
  return value != nullptr && std::string(value) == name;
}

void Say(const char* text) {
  const std::string line = std::string(text) + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(71);
}

void Refuse(int) {
  Say("SIGCHLD of a child that is unknown");
  _exit(70);
}

void LookForChildren() {
  if (waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD) return;
  Say("waitpid finds a child that is unknown");
  _exit(70);
}

TEST(Case, HasHadNoChild) {
  rusage of_children = {};
  ASSERT_EQ(getrusage(RUSAGE_CHILDREN, &of_children), 0);
  EXPECT_EQ(of_children.ru_utime.tv_usec, 0);
  EXPECT_EQ(of_children.ru_stime.tv_usec, 0);
  EXPECT_EQ(of_children.ru_minflt, 0);
  EXPECT_EQ(of_children.ru_maxrss, 0);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Case, Leaves) {
  if (Is("subreaper")) prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (Is("alarm")) alarm(2);
  if (Is("late thread")) {
    std::thread([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
      Say("late");
    }).detach();
  }
  if (Is("watchdog")) {
    std::thread([] {
      std::this_thread::sleep_for(std::chrono::seconds(2));
      std::abort();
    }).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGCHLD, Refuse);
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  LookForChildren();
  if (Is("lives on") || Is("subreaper")) {
    for (int step = 0; step < 30; ++step) {
      usleep(10000);
      LookForChildren();
    }
  }
  return status;
}
