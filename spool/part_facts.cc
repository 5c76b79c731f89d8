// SPDX-License-Identifier: MIT
#include "spool/part_facts.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace flaky {

bool IsRank(const Journal& journal) { return journal.rank.value_or(0) > 0 || journal.ranks.value_or(0) > 1; }

void SetFacts(Part& part, const std::vector<const Journal*>& journals) {
  // Returns what all journals say; absent if they differ.
  const auto agreed = [&](const auto& fact) {
    const auto first = fact(*journals.front());
    const auto same = [&](const Journal* journal) { return fact(*journal) == first; };
    return std::ranges::all_of(journals, same) ? first : std::nullopt;
  };
  part.variant = agreed([](const Journal& journal) { return journal.variant; });
  part.shard = agreed([](const Journal& journal) { return journal.shard; });
  part.host = agreed([](const Journal& journal) {
    const std::string& host = journal.writer.host;
    return host.empty() ? std::nullopt : std::optional(host);
  });
  part.rank = agreed([](const Journal& journal) { return IsRank(journal) ? journal.rank : std::nullopt; });
  const auto shuffled = std::ranges::find_if(journals, [](const Journal* journal) { return !!journal->shuffle_seed; });
  if (shuffled != journals.end()) part.shuffle_seed = (*shuffled)->shuffle_seed;
  for (const Journal* journal : journals) {
    if (!journal->is_command) part.planned_tests = part.planned_tests.value_or(0) + journal->tests_to_run;
  }
}

RegisteredTests RegisteredIn(const std::vector<const Journal*>& journals,
                             const std::map<std::string, std::string>& program_names, TestLists& lists) {
  RegisteredTests registered;
  std::set<std::pair<std::string, std::string>> known;
  for (const Journal* journal : journals) {
    const std::string& program = program_names.at(journal->ProgramPath());
    if (journal->list.empty() || !known.emplace(program, journal->list).second) continue;
    const TestLists::Names names = lists.Find(journal->list);
    if (!names) continue;
    // Two builds of a program may have run, or a program has several GoogleTests.
    std::vector<std::string>& all = registered[program];
    if (all.empty()) {
      all = *names;
    } else {
      std::vector<std::string> both;
      std::ranges::set_union(all, *names, std::back_inserter(both));
      all = std::move(both);
    }
  }
  return registered;
}

}  // namespace flaky
