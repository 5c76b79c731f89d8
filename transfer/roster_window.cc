// SPDX-License-Identifier: MIT
#include "transfer/roster_window.h"

#include <algorithm>
#include <utility>

#include "history/roster.h"

namespace flaky {

void RosterWindow::Add(RosterPtr roster, std::vector<std::string> lists) {
  if (const auto known = entries_.find(roster->roster_id); known != entries_.end()) {
    bytes_ -= known->second.roster->tests.size();
    std::erase(ids_, roster->roster_id);
    entries_.erase(known);
  }
  if (is_closed_) newest_ = 0;
  is_closed_ = IsRosterText(roster->tests);
  ++newest_;
  bytes_ += roster->tests.size();
  ids_.push_back(roster->roster_id);
  entries_.emplace(ids_.back(), Entry{std::move(roster), std::move(lists)});
  while ((ids_.size() > kMaxRosters || bytes_ > kMaxBytes) && ids_.size() > newest_) {
    const auto oldest = entries_.find(ids_.front());
    bytes_ -= oldest->second.roster->tests.size();
    entries_.erase(oldest);
    ids_.pop_front();
  }
}

bool RosterWindow::Give(std::string_view roster_id, std::vector<RosterPtr>& rosters) const {
  const auto found = entries_.find(roster_id);
  if (found == entries_.end()) return false;
  std::vector<RosterPtr> given = {found->second.roster};
  for (const std::string& list : found->second.lists) given.push_back(Find(list));
  if (std::ranges::find(given, nullptr) != given.end()) return false;
  AddRosters(rosters, given);
  return true;
}

RosterPtr RosterWindow::Find(std::string_view roster_id) const {
  const auto found = entries_.find(roster_id);
  return found == entries_.end() ? nullptr : found->second.roster;
}

}  // namespace flaky
