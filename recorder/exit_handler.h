// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_EXIT_HANDLER_H_
#define FLAKY_RECORDER_EXIT_HANDLER_H_

#include <stdlib.h>

#include "raw_call.h"

#if defined(__SANITIZE_THREAD__) || defined(FLAKY_RECORDER_MSAN)
#define FLAKY_RECORDER_ON_EXIT 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FLAKY_RECORDER_ON_EXIT 1
#endif
#endif

// The C++ ABI's function, which also registers the destructors of static objects, under a name and with a type of ours.
// The GNU C library passes the exit status to such a handler too.
extern "C" {
extern int flaky_recorder_at_exit(void (*handler)(void*, int), void* argument, void* library) __asm__("__cxa_atexit");
extern __attribute__((visibility("hidden"))) char flaky_recorder_library __asm__("__dso_handle");
}

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Makes `kHandler` get the status when the process exits. Does nothing if the C library does not tell the status.
template <void (*kHandler)(int)>
void CallAtExit() {
#if defined(FLAKY_RECORDER_ON_EXIT)
  // These sanitizers put their handler in the place of each, which does not pass on the status.
  on_exit(
      [](int status, void*) {
        NoteWritten(&status, sizeof status);  // the C library, which MemorySanitizer does not see, passes it
        kHandler(status);
      },
      nullptr);
#elif defined(__GLIBC__)
  flaky_recorder_at_exit([](void*, int status) { kHandler(status); }, nullptr, &flaky_recorder_library);
#endif
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#undef FLAKY_RECORDER_ON_EXIT

#endif  // FLAKY_RECORDER_EXIT_HANDLER_H_
