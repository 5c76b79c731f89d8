// SPDX-License-Identifier: MIT
#include "delivery/git_facts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <string_view>
#include <system_error>
#include <vector>

#include "delivery/git_dirt.h"
#include "delivery/subprocess.h"
#include "history/text.h"
#include "settings/git_folder.h"

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
    const std::string_view name = text.substr(0, text.find('='));
    return std::ranges::find(kRepositoryVariables, name) != kRepositoryVariables.end() || name == "GIT_ALLOW_PROTOCOL";
  });
  environment.emplace_back("GIT_OPTIONAL_LOCKS=0");  // a look must not disturb the user's own git commands
  environment.emplace_back("GIT_TERMINAL_PROMPT=0");
  // A partial clone fetches what is missing, and its configuration may name any program as the transport.
  environment.emplace_back("GIT_NO_LAZY_FETCH=1");
  environment.emplace_back("GIT_ALLOW_PROTOCOL=");
  environment.emplace_back("LC_ALL=C");
  return environment;
}

// A repository's configuration may name programs; a delivery must not start them. `more`: further `-c` settings.
CommandOutput Git(const fs::path& top, const std::vector<std::string>& arguments,
                  std::chrono::steady_clock::time_point deadline, size_t limit,
                  const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = {"git", "--no-pager", "-C", top.string()};
  const auto set = [&](const std::string& setting) { command.insert(command.end(), {"-c", setting}); };
  for (const char* setting : {"core.fsmonitor=", "core.hooksPath=/dev/null", "core.askPass=", "diff.renames=false",
                              "status.renames=false", "status.submoduleSummary=false"}) {
    set(setting);
  }
  for (const std::string& setting : more) set(setting);
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

std::optional<Timestamp> ModifiedAt(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return std::nullopt;
  return Timestamp{status.st_mtim.tv_sec * kMicrosPerSecond + status.st_mtim.tv_nsec / 1000};
}

}  // namespace

GitFacts ReadGit(const fs::path& top, std::chrono::steady_clock::time_point deadline) {
  GitFacts facts;
  // At the same time as the other question.
  auto dirty = std::async(std::launch::async, [&] { return IsDirty(top, Git, deadline); });
  const CommandOutput head =
      Git(top, {"rev-parse", "HEAD", "HEAD^{tree}", "--symbolic-full-name", "HEAD"}, deadline, kLongestAnswer);
  facts.dirty = dirty.get();
  const std::vector<std::string> lines = Lines(head.text);
  // No git, no commit yet, or a repository it does not trust.
  if (!head.succeeded || lines.size() != 3) return {};
  facts.sha = lines[0];
  facts.tree = lines[1];
  constexpr std::string_view kBranches = "refs/heads/";
  if (lines[2].starts_with(kBranches)) facts.branch = MakeStorable(lines[2].substr(kBranches.size()));
  return facts;
}

std::optional<Timestamp> HeadMovedAt(const fs::path& top) {
  const fs::path folder = GitFolder(top);
  // HEAD itself changes with the branch, its log with every commit.
  return std::max(ModifiedAt(folder / "HEAD"), ModifiedAt(folder / "logs" / "HEAD"));
}

}  // namespace flaky
