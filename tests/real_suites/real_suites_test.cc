// SPDX-License-Identifier: MIT

// GoogleTest's and GoogleMock's own test programs, which use GoogleTest in every possible way. With the recorder they
// do the same as without it, and their results are in the history. There is no exception: even the programs that
// inspect listeners, flags and the environment find nothing that changes a result.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "tests/cli/program_fixture.h"
#include "tests/real_suites/programs.h"
#include "tests/real_suites/results.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using testing::ContainerEq;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The visible effects of a run of a program. Times, addresses and process ids are removed where noted.
struct Seen {
  int status = 0;                            // as waitpid returns it
  std::string out, err;                      // stdout and stderr, without times and so on
  std::string printed;                       // stdout, unchanged
  std::map<std::string, std::string> files;  // the files in its folder, without times and so on
  std::string json;                          // the file of --gtest_output=json
};

constexpr char kJson[] = "results.json";

std::string WithoutNumbers(const std::string& text) {
  static const std::regex number(R"(\d+(\.\d+)?)");
  return std::regex_replace(text, number, "N");
}

// Replaces times, addresses and process ids.
std::string WithoutTimes(const std::string& text) {
  static const std::regex pattern(R"(\d+ ms|0x[0-9a-f]+|==\d+==)");
  return std::regex_replace(text, pattern, "~");
}

// Returns the sorted characters of a text without digits, for output that many threads wrote in no fixed order.
std::string Characters(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isdigit(c) != 0; });
  std::sort(text.begin(), text.end());
  return text;
}

// Compares the texts. The message shows only the first difference, because the texts may be megabytes long.
testing::AssertionResult AreSame(const std::string& recorded, const std::string& plain) {
  if (recorded == plain) return testing::AssertionSuccess();
  const auto end = std::min(recorded.size(), plain.size());
  size_t at = 0;
  while (at < end && recorded[at] == plain[at]) ++at;
  const auto around = [at](const std::string& text) {
    const size_t begin = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    return text.substr(begin == std::string::npos ? 0 : begin + 1, 400);
  };
  return testing::AssertionFailure() << "the first difference: with the recorder\n"
                                     << around(recorded) << "\nand without it\n"
                                     << around(plain) << '\n';
}

std::set<std::string> Names(const std::map<std::string, std::string>& files) {
  std::set<std::string> names;
  for (const auto& [name, content] : files) names.insert(name);
  return names;
}

class RealSuite : public ProgramTest, public testing::WithParamInterface<RealProgram> {
 protected:
  // Runs the program that is built in the folder `way`. Its path, the name of its working folder, which is empty, and
  // its environment are always the same.
  Seen See(const std::string& way) {
    fs::remove_all(Path("folder"));
    fs::create_directories(Path("folder"));
    fs::remove(Path("programs"));
    fs::create_directory_symlink(std::string(FLAKY_REAL_SUITES) + "/" + way, Path("programs"));

    std::vector<std::string> arguments = {Path("programs/") + GetParam().name};
    arguments.push_back(std::string("--gtest_output=json:") + kJson);
    arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    // A delivery that takes too long would be reported on stderr, and the machine may stall.
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin",
                                            "TZ=UTC",
                                            "HOME=" + Path("home"),
                                            "FLAKY_TESTS_PROJECT=real",
                                            "FLAKY_TESTS_DB=" + Path("h.db"),
                                            "FLAKY_TESTS_DELIVERY_TIMEOUT=120",
                                            "FLAKY_TESTS_DELIVERY_WAIT=120000"};
    environment.insert(environment.end(), GetParam().environment.begin(), GetParam().environment.end());

    // For the program `flaky`, which may be built with a sanitizer. The suite is not a test of the ctest above.
    for (const std::string kept :
         {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "FLAKY_RUN_PROCESS"}) {
      if (const char* const value = std::getenv(kept.c_str())) environment.push_back(kept + "=" + value);
    }

    Seen seen;
    seen.status = RunProcess(arguments, environment);
    seen.printed = Content(Path("out"));
    seen.out = WithoutTimes(seen.printed);
    seen.err = WithoutTimes(Content(Path("err")));
    for (const auto& entry : fs::recursive_directory_iterator(Path("folder"))) {
      const std::string name = entry.path().lexically_relative(Path("folder")).string();
      const std::string content = entry.is_regular_file() ? Content(entry.path()) : "";
      seen.files[name] = WithoutNumbers(WithoutTimes(content));
      if (name == kJson) seen.json = content;
    }
    if (GetParam().threads) {
      // In each run the messages come in a different order, also within each other, and GoogleMock's contain the number
      // of calls so far. The printed results of each test are compared in any case.
      seen.out.clear();
      seen.err = Characters(seen.err);
      seen.files[kJson].clear();
    }
    return seen;
  }

  // Returns the results that the history must have. If there is one iteration, the printed results and those of
  // --gtest_output=json must be equal. If there are several, the file has only the last one.
  static Results Expected(const Seen& seen) {
    Printed printed = PrintedResults(seen.printed, seen.status);
    if (seen.json.empty()) return printed;
    Written written = WrittenResults(seen.json);
    if (!GetParam().prints) {
      EXPECT_THAT(printed.tests, IsEmpty());
      for (auto& [name, tally] : written.tests) {
        for (int64_t* count : {&tally.executed, &tally.skipped, &tally.failed, &tally.failures})
          *count *= GetParam().iterations;
      }
      return written;
    }
    for (const std::string& name : written.not_run) {
      EXPECT_EQ(printed.tests[name], (TestTally{.skipped = printed.iterations})) << name << " never began";
      printed.tests.erase(name);
    }
    if (printed.iterations == 1) {
      EXPECT_THAT(printed.tests, ContainerEq(written.tests));
    }
    return printed;
  }

 private:
  int RunProcess(std::vector<std::string>& arguments, std::vector<std::string>& environment) const {
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> result;
      for (std::string& text : texts) result.push_back(text.data());
      result.push_back(nullptr);
      return result;
    };
    const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
    const std::string folder = Path("folder"), out = Path("out"), err = Path("err");
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit no_core = {0, 0};
      ::setrlimit(RLIMIT_CORE, &no_core);
      constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
      const bool ready = ::chdir(folder.c_str()) == 0 &&
                         ::dup2(::open(out.c_str(), kFlags, 0600), STDOUT_FILENO) >= 0 &&
                         ::dup2(::open(err.c_str(), kFlags, 0600), STDERR_FILENO) >= 0;
      if (ready) ::execve(argv[0], argv.data(), envp.data());
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 127) << arguments[0] << " did not start";
    return status;
  }
};

