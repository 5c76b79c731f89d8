// SPDX-License-Identifier: MIT
#pragma once

namespace strict {
inline int PollAll() { return 3; }
}  // namespace strict
