// SPDX-License-Identifier: MIT

// Hostile names and messages, and the fields of the header.

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/recorder/fixture_run.h"

namespace flaky {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::SizeIs;

class RecorderFormats : public FixtureTest {};

TEST_F(RecorderFormats, KeepsNamesWithAnyCharacters) {
  ExpectSameAsPlain("Names.*");
  const Recorded journal = TheJournal();
  EXPECT_THAT(journal.Results("Names.Twice"), SizeIs(2));
  for (const char* test : {"Names.new\nline", "Names.byte\xEF\xBF\xBD", "Names.quote\"back\\slash"}) {
    EXPECT_EQ(journal.OutcomeOf(test), "passed");
  }
  EXPECT_EQ(journal.lines[0], nlohmann::json({{"file", "/src/na\"mes.cc"}}));
  EXPECT_EQ(journal.Results("Names.Twice")[0][1], 7);
  EXPECT_EQ(journal.lines.size(), 1u + 5u + 1u) << "the file is named once";
}

TEST_F(RecorderFormats, IdsAreUuidsThatBeginWithTheirTime) {
  const auto now = [] {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  };
  const int64_t before = now();
  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  const Recorded journal = TheJournal();
  for (const char* name : {"journal_id", "process_run_id"}) {
    const std::string id = journal.header[name];
    EXPECT_THAT(id, MatchesRegex("[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")) << "version 7 of RFC 9562";
    const int64_t time = std::stoll(id.substr(0, 12), nullptr, 16);
    EXPECT_GE(time, before);
    EXPECT_LE(time, now());
  }
}

TEST_F(RecorderFormats, CutsALongMessageWithANote) {
  ExpectSameAsPlain("Text.FiveMegabytes:Plain.Passes");
  const std::string message = TheJournal().MessagesOf("Text.FiveMegabytes").at(0);
  const std::string whole = "Failed\n" + std::string(5'000'000, 'm') + "END";
  EXPECT_EQ(message,
            whole.substr(0, 65536) + "\n[flaky: " + std::to_string(whole.size() - 65536) + " more bytes were cut]");
}

TEST_F(RecorderFormats, KeepsALongMessageInFullIfAsked) {
  env["FLAKY_TESTS_MAX_MESSAGE"] = "16777216";
  ExpectSameAsPlain("Text.FiveMegabytes:Plain.Passes");
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.MessagesOf("Text.FiveMegabytes").at(0), "Failed\n" + std::string(5'000'000, 'm') + "END");
  EXPECT_EQ(journal.OutcomeOf("Plain.Passes"), "passed");
}

TEST_F(RecorderFormats, MakesMessagesUtf8) {
  ExpectSameAsPlain("Text.NotUtf8");
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_THAT(TheJournal().MessagesOf("Text.NotUtf8"),
              ElementsAre("Failed\nbad " + r + r + ", cut " + r + ", surrogate " + r + r + r +
                          ", good \xe2\x82\xac, bell \x07"));
}

TEST_F(RecorderFormats, WritesNumbersTheSameInEveryLocale) {
  ExpectSameAsPlain("Text.OfALocaleWithGrouping:Text.AfterTheLocale");
  const Recorded journal = TheJournal();
  const nlohmann::json result = journal.Results("Text.OfALocaleWithGrouping").at(0);
  EXPECT_GE(result.back(), 3000) << "microseconds: a number with a group separator would not be JSON";
  EXPECT_EQ(journal.OutcomeOf("Text.AfterTheLocale"), "passed");
}

TEST_F(RecorderFormats, TimesAreTrueIfTheProgramFakesItsClock) {
  for (const char* fixture : {"own_clock", "from_source"}) {
    const auto before = std::chrono::system_clock::now().time_since_epoch();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ExitStatus(Run(fixture)), 0);
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto after = std::chrono::system_clock::now().time_since_epoch();
    const Recorded journal = TheJournal();
    const int64_t duration = journal.Results("OwnClock.Takes30Milliseconds").at(0).back();
    EXPECT_GE(duration, 30'000);
    EXPECT_LE(std::chrono::microseconds(duration), took);
    const std::chrono::microseconds started(journal.header["started_us"].get<int64_t>());
    EXPECT_GE(started, before - std::chrono::milliseconds(10));
    EXPECT_LE(started, after);
    std::filesystem::remove_all(spool());
  }
}

