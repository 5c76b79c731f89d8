// SPDX-License-Identifier: MIT

// Uses a library of tests that hides its own copy of the recorder.

#include <gtest/gtest.h>

extern "C" void UseTheLibrary();

TEST(InTheProgram, Passes) { UseTheLibrary(); }

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
