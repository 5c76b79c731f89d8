// SPDX-License-Identifier: MIT
#include "delivery/ci_facts.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace flaky {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<CiFacts> CiOf(const Variables& variables) {
  return ReadCi([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(ReadCi, KnowsTheProviders) {
  const std::string sha(40, 'c');
  struct Case {
    std::string provider;
    Variables variables;
    std::string branch, url;
  };
  const Case cases[] = {
      {"GitLab CI",
       {{"CI", "true"},
        {"GITLAB_CI", "true"},
        {"CI_COMMIT_SHA", sha},
        {"CI_COMMIT_BRANCH", "b"},
        {"CI_JOB_URL", "https://g/1"}},
       "b",
       "https://g/1"},
      {"CircleCI",
       {{"CIRCLECI", "true"}, {"CIRCLE_SHA1", sha}, {"CIRCLE_BRANCH", "b"}, {"CIRCLE_BUILD_URL", "https://c/1"}},
       "b",
       "https://c/1"},
      {"Azure Pipelines",
       {{"TF_BUILD", "True"},
        {"BUILD_SOURCEVERSION", sha},
        {"BUILD_SOURCEBRANCH", "refs/heads/x/b"},
        {"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://a/o/"},
        {"SYSTEM_TEAMPROJECT", "p"},
        {"BUILD_BUILDID", "9"}},
       "x/b",
       "https://a/o/p/_build/results?buildId=9"},
      {"Travis CI",
       {{"TRAVIS", "true"}, {"TRAVIS_COMMIT", sha}, {"TRAVIS_BRANCH", "b"}, {"TRAVIS_JOB_WEB_URL", "https://t/1"}},
       "b",
       "https://t/1"},
      {"Jenkins",
       {{"JENKINS_URL", "https://j"}, {"GIT_COMMIT", sha}, {"GIT_BRANCH", "origin/b"}, {"BUILD_URL", "https://j/1"}},
       "b",
       "https://j/1"},
      {"CI",
       {{"CI", "true"}, {"GIT_COMMIT", sha}, {"BRANCH_NAME", "b"}, {"BUILD_URL", "https://x/1"}},
       "b",
       "https://x/1"},
  };
  for (const Case& one : cases) {
    const auto facts = CiOf(one.variables);
    ASSERT_TRUE(facts) << one.provider;
    EXPECT_EQ(facts->provider, one.provider);
    EXPECT_EQ(facts->sha, sha) << one.provider;
    EXPECT_EQ(facts->branch, one.branch) << one.provider;
    EXPECT_EQ(facts->url, one.url) << one.provider;
  }
}

TEST(ReadCi, LeavesOutWhatItDoesNotKnow) {
  EXPECT_FALSE(CiOf({}));
  EXPECT_FALSE(CiOf({{"CI", "false"}}));
  const auto facts = CiOf(
      {{"GITHUB_ACTIONS", "true"}, {"GITHUB_SHA", "HEAD"}, {"GITHUB_REF", "refs/tags/v1"}, {"GITHUB_RUN_ID", "7"}});
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->sha);
  EXPECT_FALSE(facts->branch) << "a tag is not a branch";
  EXPECT_FALSE(facts->url) << "an incomplete URL is dropped";
}

}  // namespace
}  // namespace flaky
