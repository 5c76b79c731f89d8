// SPDX-License-Identifier: MIT

// A library of tests that uses the GoogleTest of its program and hides a copy of the recorder.

#include <gtest/gtest.h>

TEST(InALibraryWithItsOwnRecorder, Passes) {}

extern "C" __attribute__((visibility("default"))) void UseTheLibrary() {}
