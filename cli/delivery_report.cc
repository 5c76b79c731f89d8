// SPDX-License-Identifier: MIT
#include "cli/delivery_report.h"

#include <cstdint>

#include "cli/output/numbers.h"

namespace flaky {

ExitCode CodeOf(const DeliverySummary& summary) {
  if (summary.rejected > 0 || summary.kept > 0 || summary.unread > 0) return ExitCode::kPartial;
  return summary.locked ? ExitCode::kLocked : ExitCode::kOk;
}

std::optional<std::string> OneLineOf(const DeliverySummary& summary) {
  if (summary.messages.empty()) return std::nullopt;
  std::string line = summary.messages.front();
  if (const auto more = static_cast<int64_t>(summary.messages.size()) - 1; more > 0) {
    line += " (and " + Counted(more, "message") + " more)";
  }
  return line;
}

std::string UnknownPhrase(int64_t count) {
  return Counted(count, "test program") +
         " may still be running: in another container or on another machine, which cannot be observed from here";
}

}  // namespace flaky
