#ifndef FLAKY_TESTS_SUPPORT_BAZEL_STAGE_H_
#define FLAKY_TESTS_SUPPORT_BAZEL_STAGE_H_

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>

// Creates the folders and the environment that Bazel 4 to 8 give to a test, for tests that run without Bazel.
namespace flaky {

struct BazelTest {
  std::string target = "//shop:shop_test";
  std::optional<int> run_number = {};  // --runs_per_test
  std::optional<int> shard = {};       // of two
  std::string time_limit = "300";
};

class BazelStage {
 public:
  // Creates an output base in `folder` and copies `program` into its execroot, as if Bazel had built it.
  BazelStage(const std::filesystem::path& folder, const std::filesystem::path& program)
      : output_base_(folder / "output_base"), sandbox_(output_base_ / "sandbox/linux-sandbox/1/execroot/_main") {
    namespace fs = std::filesystem;
    const fs::path built = execroot() / "bazel-out/k8-fastbuild/bin/shop/shop_test";
    fs::create_directories(built.parent_path());
    fs::copy_file(program, built);
    fs::create_directories(RunFiles() / "_main/shop");
    fs::create_symlink(built, RunFiles() / "_main/shop/shop_test");
    // Like Bazel's test-setup.sh, this runs the program in the folder of the run files, as the child of a shell.
    std::ofstream(test_setup())
        << "#!/bin/bash\n"
           "cd \"$TEST_SRCDIR/$TEST_WORKSPACE\" || exit 1\n"
           "if [[ -n \"${TEST_TOTAL_SHARDS+x}\" ]]; then\n"
           "  export GTEST_SHARD_INDEX=$TEST_SHARD_INDEX GTEST_TOTAL_SHARDS=$TEST_TOTAL_SHARDS\n"
           "fi\n"
           "mkdir -p \"$TEST_TMPDIR\" \"$TEST_UNDECLARED_OUTPUTS_DIR\"\n"
           "[[ \"$1\" = /* ]] && shift  # the path of the program outside of Bazel\n"
           "(\"$TEST_BINARY\" \"$@\") &\n"
           "wait $!\n";
    fs::permissions(test_setup(), fs::perms(0755));
    BeginCommand();
  }

  // Does what Bazel does first in each `bazel test`: replaces command.log.
  void BeginCommand() const {
    std::filesystem::remove(output_base_ / "command.log");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // longer than the resolution of file times
    std::ofstream(output_base_ / "command.log") << "INFO: Analyzed target\n";
  }

  std::map<std::string, std::string> Environment(const BazelTest& test) const {
    std::map<std::string, std::string> environment = {{"TEST_TARGET", test.target},
                                                      {"TEST_WORKSPACE", "_main"},
                                                      {"TEST_BINARY", "./shop/shop_test"},
                                                      {"TEST_SRCDIR", RunFiles().string()},
                                                      {"RUNFILES_DIR", RunFiles().string()},
                                                      {"TEST_TMPDIR", (sandbox_ / "_tmp/1").string()},
                                                      {"TEST_UNDECLARED_OUTPUTS_DIR", outputs().string()},
                                                      {"XML_OUTPUT_FILE", (TestLogs() / "test.xml").string()},
                                                      {"TEST_TIMEOUT", test.time_limit},
                                                      {"TEST_SIZE", "medium"},
                                                      {"BAZEL_TEST", "1"},
                                                      {"TZ", "UTC"}};
    if (test.run_number) {
      environment["TEST_RUN_NUMBER"] = environment["TEST_RANDOM_SEED"] = std::to_string(*test.run_number);
    }
    if (test.shard) {
      environment["TEST_SHARD_INDEX"] = std::to_string(*test.shard);
      environment["TEST_TOTAL_SHARDS"] = "2";
    }
    return environment;
  }

  std::string test_setup() const { return (output_base_ / "test-setup.sh").string(); }
  std::filesystem::path execroot() const { return output_base_ / "execroot/_main"; }
  std::filesystem::path outputs() const { return TestLogs() / "test.outputs"; }

 private:
  std::filesystem::path RunFiles() const { return sandbox_ / "bazel-out/k8-fastbuild/bin/shop/shop_test.runfiles"; }
  std::filesystem::path TestLogs() const { return sandbox_ / "bazel-out/k8-fastbuild/testlogs/shop/shop_test"; }

  std::filesystem::path output_base_, sandbox_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_BAZEL_STAGE_H_
