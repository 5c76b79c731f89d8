// SPDX-License-Identifier: MIT

// The listener without the recorder. CMake compiles it in each test target. A target may check its sources with linters
// that treat findings as errors; they find nothing here.

#if !defined(__clang_analyzer__) && !defined(__cppcheck__)
#include "gtest_adapter.h"  // IWYU pragma: keep
#endif
