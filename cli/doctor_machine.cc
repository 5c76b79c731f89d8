// SPDX-License-Identifier: MIT
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <system_error>

#include "cli/doctor.h"
#include "cli/file_system.h"
#include "cli/output/escaped.h"
#include "delivery/git_facts.h"
#include "delivery/subprocess.h"
#include "settings/git_folder.h"
#include "spool/spool_files.h"

namespace flaky {
namespace {

constexpr std::chrono::milliseconds kProgramBudget{5'000};
constexpr std::chrono::milliseconds kGitBudget{5'000};
constexpr size_t kLongestVersion = 200;
constexpr char kThisVersion[] = "flaky " FLAKY_VERSION;

std::string Said(const std::vector<std::string>& command, std::chrono::milliseconds budget) {
  const CommandOutput output =
      RunCommand(command, ThisEnvironment(), std::chrono::steady_clock::now() + budget, kLongestVersion);
  return output.succeeded ? std::string(FirstLine(output.text)) : "";
}

// Searches PATH as test programs do. Returns an empty text if nothing is found.
std::string FoundInPath(const std::string& name) {
  const char* path = GetEnvironment("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const std::filesystem::path file = std::filesystem::path(folder.empty() ? "." : folder) / name;
    std::error_code hidden;
    if (MayAccess(file, X_OK) && std::filesystem::is_regular_file(file, hidden)) return file.string();
  }
  return {};
}

std::string Number(const char* file) {
  std::ifstream stream(file);
  std::string text;
  std::getline(stream, text);
  return text.empty() ? "?" : text;
}

}  // namespace

void CheckProgram(const Settings& settings, Findings& findings) {
  constexpr char kCheck[] = "program";
  const std::string set = settings.Get(setting::kProgram);
  const std::string name = set.empty() ? "flaky" : set;
  const std::string program = name.find('/') == name.npos ? FoundInPath(name) : name;
  std::error_code unknown;
  const std::string this_one = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  if (program.empty() && set.empty()) {
    findings.push_back({kCheck, Verdict::kWarning,
                        "`flaky` is not in PATH: only test programs that were built with its path can deliver",
                        "add its folder to PATH, or set FLAKY_TESTS_PROGRAM; this one is " + this_one});
    return;
  }
  const std::string said = program.empty() ? "" : Said({program, "--version"}, kProgramBudget);
  const std::string from = set.empty() ? "" : "FLAKY_TESTS_PROGRAM names ";
  if (said == kThisVersion) {
    findings.push_back({kCheck, Verdict::kFine, from + program + ", which is " + said});
  } else if (said.starts_with("flaky ")) {
    findings.push_back({kCheck, Verdict::kWarning,
                        from + program + " is " + said + ", and this one (" + this_one + ") is " + kThisVersion,
                        "keep one of them: the newer one upgrades a store, and the older one can then only read it"});
  } else {
    findings.push_back({kCheck, Verdict::kProblem,
                        from + (program.empty() ? name : program) +
                            (program.empty() ? ", which is not in PATH" : ", which is not flaky"),
                        set.empty() ? "put the folder of this program before it in PATH: " + this_one
                                    : "unset it, or set it to " + this_one});
  }
}

void CheckWatching(Findings& findings) {
  constexpr char kCheck[] = "watching";
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  const std::string limits = "max_user_instances " + Number("/proc/sys/fs/inotify/max_user_instances") +
                             ", max_user_watches " + Number("/proc/sys/fs/inotify/max_user_watches");
  if (watch) {
    findings.push_back({kCheck, Verdict::kFine, "crashes of test programs can be observed (inotify: " + limits + ")"});
    return;
  }
  findings.push_back({kCheck, Verdict::kWarning,
                      "cannot observe when test programs die, so durations of crashed tests and ctest's time limits "
                      "are unknown: inotify reports " +
                          std::string(std::strerror(errno)) + " (" + limits + ")",
                      "close programs that watch files, or raise fs.inotify.max_user_instances (sysctl)"});
}

void CheckGit(Findings& findings) {
  constexpr char kCheck[] = "git";
  std::error_code no_folder;
  const std::filesystem::path top = RepositoryTop(std::filesystem::current_path(no_folder));
  if (top.empty()) {
    findings.push_back({kCheck, Verdict::kFine,
                        "the current folder is not in a git repository: runs from here have no commit or branch"});
    return;
  }
  const std::string version = Said({"git", "--version"}, kProgramBudget);
  if (version.empty()) {
    findings.push_back({kCheck, Verdict::kWarning, "git cannot be run, so runs have no commit or branch",
                        "install git, or add it to PATH"});
    return;
  }
  const GitFacts facts = ReadGit(top, std::chrono::steady_clock::now() + kGitBudget);
  if (!facts.sha) {
    findings.push_back(
        {kCheck, Verdict::kWarning, version + " does not report the commit of " + top.string(),
         "see what `git -C " + top.string() +
             " rev-parse HEAD` reports: the repository may be empty, or the folder may belong to another "
             "user (safe.directory)"});
    return;
  }
  findings.push_back({kCheck, Verdict::kFine,
                      version + ": " + top.string() + " is at " + facts.sha->substr(0, 12) +
                          (facts.branch ? " of " + *facts.branch : "") +
                          (facts.dirty.value_or(false) ? ", with changes" : "")});
}

}  // namespace flaky
