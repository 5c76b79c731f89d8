// SPDX-License-Identifier: MIT
#include "spool/record_of.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "history/merge.h"
#include "spool/part_builder.h"

namespace flaky {
namespace {

// Appends a word, quoted for a shell if necessary.
void AppendWord(std::string& line, std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!line.empty()) line += ' ';
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    line += word;
    return;
  }
  line += '\'';
  for (const char c : word) {
    if (c == '\'') {
      line += R"('\'')";
    } else {
      line += c;
    }
  }
  line += '\'';
}

std::string CommandLine(const Journal& journal) {
  std::string line;
  for (size_t i = 0; i < journal.args.size(); ++i) AppendWord(line, i == 0 ? journal.ProgramName() : journal.args[i]);
  return line;
}

std::string RuntimeVersion(const Journal& journal) {
  if (journal.compiler.empty() || journal.system.empty()) return journal.compiler + journal.system;
  return journal.compiler + ", " + journal.system;
}

// Returns the smallest of the known texts, as MergeRecords does (history/merge.h).
std::optional<std::string> Smallest(const std::vector<const Journal*>& journals, std::string (*text)(const Journal&)) {
  std::optional<std::string> smallest;
  for (const Journal* journal : journals) {
    std::string candidate = text(*journal);
    if (!candidate.empty() && (!smallest || candidate < *smallest)) smallest = std::move(candidate);
  }
  return smallest;
}

// Returns the command line if all processes had the same one.
std::optional<std::string> CommonCommandLine(const std::vector<const Journal*>& journals) {
  const auto same = [&](const Journal* journal) { return journal->args == journals.front()->args; };
  if (journals.front()->args.empty() || !std::ranges::all_of(journals, same)) return std::nullopt;
  return CommandLine(*journals.front());
}

}  // namespace

RunRecord RecordOf(const std::string& run_id, const std::string& part_id, const std::vector<Journal>& journals,
                   const RunContext& context, TestLists* lists) {
  std::vector<const Journal*> ordered;
  ordered.reserve(journals.size());
  for (const Journal& journal : journals) ordered.push_back(&journal);
  const auto order = [](const Journal* journal) { return std::tie(journal->started_at, journal->journal_id); };
  std::ranges::sort(ordered, {}, order);

  PartBuilder builder(part_id, context.root, lists);
  builder.Add(ordered);
  RunRecord record = std::move(builder).Finish();
  Run& run = record.run;
  run.run_id = run_id;
  run.project = context.project;
  run.git_sha = context.git_sha;
  run.git_dirty = context.git_dirty;
  run.tree_sha = context.tree_sha;
  run.branch = context.branch;
  run.commit_at = context.commit_at;
  run.merge_base = context.merge_base;
  run.edited_tree = context.edited_tree;
  run.ci_url = context.ci_url;
  run.runtime_version = Smallest(ordered, RuntimeVersion);
  run.test_args = CommonCommandLine(ordered);
  SumParts(record);
  return record;
}

}  // namespace flaky