TEST_F(RecorderFormats, HeaderDescribesTheProcessAndItsMachine) {
  env["FLAKY_TESTS_RUN_ID"] = "run \"7\"";
  env["FLAKY_TESTS_PROJECT"] = "";
  env["FLAKY_TESTS_VARIANT"] = "nightly";
  env["FLAKY_TESTS_FIXTURE"] = "flaky";
  const int64_t before = getpid();
  Run("behaviours", {"--gtest_filter=Plain.Passes:Shuffled.*", "--gtest_shuffle", "--gtest_random_seed=41"});
  const nlohmann::json header = TheJournal().header;
  EXPECT_EQ(header["flaky_journal"], 1);
  EXPECT_THAT(header["journal_id"].get<std::string>(), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(header["journal_id"].get<std::string>() + ".jsonl", TheJournal().path.filename().string());
  EXPECT_THAT(header["process_run_id"].get<std::string>(), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(header["run_id"], "run \"7\"");
  EXPECT_EQ(header["project"], "");
  EXPECT_EQ(header["variant"], "nightly");
  EXPECT_EQ(header["fixture"], "flaky");
  EXPECT_GT(header["pid"], 0);
  EXPECT_EQ(header["parent_pid"], before);
  std::string name;
  std::getline(std::ifstream("/proc/self/comm"), name);
  EXPECT_EQ(header["parent_name"], name);
  std::ifstream stat_file("/proc/self/stat");
  std::string stat{std::istreambuf_iterator<char>(stat_file), {}};
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  int64_t start = 0;
  std::string field;
  for (int at = 3; at < 22; ++at) fields >> field;
  fields >> start;
  EXPECT_EQ(header["parent_start"], start);
  EXPECT_GE(header["pid_seen"], start);
  timespec since_boot = {};
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  EXPECT_LE(header["pid_seen"], (since_boot.tv_sec + 1) * sysconf(_SC_CLK_TCK));
  std::string boot_id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot_id);
  EXPECT_EQ(header["boot_id"], boot_id);
  utsname system = {};
  uname(&system);
  EXPECT_EQ(header["host"], system.nodename);
  EXPECT_EQ(header["system"], std::string(system.sysname) + " " + system.release + " " + system.machine);
  EXPECT_GT(header["pid_ns"], 0);
  EXPECT_EQ(header["cwd"], std::filesystem::canonical(folder()).string());
  EXPECT_THAT(header["args"], SizeIs(4));
  EXPECT_THAT(header["args"][0].get<std::string>(), EndsWith("/behaviours"));
  EXPECT_EQ(header["args"][3], "--gtest_random_seed=41") << "including the flags that GoogleTest removes from argv";
  EXPECT_THAT(header["compiler"].get<std::string>(), MatchesRegex("(GCC|Clang) [0-9.]+"));
  EXPECT_EQ(header["tests_to_run"], 4);
  EXPECT_EQ(header["shuffle_seed"], 41);
  EXPECT_FALSE(header.contains("shard"));
  EXPECT_FALSE(header.contains("rank"));
  EXPECT_FALSE(header.contains("ctest_pid")) << "these tests have their own ancestors, whatever runs them";
}

TEST_F(RecorderFormats, HeaderHasTheRankOfAnMpiProgram) {
  const auto header = [&](const std::string& number, const std::string& total) {
    env = {{number, "3"}, {total, "4"}};
    Run("behaviours", {"--gtest_filter=Plain.Passes"});
    nlohmann::json read = TheJournal().header;
    std::filesystem::remove_all(spool());
    return read;
  };
  EXPECT_EQ(header("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")["ranks"], 4);
  EXPECT_EQ(header("PMI_RANK", "PMI_SIZE")["ranks"], 4);
  for (const char* number : {"MV2_COMM_WORLD_RANK", "PMIX_RANK", "PALS_RANKID", "SLURM_PROCID"}) {
    EXPECT_EQ(header(number, "UNUSED")["rank"], 3) << number;
  }
  EXPECT_FALSE(header("PMI_RANK_OF_ANOTHER_KIND", "PMI_SIZE").contains("rank"));
}

TEST_F(RecorderFormats, HeaderNamesTheOutermostCtest) {
  const auto script = [&](const std::string& name, const std::string& command) {
    std::ofstream(folder() / name) << "#!/bin/sh\necho $$ > \"$0.pid\"\n" << command << " \"$@\"\nexit $?\n";
    std::filesystem::permissions(folder() / name, std::filesystem::perms::owner_all);
    return (folder() / name).string();
  };
  script("ctest_helper", "");
  launcher = (folder() / "ctest_helper").string();
  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  EXPECT_FALSE(TheJournal().header.contains("ctest_pid"));
  std::filesystem::remove_all(spool());
  script("inner.sh", "");
  const std::string ctest = script("ctest", (folder() / "inner.sh").string());
  const std::string between = script("between.sh", ctest);
  const std::string ctest3 = script("ctest3", between);
  script("outer.sh", ctest3);
  launcher = (folder() / "outer.sh").string();
  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  const nlohmann::json header = TheJournal().header;
  EXPECT_EQ(header["parent_name"], "inner.sh");
  std::string pid;
  std::ifstream(ctest3 + ".pid") >> pid;
  EXPECT_EQ(std::to_string(header.value("ctest_pid", 0)), pid);
  EXPECT_LE(header["ctest_start"], header["parent_start"]);
}

TEST_F(RecorderFormats, HeaderIsNotMisledByTheProcOfAnotherPidNamespace) {
  // The child becomes process 1 of a new pid name space, and its own child the fixture. Their /proc is not mounted.
  in_child = [] {
    const auto stop = [](const char* what) {
      std::fprintf(stderr, "the test cannot make a pid name space (root or user name spaces are needed): %s: %s\n",
                   what, std::strerror(errno));
      _exit(126);
    };
    if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) stop("unshare");
    for (int generation = 0; generation < 2; ++generation) {
      const pid_t child = fork();
      if (child < 0) stop("fork");
      if (child == 0) continue;
      int status = 0;
      waitpid(child, &status, 0);
      _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
    }
  };
  const Outcome outcome = Run("behaviours", {"--gtest_filter=Plain.Passes"});
  ASSERT_EQ(ExitStatus(outcome), 0) << outcome.err;
  const nlohmann::json header = TheJournal().header;
  EXPECT_EQ(header["pid"], 2);
  struct stat ours = {};
  ASSERT_EQ(stat("/proc/self/ns/pid", &ours), 0);
  EXPECT_GT(header["pid_ns"], 0);
  EXPECT_NE(header["pid_ns"], ours.st_ino);
  EXPECT_FALSE(header.contains("parent_pid")) << "in this /proc, that number belongs to another process";
}

