// SPDX-License-Identifier: MIT
#include "history/merge.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "history/fields.h"

namespace flaky {
namespace {

// Which of two sets contains the other.
enum class Side { kSame, kKnownHasAll, kIncomingHasAll, kNeither };

Side Join(Side a, Side b) {
  if (a == Side::kSame) return b;
  if (b == Side::kSame || a == b) return a;
  return Side::kNeither;
}

std::vector<Digest> SortedDigests(const std::vector<const Failure*>& failures) {
  std::vector<Digest> digests;
  digests.reserve(failures.size());
  for (const Failure* failure : failures) digests.push_back(DigestOf(*failure));
  std::sort(digests.begin(), digests.end());
  return digests;
}

Side CompareFailures(const std::vector<const Failure*>& known, const std::vector<const Failure*>& incoming) {
  const std::vector<Digest> a = SortedDigests(known);
  const std::vector<Digest> b = SortedDigests(incoming);
  const bool known_has_all = std::includes(a.begin(), a.end(), b.begin(), b.end());
  const bool incoming_has_all = std::includes(b.begin(), b.end(), a.begin(), a.end());
  if (known_has_all && incoming_has_all) return Side::kSame;
  if (known_has_all) return Side::kKnownHasAll;
  return incoming_has_all ? Side::kIncomingHasAll : Side::kNeither;
}

// A part with its failures. The failures of a record that belong to no part are grouped under an absent id.
struct PartGroup {
  const Part* part = nullptr;
  std::vector<const Failure*> failures;

  bool Ended() const { return part != nullptr && part->account.ended_at.has_value(); }
};
using Groups = std::map<std::optional<std::string>, PartGroup>;

Groups GroupByPart(const RunRecord& record) {
  Groups groups;
  groups[std::nullopt];
  for (const Part& part : record.parts) groups[part.part_id].part = &part;
  for (const Failure& failure : record.failures) groups[failure.part_id].failures.push_back(&failure);
  return groups;
}

// Returns which of two groups of one id to keep.
Side CompareGroups(const PartGroup& known, const PartGroup& incoming) {
  const Side failures = CompareFailures(known.failures, incoming.failures);
  if (known.part == nullptr || incoming.part == nullptr) return known.part == incoming.part ? failures : Side::kNeither;
  if (*known.part == *incoming.part && failures == Side::kSame) return Side::kSame;
  if (known.Ended() == incoming.Ended()) return Side::kNeither;
  return known.Ended() ? Side::kKnownHasAll : Side::kIncomingHasAll;
}

void Take(RunRecord& into, const PartGroup& group) {
  if (group.part != nullptr) into.parts.push_back(*group.part);
  for (const Failure* failure : group.failures) into.failures.push_back(*failure);
}

void TakeRosters(RunRecord& into, const RunRecord& from) {
  for (const RosterPtr& roster : from.rosters) {
    const auto same = [&](const RosterPtr& other) { return other->roster_id == roster->roster_id; };
    if (std::none_of(into.rosters.begin(), into.rosters.end(), same)) into.rosters.push_back(roster);
  }
}

// Joins a fact about which parts may disagree, so that the order of joining does not matter.
struct JoinFacts {
  void operator()(std::string_view, std::optional<std::string>& merged, const std::optional<std::string>& other) const {
    if (other && (!merged || *other < *merged)) merged = other;
  }
  void operator()(std::string_view, std::optional<bool>& merged, const std::optional<bool>& other) const {
    if (other) merged = merged.value_or(false) || *other;
  }
  // Of the times, only that of the commit is such a fact.
  void operator()(std::string_view name, std::optional<Timestamp>& merged,
                  const std::optional<Timestamp>& other) const {
    if (name == "commit_at" && other && (!merged || *other < *merged)) merged = other;
  }
  // The account is not such a fact: see SumParts. The id is the same.
  template <typename T>
  void operator()(std::string_view, T&, const T&) const {}
};

// Fills absent fields from the other side. If two known values differ, the first stays and the field is reported.
struct FillFacts {
  std::string_view differing;

