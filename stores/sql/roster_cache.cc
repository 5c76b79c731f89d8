// SPDX-License-Identifier: MIT
#include "stores/sql/roster_cache.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "history/roster.h"

namespace flaky {
namespace {

constexpr size_t kMaxBytes = 4 << 20;

// Returns the ids of the lists that a roster names; none for a list. Returns nullopt if the text is neither.
std::optional<std::vector<std::string>> ListsIn(std::string_view tests) {
  try {
    if (IsRosterText(tests)) return ListsOf(tests);
    ParseTestList(tests);
    return std::vector<std::string>();
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

}  // namespace

RosterPtr RosterCache::Find(std::string_view roster_id) const {
  const auto found = rosters_.find(roster_id);
  return found == rosters_.end() ? nullptr : found->second.roster;
}

RosterPtr RosterCache::Add(Roster roster) {
  if (ContentId(roster.tests) != roster.roster_id) return nullptr;
  std::optional<std::vector<std::string>> lists = ListsIn(roster.tests);
  if (!lists) return nullptr;
  bytes_ += roster.tests.size();
  Entry& entry = rosters_[roster.roster_id];
  entry.lists = std::move(*lists);
  return entry.roster = std::make_shared<const Roster>(std::move(roster));
}

std::span<const std::string> RosterCache::Lists(std::string_view roster_id) const {
  const auto found = rosters_.find(roster_id);
  return found == rosters_.end() ? std::span<const std::string>() : found->second.lists;
}

bool RosterCache::Give(std::string_view roster_id, std::vector<RosterPtr>& rosters) const {
  std::vector<RosterPtr> given = {Find(roster_id)};
  for (const std::string& list : Lists(roster_id)) given.push_back(Find(list));
  if (std::ranges::find(given, nullptr) != given.end()) return false;
  AddRosters(rosters, given);
  return true;
}

std::vector<std::string> RosterCache::Ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, roster] : rosters_) ids.push_back(id);
  return ids;
}

void RosterCache::Trim(size_t most) {
  if (bytes_ <= kMaxBytes && rosters_.size() <= most) return;
  rosters_.clear();
  bytes_ = 0;
}

}  // namespace flaky