TEST_P(RealSuite, IsUnchangedAndRecorded) {
  const Seen plain = See("plain");
  ASSERT_FALSE(fs::exists(Path("h.db")));
  const Seen recorded = See("recorded");
  EXPECT_EQ(recorded.status, plain.status);
  EXPECT_TRUE(AreSame(recorded.out, plain.out)) << "on stdout";
  EXPECT_TRUE(AreSame(recorded.err, plain.err)) << "on stderr";
  ASSERT_THAT(Names(recorded.files), ContainerEq(Names(plain.files)));
  for (const auto& [name, content] : plain.files)
    EXPECT_TRUE(AreSame(recorded.files.at(name), content)) << "in " << name;

  EXPECT_THAT(PrintedResults(recorded.printed, recorded.status).tests,
              ContainerEq(PrintedResults(plain.printed, plain.status).tests));

  const Results expected = Expected(plain);
  EXPECT_EQ(!expected.tests.empty(), GetParam().runs_tests) << plain.out;
  const Outcome exported = Run({"export"});
  if (expected.tests.empty() && exported.code == static_cast<int>(ExitCode::kUnreachable)) return;  // no run, no store
  ASSERT_EQ(exported.code, 0) << exported.err;
  const Results history = HistoryResults(exported.out);
  EXPECT_THAT(history.tests, ContainerEq(expected.tests));
  EXPECT_EQ(history.between, expected.between);
  EXPECT_EQ(history.failed, expected.failed);
}

// A name that fits ctest's lines: the program and its arguments, without the words that most of them share.
std::string ShortName(const testing::TestParamInfo<RealProgram>& program) {
  static const std::regex kPrefix("^(googletest|gtest)[-_]");
  static const std::regex kSuffix("[-_](unit)?test_?$");
  static const std::regex kArgumentPrefix("^(--(gtest_|gmock_)?|GTEST_)");
  static const std::regex kOther("[^A-Za-z0-9]+");
  std::vector<std::string> arguments = program.param.arguments;
  arguments.insert(arguments.end(), program.param.environment.begin(), program.param.environment.end());

  std::string name = std::regex_replace(program.param.name, kPrefix, "");
  if (!arguments.empty()) name = std::regex_replace(name, kSuffix, "");
  for (const std::string& argument : arguments) name += "_" + std::regex_replace(argument, kArgumentPrefix, "");
  return std::regex_replace(name, kOther, "_").substr(0, 35);
}

INSTANTIATE_TEST_SUITE_P(All, RealSuite, testing::ValuesIn(RealPrograms()), ShortName);

std::set<std::string> Built(const std::string& way) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(std::string(FLAKY_REAL_SUITES) + "/" + way))
    names.insert(entry.path().filename().string());
  return names;
}

TEST(RealSuites, EveryProgramThatIsBuiltIsRun) {
  std::set<std::string> run;
  for (const RealProgram& program : RealPrograms()) run.insert(program.name);
  EXPECT_THAT(Built("plain"), ContainerEq(run));
  EXPECT_THAT(Built("recorded"), ContainerEq(run));
}

TEST(RealSuites, EverySourceOfGoogleTestsTestsIsBuiltOrNamedHere) {
  std::set<std::string> left;
  for (const char* folder : {"/usr/src/googletest/googletest/test", "/usr/src/googletest/googlemock/test"}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".cc") left.insert(entry.path().string());
    }
  }
  std::ifstream sources(std::string(FLAKY_REAL_SUITES) + "/sources.txt");
  for (std::string line; std::getline(sources, line);) left.erase(line);
  EXPECT_THAT(left, UnorderedElementsAre(
                        // These include other sources, which are built one by one.
                        "/usr/src/googletest/googletest/test/gtest_all_test.cc",
                        "/usr/src/googletest/googlemock/test/gmock_all_test.cc",
                        // These test compiling and linking, and take long to build.
                        "/usr/src/googletest/googletest/test/gtest_test_macro_stack_footprint_test.cc",
                        "/usr/src/googletest/googlemock/test/gmock_link_test.cc",
                        "/usr/src/googletest/googlemock/test/gmock_link2_test.cc",
                        // These have many more tests of the same kind as the ones that are built, and a third of all
                        // templates.
                        "/usr/src/googletest/googlemock/test/gmock-matchers-comparisons_test.cc",
                        "/usr/src/googletest/googlemock/test/gmock-matchers-containers_test.cc",
                        "/usr/src/googletest/googlemock/test/gmock-matchers-misc_test.cc",
                        "/usr/src/googletest/googlemock/test/gmock-more-actions_test.cc"));
}

}  // namespace
}  // namespace flaky
