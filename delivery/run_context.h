// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_RUN_CONTEXT_H_
#define FLAKY_DELIVERY_RUN_CONTEXT_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "delivery/ci_facts.h"
#include "delivery/git_facts.h"
#include "spool/record_of.h"
#include "spool/spool.h"

namespace flaky {

// Finds the folder that identifies the project of a journal, and remembers what it found. This is the working folder.
// If nothing there shows a project (a file of settings, a repository, CMake), as in a temporary folder, it is the
// folder of the program if something does there. Under Bazel, whose working folders are build output, it is the folder
// of a test's source, or empty if that is unknown.
class Places {
 public:
  std::filesystem::path Of(const Journal& journal);

  // Returns true if something in the folder shows a project.
  bool IsKnown(const std::filesystem::path& folder);

 private:
  std::map<std::filesystem::path, bool> is_in_project_;
};

// Finds out, at delivery, what project and code a journal is about. Git is asked once per repository. A fact that may
// not be that of the time when the tests ran is left absent: a wrong one would make a test look flaky or stable that is
// not.
class RunContexts {
 public:
  using Environment = std::function<const char*(const char*)>;

  // `user_project`: the project that the user's settings file names; `get` is like std::getenv. Git gets at most
  // `budget` in total.
  RunContexts(std::optional<std::string> user_project, const Environment& get, std::chrono::milliseconds budget);

  RunContext Of(const Journal& journal);
  // Returns only the project, without asking git.
  std::optional<std::string> ProjectOf(const Journal& journal);

 private:
  // Returns the folder that names the project, and the top of the repository.
  std::pair<std::filesystem::path, std::filesystem::path> PlaceAndTop(const Journal& journal);

  struct Repository {
    GitFacts git;
    std::optional<Timestamp> head_moved_at;
  };

  const Repository& RepositoryAt(const std::filesystem::path& top);
  std::optional<std::string> ProjectFor(const Journal& journal, const std::filesystem::path& place);

  const std::optional<std::string> user_project_;
  const std::optional<CiFacts> ci_;
  std::chrono::steady_clock::duration budget_;
  std::map<std::filesystem::path, Repository> repositories_;
  Places places_;
  std::map<std::filesystem::path, std::filesystem::path> tops_;  // of repositories, by place
  std::map<std::filesystem::path, std::string> projects_;        // by place
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_RUN_CONTEXT_H_
