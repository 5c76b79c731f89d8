// SPDX-License-Identifier: MIT
#include "analysis/run_filters.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "history/merge.h"

namespace flaky {
namespace {

// An empty pattern matches what has no value.
bool Matches(const std::optional<std::string>& text, const std::string& pattern) {
  return text ? !pattern.empty() && MatchesPattern(*text, pattern) : pattern.empty();
}

bool StartsWith(const std::optional<std::string>& text, const std::string& beginning) {
  return text ? !beginning.empty() && text->starts_with(beginning) : beginning.empty();
}

bool IsBranch(const Run& run, const std::string& wanted) { return Matches(run.branch, wanted); }
bool IsCommit(const Run& run, const std::string& wanted) { return StartsWith(run.git_sha, wanted); }
bool IsDirty(const Run& run, const std::string& wanted) { return run.git_dirty == (wanted == "yes"); }
bool IsVariant(const Part& part, const std::string& wanted) { return Matches(part.variant, wanted); }
bool IsPart(const Part& part, const std::string& wanted) { return StartsWith(part.part_id, wanted); }

constexpr auto kTable = std::to_array<FilterInfo>({
    {.name = "branch", .value = "PATTERN", .meaning = "only runs of such a branch", .of_run = IsBranch},
    {.name = "commit",
     .value = "COMMIT",
     .meaning = "only runs of this commit: the beginning of its id, or a name of git, such as HEAD",
     .of_run = IsCommit},
    {.name = "dirty",
     .value = "yes|no",
     .meaning = "only runs whose files differed from the commit, or did not",
     .of_run = IsDirty},
    {.name = "variant", .value = "PATTERN", .meaning = "only parts of such a variant", .of_part = IsVariant},
    {.name = "part", .value = "ID", .meaning = "only the part whose id begins like this", .of_part = IsPart},
});

}  // namespace

std::span<const FilterInfo> FilterTable() { return kTable; }

bool MatchesPattern(std::string_view text, const std::string& pattern) {
  // After a mismatch, the last `*` takes one character more.
  size_t at = 0, in_pattern = 0, star = pattern.npos, star_at = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_at = at;
    } else if (in_pattern < pattern.size() && (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (star != pattern.npos) {
      in_pattern = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == pattern.npos;
}

bool RunFilters::IsEmpty() const { return Names().empty(); }

bool RunFilters::NeedsParts() const {
  return std::ranges::any_of(kTable, [&](const FilterInfo& filter) {
    const auto wanted = wanted_.find(filter.name);
    return filter.of_part != nullptr && wanted != wanted_.end() && !wanted->second.empty();
  });
}

std::vector<std::string_view> RunFilters::Names() const {
  std::vector<std::string_view> names;
  for (const FilterInfo& filter : kTable) {
    const auto wanted = wanted_.find(filter.name);
    if (wanted != wanted_.end() && !wanted->second.empty()) names.push_back(filter.name);
  }
  return names;
}

bool RunFilters::Keep(RunRecord& record) const {
  const size_t all = record.parts.size();
  for (const FilterInfo& filter : kTable) {
    const auto found = wanted_.find(filter.name);
    if (found == wanted_.end() || found->second.empty()) continue;
    const std::vector<std::string>& wanted = found->second;
    if (filter.of_run != nullptr) {
      const auto is_wanted = [&](const std::string& text) { return filter.of_run(record.run, text); };
      if (std::ranges::none_of(wanted, is_wanted)) return false;
    } else {
      std::erase_if(record.parts, [&](const Part& part) {
        return std::ranges::none_of(wanted, [&](const std::string& text) { return filter.of_part(part, text); });
      });
      if (record.parts.empty()) return false;
    }
  }
  if (record.parts.size() == all) return true;
  std::set<std::string> kept;
  for (const Part& part : record.parts) kept.insert(part.part_id);
  std::erase_if(record.failures,
                [&](const Failure& failure) { return !failure.part_id || !kept.contains(*failure.part_id); });
  SumParts(record);
  return true;
}

}  // namespace flaky
