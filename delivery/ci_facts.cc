// SPDX-License-Identifier: MIT
#include "delivery/ci_facts.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "history/masked.h"
#include "history/text.h"

namespace flaky {
namespace {

// The variables of a CI provider. Only its jobs have the variable `present`. The first of `branches` that names a
// branch is used. Each `{NAME}` in `url` is replaced by a variable; without one of them there is no URL.
struct Provider {
  std::string_view name;
  std::string_view present;
  std::string_view sha;
  std::array<std::string_view, 3> branches;
  std::string_view url;
};

// The generic ones come last: several providers set those variables, too.
constexpr Provider kProviders[] = {
    {"GitHub Actions",
     "GITHUB_ACTIONS",
     "GITHUB_SHA",
     {"GITHUB_HEAD_REF", "GITHUB_REF"},
     "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"},
    {"GitLab CI",
     "GITLAB_CI",
     "CI_COMMIT_SHA",
     {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH"},
     "{CI_JOB_URL}"},
    {"Buildkite", "BUILDKITE", "BUILDKITE_COMMIT", {"BUILDKITE_BRANCH"}, "{BUILDKITE_BUILD_URL}"},
    {"CircleCI", "CIRCLECI", "CIRCLE_SHA1", {"CIRCLE_BRANCH"}, "{CIRCLE_BUILD_URL}"},
    {"Azure Pipelines",
     "TF_BUILD",
     "BUILD_SOURCEVERSION",
     {"SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"},
     "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}"},
    {"Travis CI", "TRAVIS", "TRAVIS_COMMIT", {"TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH"}, "{TRAVIS_JOB_WEB_URL}"},
    {"Jenkins", "JENKINS_URL", "GIT_COMMIT", {"CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"}, "{BUILD_URL}"},
    {"TeamCity", "TEAMCITY_VERSION", "BUILD_VCS_NUMBER", {}, "{BUILD_URL}"},
    {"CI", "CI", "GIT_COMMIT", {"BRANCH_NAME", "GIT_BRANCH"}, "{BUILD_URL}"},
};

using Get = std::function<const char*(const char*)>;

std::optional<std::string> Variable(const Get& get, std::string_view name) {
  const char* value = name.empty() ? nullptr : get(std::string(name).c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return MakeStorable(value);
}

bool IsCommit(std::string_view text) {
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, hexadecimal);
}

// Returns the branch that a reference names, or nullopt for other references such as `refs/tags/…` and `refs/pull/…`.
std::optional<std::string> BranchIn(std::string_view reference) {
  for (const std::string_view prefix : {"refs/heads/", "refs/remotes/origin/", "origin/"}) {
    if (reference.starts_with(prefix)) return std::string(reference.substr(prefix.size()));
  }
  if (reference.starts_with("refs/")) return std::nullopt;
  return std::string(reference);
}

std::optional<std::string> Fill(std::string_view pattern, const Get& get) {
  std::string text;
  while (!pattern.empty()) {
    const size_t open = std::min(pattern.find('{'), pattern.size());
    text += pattern.substr(0, open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const size_t close = pattern.find('}');
    const auto value = Variable(get, pattern.substr(1, close - 1));
    if (!value) return std::nullopt;
    text += *value;
    pattern.remove_prefix(close + 1);
  }
  return text;
}

}  // namespace

std::optional<CiFacts> ReadCi(const Get& get) {
  const auto is_here = [&](const Provider& provider) {
    return Variable(get, provider.present).value_or("false") != "false";
  };
  const auto found = std::ranges::find_if(kProviders, is_here);
  if (found == std::end(kProviders)) return std::nullopt;
  CiFacts facts;
  facts.provider = found->name;
  facts.sha = Variable(get, found->sha);
  if (facts.sha && !IsCommit(*facts.sha)) facts.sha.reset();
  for (const std::string_view name : found->branches) {
    const auto value = Variable(get, name);
    if (value && !facts.branch) facts.branch = BranchIn(*value);
  }
  facts.url = Fill(found->url, get);
  // What is stored may be shown.
  if (facts.url) facts.url = Masked(WithoutCredentials(*std::move(facts.url)));
  return facts;
}

}  // namespace flaky
