// SPDX-License-Identifier: MIT
#include "delivery/git_facts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <future>
#include <string_view>
#include <system_error>
#include <vector>

#include "delivery/edited_tree.h"
#include "delivery/git_command.h"
#include "delivery/git_dirt.h"
#include "history/text.h"
#include "settings/git_folder.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestAnswer = 64 << 10;
constexpr size_t kLongestCommits = 1 << 20;
constexpr std::chrono::seconds kLongestLook{2};  // at an edited tree

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool IsHexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// The commit that is checked out, and that of the default branch.
struct Commits {
  std::string head, tree;
  std::optional<Timestamp> committed_at;
  std::string of_default;  // empty: not known
};

// Returns the text after `name` in the header of a commit; empty if it has none.
std::string_view FieldOf(std::string_view commit, std::string_view name) {
  const std::string_view header = commit.substr(0, commit.find("\n\n"));
  for (size_t at = 0; at < header.size();) {
    const size_t end = std::min(header.find('\n', at), header.size());
    const std::string_view line = header.substr(at, end - at);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(' ')) return line.substr(name.size() + 1);
    at = end + 1;
  }
  return {};
}

// "NAME <EMAIL> SECONDS ZONE"
std::optional<Timestamp> TimeIn(std::string_view signature) {
  const size_t end = signature.rfind("> ");
  if (end == signature.npos) return std::nullopt;
  const std::string_view text = signature.substr(end + 2);
  int64_t seconds = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || seconds < 0 || seconds > Timestamp::kMax.micros / kMicrosPerSecond) return std::nullopt;
  return Timestamp{seconds * kMicrosPerSecond};
}

// Asks one process about all commits: git answers even if some of the names do not exist.
std::optional<Commits> ReadCommits(const fs::path& top, std::chrono::steady_clock::time_point deadline) {
  constexpr std::string_view kNames =
      "HEAD\nrefs/remotes/origin/HEAD\nrefs/remotes/origin/main\nrefs/remotes/origin/master\n"
      "refs/heads/main\nrefs/heads/master\n";
  const CommandOutput output =
      Git(top, {"cat-file", "--batch"}, deadline, kLongestCommits, {.input = std::string(kNames)});
  if (!output.succeeded) return std::nullopt;
  Commits commits;
  std::string_view rest = output.text;
  for (int at = 0; !rest.empty(); ++at) {
    // "ID commit SIZE", then the commit; or "NAME missing"
    const size_t line_end = rest.find('\n');
    if (line_end == rest.npos) break;
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end + 1);
    constexpr std::string_view kCommit = " commit ";
    const size_t type = line.find(kCommit);
    size_t size = 0;
    if (type != line.npos) {
      const std::string_view digits = line.substr(type + kCommit.size());
      std::from_chars(digits.data(), digits.data() + digits.size(), size);
    }
    const std::string_view id = line.substr(0, type);
    if (type == line.npos || !IsHexadecimal(id) || size >= rest.size()) {
      if (at == 0 || !line.ends_with(" missing")) break;
      continue;
    }
    const std::string_view commit = rest.substr(0, size);
    rest.remove_prefix(size + 1);
    if (at == 0) {
      commits.head = id;
      commits.tree = FieldOf(commit, "tree");
      commits.committed_at = TimeIn(FieldOf(commit, "committer"));
    } else if (commits.of_default.empty()) {
      commits.of_default = id;
    }
  }
  if (!IsHexadecimal(commits.head) || !IsHexadecimal(commits.tree)) return std::nullopt;
  return commits;
}

// Finds the branch, the merge base and the index.
void ReadPlace(const fs::path& top, const Commits& commits, std::chrono::steady_clock::time_point deadline,
               GitFacts& facts, fs::path& index) {
  std::vector<std::string> question = {"rev-parse", "--git-path", "index"};
  const bool asks_for_base = !commits.of_default.empty() && commits.of_default != commits.head;
  if (asks_for_base) question.push_back(commits.head + "..." + commits.of_default);
  question.insert(question.end(), {"--symbolic-full-name", "HEAD"});
  // Finding the base may take long in a large history. Then the rest is asked again.
  const auto now = std::chrono::steady_clock::now();
  CommandOutput place = Git(top, question, asks_for_base ? now + (deadline - now) / 2 : deadline, kLongestAnswer);
  if (!place.succeeded && asks_for_base) {
    std::erase(question, commits.head + "..." + commits.of_default);
    place = Git(top, question, deadline, kLongestAnswer);
  }
  const std::vector<std::string> lines = Lines(place.text);
  constexpr size_t kLeast = 2;  // the path and the branch
  if (!place.succeeded || lines.size() < kLeast) return;
  constexpr std::string_view kBranches = "refs/heads/";
  if (lines.back().starts_with(kBranches)) facts.branch = MakeStorable(lines.back().substr(kBranches.size()));
  if (commits.of_default == commits.head) facts.merge_base = commits.head;
  // Of several bases, the newest comes first.
  const auto base = std::ranges::find_if(lines, [](const std::string& line) { return line.starts_with('^'); });
  if (base != lines.end() && IsHexadecimal(base->substr(1))) facts.merge_base = base->substr(1);
  index = top / lines[0];
}

std::optional<Timestamp> ModifiedAt(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return std::nullopt;
  return Timestamp{status.st_mtim.tv_sec * kMicrosPerSecond + status.st_mtim.tv_nsec / 1000};
}

}  // namespace

GitFacts ReadGit(const fs::path& top, std::chrono::steady_clock::time_point deadline) {
  // At the same time as the other questions.
  auto dirty = std::async(std::launch::async, [&] { return IsDirty(top, deadline); });
  GitFacts facts;
  fs::path index;
  if (const auto commits = ReadCommits(top, deadline)) {
    facts.sha = commits->head;
    facts.tree = commits->tree;
    facts.committed_at = commits->committed_at;
    ReadPlace(top, *commits, deadline, facts, index);
  }
  facts.dirty = dirty.get();
  // No git, no commit yet, or a repository it does not trust.
  if (!facts.sha) return {};
  if (facts.dirty == true && !index.empty()) {
    facts.edited_tree = EditedTree(top, index, std::min(deadline, std::chrono::steady_clock::now() + kLongestLook));
  }
  return facts;
}

NamedCommit FindCommit(const fs::path& folder, const std::string& revision,
                       std::chrono::steady_clock::time_point deadline) {
  const CommandOutput commit =
      Git(folder, {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"}, deadline,
          kLongestAnswer);
  const std::vector<std::string> lines = Lines(commit.text);
  if (commit.succeeded && lines.size() == 1) return {true, lines[0]};
  return {Git(folder, {"rev-parse", "--git-dir"}, deadline, kLongestAnswer).succeeded, std::nullopt};
}

std::optional<Timestamp> HeadMovedAt(const fs::path& top) {
  const fs::path folder = GitFolder(top);
  // HEAD itself changes with the branch, its log with every commit.
  return std::max(ModifiedAt(folder / "HEAD"), ModifiedAt(folder / "logs" / "HEAD"));
}

}  // namespace flaky
