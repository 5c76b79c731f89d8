// SPDX-License-Identifier: MIT
#include "delivery/git_command.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace flaky {
namespace {

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

}  // namespace

CommandOutput Git(const std::filesystem::path& top, const std::vector<std::string>& arguments,
                  std::chrono::steady_clock::time_point deadline, size_t limit, const GitExtras& extras) {
  std::vector<std::string> command = {"git", "--no-pager", "-C", top.string()};
  const auto set = [&](const std::string& setting) { command.insert(command.end(), {"-c", setting}); };
  for (const char* setting : {"core.fsmonitor=", "core.hooksPath=/dev/null", "core.askPass=", "diff.renames=false",
                              "status.renames=false", "status.submoduleSummary=false"}) {
    set(setting);
  }
  for (const std::string& setting : extras.settings) set(setting);
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = GitEnvironment();
  environment.insert(environment.end(), extras.environment.begin(), extras.environment.end());
  return RunCommand(command, environment, deadline, limit, extras.input);
}

}  // namespace flaky
