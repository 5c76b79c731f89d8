// The README's console blocks are run, in a folder and home of their own, and must print what the README says; what
// differs from run to run (ids, times, durations, digests, the home folder) is compared by its form.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Step {
  std::string command;
  std::string output;
};

// The commands of all blocks marked `console`, each with the lines below it.
std::vector<Step> ConsoleSteps(const std::string& markdown) {
  std::vector<Step> steps;
  std::istringstream lines(markdown);
  bool in_block = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      in_block = line == "```console";
    } else if (in_block && line.starts_with("$ ")) {
      steps.push_back({line.substr(2), ""});
    } else if (in_block && !steps.empty()) {
      steps.back().output += line + '\n';
    }
  }
  return steps;
}

std::string Normalised(std::string text, const std::string& home) {
  const auto replace = [&](const std::string& what, const std::string& with) {
    for (size_t at; (at = text.find(what)) != std::string::npos;) text.replace(at, what.size(), with);
  };
  replace(home, "/home/you");
  replace(std::string(FLAKY_SOURCE_DIR) + "/", "");  // the example is not in the repository that it is run in
  const std::pair<const char*, const char*> forms[] = {
      {R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", "TIME"},
      {R"(\b[0-9a-f]{32}\b)", "DIGEST"},
      {R"(\b[0-9a-f]{8}\b)", "RUN"},
      {R"( +\d+ ms\b)", " DURATION"},
  };
  for (const auto& [form, name] : forms) text = std::regex_replace(text, std::regex(form), name);
  return text;
}

TEST(Readme, ItsCommandsPrintWhatItSays) {
  const TempFolder folder;
  const std::filesystem::path shop = folder.path() / "shop", bin = folder.path() / "bin";
  for (const auto& path : {shop, bin}) std::filesystem::create_directory(path);
  std::filesystem::create_symlink(FLAKY_PROGRAM, bin / "flaky");
  std::filesystem::create_symlink(FLAKY_EXAMPLE, shop / "basket_test");
  // Below no repository but this folder's own, without a commit: as a newcomer's first try.
  const std::string environment = "cd '" + shop.string() + "' && git init -q . && env -i HOME='" +
                                  folder.path().string() + "' PATH='" + bin.string() +
                                  ":/usr/bin:/bin' LANG=C.UTF-8 bash -c ";

  const std::vector<Step> steps = ConsoleSteps(ReadFile(std::string(FLAKY_SOURCE_DIR) + "/README.md"));
  ASSERT_GE(steps.size(), 5u);
  for (const Step& step : steps) {
    ASSERT_EQ(step.command.find('\''), std::string::npos) << "this test quotes with it";
    std::FILE* pipe = popen((environment + "'" + step.command + "' 2>&1").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string output;
    for (int c; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << step.command;
    EXPECT_EQ(Normalised(output, folder.path().string()), Normalised(step.output, folder.path().string()))
        << "$ " << step.command;
  }
}

TEST(Readme, ItsLinkLineIsTheExamples) {
  const std::string line = "target_link_libraries(basket_test PRIVATE basket GTest::gtest_main flaky::recorder)\n";
  const std::string root = FLAKY_SOURCE_DIR;
  EXPECT_NE(ReadFile(root + "/README.md").find(line), std::string::npos);
  EXPECT_NE(ReadFile(root + "/examples/basket/CMakeLists.txt").find(line), std::string::npos);
}

TEST(Documents, LinkOnlyToFilesThatAreThere) {
  const std::filesystem::path root = FLAKY_SOURCE_DIR;
  std::vector<std::filesystem::path> documents = {root / "README.md", root / "CONTRIBUTING.md", root / "CHANGELOG.md",
                                                  root / "bench/README.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  const std::regex link(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  for (const auto& document : documents) {
    const std::string text = ReadFile(document);
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      EXPECT_TRUE(std::filesystem::exists(document.parent_path() / (*at)[1].str())) << document << ": " << (*at)[1];
    }
  }
}

}  // namespace
}  // namespace flaky
