// SPDX-License-Identifier: MIT
#include "transfer/difference.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "history/fields.h"
#include "history/roster.h"

namespace flaky {
namespace {

constexpr size_t kShown = 80;        // the longest text that is shown, in bytes
constexpr size_t kStillTheSame = 4;  // in how many fields two failures may differ and still be compared

std::string Shown(const std::string& text) { return '`' + text + '`'; }
std::string Shown(const Timestamp& time) { return time.ToString(); }
std::string Shown(int64_t number) { return std::to_string(number); }
std::string Shown(bool value) { return value ? "true" : "false"; }
template <typename T>
std::string Shown(const std::optional<T>& value) {
  return value ? Shown(*value) : "absent";
}

template <typename T>
std::string DifferencePhrase(const T& source, const T& target) {
  return "is " + Shown(source) + " in the source and " + Shown(target) + " in the target";
}
std::string DifferencePhrase(const std::string& source, const std::string& target) {
  if (source.size() <= kShown && target.size() <= kShown) {
    return "is " + Shown(source) + " in the source and " + Shown(target) + " in the target";
  }
  const auto place = std::ranges::mismatch(source, target).in1 - source.begin();
  return "differs from byte " + std::to_string(place + 1) + " on, of " + std::to_string(source.size()) +
         " bytes in the source and " + std::to_string(target.size()) + " in the target";
}
std::string DifferencePhrase(const std::optional<std::string>& source, const std::optional<std::string>& target) {
  if (source && target) return DifferencePhrase(*source, *target);
  const std::string& there = source ? *source : *target;
  if (there.size() <= kShown) {
    return "is " + Shown(source) + " in the source and " + Shown(target) + " in the target";
  }
  return std::string("is absent in the ") + (source ? "target" : "source") + " and has " +
         std::to_string(there.size()) + " bytes in the " + (source ? "source" : "target");
}

// Counts the fields that differ, and describes the first of them.
struct CompareFields {
  size_t differing = 0;
  std::string first;

  template <typename T>
  void operator()(std::string_view name, const T& source, const T& target) {
    if (source != target && ++differing == 1) first = std::string(name) + ' ' + DifferencePhrase(source, target);
  }
};

// Only counts the fields that differ: fast enough for many comparisons.
struct CountDifferences {
  size_t differing = 0;

  template <typename T>
  void operator()(std::string_view, const T& a, const T& b) {
    differing += a == b ? 0 : 1;
  }
};

std::string ComparePartsOf(const RunRecord& source, const RunRecord& target) {
  std::map<std::string_view, std::pair<const Part*, const Part*>> parts;
  for (const Part& part : source.parts) parts[part.part_id].first = &part;
  for (const Part& part : target.parts) parts[part.part_id].second = &part;
  for (const auto& [id, both] : parts) {
    const std::string name = "part " + std::string(id);
    if (both.first == nullptr) return name + " is not in the source";
    if (both.second == nullptr) return name + " is not in the target";
    CompareFields compare;
    ZipPart(compare, *both.first, *both.second);
    if (compare.differing > 0) return name + ": " + compare.first;
  }
  return {};
}

using Digested = std::vector<std::pair<Digest, const Failure*>>;

Digested DigestedFailures(const RunRecord& record) {
  Digested failures;
  failures.reserve(record.failures.size());
  for (const Failure& failure : record.failures) failures.emplace_back(DigestOf(failure), &failure);
  std::ranges::sort(failures, {}, &Digested::value_type::first);
  return failures;
}

// Returns the failures that the other side does not have. A failure that is there more often is returned for each time.
std::vector<const Failure*> Without(const Digested& failures, const Digested& others) {
  Digested left;
  std::ranges::set_difference(failures, others, std::back_inserter(left), {}, &Digested::value_type::first,
                              &Digested::value_type::first);
  std::vector<const Failure*> rest;
  rest.reserve(left.size());
  for (const auto& [digest, failure] : left) rest.push_back(failure);
  return rest;
}

std::string NameOf(const Failure& failure) {
  return "the failure of " + failure.test_name + " at " + failure.failed_at.ToString();
}

std::string CompareFailuresOf(const RunRecord& source, const RunRecord& target) {
  const Digested of_source = DigestedFailures(source);
  const Digested of_target = DigestedFailures(target);
  const std::vector<const Failure*> only_source = Without(of_source, of_target);
  const std::vector<const Failure*> only_target = Without(of_target, of_source);
  if (only_source.empty() && only_target.empty()) return {};
  if (only_source.empty()) return NameOf(*only_target.front()) + " is not in the source";

  const Failure& failure = *only_source.front();
  const Failure* similar = nullptr;
  size_t least = kStillTheSame + 1;
  for (const Failure* candidate : only_target) {
    CountDifferences count;
    ZipFailure(count, failure, *candidate);
    if (count.differing < least) {
      least = count.differing;
      similar = candidate;
    }
  }
  if (similar == nullptr) return NameOf(failure) + " is not in the target";
  CompareFields compare;
  ZipFailure(compare, failure, *similar);
  return NameOf(failure) + ": " + compare.first;
}

// Returns the contents of the rosters that parts name, by id; null if the record does not have the roster.
std::map<std::string_view, const std::string*> NamedRosters(const RunRecord& record) {
  std::map<std::string_view, const std::string*> named;
  for (const Part& part : record.parts) {
    if (part.roster_id) named.emplace(*part.roster_id, nullptr);
  }
  for (const RosterPtr& roster : record.rosters) {
    if (const auto found = named.find(roster->roster_id); found != named.end()) found->second = &roster->tests;
  }
  return named;
}

// Precondition: the parts name the same rosters.
std::string CompareRostersOf(const RunRecord& source, const RunRecord& target) {
  const auto of_target = NamedRosters(target);
  for (const auto& [id, tests] : NamedRosters(source)) {
    const std::string* other = of_target.at(id);
    if (tests == other || (tests != nullptr && other != nullptr && *tests == *other)) continue;
    const std::string name = "roster " + std::string(id) + ": ";
    if (tests == nullptr) return name + "it is not in the source";
    if (other == nullptr) return name + "it is not in the target";
    return name + "tests " + DifferencePhrase(*tests, *other);
  }
  return {};
}

}  // namespace

Fingerprint FingerprintOf(const RunRecord& record) {
  Fingerprint fingerprint{DigestOf(record), true};
  for (const auto& [id, tests] : NamedRosters(record)) {
    const std::string found = tests == nullptr ? "missing" : ContentId(*tests);
    if (found == id) continue;
    fingerprint.digest += DigestOf("roster " + std::string(id) + ' ' + found);
    fingerprint.intact = false;
  }
  return fingerprint;
}

std::string FirstDifference(const RunRecord& source, const RunRecord& target) {
  CompareFields compare;
  ZipRun(compare, source.run, target.run);
  if (compare.differing > 0) return compare.first;
  std::string difference = ComparePartsOf(source, target);
  if (difference.empty()) difference = CompareFailuresOf(source, target);
  if (difference.empty()) difference = CompareRostersOf(source, target);
  return difference;
}

}  // namespace flaky
