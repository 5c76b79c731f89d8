// SPDX-License-Identifier: MIT
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "cli/child_command.h"
#include "cli/exit_code.h"
#include "cli/program.h"

namespace {

// Returns true if the reader of standard output has closed the pipe, as `head` does. That is not an error.
bool ReaderIsGone() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

// Makes the C library return large buffers to the system when they are freed. By default it soon keeps them in the heap
// of each thread, and a copy to a libSQL server then takes a quarter more memory, and more the longer it runs.
void KeepLittleMemory() { ::mallopt(M_MMAP_THRESHOLD, 512 << 10); }

// Returns true if it is a terminal that understands control sequences.
bool IsAbleTerminal(int fd) {
  const char* kind = std::getenv("TERM");
  return ::isatty(fd) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

bool MayBeColored() {
  const char* no_color = std::getenv("NO_COLOR");
  return IsAbleTerminal(STDOUT_FILENO) && (no_color == nullptr || *no_color == '\0');
}

}  // namespace

int main(int argc, char** argv) {
  flaky::KeepInheritedSignals();
  KeepLittleMemory();
  std::ios::sync_with_stdio(false);
  // A closed pipe must not end a delivery or a copy half-way.
  std::signal(SIGPIPE, SIG_IGN);
  const int code = flaky::RunProgram(argc, argv, std::cout, std::cerr, IsAbleTerminal(STDERR_FILENO), MayBeColored());
  errno = 0;
  if (std::cout.flush() || ReaderIsGone()) return code;
  std::cerr << "flaky: cannot write to standard output" << (errno != 0 ? ": " : "")
            << (errno != 0 ? std::strerror(errno) : "") << '\n';
  return static_cast<int>(flaky::ExitCode::kUsage);
}
