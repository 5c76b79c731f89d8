// SPDX-License-Identifier: MIT
#include "tests/docs/console.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

struct Step {
  std::string command;
  std::string output;
};

std::vector<Step> ConsoleSteps(const std::string& markdown) {
  std::vector<Step> steps;
  std::istringstream lines(markdown);
  bool in_block = false;
  size_t indent = 0;  // of the block, if it is in a list
  for (std::string line; std::getline(lines, line);) {
    if (in_block) line.erase(0, std::min(indent, line.find_first_not_of(' ')));
    if (const size_t fence = line.find("```"); fence != std::string::npos && line.find_first_not_of(' ') == fence) {
      indent = fence;
      in_block = line.substr(fence) == "```console";
    } else if (in_block && line.starts_with("$ ")) {
      steps.push_back({line.substr(2), ""});
    } else if (in_block && !steps.empty()) {
      steps.back().output += line + '\n';
    }
  }
  return steps;
}

void Replace(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::string Normalised(std::string text, const std::string& home) {
  Replace(text, home, "/home/you");
  Replace(text, std::string(FLAKY_SOURCE_DIR) + "/", "");  // the tests run outside the repository of the example
  const std::pair<const char*, const char*> forms[] = {
      {R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", "TIME"},
      {R"(\b\d{4}-\d\d-\d\d\b)", "DATE"},
      {R"(\b[0-9a-f]{40}\b)", "COMMIT"},
      {R"(\b[0-9a-f]{32}\b)", "DIGEST"},
      {R"(\b[0-9a-f]{8,12}\b)", "RUN"},
      {R"(\bRUN +STARTED)", "RUN  STARTED"},  // ids that begin with their time need as many digits as tell them apart
      {R"((rows per second) +[\d,]+(  [\d,]+ rows in )[\d.]+ s\b)", "$1 RATE$2DURATION"},
      {R"( +\d+(\.\d+)? (ms|s)\b)", " DURATION"},
  };
  for (const auto& [form, name] : forms) text = std::regex_replace(text, std::regex(form), name);
  return text;
}

// Returns a URL in the form in which messages show it.
std::string WithoutUser(const std::string& url) {
  const size_t host = url.find('@');
  return host == url.npos ? url : url.substr(0, url.find("://") + 3) + "***" + url.substr(host);
}

// After each command the script prints a line with this mark and the command's exit status.
constexpr char kMark[] = "@@@ done: ";

}  // namespace

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

void ExpectDocumentIsTrue(const std::string& document,
                          const std::vector<std::pair<std::string, std::string>>& stand_ins,
                          const std::string& before) {
  const TempFolder folder;
  const std::filesystem::path shop = folder.path() / "shop", bin = folder.path() / "bin";
  for (const auto& path : {shop, bin}) std::filesystem::create_directory(path);
  std::filesystem::create_symlink(FLAKY_PROGRAM, bin / "flaky");
  std::filesystem::create_symlink(FLAKY_EXAMPLE, shop / "basket_test");

  const std::vector<Step> steps = ConsoleSteps(ReadFile(std::string(FLAKY_SOURCE_DIR) + "/" + document));
  ASSERT_FALSE(steps.empty()) << document;
  // A new repository without a commit, as for a newcomer's first try.
  std::string script =
      "exec 2>&1\ncd '" + shop.string() + "' && git init -q .\n" + before + "\necho '" + kMark + "0'\n";
  for (const Step& step : steps) {
    std::string command = step.command;
    for (const auto& [shown, real] : stand_ins) Replace(command, shown, real);
    script += command + "\necho \"" + kMark + "$?\"\n";
  }
  const std::string script_file = folder.File("script");
  std::ofstream(script_file) << script;

  std::FILE* pipe = popen(
      ("env -i HOME='" + folder.path().string() + "' PATH='" + bin.string() +
       ":/usr/bin:/bin' LANG=C.UTF-8 FLAKY_TESTS_DELIVERY_WAIT=120000 FLAKY_RUN_PROCESS=$FLAKY_RUN_PROCESS bash '" +
       script_file + "'")
          .c_str(),
      "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (int c; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << output;
  for (const auto& [shown, real] : stand_ins) {
    Replace(output, real, shown);
    Replace(output, WithoutUser(real), WithoutUser(shown));
  }

  std::vector<std::string> outputs(1), statuses;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kMark)) {
      statuses.push_back(line.substr(sizeof kMark - 1));
      outputs.emplace_back();
    } else {
      outputs.back() += line + '\n';
    }
  }
  ASSERT_EQ(statuses.size(), steps.size() + 1) << output;
  EXPECT_EQ(outputs[0], "") << "before " << document;
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string home = folder.path().string();
    EXPECT_EQ(statuses[i + 1], "0") << document << ": $ " << steps[i].command;
    EXPECT_EQ(Normalised(outputs[i + 1], home), Normalised(steps[i].output, home))
        << document << ": $ " << steps[i].command;
  }
}

}  // namespace flaky
