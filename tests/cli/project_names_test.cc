// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/run_fixture.h"

// Which project the runs of real test programs belong to, and where commands find them.
namespace flaky {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

using ProjectNamesTest = CtestTest;

// Sources from a tarball: commands find the runs in the sources and in the build folder.
TEST_F(ProjectNamesTest, ATreeWithoutGitIsOneProjectWhereverItsTestsWork) {
  Unset("FLAKY_TESTS_PROJECT");
  const std::string program = Path("shop/build/bin/shop_test");
  WriteFile("shop/CMakeLists.txt", "");
  WriteFile("shop/src/net/CMakeLists.txt", "");
  WriteFile("shop/build/bin/x", "");
  WriteFile("data/x", "");
  std::filesystem::copy_file(kBehaviours, program);
  WriteFile("shop/build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=" + Path("shop") + "\n");
  WriteFile("shop/build/CTestTestfile.cmake", "subdirs(core net)\n");
  WriteFile("shop/build/core/CTestTestfile.cmake", "add_test(core \"" + program + "\" --gtest_filter=Plain.Passes)\n");
  WriteFile("shop/build/net/CTestTestfile.cmake", "add_test(net \"" + program + "\" --gtest_filter=Plain.Skips)\n" +
                                                      "set_tests_properties(net PROPERTIES WORKING_DIRECTORY \"" +
                                                      Path("data") + "\")\n");
  for (const std::string test : {"core", "net", "'core|net'"}) {
    std::filesystem::current_path(Path(test == "core" ? "shop" : "work"));
    EXPECT_EQ(std::system(("ctest --test-dir '" + Path("shop/build") + "' -R " + test + " > /dev/null").c_str()), 0);
    AwaitDelivery();
  }
  std::filesystem::current_path(Path("data"));
  EXPECT_EQ(std::system((program + " --gtest_filter=Plain.Passes > /dev/null").c_str()), 0);
  AwaitDelivery();
  for (const std::string folder : {"shop", "shop/src/net", "shop/build", "shop/build/core"}) {
    std::filesystem::current_path(Path(folder));
    const json runs = json::parse(Run({"runs", "--json"}).out)["runs"];
    EXPECT_THAT(runs, SizeIs(4)) << folder;
    for (const json& run : runs) EXPECT_EQ(run["project"], "shop");
  }
  std::filesystem::current_path(Path("work"));
  const Outcome elsewhere = Run({"runs"});
  EXPECT_EQ(elsewhere.code, 6);
  EXPECT_THAT(elsewhere.err, HasSubstr("no run of project work in "));
  EXPECT_THAT(elsewhere.err, HasSubstr("the projects are shop (4 runs): "));
}

// The same without anything that CMake wrote, by `flaky run`.
TEST_F(ProjectNamesTest, TwoTreesWithoutGitAreTwoProjects) {
  Unset("FLAKY_TESTS_PROJECT");
  for (const std::string project : {"engine", "shop"}) {
    WriteFile(project + "/build/CTestTestfile.cmake", "subdirs(core)\n");
    WriteFile(project + "/build/core/CTestTestfile.cmake",
              std::string("add_test(core ") + kBehaviours + " --gtest_filter=Plain.Fails)\n");
    std::filesystem::current_path(Path(project));
    RunCommand({"--", "ctest", "--test-dir", "build"});
  }
  RunCommand({"--", "ctest", "--test-dir", "build"});
  const auto runs_in = [&](const std::string& folder) {
    std::filesystem::current_path(Path(folder));
    const json judged = json::parse(Run({"check", "--json"}).out);
    EXPECT_EQ(judged["runs"], json::parse(Run({"runs", "--json"}).out)["runs"].size());
    return judged["project"].get<std::string>() + " " + std::to_string(judged["runs"].get<int>());
  };
  for (const char* folder : {"shop", "shop/build", "shop/build/core"}) EXPECT_EQ(runs_in(folder), "shop 2") << folder;
  for (const char* folder : {"engine", "engine/build"}) EXPECT_EQ(runs_in(folder), "engine 1") << folder;
}

}  // namespace
}  // namespace flaky
