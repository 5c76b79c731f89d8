// SPDX-License-Identifier: MIT

// Checks that the README and the guides are true: runs their console blocks and compares the output.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/docs/console.h"

namespace flaky {
namespace {

// The Markdown files of the repository that are written for readers.
std::vector<std::filesystem::path> AllDocuments() {
  const std::filesystem::path root = FLAKY_SOURCE_DIR;
  std::vector<std::filesystem::path> documents = {root / "README.md", root / "CONTRIBUTING.md", root / "CHANGELOG.md",
                                                  root / "bench/README.md", root / "stores/schema/README.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  return documents;
}

TEST(Readme, CommandsPrintTheShownOutput) { ExpectDocumentIsTrue("README.md"); }

TEST(JsonlPage, CommandsPrintTheShownOutput) { ExpectDocumentIsTrue("docs/reference/jsonl.md"); }

TEST(ResultsPage, CommandsPrintTheShownOutput) { ExpectDocumentIsTrue("docs/reference/results.md"); }

TEST(Guides, CommandsPrintTheShownOutput) {
  for (const char* guide : {"docs/guides/ctest.md", "docs/guides/flaky-tests.md", "docs/guides/how-recording-works.md"}) {
    ExpectDocumentIsTrue(guide);
  }
}

TEST(Readme, LinkLineIsTheOneOfTheExample) {
  const std::string line = "target_link_libraries(basket_test PRIVATE basket GTest::gtest_main flaky::recorder)\n";
  const std::string root = FLAKY_SOURCE_DIR;
  EXPECT_NE(ReadFile(root + "/README.md").find(line), std::string::npos);
  EXPECT_NE(ReadFile(root + "/examples/basket/CMakeLists.txt").find(line), std::string::npos);
}

// A block after a comment that names a file shows lines of that file, in the same order.
TEST(Documents, ShownFilesContainTheShownLines) {
  const std::filesystem::path root = FLAKY_SOURCE_DIR;
  const std::regex shown(R"(<!-- (\S+) -->\n```[a-z]*\n([^`]*)```)");
  size_t blocks = 0;
  for (const char* document : {"docs/guides/installing.md", "docs/guides/embedding.md", "docs/guides/bazel.md"}) {
    const std::string text = ReadFile(root / document);
    for (std::sregex_iterator at(text.begin(), text.end(), shown), end; at != end; ++at, ++blocks) {
      std::istringstream file(ReadFile(root / (*at)[1].str()));
      std::istringstream lines((*at)[2]);
      for (std::string line, there; std::getline(lines, line);) {
        while (!line.empty() && std::getline(file, there) && there != line) {
        }
        EXPECT_TRUE(file) << document << " shows a line that is not in " << (*at)[1] << ": " << line;
      }
    }
  }
  EXPECT_GE(blocks, 12u);
}

TEST(Documents, LinkOnlyToExistingFiles) {
  const std::regex link(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  for (const auto& document : AllDocuments()) {
    const std::string text = ReadFile(document);
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      EXPECT_TRUE(std::filesystem::exists(document.parent_path() / (*at)[1].str())) << document << ": " << (*at)[1];
    }
  }
}

TEST(Documents, IndexLinksToEveryPage) {
  const std::filesystem::path docs = std::filesystem::path(FLAKY_SOURCE_DIR) / "docs";
  const std::string index = ReadFile(docs / "README.md");
  for (const char* folder : {"guides", "reference", "stores"}) {
    for (const auto& entry : std::filesystem::directory_iterator(docs / folder)) {
      const std::string page = std::string(folder) + '/' + entry.path().filename().string();
      EXPECT_NE(index.find('(' + page + ')'), std::string::npos) << "docs/README.md does not link to " << page;
    }
  }
}

// Tables, code and lines of a single word (long links) are exempt.
TEST(Documents, ProseIsWrappedAt120Columns) {
  for (const auto& document : AllDocuments()) {
    std::istringstream lines(ReadFile(document));
    bool in_block = false;
    size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      const size_t begin = std::min(line.size(), line.find_first_not_of(' '));
      if (line.compare(begin, 3, "```") == 0) in_block = !in_block;
      if (in_block || line.compare(begin, 1, "|") == 0 || line.find(' ', begin) == std::string::npos) continue;
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      EXPECT_LE(columns, 120) << document << ":" << number;
    }
  }
}

}  // namespace
}  // namespace flaky
