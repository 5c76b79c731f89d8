// The README and the guides are true: their console blocks are run, and print what they say.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/docs/console.h"

namespace flaky {
namespace {

TEST(Readme, ItsCommandsPrintWhatItSays) { ExpectDocumentIsTrue("README.md"); }

TEST(JsonlPage, ItsCommandsPrintWhatItSays) { ExpectDocumentIsTrue("docs/reference/jsonl.md"); }

TEST(Guides, TheirCommandsPrintWhatTheySay) {
  for (const char* guide : {"docs/guides/ctest.md", "docs/guides/how-recording-works.md"}) {
    ExpectDocumentIsTrue(guide);
  }
}

TEST(Readme, ItsLinkLineIsTheExamples) {
  const std::string line = "target_link_libraries(basket_test PRIVATE basket GTest::gtest_main flaky::recorder)\n";
  const std::string root = FLAKY_SOURCE_DIR;
  EXPECT_NE(ReadFile(root + "/README.md").find(line), std::string::npos);
  EXPECT_NE(ReadFile(root + "/examples/basket/CMakeLists.txt").find(line), std::string::npos);
}

// A block behind a comment that names a file shows lines of that file, in its order.
TEST(Documents, ShowWhatIsInTheFilesThatTheyName) {
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
