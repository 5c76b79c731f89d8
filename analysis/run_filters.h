// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_RUN_FILTERS_H_
#define FLAKY_ANALYSIS_RUN_FILTERS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"

// The filters of every command that reads the history.
namespace flaky {

// One filter. It is an option of that name; more are added here and nowhere else.
struct FilterInfo {
  std::string_view name;     // "branch"
  std::string_view value;    // what the option takes: "PATTERN", or its choices "yes|no"
  std::string_view meaning;  // one line, no full stop
  // Return true if the run, or this part of it, matches. Exactly one of the two is set. A filter of parts reduces a
  // run to its parts that match.
  bool (*of_run)(const Run& run, const std::string& wanted) = nullptr;
  bool (*of_part)(const Part& part, const std::string& wanted) = nullptr;
};
std::span<const FilterInfo> FilterTable();

// Returns true if the text matches the pattern, in which `*` means any characters and `?` means one.
bool MatchesPattern(std::string_view text, const std::string& pattern);

// The filters that a user has given. Several values of one filter are alternatives, and a run must match every filter.
class RunFilters {
 public:
  // Returns the values of a filter, to be filled.
  std::vector<std::string>& Wanted(const FilterInfo& filter) { return wanted_[filter.name]; }

  bool IsEmpty() const;
  // Returns true if Keep needs a record with its parts.
  bool NeedsParts() const;
  // Returns the names of the filters that have values, in the table's order.
  std::vector<std::string_view> Names() const;

  // Returns false if the run is left out. Reduces a record to the parts that match, with their failures, and its
  // account to their sum. Precondition: the record is complete, or NeedsParts() is false.
  bool Keep(RunRecord& record) const;

 private:
  std::map<std::string_view, std::vector<std::string>> wanted_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_RUN_FILTERS_H_
