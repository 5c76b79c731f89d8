// SPDX-License-Identifier: MIT

// A program that replaces functions of the C library, as tests with mocks do. It is linked with --wrap for each of
// GUEST_WRAPPED_FUNCTIONS; a call by the program's own objects, which the recorder's are too, ends it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#define REPLACE(function)                                   \
  extern "C" void __wrap_##function() {                     \
    constexpr char kText[] = #function " was called\n";     \
    _exit(write(2, kText, std::strlen(kText)) > 0 ? 9 : 8); \
  }
GUEST_WRAPPED_FUNCTIONS

TEST(Wrapped, Passes) {}
TEST(Wrapped, Fails) { FAIL() << "as it should"; }
TEST(Wrapped, Skips) { GTEST_SKIP() << "as it should"; }
