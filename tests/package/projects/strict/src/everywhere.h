// SPDX-License-Identifier: MIT
#pragma once

// Included before everything else, like a project's config.h.
#if __cplusplus != 201402L
#error this project is C++14
#endif
