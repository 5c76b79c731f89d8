// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_RUN_CONTEXT_H_
#define FLAKY_DELIVERY_RUN_CONTEXT_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "delivery/ci_facts.h"
#include "delivery/git_facts.h"
#include "spool/record_of.h"
#include "spool/spool.h"

namespace flaky {

// Returns the folder that identifies the project and repository of a journal. This is the working folder or, under
// Bazel, whose working folders are build output, the folder of a test's source, to which the execroot has links. Empty
// if unknown.
std::filesystem::path PlaceOf(const Journal& journal);

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

 private:
  struct Repository {
    GitFacts git;
    std::optional<Timestamp> head_moved_at;
  };

  const Repository& RepositoryAt(const std::filesystem::path& top);
  std::optional<std::string> ProjectFor(const Journal& journal, const std::filesystem::path& place,
                                        const std::filesystem::path& top);

  const std::optional<std::string> user_project_;
  const std::optional<CiFacts> ci_;
  std::chrono::steady_clock::duration budget_;
  std::map<std::filesystem::path, Repository> repositories_;
  std::map<std::filesystem::path, std::filesystem::path> tops_;                    // by place
  std::map<std::filesystem::path, std::optional<std::string>> projects_in_files_;  // by place
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_RUN_CONTEXT_H_
