// SPDX-License-Identifier: MIT
#include "delivery/git_facts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <future>
#include <string_view>
#include <system_error>
#include <vector>

#include "delivery/subprocess.h"
#include "history/text.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestAnswer = 64 << 10;

// What a git hook or `git rebase --exec` leaves in the environment; it would speak of their repository, not of the one
// asked for.
constexpr std::array<std::string_view, 10> kRepositoryVariables = {
    "GIT_DIR",    "GIT_WORK_TREE",        "GIT_INDEX_FILE", "GIT_COMMON_DIR",
    "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG", "GIT_SHALLOW_FILE"};

std::vector<std::string> GitEnvironment() {
  std::vector<std::string> environment = ThisEnvironment();
  std::erase_if(environment, [](std::string_view text) {
    return std::ranges::find(kRepositoryVariables, text.substr(0, text.find('='))) != kRepositoryVariables.end();
  });
  environment.emplace_back("GIT_OPTIONAL_LOCKS=0");  // a look must not disturb the user's own git commands
  environment.emplace_back("GIT_TERMINAL_PROMPT=0");
  environment.emplace_back("LC_ALL=C");
  return environment;
}

CommandOutput Git(const fs::path& top, std::vector<std::string> arguments,
                  std::chrono::steady_clock::time_point deadline, size_t limit) {
  // A repository's configuration may name a program as its file system monitor; a delivery must not start it.
  std::vector<std::string> command = {"git", "-C", top.string(), "-c", "core.fsmonitor=false"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunCommand(command, GitEnvironment(), deadline, limit);
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string FirstLineOf(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// Where git keeps what belongs to this working tree alone.
fs::path GitFolder(const fs::path& top) {
  fs::path dot_git = top / ".git";
  constexpr std::string_view kPointer = "gitdir: ";
  std::error_code ignored;
  if (fs::is_directory(dot_git, ignored)) return dot_git;
  const std::string line = FirstLineOf(dot_git);
  if (!line.starts_with(kPointer)) return dot_git;
  return top / line.substr(kPointer.size());  // an absolute path replaces the top
}

std::optional<Timestamp> ModifiedAt(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return std::nullopt;
  return Timestamp{status.st_mtim.tv_sec * kMicrosPerSecond + status.st_mtim.tv_nsec / 1000};
}

}  // namespace

GitFacts ReadGit(const fs::path& top, std::chrono::steady_clock::time_point deadline) {
  GitFacts facts;
  // At the same time as the other question. The first byte says that there is a difference; which ones there are does
  // not matter.
  auto status_of_files = std::async(std::launch::async, [&] {
    return Git(top, {"status", "--porcelain", "--untracked-files=no"}, deadline, 1);
  });
  const CommandOutput head =
      Git(top, {"rev-parse", "HEAD", "HEAD^{tree}", "--symbolic-full-name", "HEAD"}, deadline, kLongestAnswer);
  const CommandOutput status = status_of_files.get();
  const std::vector<std::string> lines = Lines(head.text);
  if (!head.succeeded || lines.size() != 3) return facts;  // no git, no commit yet, or a repository it does not trust
  facts.sha = lines[0];
  facts.tree = lines[1];
  constexpr std::string_view kBranches = "refs/heads/";
  if (lines[2].starts_with(kBranches)) facts.branch = MakeStorable(lines[2].substr(kBranches.size()));
  if (!status.text.empty() || status.succeeded) facts.dirty = !status.text.empty();
  return facts;
}

std::optional<Timestamp> HeadMovedAt(const fs::path& top) {
  const fs::path folder = GitFolder(top);
  // HEAD itself changes with the branch, its log with every commit.
  return std::max(ModifiedAt(folder / "HEAD"), ModifiedAt(folder / "logs" / "HEAD"));
}

}  // namespace flaky
