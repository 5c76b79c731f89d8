// SPDX-License-Identifier: MIT
#include "cli/output/run_text.h"

#include <algorithm>
#include <string_view>

#include "cli/output/time_text.h"

namespace flaky {
namespace {

constexpr size_t kShortId = 8;

// The text's beginning of at least `length` bytes that ends with a whole character.
std::string Beginning(const std::string& text, size_t length) {
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) ++length;
  return text.substr(0, length);
}

}  // namespace

std::vector<std::string> ShortIds(const std::vector<Run>& runs) {
  std::vector<std::string_view> sorted;
  for (const Run& run : runs) sorted.push_back(run.run_id);
  std::sort(sorted.begin(), sorted.end());
  size_t length = kShortId;
  for (size_t i = 1; i < sorted.size(); ++i) {
    const auto differs = std::mismatch(sorted[i - 1].begin(), sorted[i - 1].end(), sorted[i].begin(), sorted[i].end());
    length = std::max(length, static_cast<size_t>(differs.first - sorted[i - 1].begin()) + 1);
  }
  std::vector<std::string> ids;
  for (const Run& run : runs) ids.push_back(Beginning(run.run_id, length));
  return ids;
}

std::string CommitText(const Run& run) {
  if (!run.git_sha) return "-";
  return Beginning(*run.git_sha, kShortId) + (run.git_dirty.value_or(false) ? "+" : "");
}

Cell StatusCell(const Account& account, const std::optional<std::string>& early) {
  if (early == kRunning) return {kRunning, Style::kPlain};
  if (!account.ended_at) return {"unfinished", Style::kBad};
  const std::string status = account.status.value_or(early.value_or("-"));
  return {status, status == kPass ? Style::kGood : status == kFail ? Style::kBad : Style::kPlain};
}

std::string TestsText(const Account& account) {
  const int64_t missing = account.missing_tests.value_or(0), total = account.total_tests.value_or(0);
  return missing > 0 ? std::to_string(total) + " of " + std::to_string(total + missing)
                     : CountText(account.total_tests);
}

std::string CountText(const std::optional<int64_t>& count) { return count ? std::to_string(*count) : "-"; }

std::string DurationText(const Account& account) { return account.duration_ms ? Duration(*account.duration_ms) : "-"; }

}  // namespace flaky