  template <typename T>
  void operator()(std::string_view name, std::optional<T>& merged, const std::optional<T>& other) {
    if (!merged) {
      merged = other;
    } else if (other && *merged != *other && differing.empty()) {
      differing = name;
    }
  }
  template <typename T>
  void operator()(std::string_view name, T& merged, const T& other) {
    if (merged != other && differing.empty()) differing = name;
  }
};

bool IsBareBeginning(const RunRecord& record) {
  return record.parts.empty() && record.failures.empty() && !record.run.account.ended_at;
}

// Joins the runs' own fields, given which side has all of the parts and failures. Returns the name of the first field
// in which the two contradict each other, or an empty text.
std::string_view MergeRuns(RunRecord& merged, const RunRecord& known, const RunRecord& incoming, Side content) {
  const bool ended_apart = known.run.account.ended_at.has_value() != incoming.run.account.ended_at.has_value();
  if (!merged.parts.empty() && content != Side::kSame) {
    merged.run = known.run;
    ZipRun(JoinFacts(), merged.run, incoming.run);
    merged.run.account = content == Side::kIncomingHasAll ? incoming.run.account : known.run.account;
    if (content == Side::kNeither) SumParts(merged);
    return {};
  }
  // The content is the same, or the runs have no parts. A run that ended says more than one that had not. If both or
  // neither ended, they must agree.
  const bool incoming_first = ended_apart && incoming.run.account.ended_at.has_value();
  merged.run = incoming_first ? incoming.run : known.run;
  FillFacts fill;
  ZipRun(fill, merged.run, incoming_first ? known.run : incoming.run);
  return ended_apart ? std::string_view() : fill.differing;
}

Merge Conflict(std::string what) { return {MergeOutcome::kConflict, {}, std::move(what)}; }

}  // namespace

Merge MergeRecords(const RunRecord& known, const RunRecord& incoming) {
  const Digest known_digest = DigestOf(known);
  const Digest incoming_digest = DigestOf(incoming);
  if (known_digest == incoming_digest) return {};

  if (known.parts.empty() != incoming.parts.empty() && !IsBareBeginning(known.parts.empty() ? known : incoming)) {
    return Conflict("one record has parts and the other has none");
  }

  const Groups known_groups = GroupByPart(known);
  const Groups incoming_groups = GroupByPart(incoming);
  std::set<std::optional<std::string>> ids;
  for (const auto& [id, group] : known_groups) ids.insert(id);
  for (const auto& [id, group] : incoming_groups) ids.insert(id);

  RunRecord merged;
  Side content = Side::kSame;
  for (const auto& id : ids) {
    const auto ours = known_groups.find(id);
    const auto theirs = incoming_groups.find(id);
    Side side = Side::kKnownHasAll;
    if (ours == known_groups.end()) {
      side = Side::kIncomingHasAll;
    } else if (theirs != incoming_groups.end()) {
      side = CompareGroups(ours->second, theirs->second);
      if (side == Side::kNeither) return Conflict(id ? "part " + *id + " differs" : "the failures differ");
    }
    Take(merged, side == Side::kIncomingHasAll ? theirs->second : ours->second);
    content = Join(content, side);
  }
  TakeRosters(merged, known);
  TakeRosters(merged, incoming);

  const std::string_view differing = MergeRuns(merged, known, incoming, content);
  if (!differing.empty()) return Conflict(std::string(differing) + " differs");

  if (DigestOf(merged) == known_digest) return {MergeOutcome::kContained, {}, {}};
  return {MergeOutcome::kCompleted, std::move(merged), {}};
}

void AddParts(RunRecord& record, RunRecord&& more) {
  TakeRosters(record, more);
  std::move(more.parts.begin(), more.parts.end(), std::back_inserter(record.parts));
  std::move(more.failures.begin(), more.failures.end(), std::back_inserter(record.failures));
  ZipRun(JoinFacts(), record.run, more.run);
}

void SumParts(RunRecord& record) {
  if (record.parts.empty()) return;
  // Another tool's counts may have any value. Modulo 2^64 their sum is defined and does not depend on the order.
  const auto add = [](std::optional<int64_t>& sum, const std::optional<int64_t>& more) {
    if (more) sum = static_cast<int64_t>(static_cast<uint64_t>(sum.value_or(0)) + static_cast<uint64_t>(*more));
  };
  Account sum;
  bool all_known = true;
  sum.started_at = record.parts.front().account.started_at;
  sum.ended_at = record.parts.front().account.ended_at;
  for (const Part& part : record.parts) {
    const Account& account = part.account;
    sum.started_at = std::min(sum.started_at, account.started_at);
    if (sum.ended_at) sum.ended_at = account.ended_at ? std::max(*sum.ended_at, *account.ended_at) : account.ended_at;
    add(sum.total_tests, account.total_tests);
    add(sum.passed_tests, account.passed_tests);
    add(sum.failed_tests, account.failed_tests);
    add(sum.errors_between_tests, account.errors_between_tests);
    add(sum.missing_tests, account.missing_tests);
    if (account.status && sum.status != kFail) sum.status = account.status;
    all_known = all_known && account.status.has_value();
  }
  if (sum.ended_at) sum.duration_ms = (sum.ended_at->micros - sum.started_at.micros) / 1000;
  if (!sum.ended_at || (!all_known && sum.status != kFail)) sum.status.reset();
  record.run.account = sum;
}

}  // namespace flaky
