// SPDX-License-Identifier: MIT
#include "spool/journal.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace flaky {

Timestamp Journal::At(int64_t us) const {
  return {started_at.micros + std::clamp<int64_t>(us, 0, Timestamp::kMax.micros - started_at.micros)};
}

std::string Journal::ProgramName() const {
  return args.empty() ? "" : args.front().substr(args.front().rfind('/') + 1);
}

std::string Journal::ProgramPath() const {
  if (args.empty()) return "";
  return (std::filesystem::path(cwd) / args.front()).lexically_normal().string();
}

bool IsInterruption(std::string_view signal) {
  constexpr std::array<std::string_view, 4> kSignals = {"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"};
  return std::ranges::find(kSignals, signal) != kSignals.end();
}

}  // namespace flaky
