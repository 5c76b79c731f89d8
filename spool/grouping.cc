#include "spool/grouping.h"

#include <string>
#include <utility>

#include "history/digest.h"

namespace flaky {
namespace {

// What the shards of one program below one parent have in common; empty where the parent is not known.
std::string GroupOfShards(const Journal& journal) {
  const ProcessId& parent = journal.parent;
  if (!journal.shard || parent.boot_id.empty() || parent.pid_start.empty() || parent.pid <= 0) return "";
  std::string id = "shards";
  for (const std::string& field : {parent.boot_id, parent.pid_ns, std::to_string(parent.pid), parent.pid_start,
                                   journal.shard->substr(journal.shard->find('/')),
                                   journal.args.empty() ? "" : journal.args.front(), journal.run_id.value_or("")}) {
    id += '\n' + field;
  }
  return DigestOf(id).ToString();
}

// The run of all tests of one command of Bazel; empty where that is not known.
std::string RunOfBazelCommand(const Journal& journal) {
  const ProcessId& writer = journal.writer;
  if (!journal.bazel_command_ns || writer.output_base.empty() || writer.boot_id.empty()) return "";
  const std::string command = std::to_string(*journal.bazel_command_ns);
  return DigestOf("bazel\n" + writer.boot_id + '\n' + writer.output_base + '\n' + command).ToString();
}

}  // namespace

std::string CTestGroup(const ProcessId& ctest, const std::string& fixture) {
  if (ctest.boot_id.empty() || ctest.pid_start.empty() || ctest.pid <= 0) return "";
  const std::string id = "ctest\n" + ctest.boot_id + '\n' + std::to_string(ctest.pid) + '\n' + ctest.pid_start;
  return DigestOf(fixture.empty() ? id : id + '\n' + fixture).ToString();
}

RunGrouping GroupingOf(const Journal& journal) {
  RunGrouping kinship;
  kinship.below_ctest = journal.parent_name == "ctest";
  kinship.run_id = journal.process_run_id;
  kinship.group = journal.journal_id;
  if (const std::string run = CTestGroup(journal.parent, ""); kinship.below_ctest && !run.empty()) {
    kinship.run_id = run;
    kinship.group = CTestGroup(journal.parent, journal.fixture);
  } else if (std::string shards = GroupOfShards(journal); !shards.empty()) {
    kinship.group = std::move(shards);
    kinship.is_shard = true;
  }
  if (const std::string run = RunOfBazelCommand(journal); !run.empty()) kinship.run_id = run;
  if (journal.run_id) kinship.run_id = *journal.run_id;
  return kinship;
}

}  // namespace flaky
