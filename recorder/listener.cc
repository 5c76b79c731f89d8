// SPDX-License-Identifier: MIT

// The recorder and its adapter to GoogleTest as one source, for builds that list their sources: Make, Meson and Bazel.
// CMake compiles gtest_adapter.cc and core.cc instead. GoogleTest may be 1.10 to 1.18; the headers include only each
// other, GoogleTest's and libc's.

#if __cplusplus < 201703L
#error "flaky: compile listener.cc with -std=c++17 or later; your tests may keep their own standard"
#else
#include "event_handlers.h"
#include "gtest_adapter.h"
#endif
