// SPDX-License-Identifier: MIT

// Reads the recorder's clock and registers its exit handler, in a build with control-flow integrity. Fails if the clock
// makes system calls.

#include <unistd.h>

#include <cstdint>

#include "arguments.h"
#include "clock.h"
#include "exit_handler.h"
#include "kernel_values.h"

namespace flaky_recorder {

[[gnu::constructor]] void Load(int argc, char** argv) { NoteArguments(argc, argv); }

void Exits(int status) { _exit(status == 3 ? 0 : 4); }

int Run() {
  KernelValues kernel;
  kernel.Read();
  if (kernel.vdso == nullptr) return 1;
  SteadyClock clock;
  clock.Prepare(kernel.vdso);
  CallAtExit<Exits>();
  std::int64_t quickest = 1000000;
  for (int turn = 0; turn < 1000; ++turn) {
    const std::int64_t begin = clock.Now();
    for (int call = 0; call < 10; ++call) clock.Now();
    const std::int64_t passed = clock.Now() - begin;
    if (passed < 0) return 2;
    if (passed < quickest) quickest = passed;
  }
  return quickest < 1000 ? 3 : 5;
}

}  // namespace flaky_recorder

int main() { return flaky_recorder::Run(); }
