// SPDX-License-Identifier: MIT

// Tests in a library that a program loads while it runs. PLUGIN is its name.

#include <gtest/gtest.h>

#define JOIN_NOW(a, b) a##b
#define JOIN(a, b) JOIN_NOW(a, b)

TEST(JOIN(Plugin, PLUGIN), Passes) {}

extern "C" __attribute__((visibility("default"))) int RunTests() {
  static int argc = 1;
  static char name[] = "plugin";
  static char* argv[] = {name, nullptr};
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
