// SPDX-License-Identifier: MIT
#include "stores/sql/roster_cache.h"

#include <memory>
#include <utility>

#include "history/roster.h"

namespace flaky {
namespace {

constexpr size_t kMaxBytes = 4 << 20;

}  // namespace

RosterPtr RosterCache::Find(std::string_view roster_id) const {
  const auto found = rosters_.find(roster_id);
  return found == rosters_.end() ? nullptr : found->second;
}

RosterPtr RosterCache::Add(Roster roster) {
  if (RosterId(roster.tests) != roster.roster_id) return nullptr;
  bytes_ += roster.tests.size();
  std::string id = roster.roster_id;
  return rosters_[std::move(id)] = std::make_shared<const Roster>(std::move(roster));
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
