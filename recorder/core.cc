// SPDX-License-Identifier: MIT

// The recorder without GoogleTest. CMake compiles it once, for all test programs of a project (core/CMakeLists.txt).

#include "event_handlers.h"  // IWYU pragma: keep
