// SPDX-License-Identifier: MIT
#include "stores/http/limits.h"

#include <algorithm>

namespace flaky::http {

bool HasMoreValues(std::string_view json, size_t most) {
  const auto count = std::ranges::count_if(json, [](char c) { return c == ',' || c == ':' || c == '[' || c == '{'; });
  return static_cast<size_t>(count) > most;
}

}  // namespace flaky::http