TEST_F(RecorderFormats, HeaderLeavesOutWhatIsNotSet) {
  Run("behaviours", {"--gtest_filter=Plain.Passes"});
  const nlohmann::json header = TheJournal().header;
  for (const char* field : {"run_id", "project", "shard", "shuffle_seed"})
    EXPECT_FALSE(header.contains(field)) << field;
  EXPECT_THAT(header["variant"].get<std::string>(), MatchesRegex("asan|tsan|msan|release|debug"));
}

TEST_F(RecorderFormats, SeedsOfShuffledIterationsAreKept) {
  ExpectSameAsPlain("Shuffled.*", {"--gtest_shuffle", "--gtest_random_seed=5", "--gtest_repeat=2"});
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.header["shuffle_seed"], 5);
  EXPECT_THAT(journal.text, HasSubstr("\n{\"iteration\":1,\"shuffle_seed\":6}\n"));
}

TEST_F(RecorderFormats, ShardsNameTheirIndex) {
  env["GTEST_TOTAL_SHARDS"] = "3";
  env["GTEST_SHARD_INDEX"] = "1";
  ExpectSameAsPlain("Shuffled.*");
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.header["shard"], nlohmann::json({1, 3}));
  EXPECT_EQ(journal.header["tests_to_run"], 1);
  EXPECT_EQ(journal.lines.size(), 3u) << "the file, the one test of this shard, and the end";
}

TEST_F(RecorderFormats, ALongCommandLineIsCut) {
  const std::string argument(100'000, '"');
  EXPECT_EQ(ExitStatus(Run("behaviours", {"--gtest_filter=Plain.Passes", argument, argument})), 0);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.OutcomeOf("Plain.Passes"), "passed");
  EXPECT_EQ(journal.header["args"][1], "--gtest_filter=Plain.Passes");
  EXPECT_LT(journal.header.dump().size(), 48u * 1024);
}

TEST_F(RecorderFormats, KeepsAllOfVeryManyResults) {
  env["MANY_TESTS"] = "100000";
  EXPECT_EQ(ExitStatus(Run("many_tests", {"--gtest_brief=1"})), 0);
  const Recorded journal = TheJournal();
  EXPECT_EQ(journal.lines.size(), 1u + 100'000u + 1u);
  EXPECT_EQ(journal.lines[100'000][0], "Suite999.Test99");
  EXPECT_EQ(journal.End(), true);
}

}  // namespace
}  // namespace flaky
