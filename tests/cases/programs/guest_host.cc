// SPDX-License-Identifier: MIT

// Loads each library of the command line and runs its tests. It changes its environment before, as programs do.

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  int result = 0;
  for (int at = 1; at < argc; ++at) {
    setenv("GUEST_HOST_LOADS", argv[at], 1);
    unsetenv("GUEST_HOST_UNUSED");
    void* const library = dlopen(argv[at], RTLD_NOW | RTLD_LOCAL);
    void* const run = library == nullptr ? nullptr : dlsym(library, "RunTests");
    if (run == nullptr) {
      std::puts(dlerror());
      return 9;
    }
    result |= reinterpret_cast<int (*)()>(run)();
  }
  return result;
}
