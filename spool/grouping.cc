// SPDX-License-Identifier: MIT
#include "spool/grouping.h"

#include <string>
#include <utility>

#include "history/digest.h"
#include "spool/timed_id.h"

namespace flaky {
namespace {

// Rank 0 is as good as none.
int64_t RankOf(const Journal& journal) { return journal.rank.value_or(0); }

// Returns the group of the shards of one program under one parent; empty if the parent is not known.
std::string GroupOfShards(const Journal& journal) {
  const ProcessId& parent = journal.parent;
  if (!journal.shard || parent.boot_id.empty() || parent.pid_start.empty() || parent.pid <= 0) return "";
  std::string id = "shards";
  for (const std::string& field :
       {parent.boot_id, parent.pid_ns, std::to_string(parent.pid), parent.pid_start,
        journal.shard->substr(journal.shard->find('/')), journal.args.empty() ? "" : journal.args.front(),
        journal.run_id.value_or(""), std::to_string(RankOf(journal))}) {
    id += '\n' + field;
  }
  return DigestOf(id).ToString();
}

// Returns the run of all tests of one Bazel command; empty if the command is not known.
std::string RunOfBazelCommand(const Journal& journal) {
  const ProcessId& writer = journal.writer;
  if (!journal.bazel_command_ns || writer.output_base.empty() || writer.boot_id.empty()) return "";
  const int64_t command = *journal.bazel_command_ns;
  const std::string name = "bazel\n" + writer.boot_id + '\n' + writer.output_base + '\n' + std::to_string(command);
  return TimedId(Timestamp{command / 1000}, DigestOf(name).ToString());
}

}  // namespace

std::string CTestGroup(const ProcessId& ctest, const std::string& fixture) {
  if (ctest.boot_id.empty() || ctest.pid_start.empty() || ctest.pid <= 0) return "";
  const std::string id = "ctest\n" + ctest.boot_id + '\n' + std::to_string(ctest.pid) + '\n' + ctest.pid_start;
  return DigestOf(fixture.empty() ? id : id + '\n' + fixture).ToString();
}

RunGrouping GroupingOf(const Journal& journal) {
  RunGrouping grouping;
  grouping.is_under_ctest = journal.ctest.pid > 0;
  grouping.run_id = journal.process_run_id;
  grouping.group = journal.journal_id;
  if (const std::string run = CTestGroup(journal.ctest, ""); grouping.is_under_ctest && !run.empty()) {
    grouping.run_id = run;
    grouping.ctest_group = CTestGroup(journal.ctest, journal.fixture);
    grouping.group = grouping.ctest_group;
    if (const int64_t rank = RankOf(journal); rank > 0) {
      grouping.group = DigestOf(grouping.group + "\nrank " + std::to_string(rank)).ToString();
    }
  } else if (std::string shards = GroupOfShards(journal); !shards.empty()) {
    grouping.group = std::move(shards);
    grouping.is_shard = true;
  }
  if (const std::string run = RunOfBazelCommand(journal); !run.empty()) grouping.run_id = run;
  if (journal.run_id) grouping.run_id = *journal.run_id;
  return grouping;
}

}  // namespace flaky
