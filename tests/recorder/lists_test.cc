// SPDX-License-Identifier: MIT

// The list of all tests of a program, which the spool keeps once, and the parameters of tests.

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string HashOf(const std::string& text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(XXH64(text.data(), text.size(), 0)));
  return digits;
}

class RecorderLists : public FixtureTest {
 protected:
  // Runs a program with so many tests, of which a filter selects some. Returns the name of its list.
  std::string ListOf(int tests, const std::string& filter = "Suite0.Test1") {
    env["MANY_TESTS"] = std::to_string(tests);
    const size_t before = Journals().size();
    EXPECT_EQ(ExitStatus(Run("many_tests", {"--gtest_filter=" + filter})), 0);
    const std::vector<Recorded> journals = Journals();
    EXPECT_EQ(journals.size(), before + 1);
    for (const Recorded& journal : journals) {
      if (seen_.insert(journal.path.string()).second) return journal.header.value("list", "");
    }
    return "";
  }
  std::vector<std::string> NamesInLists() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(lists())) names.push_back(entry.path().filename());
    return names;
  }
  static std::string Expected(int tests) {
    std::string text;
    for (int at = 0; at < tests; ++at) {
      text += "Suite" + std::to_string(at / 100) + ".Test" + std::to_string(at % 100) + '\n';
    }
    return text;
  }
  fs::path lists() const { return spool() / "lists"; }

 private:
  std::set<std::string> seen_;
};

TEST_F(RecorderLists, HasAllTestsInTheOrderOfRegistration) {
  for (const int tests : {1, 2, 3, 17, 1000, 5000}) {  // texts of all sorts of lengths
    const std::string list = ListOf(tests, "Suite0.Test0");
    EXPECT_EQ(ContentOf(lists() / list), Expected(tests));
    EXPECT_EQ(list, HashOf(Expected(tests))) << "that of `xxhsum -H64`";
  }
  EXPECT_THAT(NamesInLists(), testing::SizeIs(6)) << "and no draft";
}

TEST_F(RecorderLists, IsWrittenOnceAndIsOnlyForThisUser) {
  const mode_t mask = umask(0);
  const std::string list = ListOf(300);
  umask(mask);
  struct stat first {};
  struct stat again {};
  ASSERT_EQ(stat((lists() / list).c_str(), &first), 0);
  EXPECT_EQ(first.st_mode & 07777u, 0600u);
  EXPECT_EQ(fs::status(lists()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(ListOf(300, "Suite2.*"), list) << "whatever is selected";
  EXPECT_EQ(ListOf(300, "-*"), list) << "and if nothing is";
  ASSERT_EQ(stat((lists() / list).c_str(), &again), 0);
  EXPECT_EQ(again.st_ino, first.st_ino) << "it was not replaced";
  env["GTEST_TOTAL_SHARDS"] = "2";
  env["GTEST_SHARD_INDEX"] = "1";
  EXPECT_EQ(ListOf(300, "*"), list) << "and in every shard";
  EXPECT_NE(ListOf(301), list);
}

TEST_F(RecorderLists, ReplacesOneThatWasCut) {
  const std::string list = ListOf(300);
  fs::resize_file(lists() / list, 10);
  EXPECT_EQ(ListOf(300), list);
  EXPECT_EQ(ContentOf(lists() / list), Expected(300));
}

TEST_F(RecorderLists, NothingDependsOnIt) {
  fs::create_directories(spool());
  std::ofstream(lists()) << "a file";
  EXPECT_EQ(ListOf(300), HashOf(Expected(300))) << "the journal says which list it would be";
  fs::remove(lists());

  const fs::path elsewhere = folder() / "elsewhere";
  fs::create_directories(elsewhere);
  fs::create_directory_symlink(elsewhere, lists());
  ListOf(300);
  EXPECT_TRUE(fs::is_empty(elsewhere)) << "a link could lead anywhere";
  fs::remove(lists());

  in_child = [] {
    const rlimit limit{32768, 32768};  // a larger file raises SIGXFSZ
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  ListOf(5000);
  EXPECT_TRUE(!fs::exists(lists()) || NamesInLists().empty());
}

TEST_F(RecorderLists, IsNotWrittenIfANameHasALineBreak) {
  Run("behaviours", {"--gtest_filter=Plain.Passes"});  // among its tests is "Names.new\nline"
  EXPECT_THAT(NamesInLists(), testing::IsEmpty());
}

TEST_F(RecorderLists, ATestsParameterIsInItsLine) {
  Run("behaviours", {"--gtest_filter=All/Parameter.*:OfType*"});
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.ParameterOf("All/Parameter.IsGood/0"), "\"good\"");
  EXPECT_EQ(journal.ParameterOf("All/Parameter.IsGood/1"), "\"bad \\\"\\n\\xFF\"");
  const std::string cut = *journal.ParameterOf("All/Parameter.IsGood/2");
  EXPECT_EQ(cut, "\"" + std::string(255, 'x') + "\xE2\x80\xA6");
  EXPECT_EQ(journal.ParameterOf("All/Parameter.IsGood/3"), "\"fatal\"") << "the process died in it";
  EXPECT_EQ(journal.OutcomeOf("All/Parameter.IsGood/1"), "failed");
  EXPECT_EQ(journal.ParameterOf("OfType/0.IsOneByte"), "char");
  EXPECT_EQ(journal.ParameterOf("OfType/1.IsOneByte"), "double");
}

}  // namespace
}  // namespace flaky
