// SPDX-License-Identifier: MIT
#pragma once

namespace strict {
inline int SpawnEnemies() { return 5; }
}  // namespace strict
